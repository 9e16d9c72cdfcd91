/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU that guests see: the machine's own, less what they cannot have or
 * what we do not give. Every feature that is passed on stands in a list
 * (cpu_model_table.c); one that nobody listed is not there.
 */
#ifndef VMM_CPU_MODEL_H
#define VMM_CPU_MODEL_H

#include "lib/compiler.h"
#include "vmm/cpu_vendor.h"

#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vm;

/* The TSC's and the local APIC timer's frequencies, as the leaf tells them to guests. */
#define CPU_MODEL_LEAF_FREQUENCY 0x40000010u
#define CPU_MODEL_APIC_KHZ	 1000000u

/*
 * Fills the VM's table of leaves (vmm/hook/hook_cpuid.h) by its config. -ENOMEM, or -ENOTSUP
 * (logged): the machine does not have all that the config's CPU model has.
 */
int cpu_model_create(struct vm *vm) __must_check;
void cpu_model_destroy(struct vm *vm);
/* The part of it that depends on the vCPU which asks. */
int cpu_model_hook(struct vm *vm) __must_check;

/* What the VM's CPU is like; its config is known. */
const struct cpu_vendor *cpu_model_vendor(const struct vm *vm);
/* Whose MSRs, besides the architecture's, the guest expects. */
enum cpu_line cpu_model_line(const struct vm *vm);
/* EDX at reset: family, model, stepping. */
uint32_t cpu_model_signature(const struct vm *vm);
/* Bits of a guest-physical address. */
unsigned cpu_model_phys_bits(const struct vm *vm);
/* With those of linear addresses: leaf 80000008, EAX. */
uint32_t cpu_model_address_sizes(const struct vm *vm);
/* Leaves 8000001D and 8000001E. */
bool cpu_model_has_topoext(const struct vm *vm);
/* The EFER bits that the guest may set. */
uint64_t cpu_model_efer(const struct vm *vm);

#endif
