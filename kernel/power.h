/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching the machine off and resetting it: who knows how registers, who wants it asks. */
#ifndef KERNEL_POWER_H
#define KERNEL_POWER_H

#include <stdbool.h>

struct power_ops {
	/* Each returns when the machine has not done it. Last words: interrupts off, no lock held,
	 * the other CPUs stopped. */
	void (*reset)(void);
	void (*off)(void);
	/* Whether off() knows how. */
	bool (*can_off)(void);
};

/* Boot, once; @ops is kept by pointer. */
void power_register(const struct power_ops *ops);
/*
 * Boot, once: @leave takes back on its CPU what must not meet a reset. It is called when the CPU
 * does nothing more, in an NMI or a panic as well: no lock, and nothing is freed.
 */
void power_set_cpu_leave(void (*leave)(void));
/* Calls it, if there is one. */
void power_leave_cpu(void);
/* In the NMI handler: does not return while another CPU ends all. */
void power_stop_if_any(void);

/* Tasks. Does not return. */
void power_reset(void);
/* Returns at once, with all as it was, when the machine cannot. */
void power_off(void);

#endif
