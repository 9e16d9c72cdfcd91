/* SPDX-License-Identifier: BSD-2-Clause */
/* States of devices that go from one VM to another. */
#ifndef TESTS_HOST_DEVICES_SAVED_H
#define TESTS_HOST_DEVICES_SAVED_H

#include "vmm/device.h"

/* Sources: vmm/device_state.c vmm/device_state_load.c tests/host/devices/saved.c */

/* The state of @dev, kept until the next one is. */
void saved_take(struct device *dev);
/* Loads it into @dev, of a VM whose clock stands at the time of saved_take(). */
void saved_give(struct device *dev);
/* Whether the state of @dev is what saved_take() kept. */
bool saved_is(struct device *dev);
/*
 * Each bit of what saved_take() kept, or some of many, is turned in a device that @make has made
 * anew, in a VM at the same time: refused, or loaded and then used by @use. Says how many
 * were loaded.
 */
unsigned saved_flips(struct device *(*make)(void), void (*use)(void), void (*end)(void));

#endif
