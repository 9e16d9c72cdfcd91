/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains: what descriptors point to, checked, as pieces (VIRTIO 1.2, 2.7.4, 2.7.5). */
#include "devices/virtio/virtio.h"
#include "devices/virtio/virtq_internal.h"
#include "vmm/guest_memory.h"

/* Where bus mastering has gone off, nobody did anything wrong. */
static int virtq_bad_address(struct virtq *q, const char *why)
{
	return host_device_may_dma(q->virtio->hd) ? virtq_break(q, why) : -EAGAIN;
}

int virtq_table_open(struct virtq *q, const struct virtq_desc *desc, struct virtq_table *table)
{
	if (!q->indirect)
		return virtq_break(q, "an indirect descriptor, which was not agreed on");
	if (desc->flags & VIRTQ_DESC_NEXT)
		return virtq_break(q, "an indirect descriptor that has a next one");
	if (!desc->len || desc->len % VIRTQ_DESC_SIZE ||
	    desc->len / VIRTQ_DESC_SIZE > VIRTQ_SIZE_MAX)
		return virtq_break(q, "an indirect table of a length that it cannot have");
	table->q = q;
	table->gpa = desc->addr;
	table->count = desc->len / VIRTQ_DESC_SIZE;
	table->base = IS_ALIGNED(desc->addr, 8)
			      ? host_device_dma_map(q->virtio->hd, desc->addr, desc->len, false)
			      : NULL;
	return 0;
}

int virtq_table_read(const struct virtq_table *table, uint32_t index, struct virtq_desc *desc)
{
	uint32_t at = index * VIRTQ_DESC_SIZE;
	uint64_t words[2];
	uint64_t *from = words;

	if (table->base) {
		from = (uint64_t *)(void *)(table->base + at);
	} else if (host_device_dma_read(table->q->virtio->hd, table->gpa + at, words,
					sizeof(words))) {
		return virtq_bad_address(table->q, "an indirect table that is not in RAM");
	}
	desc->addr = READ_ONCE(from[0]);
	words[1] = READ_ONCE(from[1]);
	desc->len = (uint32_t)words[1];
	desc->flags = (uint16_t)(words[1] >> 32);
	desc->next = (uint16_t)(words[1] >> 48);
	return 0;
}

/* A piece more, or a longer last one. False: there is no room. */
static bool virtq_span_add(struct virtq_chain *chain, struct virtq_span *span, uint8_t *data,
			   size_t len)
{
	unsigned count = chain->out.count + chain->in.count;
	union virtq_piece *last = count ? &chain->pieces[count - 1] : NULL;

	span->bytes += (uint32_t)len;
	if (span->count && last->data + last->len == data) {
		last->len += len;
		return true;
	}
	if (count == chain->room)
		return false;
	chain->pieces[count].data = data;
	chain->pieces[count].len = len;
	span->count++;
	return true;
}

int virtq_chain_add(struct virtq *q, struct virtq_chain *chain, const struct virtq_desc *desc)
{
	bool write = desc->flags & VIRTQ_DESC_WRITE;
	struct virtq_span *span = write ? &chain->in : &chain->out;
	uint64_t gpa = desc->addr;
	uint32_t n, left = desc->len;
	uint8_t *data;

	if (!left)
		return virtq_break(q, "a buffer of no bytes");
	if (!write && chain->in.count)
		return virtq_break(q, "a buffer to read behind one to write");
	/* 2.7.5.3.1; it bounds the loop for all descriptors of a chain together. */
	if (left > UINT32_MAX - chain->out.bytes - chain->in.bytes)
		return virtq_break(q, "a chain of 4 GiB or more");
	for (; left; left -= n, gpa += n) {
		n = (uint32_t)MIN((uint64_t)left, GUEST_GRANULE - gpa % GUEST_GRANULE);
		data = host_device_dma_map(q->virtio->hd, gpa, n, write);
		if (!data)
			return virtq_bad_address(q, "a buffer that is not in RAM");
		if (!virtq_span_add(chain, span, data, n))
			return virtq_break(q, "a chain of more buffers than the device takes");
	}
	return 0;
}
