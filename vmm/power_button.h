/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's power button, for whoever presses it: an interface that its device provides
 * (POWER_BUTTON_KIND). What the guest makes of it is the guest's business.
 */
#ifndef VMM_POWER_BUTTON_H
#define VMM_POWER_BUTTON_H

#define POWER_BUTTON_KIND "acpi-button"

struct power_button {
	void (*press)(void *opaque); /* any CPU, without the lock of a device */
	void *opaque;
};

#endif
