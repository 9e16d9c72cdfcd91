/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two formats of a queue share: descriptors, chains, parts of rings. */
#ifndef DEVICES_VIRTIO_VIRTQ_INTERNAL_H
#define DEVICES_VIRTIO_VIRTQ_INTERNAL_H

#include "devices/virtio/virtq.h"

#include <errno.h>

#define VIRTQ_DESC_SIZE 16

/* Flags of descriptors (2.7.5, 2.8.6). */
#define VIRTQ_DESC_NEXT	    0x0001
#define VIRTQ_DESC_WRITE    0x0002
#define VIRTQ_DESC_INDIRECT 0x0004

/* A descriptor, read once. */
struct virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next; /* packed: the buffer's id */
};

/* Descriptors: those of the ring, or an indirect table. */
struct virtq_table {
	struct virtq *q;
	uint8_t *base; /* of an indirect table that lies so that it can be read in place; or NULL */
	gpa_t gpa;
	uint32_t count;
};

static inline uint8_t *virtq_at(const struct virtq_part *part, uint32_t offset)
{
	return likely(offset < part->split) ? part->first + offset
					    : part->second + (offset - part->split);
}

/* Elements of a ring are aligned to their size: one access each. */
static inline uint16_t virtq_load16(const struct virtq_part *part, uint32_t offset)
{
	return READ_ONCE(*(uint16_t *)(void *)virtq_at(part, offset));
}

static inline void virtq_store16(const struct virtq_part *part, uint32_t offset, uint16_t value)
{
	WRITE_ONCE(*(uint16_t *)(void *)virtq_at(part, offset), value);
}

static inline uint32_t virtq_load32(const struct virtq_part *part, uint32_t offset)
{
	return READ_ONCE(*(uint32_t *)(void *)virtq_at(part, offset));
}

static inline void virtq_store32(const struct virtq_part *part, uint32_t offset, uint32_t value)
{
	WRITE_ONCE(*(uint32_t *)(void *)virtq_at(part, offset), value);
}

/* Whether the other side, which asked to hear of @event, hears of a step from @old to @now: the
 * formula of 2.7.10. */
static inline bool virtq_passes(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

/* -EPROTO, and the device is marked broken. */
int virtq_break(struct virtq *q, const char *why) __must_check;

/* Descriptor @index, below the table's count, as the split format has it. */
int virtq_table_read(const struct virtq_table *table, uint32_t index,
		     struct virtq_desc *desc) __must_check;
/* The table that @desc of the ring refers to. */
int virtq_table_open(struct virtq *q, const struct virtq_desc *desc,
		     struct virtq_table *table) __must_check;
/* Adds what @desc points to. -EAGAIN: bus mastering went off. */
int virtq_chain_add(struct virtq *q, struct virtq_chain *chain,
		    const struct virtq_desc *desc) __must_check;

/* 1: @chain; 0: there is none; -EPROTO; -EAGAIN as virtq_chain_add(). Nothing is taken yet. */
int virtq_split_peek(struct virtq *q, struct virtq_chain *chain) __must_check;
int virtq_packed_peek(struct virtq *q, struct virtq_chain *chain) __must_check;
/* @chain is taken, or put back. */
void virtq_packed_move(struct virtq *q, const struct virtq_chain *chain, bool back);
void virtq_split_push(struct virtq *q, const struct virtq_chain *chain, uint32_t written);
void virtq_packed_push(struct virtq *q, const struct virtq_chain *chain, uint32_t written);
/* Publishes the batch. True: the driver wants an interrupt for it. */
bool virtq_split_publish(struct virtq *q) __must_check;
bool virtq_packed_publish(struct virtq *q) __must_check;
/* Tells the driver whether to notify of what comes. */
void virtq_split_arm(struct virtq *q, bool on);
void virtq_packed_arm(struct virtq *q, bool on);
/* A look, without the rest of a chain. */
bool virtq_split_more(struct virtq *q) __must_check;
bool virtq_packed_more(struct virtq *q) __must_check;

#endif
