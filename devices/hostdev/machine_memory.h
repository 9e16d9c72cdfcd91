/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's memory that is a device's, for a guest at the same address:
 * straight, without an exit, or access by access for those that exit.
 */
#ifndef DEVICES_HOSTDEV_MACHINE_MEMORY_H
#define DEVICES_HOSTDEV_MACHINE_MEMORY_H

#include "lib/compiler.h"
#include "lib/list.h"

#include <stdint.h>

struct device;

/* A range that a device has; part of its state. */
struct machine_memory {
	struct list_head link;	     /* of all ranges that guests have */
	const struct device *device; /* whose it is */
	uint64_t first, last;	     /* bytes; inclusive */
	volatile void *memory;	     /* ours */
};

/*
 * [@first, @last] is @dev's until its resources are given back; claimed before it is hooked,
 * in memory where the VM has no RAM. -EPERM (it is no device's, or one that we use), -EBUSY
 * (another device has it, of whichever VM), -EINVAL (beyond the VM's addresses), -ENOMEM. Logged.
 * Task.
 */
int machine_memory_claim(struct device *dev, struct machine_memory *m, uint64_t first,
			 uint64_t last) __must_check;
/* Its whole pages without exits, once it is hooked, until the hook is about to go. -ENOMEM, logged.
 * Task. */
int machine_memory_open(struct device *dev, struct machine_memory *m) __must_check;

/* Of @width 1, 2, 4 or 8 bytes within it. Any CPU. */
uint64_t machine_memory_read(const struct machine_memory *m, uint64_t offset, unsigned width);
void machine_memory_write(const struct machine_memory *m, uint64_t offset, unsigned width,
			  uint64_t value);

#endif
