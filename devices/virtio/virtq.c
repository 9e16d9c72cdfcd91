/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spec: VIRTIO 1.2, 2.6 to 2.8.
 *
 * The rings lie in the guest's memory, and its vCPUs use them at the same time.
 * Of x86's memory accesses only a load that follows a store to elsewhere may
 * come early, so two places need a barrier of the CPU: between publishing what
 * was given back and asking whether the driver wants to hear of it, and between
 * asking for notifications and looking whether something came before that was
 * seen. Everywhere else acquire and release keep the compiler in line.
 */
#include "devices/virtio/virtq.h"

#include "devices/virtio/virtio.h"
#include "devices/virtio/virtq_internal.h"
#include "vmm/guest_memory.h"

#include <string.h>

/* Sizes of what is around a split ring's elements, and of an event suppression structure. */
#define SPLIT_AVAIL_SIZE(n, event) (4u + 2u * (n) + ((event) ? 2u : 0u))
#define SPLIT_USED_SIZE(n, event)  (4u + 8u * (n) + ((event) ? 2u : 0u))
#define PACKED_EVENT_SIZE	   4u

int virtq_break(struct virtq *q, const char *why)
{
	virtio_break(q->virtio, why);
	return -EPROTO;
}

static bool virtq_map_part(struct virtq *q, struct virtq_part *part, gpa_t gpa, uint32_t len,
			   unsigned align, bool write)
{
	struct host_device *hd = q->virtio->hd;

	part->split = (uint32_t)MIN((uint64_t)len, GUEST_GRANULE - gpa % GUEST_GRANULE);
	part->first = host_device_dma_map(hd, gpa, part->split, write);
	part->second = NULL;
	if (part->split < len)
		part->second = host_device_dma_map(hd, gpa + part->split, len - part->split, write);
	return part->first && (part->split == len || part->second) && IS_ALIGNED(gpa, align);
}

/* Bus mastering is on. */
static int virtq_map(struct virtq *q)
{
	bool ok, event = q->event_index;

	if (q->packed)
		ok = virtq_map_part(q, &q->ring, q->desc, q->size * VIRTQ_DESC_SIZE, 16, true) &&
		     virtq_map_part(q, &q->avail, q->driver, PACKED_EVENT_SIZE, 4, false) &&
		     virtq_map_part(q, &q->used, q->device, PACKED_EVENT_SIZE, 4, true);
	else
		ok = virtq_map_part(q, &q->ring, q->desc, q->size * VIRTQ_DESC_SIZE, 16, false) &&
		     virtq_map_part(q, &q->avail, q->driver, SPLIT_AVAIL_SIZE(q->size, event), 2,
				    false) &&
		     virtq_map_part(q, &q->used, q->device, SPLIT_USED_SIZE(q->size, event), 4,
				    true);
	if (!ok)
		return virtq_break(q, "a ring is not aligned, or not in RAM");
	q->mapped = true;
	return 0;
}

/* Whether the rings may be used now, by a device that is @able. -EPROTO: they never can. */
static __always_inline int virtq_ready_if(struct virtq *q, bool able)
{
	int err = 0;

	if (unlikely(!q->live || !able || !host_device_may_dma(q->virtio->hd)))
		return 0;
	if (unlikely(!q->mapped))
		err = virtq_map(q);
	return err ? err : 1;
}

static int virtq_ready(struct virtq *q)
{
	return virtq_ready_if(q, virtio_running(q->virtio));
}

/* To give back what was popped: also while it is being saved. */
static int virtq_ready_to_give(struct virtq *q)
{
	return virtq_ready_if(q, virtio_has_driver(q->virtio));
}

int virtq_pop(struct virtq *q, struct virtq_chain *chain)
{
	int err = virtq_ready(q);

	if (err <= 0)
		return err;
	chain->out = chain->in = (struct virtq_span){.pieces = chain->pieces};
	err = q->packed ? virtq_packed_peek(q, chain) : virtq_split_peek(q, chain);
	if (err <= 0)
		return err == -EAGAIN ? 0 : err;
	chain->in.pieces = chain->pieces + chain->out.count;
	q->armed_here = false;
	if (q->packed)
		virtq_packed_move(q, chain, false);
	else
		q->next_avail++;
	q->out_descs += chain->descs;
	virtio_hold(q->virtio);
	return 1;
}

void virtq_unpop(struct virtq *q, struct virtq_chain *chain)
{
	q->armed_here = false;
	if (q->packed)
		virtq_packed_move(q, chain, true);
	else
		q->next_avail--;
	q->out_descs -= chain->descs;
	virtio_release(q->virtio);
}

void virtq_push(struct virtq *q, const struct virtq_chain *chain, uint32_t written)
{
	if (likely(virtq_ready_to_give(q) > 0)) {
		if (q->packed)
			virtq_packed_push(q, chain, written);
		else
			virtq_split_push(q, chain, written);
		q->batch++;
		q->batch_slots += chain->descs;
		q->out_descs -= chain->descs;
	}
	virtio_release(q->virtio);
}

