/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the hypervisor: only for our own broken invariants, never for
 * anything a guest, a config, a module or the serial line sent.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include "lib/compiler.h"

struct exception_frame;

/*
 * Stops the other CPUs, prints what, where, registers and a backtrace with
 * function names on every sink, and halts.
 */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;

/* As panic(), for an exception of ours: @frame is what the CPU and the stub saved. */
void panic_exception(const struct exception_frame *frame, const char *fmt, ...)
	__printf(2, 3) __noreturn;

/* The NMI handler, first: does not return on a CPU that is to stop because another one panics. */
void panic_stop_if_any(void);

#define BUG_ON(cond)                                                           \
	do {                                                                   \
		if (unlikely(cond))                                            \
			panic("%s:%d: BUG_ON(%s)", __FILE__, __LINE__, #cond); \
	} while (0)

#endif
