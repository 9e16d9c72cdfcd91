/* SPDX-License-Identifier: BSD-2-Clause */
/* The real header, but what user mode may not do, and with a clock that the test turns. */
#ifndef FAKE_ARCH_X86_64_CPU_H
#define FAKE_ARCH_X86_64_CPU_H

#define cpu_irq_window	real_cpu_irq_window
#define cpu_idle	real_cpu_idle
#define cpu_rdtsc	real_cpu_rdtsc
#define cpu_pause	real_cpu_pause
#define cpu_read_cr4	real_cpu_read_cr4
#define cpu_irq_disable real_cpu_irq_disable
#define cpu_stop	real_cpu_stop
#include_next "arch/x86_64/cpu.h"
#undef cpu_irq_window
#undef cpu_idle
#undef cpu_rdtsc
#undef cpu_pause
#undef cpu_read_cr4
#undef cpu_irq_disable
#undef cpu_stop

/* fake_cpus.c; a test without it has the host's own clock. */
extern uint64_t fake_tsc __attribute__((weak));

static inline uint64_t cpu_rdtsc(void)
{
	return &fake_tsc ? fake_tsc : __builtin_ia32_rdtsc();
}

/* What ours has where it matters. */
static inline uint64_t cpu_read_cr4(void)
{
	return CR4_PAE | CR4_MCE;
}

/* Delivers what fake_cpus.c holds for the current CPU. */
void cpu_irq_window(void);
/* The same, and counts. */
void cpu_idle(void);
/* Somebody waits for another CPU: runs fake_pause_hook, if set. */
void cpu_pause(void);
/* Of the tests that need them. The CPU goes no further after cpu_stop(). */
void cpu_irq_disable(void);
void cpu_stop(void) __noreturn;

#endif
