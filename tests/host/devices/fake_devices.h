/* SPDX-License-Identifier: BSD-2-Clause */
/* The halves of the stand-in know this of each other. */
#ifndef TESTS_HOST_DEVICES_FAKE_DEVICES_H
#define TESTS_HOST_DEVICES_FAKE_DEVICES_H

void fake_devices_start(void);
void fake_devices_end(void);
void fake_time_start(void);
/* Devices' timers are gone; those of the host that a device left armed fire once more. */
void fake_time_end(void);

#endif
