/* SPDX-License-Identifier: BSD-2-Clause */
/* A front that no guest is behind: what host devices ask of theirs, and what tests see of it. */
#ifndef TESTS_HOST_DEVICES_FAKE_FRONT_H
#define TESTS_HOST_DEVICES_FAKE_FRONT_H

#include "devices/hostdev/host_device.h"

#include <stdbool.h>
#include <stdint.h>

struct fake_front {
	struct host_device *hd;
	enum host_irq_mode mode;
	bool master, level, vanished;
	unsigned messages, last_vector;
};

extern struct fake_front fake_front;

/* A VM and the host device of @url in it, behind a front. False: it cannot be opened, see the log.
 */
bool fake_front_open(const char *url);
/* Ends the VM: what the device has taken, and then the device. */
void fake_front_close(void);

/* All ones where the device gives an error. */
uint64_t fake_front_read(unsigned region, uint64_t offset, unsigned width);
void fake_front_write(unsigned region, uint64_t offset, unsigned width, uint64_t value);
/* The capability @id of its configuration space, which must have it. */
unsigned fake_front_cap(uint8_t id);

#endif
