/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching the machine off and resetting it: who knows how registers, who wants it asks. */
#ifndef KERNEL_POWER_H
#define KERNEL_POWER_H

struct power_ops {
	/* Each returns when the machine has not done it. Last words: interrupts off, no lock held.
	 */
	void (*reset)(void);
	void (*off)(void);
};

/* Boot, once; @ops is kept by pointer. */
void power_register(const struct power_ops *ops);
/* Tasks. They return only when the machine cannot. */
void power_reset(void);
void power_off(void);

#endif
