/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cross-CPU calls: a function runs on other CPUs at their next interrupt window.
 */
#ifndef KERNEL_XCALL_H
#define KERNEL_XCALL_H

#include <stdint.h>

typedef void (*xcall_fn)(void *arg);

/* Runs @fn(@arg) on CPU @cpu and waits for its end (on the own CPU: directly). No lock held. */
void xcall_run(uint32_t cpu, xcall_fn fn, void *arg);
/* On every online CPU, the own one included; waits for all. */
void xcall_run_all(xcall_fn fn, void *arg);

/* kernel/sched.c, at interrupt windows: runs what others asked of this CPU. */
void xcall_serve(void);

#endif
