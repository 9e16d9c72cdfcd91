/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls, by number. Convention (docs/hypercalls.md): number in RAX,
 * arguments in RBX, RCX, RDX, RSI; result in RAX, as a 64-bit value, negative
 * on failure. From CPL 0 only. VMCALL and VMMCALL both work.
 */
#ifndef VMM_HOOK_HOOK_CALL_H
#define VMM_HOOK_HOOK_CALL_H

#include "vmm/hook/hook.h"

/*
 * What guests are told; numbers that they can rely on, which those of our
 * errno.h are not: that is newlib's.
 */
#define HYPERCALL_DENIED  INT64_C(-1)  /* not from CPL 0 */
#define HYPERCALL_UNKNOWN INT64_C(-38) /* a number that nobody owns */

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
