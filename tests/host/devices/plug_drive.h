/* SPDX-License-Identifier: BSD-2-Clause */
/* What host devices are shown by pci-front, and a guest that drives whichever it is. */
#ifndef TESTS_HOST_DEVICES_PLUG_DRIVE_H
#define TESTS_HOST_DEVICES_PLUG_DRIVE_H

#include "tests/host/devices/plug_needs.h"

/* Fronts of host devices, for plug_add(); ended by a NULL type. */
extern const struct plug_need plug_fronts[];

/* Gives the function 00:03.0 addresses and goes through its first BAR as a virtio driver would. */
void plug_drive(void);

#endif
