/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs with their interrupts, for host tests: one thread plays them all, one
 * after the other. The TSC ticks in ns and only when the test says so.
 */
#ifndef TESTS_HOST_FAKE_CPUS_H
#define TESTS_HOST_FAKE_CPUS_H

#include <stdint.h>

/* CPUs 0 to @count - 1, online, nothing pending; CPU 0 is current; the TSC is 1000. */
void fake_cpus_init(uint32_t count);
/* this_cpu() is @index from here on. */
void fake_cpus_use(uint32_t index);
/* The clock goes on; timers of all CPUs that come due become pending interrupts. */
void fake_cpus_advance(uint64_t ticks);

/* Called when a CPU spins; it plays another one meanwhile. */
extern void (*fake_pause_hook)(void);
extern uint64_t fake_tsc;
/* What the CPU's hardware timer is set to. */
extern uint64_t fake_timer_deadline[];
/* How often a CPU's hardware timer was set, a CPU was kicked, and idled. */
extern unsigned fake_timer_sets[], fake_kicks[], fake_idles[];

#endif
