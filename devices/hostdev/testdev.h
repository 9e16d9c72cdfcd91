/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of `testdev:`: testdev.c, its life and its other regions, and
 * testdev_command.c.
 */
#ifndef DEVICES_HOSTDEV_TESTDEV_H
#define DEVICES_HOSTDEV_TESTDEV_H

#include "devices/hostdev/host_config.h"
#include "devices/hostdev/host_device.h"
#include "devices/hostdev/testdev_regs.h"
#include "kernel/spinlock.h"

#include <stdint.h>

#define TESTDEV_WIDTHS 4 /* 1, 2, 4, 8 bytes */

struct testdev {
	struct spinlock lock; /* everything below but `pages` */
	struct host_device *hd;
	struct host_config config;
	unsigned cap; /* the vendor's capability */
	/* Registers, by their names. */
	uint32_t scratch, resets, vector, eois;
	bool intx;
	uint64_t dma_source, dma_target;
	uint32_t dma_length, dma_result, dma_copied;
	uint32_t doorbells, doorbell_offset, doorbell_value;
	uint64_t last_offset, last_value;
	uint32_t counts[HOST_REGIONS][2][TESTDEV_WIDTHS];
	/* What regions keep. */
	uint8_t io[TESTDEV_IO_SIZE];
	uint8_t *pages, *big; /* the guest's as well, at any time; TESTDEV_BIG_KEPT bytes */
	uint8_t piece[4096];  /* of a copy */
};

/* Region TESTDEV_REGS, under the lock. 0, -EINVAL (no access of a register), or -EIO. */
int testdev_regs_read(struct testdev *t, uint64_t offset, unsigned width,
		      uint64_t *value) __must_check;
int testdev_regs_write(struct testdev *t, uint64_t offset, unsigned width,
		       uint64_t value) __must_check;

#endif
