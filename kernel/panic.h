/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the hypervisor: only for our own broken invariants, never for
 * anything a guest, a config, a module or the serial line sent.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include "lib/compiler.h"

struct exception_frame;
struct vcpu;

/*
 * Stops the other CPUs, prints what, where, registers, a backtrace with
 * function names, what to try, and what led there on every sink, keeps all
 * that for the next start (kernel/panic_card.h), and halts.
 */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;
/* The same, where the machine or its start is at fault, and @try says what to do about that. */
void panic_try(const char *try, const char *fmt, ...) __printf(2, 3) __noreturn;

/* As panic(), for an exception of ours: @frame is what the CPU and the stub saved. */
void panic_exception(const struct exception_frame *frame, const char *fmt, ...)
	__printf(2, 3) __noreturn;

/* The NMI handler, first: does not return on a CPU that is to stop because another one panics. */
void panic_stop_if_any(void);

/*
 * What else a panic prints, by who knows: nothing may wait, and anything may be damaged. @last: the
 * vCPU that ran last on the CPU that panics, or NULL.
 */
typedef void (*panic_line_fn)(const char *fmt, ...) __printf(1, 2);
typedef void (*panic_report_fn)(panic_line_fn line, struct vcpu *last);
TABLE_DECLARE(panic_reports, panic_report_fn);
#define PANIC_REPORT(fn_) TABLE_ENTRY(panic_reports, panic_report_fn, panic_report_##fn_) = fn_

#define BUG_ON(cond)                                                           \
	do {                                                                   \
		if (unlikely(cond))                                            \
			panic("%s:%d: BUG_ON(%s)", __FILE__, __LINE__, #cond); \
	} while (0)

#endif