void virtq_flush(struct virtq *q)
{
	if (!q->batch || virtq_ready_to_give(q) <= 0)
		return;
	if (q->packed ? virtq_packed_publish(q) : virtq_split_publish(q))
		virtio_interrupt(q->virtio, q);
	q->batch = q->batch_slots = 0;
}

static void virtq_tell(struct virtq *q, bool on)
{
	if (q->packed)
		virtq_packed_arm(q, on);
	else
		virtq_split_arm(q, on);
	q->armed = q->armed_here = on;
}

static bool virtq_more(struct virtq *q)
{
	return q->packed ? virtq_packed_more(q) : virtq_split_more(q);
}

bool virtq_idle(struct virtq *q)
{
	return q->armed && (q->armed_here || !q->event_index) && virtq_ready(q) > 0 &&
	       !virtq_more(q);
}

void virtq_disarm(struct virtq *q)
{
	if (q->armed && virtq_ready(q) > 0)
		virtq_tell(q, false);
}

bool virtq_arm(struct virtq *q)
{
	/* It was all along, and not for one chain alone: the driver notifies of what came. */
	if (q->armed && !q->event_index)
		return false;
	if (virtq_ready(q) <= 0)
		return false;
	virtq_tell(q, true);
	/* The driver makes a chain available, then looks whether we want to hear of it; we want
	 * to hear, then look whether there is one: one of the two sees the other. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return virtq_more(q);
}

static void virtq_work(struct work *work)
{
	struct virtq *q = container_of(work, struct virtq, work);
	struct virtio *v = q->virtio;

	/* Who changes the status and kicks sees it unset, or we see the status. */
	(void)__atomic_exchange_n(&q->kicked, false, __ATOMIC_SEQ_CST);
	/* As a doorbell: a reset may have been in between. */
	if (virtio_running(v))
		v->ops->notify(v, q);
	__atomic_sub_fetch(&v->kicks, 1, __ATOMIC_RELEASE);
}

void virtq_kick(struct virtq *q)
{
	if (!q->live || __atomic_exchange_n(&q->kicked, true, __ATOMIC_ACQ_REL))
		return;
	__atomic_add_fetch(&q->virtio->kicks, 1, __ATOMIC_RELAXED);
	work_queue(&q->work);
}

void virtq_init(struct virtq *q, struct virtio *v, uint16_t index, uint16_t size_max)
{
	q->virtio = v;
	q->index = index;
	q->size_max = size_max;
	spinlock_init(&q->lock);
	work_init(&q->work, virtq_work);
}

void virtq_start(struct virtq *q, uint64_t features)
{
	spin_lock(&q->lock);
	q->packed = features & VIRTIO_F_RING_PACKED;
	q->indirect = features & VIRTIO_F_INDIRECT_DESC;
	q->event_index = features & VIRTIO_F_EVENT_IDX;
	q->mask = q->size - 1;
	q->next_avail = q->next_used = q->avail_seen = q->out_descs = 0;
	q->batch = q->batch_slots = 0;
	/* 2.8.1: both counters begin with 1. */
	q->avail_wrap = q->used_wrap = true;
	/* Whatever the driver finds there before we have written: it will notify. */
	q->armed = true;
	q->armed_here = false;
	q->mapped = false;
	q->live = true;
	/* A ring that cannot be is told at once, where we may look. */
	(void)!virtq_ready(q);
	spin_unlock(&q->lock);
}

void virtq_stop(struct virtq *q)
{
	spin_lock(&q->lock);
	q->live = q->mapped = false;
	spin_unlock(&q->lock);
}

/* The first piece of @span is @len bytes shorter. */
static void virtq_span_take(struct virtq_span *span, size_t len)
{
	union virtq_piece *piece = span->pieces;

	piece->data += len;
	piece->len -= len;
	span->bytes -= (uint32_t)len;
	if (!piece->len) {
		span->pieces++;
		span->count--;
	}
}

size_t virtq_span_read(struct virtq_span *span, void *buf, size_t len)
{
	size_t n, done = 0;

	for (; done < len && span->count; done += n) {
		n = MIN(len - done, span->pieces->len);
		memcpy((uint8_t *)buf + done, span->pieces->data, n);
		virtq_span_take(span, n);
	}
	return done;
}

size_t virtq_span_write(struct virtq_span *span, const void *buf, size_t len)
{
	size_t n, done = 0;

	for (; done < len && span->count; done += n) {
		n = MIN(len - done, span->pieces->len);
		memcpy(span->pieces->data, (const uint8_t *)buf + done, n);
		virtq_span_take(span, n);
	}
	return done;
}

uint8_t *virtq_span_last(struct virtq_span *span)
{
	union virtq_piece *piece;

	if (!span->count)
		return NULL;
	piece = &span->pieces[span->count - 1];
	piece->len--;
	span->bytes--;
	if (!piece->len)
		span->count--;
	return piece->data + piece->len;
}
