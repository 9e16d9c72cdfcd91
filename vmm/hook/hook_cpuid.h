/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID. The table that a guest sees is built once (vmm/cpu_model.c); a hook
 * replaces or alters leaves, and dynamic bits (OSXSAVE, APIC id …) are put
 * in by handlers.
 */
#ifndef VMM_HOOK_HOOK_CPUID_H
#define VMM_HOOK_HOOK_CPUID_H

#include "vmm/hook/hook.h"

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

/* @regs holds the table's answer on entry and what the guest gets on return. */
typedef void (*hook_cpuid_fn)(void *opaque, struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
			      struct cpuid_regs *regs);

/* Owned by the map's user; stays while hooked. */
struct hook_cpuid {
	uint32_t first, last; /* leaves */
	hook_cpuid_fn fn;
	void *opaque;
	const char *owner;
};

int hook_cpuid_add(struct vm *vm, const struct hook_cpuid *hook) __must_check;
void hook_cpuid_remove(struct vm *vm, const struct hook_cpuid *hook);
/* A fixed answer in the table. @subleaf UINT32_MAX: any. */
int hook_cpuid_set(struct vm *vm, uint32_t leaf, uint32_t subleaf,
		   const struct cpuid_regs *regs) __must_check;
/*
 * @leaf, a basic one that is or will be set, answers for every leaf that the
 * table does not reach and that is above it. Without this they give zeros.
 */
int hook_cpuid_set_beyond(struct vm *vm, uint32_t leaf) __must_check;
/* The @n-th answer of the table, by leaf and subleaf. False: there are fewer. Task. */
bool hook_cpuid_nth(struct vm *vm, uint32_t n, uint32_t *leaf, uint32_t *subleaf,
		    struct cpuid_regs *regs);
/* The exit path. */
void hook_cpuid_query(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *regs);

#endif
