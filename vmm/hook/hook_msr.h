/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs. An MSR that nobody owns is #GP, or reads 0 and ignores writes with `msr-unknown = ignore`.
 */
#ifndef VMM_HOOK_HOOK_MSR_H
#define VMM_HOOK_HOOK_MSR_H

#include "vmm/hook/hook.h"

/*
 * MSRs exist where a permission map could have them, and a little beyond: the
 * first 16384 of each 0x00000000, 0x40000000 (for hypervisors), 0xc0000000 and
 * 0xc0010000 (AMD).
 */
#define HOOK_MSR_SLOTS 0x84000u

/* -EBUSY: an MSR has an owner already, logged with both. -EINVAL: there are no such MSRs. -ENOMEM.
 */
int hook_msr_add(struct vm *vm, const struct hook *hook) __must_check;
void hook_msr_remove(struct vm *vm, const struct hook *hook);
/* 0, or a negative errno: the caller injects #GP(0). */
int hook_msr_read(struct vcpu *vcpu, uint32_t index, uint64_t *value) __must_check;
int hook_msr_write(struct vcpu *vcpu, uint32_t index, uint64_t value) __must_check;

/* All hooks in the order of their MSRs. Context: the VM's life cycle is held, so that none goes. */
void hook_msr_for_each(struct vm *vm, void (*fn)(void *opaque, const struct hook *hook),
		       void *opaque);

#endif
