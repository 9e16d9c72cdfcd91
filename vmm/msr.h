/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSRs of the processor itself, hooked for every VM: those that the vendor
 * keeps, and the TSC. Devices have the others (devices/cpu/); what nobody has
 * is #GP.
 */
#ifndef VMM_MSR_H
#define VMM_MSR_H

#include "lib/compiler.h"

struct vcpu;
struct vm;

/* Hooks them all. -ENOMEM or -EBUSY, logged. */
int msr_create(struct vm *vm) __must_check;
void msr_destroy(struct vm *vm);

/* The TSC at power-on. */
void msr_reset(struct vcpu *vcpu);

#endif
