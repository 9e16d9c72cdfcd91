/* SPDX-License-Identifier: BSD-2-Clause */
/* Packed queues (VIRTIO 1.2, 2.8). */
#include "devices/virtio/virtq_internal.h"

#include "lib/compiler.h"

/* A descriptor: address, then these, the flags last. */
#define DESC_LEN	8
#define DESC_ID		12
#define DESC_FLAGS	14
#define DESC_AVAIL	0x0080
#define DESC_USED	0x8000
#define DESC_USED_FLAGS (DESC_AVAIL | DESC_USED)

/* Event suppression (2.8.10): the descriptor in bits 15:0 with its wrap counter in bit 15, flags
 * in bits 17:16. */
#define EVENT_WRAP	    0x8000u
#define EVENT_FLAGS(event)  (((event) >> 16) & 3)
#define EVENT_WITH(flags)   ((uint32_t)(flags) << 16)
#define EVENT_FLAGS_ENABLE  0
#define EVENT_FLAGS_DISABLE 1
#define EVENT_FLAGS_DESC    2

/* @pos and its wrap counter go @n descriptors on, at most once around. */
static void packed_forward(const struct virtq *q, uint16_t *pos, bool *wrap, uint16_t n)
{
	uint32_t to = (uint32_t)*pos + n;

	if (to >= q->size) {
		to -= q->size;
		*wrap = !*wrap;
	}
	*pos = (uint16_t)to;
}

void virtq_packed_move(struct virtq *q, const struct virtq_chain *chain, bool back)
{
	/* Back by n is on by size - n and around the other way. */
	packed_forward(q, &q->next_avail, &q->avail_wrap,
		       back ? q->size - chain->descs : chain->descs);
	if (back)
		q->avail_wrap = !q->avail_wrap;
}

static bool packed_is_available(const struct virtq *q, uint16_t flags)
{
	bool avail = flags & DESC_AVAIL, used = flags & DESC_USED;

	return avail == q->avail_wrap && used != q->avail_wrap;
}

bool virtq_packed_more(struct virtq *q)
{
	return packed_is_available(
		q, virtq_load16(&q->ring, q->next_avail * VIRTQ_DESC_SIZE + DESC_FLAGS));
}

static void packed_read(struct virtq *q, uint16_t pos, struct virtq_desc *desc)
{
	uint64_t *at = (uint64_t *)(void *)virtq_at(&q->ring, pos * VIRTQ_DESC_SIZE);
	/* Length, id and flags in one load, the address after it: the driver writes flags last. */
	uint64_t word = __atomic_load_n(&at[1], __ATOMIC_ACQUIRE);

	desc->addr = READ_ONCE(at[0]);
	desc->len = (uint32_t)word;
	desc->next = (uint16_t)(word >> 32);
	desc->flags = (uint16_t)(word >> 48);
}

/* Of an indirect table there are no ids, and all descriptors are used (2.8.7). */
static int packed_indirect(struct virtq *q, struct virtq_chain *chain,
			   const struct virtq_desc *refers)
{
	struct virtq_table table;
	struct virtq_desc desc;
	int err = virtq_table_open(q, refers, &table);
	uint32_t i;

	for (i = 0; !err && i < table.count; i++) {
		err = virtq_table_read(&table, i, &desc);
		if (err)
			return err;
		/* The last two fields change places in this format. */
		desc.flags = desc.next;
		if (desc.flags & VIRTQ_DESC_INDIRECT)
			return virtq_break(q, "an indirect descriptor in an indirect table");
		err = virtq_chain_add(q, chain, &desc);
	}
	return err;
}

int virtq_packed_peek(struct virtq *q, struct virtq_chain *chain)
{
	uint16_t pos = q->next_avail;
	bool wrap = q->avail_wrap;
	struct virtq_desc desc;
	int err = 0;

	packed_read(q, pos, &desc);
	if (!packed_is_available(q, desc.flags))
		return 0;
	/* The first is made available last: the others are there (2.8.14). */
	for (chain->descs = 1;; chain->descs++) {
		if (chain->descs > q->size - q->out_descs)
			return virtq_break(q, "a chain that has more descriptors than are free");
		err = desc.flags & VIRTQ_DESC_INDIRECT ? packed_indirect(q, chain, &desc)
						       : virtq_chain_add(q, chain, &desc);
		if (err || !(desc.flags & VIRTQ_DESC_NEXT))
			break;
		packed_forward(q, &pos, &wrap, 1);
		packed_read(q, pos, &desc);
	}
	chain->id = desc.next;
	return err ? err : 1;
}

void virtq_packed_push(struct virtq *q, const struct virtq_chain *chain, uint32_t written)
{
	uint32_t at = (uint32_t)q->next_used * VIRTQ_DESC_SIZE;
	uint16_t flags = (q->used_wrap ? DESC_USED_FLAGS : 0) | (written ? VIRTQ_DESC_WRITE : 0);

	virtq_store32(&q->ring, at + DESC_LEN, written);
	virtq_store16(&q->ring, at + DESC_ID, chain->id);
	if (!q->batch) {
		q->batch_first = q->next_used;
		q->batch_flags = flags;
	} else {
		/* The driver does not come here before the batch's first one is used. */
		__atomic_thread_fence(__ATOMIC_RELEASE);
		virtq_store16(&q->ring, at + DESC_FLAGS, flags);
	}
	packed_forward(q, &q->next_used, &q->used_wrap, chain->descs);
}

bool virtq_packed_publish(struct virtq *q)
{
	uint32_t event;
	uint16_t at;

	/* The buffers and the whole batch are written before its first flags say so. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	virtq_store16(&q->ring, (uint32_t)q->batch_first * VIRTQ_DESC_SIZE + DESC_FLAGS,
		      q->batch_flags);
	/* The driver asks for interrupts, then looks at the flags; we the other way round. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	event = virtq_load32(&q->avail, 0);
	if (EVENT_FLAGS(event) == EVENT_FLAGS_DISABLE)
		return false;
	if (EVENT_FLAGS(event) != EVENT_FLAGS_DESC || !q->event_index)
		return true;
	/* Positions of the round before are below those of this one. */
	at = event & ~EVENT_WRAP;
	if (!!(event & EVENT_WRAP) != q->used_wrap)
		at -= q->size;
	return virtq_passes(at, q->next_used, q->next_used - q->batch_slots);
}

void virtq_packed_arm(struct virtq *q, bool on)
{
	uint32_t event = EVENT_WITH(EVENT_FLAGS_ENABLE);

	if (!on)
		event = EVENT_WITH(EVENT_FLAGS_DISABLE);
	else if (q->event_index)
		event = EVENT_WITH(EVENT_FLAGS_DESC) | q->next_avail |
			(q->avail_wrap ? EVENT_WRAP : 0);
	virtq_store32(&q->used, 0, event);
}
