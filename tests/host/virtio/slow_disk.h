/* SPDX-License-Identifier: BSD-2-Clause */
/* A block backend, `slow-disk`, that does what a test tells it to when that tells it to. */
#ifndef TESTS_HOST_VIRTIO_SLOW_DISK_H
#define TESTS_HOST_VIRTIO_SLOW_DISK_H

#include "vmm/block_frontend.h"

#define SLOW_DISK_MAX 256

extern struct slow_disk {
	struct block_info info; /* before it is plugged */
	bool keep;		/* else each is done at once, with `err` */
	int err;
	struct block_request *kept[SLOW_DISK_MAX];
	unsigned kept_count;
	enum block_op ops[SLOW_DISK_MAX]; /* all that came */
	unsigned count;
} slow_disk;

/* For the device "card". */
void slow_disk_plug(void);
void slow_disk_unplug(void);
/* Kept request @n, counted from the oldest, is done. */
void slow_disk_finish(unsigned n, int err);

#endif
