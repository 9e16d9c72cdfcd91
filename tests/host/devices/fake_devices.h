/* SPDX-License-Identifier: BSD-2-Clause */
/* The halves of the stand-in know this of each other. */
#ifndef TESTS_HOST_DEVICES_FAKE_DEVICES_H
#define TESTS_HOST_DEVICES_FAKE_DEVICES_H

void fake_devices_start(void);
void fake_devices_end(void);
void fake_time_start(void);

#endif
