/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device for tests, `virtio-trial:`: it writes what it reads, at once
 * or when it is told to.
 */
#ifndef TESTS_HOST_VIRTIO_TRIAL_H
#define TESTS_HOST_VIRTIO_TRIAL_H

#include "devices/virtio/virtio.h"

#define TRIAL_QUEUES  3
#define TRIAL_KEPT    64
#define TRIAL_PIECES  8
#define TRIAL_FEATURE BIT(3)
#define TRIAL_REFUSED BIT(4) /* offered, but not together with TRIAL_FEATURE */

struct trial_kept {
	struct virtq *q;
	struct virtq_chain chain;
	union virtq_piece pieces[TRIAL_PIECES];
};

struct trial {
	struct virtio virtio;
	uint8_t config[12];
	bool keep;     /* what comes, until trial_finish() or a reset */
	bool stubborn; /* a reset does not give it back */
	unsigned turn; /* chains of a notification, the rest is for the worker; 0: all */
	struct trial_kept kept[TRIAL_KEPT];
	unsigned kept_count;
	unsigned starts, stops, resets, notified;
	int last_error; /* of virtq_pop() */
};

/* The one that is open, or NULL. */
extern struct trial *trial;

/* Echoes kept chain @n, counted from the oldest, and flushes its queue. */
void trial_finish(unsigned n);

#endif
