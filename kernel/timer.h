/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers, per CPU, in TSC ticks. Arming and cancelling allocate
 * nothing and are O(log n) amortized; the callback runs on the CPU that armed
 * the timer, at an interrupt window, with no lock held.
 */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include "lib/compiler.h"
#include "lib/heap.h"

#include <stdbool.h>
#include <stdint.h>

struct timer;
struct timer_queue;
typedef void (*timer_fn)(struct timer *timer);

struct timer {
	struct heap_node node; /* node.key: the deadline, host TSC */
	timer_fn fn;
	struct timer_queue
		*queue; /* which holds it while armed; changed under both queues' locks */
	bool armed;	/* under that queue's lock */
};

/* @fn may re-arm its own timer. The owner's structure is found with container_of. */
void timer_init(struct timer *timer, timer_fn fn);

/*
 * Arms (or moves) @timer on the calling CPU for host TSC @deadline; a past
 * one fires at the next interrupt window. Two CPUs may race: the last call wins.
 */
void timer_arm(struct timer *timer, uint64_t deadline);

/*
 * After return the timer is not armed; the callback may still be running on
 * another CPU. Callable from the callback itself and with device locks held.
 */
void timer_cancel(struct timer *timer);

/* As timer_cancel, and waits for a callback on another CPU to end. No lock that it takes is held.
 */
void timer_cancel_sync(struct timer *timer);

/* kernel/sched.c: each CPU, once, when it comes up. */
void timer_cpu_init(void);
/* kernel/sched.c, at interrupt windows: runs this CPU's timers that are due. */
void timer_run(void);

#endif
