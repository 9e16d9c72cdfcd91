/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls, by number. Convention (docs/hypercalls.md): number in RAX,
 * arguments in RBX, RCX, RDX, RSI; result in RAX, a negative errno as a
 * 64-bit value on failure; -ENOSYS for a number that nobody owns. From CPL 0
 * only: elsewhere -EPERM. VMCALL and VMMCALL both work.
 */
#ifndef VMM_HOOK_HOOK_CALL_H
#define VMM_HOOK_HOOK_CALL_H

#include "vmm/hook/hook.h"

typedef int64_t (*hook_call_fn)(void *opaque, struct vcpu *vcpu, uint64_t number,
				const uint64_t args[4]);

struct hook_call {
	uint64_t first, last;
	hook_call_fn fn;
	void *opaque;
	const char *owner;
};

int hook_call_add(struct vm *vm, const struct hook_call *hook) __must_check;
void hook_call_remove(struct vm *vm, const struct hook_call *hook);
int64_t hook_call_do(struct vcpu *vcpu, uint64_t number, const uint64_t args[4]);

#endif
