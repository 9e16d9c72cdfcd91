/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queues of virtio devices, split and packed (VIRTIO 1.2, 2.7 and 2.8):
 * chains of buffers that the driver makes available, and those given back.
 *
 * Everything here is called with the queue's lock held, from any context. What
 * a chain points to is the guest's memory: it may change at any time, so a
 * device reads each byte once. All of it is checked to be RAM.
 *
 * A device serves a queue so, from its notify():
 *
 *	spin_lock(&q->lock);
 *	do {
 *		virtq_disarm(q);
 *		while (virtq_pop(q, &chain) > 0)
 *			… virtq_push(q, &chain, written);
 *		virtq_flush(q);
 *	} while (virtq_arm(q));
 *	spin_unlock(&q->lock);
 *
 * and leaves what is left to virtq_kick() where the guest could keep it there
 * for long. A chain may also be kept, and given back later and in any order.
 */
#ifndef DEVICES_VIRTIO_VIRTQ_H
#define DEVICES_VIRTIO_VIRTQ_H

#include "kernel/spinlock.h"
#include "kernel/work.h"
#include "lib/compiler.h"
#include "vmm/block_frontend.h"
#include "vmm/net_frontend.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTQ_SIZE_MAX 1024 /* entries of a queue, and descriptors of a chain */

struct virtio;

/* Contiguous memory of the guest's, not empty; handed on as it is to frontends of either kind. */
union virtq_piece {
	struct {
		uint8_t *data;
		size_t len;
	};
	struct block_piece block;
	struct net_piece net;
};

_Static_assert(sizeof(union virtq_piece) == sizeof(struct block_piece), "arrays of either");
_Static_assert(sizeof(union virtq_piece) == sizeof(struct net_piece), "arrays of either");

struct virtq_span {
	union virtq_piece *pieces;
	uint16_t count;
	uint32_t bytes; /* of all pieces */
};

struct virtq_chain {
	/*
	 * By the caller of virtq_pop(): where pieces go, and how many may. A descriptor takes one
	 * for each 2 MiB (GUEST_GRANULE) that it lies in, less where these are neighbours for us.
	 */
	union virtq_piece *pieces;
	uint16_t room;
	/* What the device reads, then what it writes: both in @pieces, in this order. */
	struct virtq_span out, in;
	/* The queue's. */
	uint16_t id, descs;
};

/* A part of a ring as we see it: contiguous up to @split, then at @second. */
struct virtq_part {
	uint8_t *first, *second;
	uint32_t split;
};

struct virtq {
	struct virtio *virtio;
	uint16_t index;
	/* What the driver sets, until it enables the queue; under the device's lock. */
	uint16_t size, size_max;
	uint16_t vector;
	bool enabled;
	gpa_t desc, driver, device;

	struct spinlock lock; /* over all that follows */
	bool live;	      /* it is enabled, and the driver is ready */
	bool mapped;	      /* the parts below are set */
	bool packed, indirect, event_index;
	uint16_t mask; /* split: size - 1 */
	/* Split: descriptor table, available and used ring. Packed: descriptor ring, driver's and
	 * device's event suppression. */
	struct virtq_part ring, avail, used;
	/* Where the device reads next, and where it gives back next: split, they count up to 2^16;
	 * packed, they are positions, each with its wrap counter. */
	uint16_t next_avail, next_used;
	bool avail_wrap, used_wrap;
	uint16_t avail_seen; /* split: the driver's index when it was last read */
	uint16_t out_descs;  /* split: chains, packed: descriptors that the device has */
	/* Given back since the last virtq_flush(): chains, slots, and the first one's flags. */
	uint16_t batch, batch_slots, batch_first, batch_flags;
	bool armed;
	bool armed_here; /* since next_avail is what it is: the driver was told of that one */
	/* virtq_kick(): it is queued. Atomic. */
	bool kicked;
	struct work work;
};

/*
 * The next chain. 1; 0: there is none, the queue is not live, or bus mastering
 * is off; -EPROTO: the driver broke the rules, and the device is marked
 * broken (virtio_break()). One that was popped is given back by virtq_push(), also after a
 * reset: that one is only over when all are.
 */
int virtq_pop(struct virtq *q, struct virtq_chain *chain) __must_check;
/* Puts back the newest one that was popped, as if it had not been. */
void virtq_unpop(struct virtq *q, struct virtq_chain *chain);
/* Gives @chain back, of whose writable bytes the first @written were written. Seen by the driver
 * from the next virtq_flush() on. Nothing but the end of @chain when the queue is not live. */
void virtq_push(struct virtq *q, const struct virtq_chain *chain, uint32_t written);
/* Publishes all that was given back, at once, and interrupts the guest where it wants that. */
void virtq_flush(struct virtq *q);

/* There is no chain, and the driver knows that it is to notify of the next: what it notified of has
 * been served. */
bool virtq_idle(struct virtq *q) __must_check;
/* The driver need not notify: the device looks by itself, or has no use for more. */
void virtq_disarm(struct virtq *q);
/* The driver shall notify of the next chain. True: there is one already, and the queue is as it
 * was. */
bool virtq_arm(struct virtq *q) __must_check;
/* Has the device's notify() called for @q once more, soon, by a worker. */
void virtq_kick(struct virtq *q);

/* Copies the first bytes of @span, and takes them off it; how many: fewer at its end. */
size_t virtq_span_read(struct virtq_span *span, void *buf, size_t len);
size_t virtq_span_write(struct virtq_span *span, const void *buf, size_t len);
/* Takes the last byte off, and says where it is. NULL: it is empty. */
uint8_t *virtq_span_last(struct virtq_span *span);

/* The transport's. @size_max: a power of two up to VIRTQ_SIZE_MAX. */
void virtq_init(struct virtq *q, struct virtio *v, uint16_t index, uint16_t size_max);
/* The queue goes live: with the features that were agreed on. */
void virtq_start(struct virtq *q, uint64_t features);
/* No chain can be popped any more, nothing is written to the rings. */
void virtq_stop(struct virtq *q);

#endif
