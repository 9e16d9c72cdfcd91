/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/ring.h"
#include "lib/compiler.h"

#include <string.h>

void ring_init(struct ring *ring, void *data, size_t size)
{
	ring->data = data;
	ring->size = size;
	ring->head = 0;
	ring->tail = 0;
}

/* @len is at most the space; the copy wraps at most once. */
static void ring_copy_in(struct ring *ring, const char *data, size_t len)
{
	size_t at = ring->head & (ring->size - 1);
	size_t first = MIN(len, ring->size - at);

	memcpy(ring->data + at, data, first);
	memcpy(ring->data, data + first, len - first);
	ring->head += len;
}

size_t ring_put(struct ring *ring, const void *data, size_t len)
{
	len = MIN(len, ring_space(ring));
	if (len)
		ring_copy_in(ring, data, len);
	return len;
}

void ring_put_over(struct ring *ring, const void *data, size_t len)
{
	const char *from = data;

	if (len > ring->size) {
		from += len - ring->size;
		len = ring->size;
	}
	if (len > ring_space(ring))
		ring->tail += len - ring_space(ring);
	if (len)
		ring_copy_in(ring, from, len);
}

size_t ring_peek(const struct ring *ring, size_t pos, void *data, size_t max)
{
	size_t offset = pos - ring->tail;
	size_t at = pos & (ring->size - 1);
	size_t len, first;

	if (offset >= ring_used(ring))
		return 0;
	len = MIN(max, ring_used(ring) - offset);
	first = MIN(len, ring->size - at);
	if (len) {
		memcpy(data, ring->data + at, first);
		memcpy((char *)data + first, ring->data, len - first);
	}
	return len;
}

size_t ring_get(struct ring *ring, void *data, size_t max)
{
	size_t len = ring_peek(ring, ring->tail, data, max);

	ring->tail += len;
	return len;
}
