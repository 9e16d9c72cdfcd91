/* SPDX-License-Identifier: BSD-2-Clause */
/* Split queues (VIRTIO 1.2, 2.7). */
#include "devices/virtio/virtq_internal.h"

#include "lib/compiler.h"

#define FLAGS		   0
#define INDEX		   2
#define AVAIL_RING(i)	   (4u + 2u * (i))
#define USED_RING(i)	   (4u + 8u * (i))
#define AVAIL_NO_INTERRUPT 0x0001
#define USED_NO_NOTIFY	   0x0001

/* How many chains are available that were not popped. */
static int split_available(struct virtq *q)
{
	uint16_t n = q->avail_seen - q->next_avail;

	if (n)
		return n;
	q->avail_seen = virtq_load16(&q->avail, INDEX);
	/* The index is seen before the entries that it covers. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	n = q->avail_seen - q->next_avail;
	return n <= q->size ? n : virtq_break(q, "an available index that jumps");
}

bool virtq_split_more(struct virtq *q)
{
	return virtq_load16(&q->avail, INDEX) != q->next_avail;
}

/* Descriptor @index of the ring; as of an indirect table, but that it may lie in two pieces. */
static void split_read(struct virtq *q, uint32_t index, struct virtq_desc *desc)
{
	struct virtq_table here = {.q = q, .base = virtq_at(&q->ring, index * VIRTQ_DESC_SIZE)};

	/* In place: it cannot fail. */
	(void)!virtq_table_read(&here, 0, desc);
}

static int split_indirect(struct virtq *q, struct virtq_chain *chain,
			  const struct virtq_desc *refers)
{
	struct virtq_table table;
	struct virtq_desc desc = {.flags = VIRTQ_DESC_NEXT};
	uint32_t i = 0, n;
	int err = virtq_table_open(q, refers, &table);

	for (n = 0; !err && (desc.flags & VIRTQ_DESC_NEXT); n++, i = desc.next) {
		if (n == table.count || i >= table.count)
			return virtq_break(q, "an indirect table that loops or leaves itself");
		err = virtq_table_read(&table, i, &desc);
		if (!err && (desc.flags & VIRTQ_DESC_INDIRECT))
			err = virtq_break(q, "an indirect descriptor in an indirect table");
		if (!err)
			err = virtq_chain_add(q, chain, &desc);
	}
	return err;
}

int virtq_split_peek(struct virtq *q, struct virtq_chain *chain)
{
	struct virtq_desc desc = {.flags = VIRTQ_DESC_NEXT};
	uint32_t i, n;
	int err = split_available(q);

	if (err <= 0)
		return err;
	/* Each chain has a descriptor of its own. */
	if (q->out_descs == q->size)
		return virtq_break(q, "more chains than descriptors");
	chain->descs = 1;
	chain->id = virtq_load16(&q->avail, AVAIL_RING(q->next_avail & q->mask));
	i = chain->id;
	for (n = 0, err = 0; !err && (desc.flags & VIRTQ_DESC_NEXT); n++, i = desc.next) {
		if (n == q->size || i >= q->size)
			return virtq_break(q, "a chain that loops or leaves the table");
		split_read(q, i, &desc);
		/* 2.7.5.3.2: there may be others before it. */
		err = desc.flags & VIRTQ_DESC_INDIRECT ? split_indirect(q, chain, &desc)
						       : virtq_chain_add(q, chain, &desc);
	}
	return err ? err : 1;
}

void virtq_split_push(struct virtq *q, const struct virtq_chain *chain, uint32_t written)
{
	uint32_t at = USED_RING(q->next_used & q->mask);

	virtq_store32(&q->used, at, chain->id);
	virtq_store32(&q->used, at + 4, written);
	q->next_used++;
}

bool virtq_split_publish(struct virtq *q)
{
	uint16_t old = q->next_used - q->batch;

	/* The buffers and the entries are written before the index says so. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	virtq_store16(&q->used, INDEX, q->next_used);
	/* The driver asks for interrupts, then looks at the index; we the other way round. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (q->event_index)
		return virtq_passes(virtq_load16(&q->avail, AVAIL_RING(q->size)), q->next_used,
				    old);
	return !(virtq_load16(&q->avail, FLAGS) & AVAIL_NO_INTERRUPT);
}

void virtq_split_arm(struct virtq *q, bool on)
{
	/* An event index that is left behind is not passed again. */
	if (!q->event_index)
		virtq_store16(&q->used, FLAGS, on ? 0 : USED_NO_NOTIFY);
	else if (on)
		virtq_store16(&q->used, USED_RING(q->size), q->next_avail);
}
