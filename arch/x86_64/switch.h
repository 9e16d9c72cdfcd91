/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From one stack to another, as a function call: what the ABI lets a callee
 * keep is all that is saved. Interrupts are off before and after.
 */
#ifndef ARCH_X86_64_SWITCH_H
#define ARCH_X86_64_SWITCH_H

#include <stdint.h>

/* Leaves this context's stack pointer in *@save and goes on with that of @load. */
void switch_stack(uint64_t *save, uint64_t load);

/* What to load so that @entry, which must not return, starts on the stack below @top (16-aligned).
 */
static inline uint64_t switch_prepare(void *top, void (*entry)(void))
{
	uint64_t *sp = top;

	*--sp = 0; /* where @entry would return to: backtraces end here */
	*--sp = (uintptr_t)entry;
	for (unsigned i = 0; i < 6; i++) /* RBP, RBX, R12-R15 */
		*--sp = 0;
	return (uintptr_t)sp;
}

#endif
