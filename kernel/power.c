/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/power.h"

#include <stddef.h>

static const struct power_ops *power_ops;

void power_register(const struct power_ops *ops)
{
	power_ops = ops;
}

void power_reset(void)
{
	if (power_ops)
		power_ops->reset();
}

void power_off(void)
{
	if (power_ops)
		power_ops->off();
}
