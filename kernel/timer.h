/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers, per CPU, in TSC ticks. Arming and cancelling allocate
 * nothing and are O(log n); the callback runs on the CPU that armed the
 * timer, at an interrupt window, with no lock held.
 */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct timer;
typedef void (*timer_fn)(struct timer *timer);

struct timer {
	timer_fn fn;
	uint64_t deadline; /* host TSC */
	uint32_t cpu;	   /* whose queue holds it, while armed */
	int32_t slot;	   /* place in that queue's heap; -1 = not armed */
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

#endif
