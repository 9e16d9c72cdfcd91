/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring of bytes over a buffer of the caller. No lock of its own.
 */
#ifndef LIB_RING_H
#define LIB_RING_H

#include <stddef.h>

struct ring {
	char *data;
	size_t size; /* a power of two */
	size_t head; /* bytes ever put; modulo size: where the next one goes */
	size_t tail; /* bytes ever taken or overwritten */
};

/* @size: a power of two. */
void ring_init(struct ring *ring, void *data, size_t size);

static inline size_t ring_used(const struct ring *ring)
{
	return ring->head - ring->tail;
}

static inline size_t ring_space(const struct ring *ring)
{
	return ring->size - ring_used(ring);
}

/* Puts as much of @data as there is space for; returns how many bytes that was. */
size_t ring_put(struct ring *ring, const void *data, size_t len);
/* Puts the last ring->size bytes of @data, over the oldest content where it must. */
void ring_put_over(struct ring *ring, const void *data, size_t len);
/* Takes up to @max of the oldest bytes; returns how many. */
size_t ring_get(struct ring *ring, void *data, size_t max);
/*
 * Copies up to @max bytes from position @pos (in the count of ring->tail and
 * ring->head) and takes nothing; 0 when @pos is not in the ring.
 */
size_t ring_peek(const struct ring *ring, size_t pos, void *data, size_t max);

#endif
