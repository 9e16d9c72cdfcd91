/* SPDX-License-Identifier: BSD-2-Clause */
/* The two functions of LZ4 that are ours to call: a block (LZ4's block format) by itself. */
#ifndef LZ4_BLOCK_H
#define LZ4_BLOCK_H

#include <stddef.h>

#define LZ4_BLOCK_MAX	(64u << 10) /* bytes that a block stands for */
#define LZ4_BLOCK_STATE ((16u << 10) + 32)

/*
 * Packs @len (1 to LZ4_BLOCK_MAX) bytes into @out. Returns how many it took, or 0: more than @room.
 * The same bytes become the same block, always. @state: LZ4_BLOCK_STATE bytes, aligned to 8, of no
 * meaning.
 */
size_t lz4_block_pack(void *state, const void *data, size_t len, void *out, size_t room);
/* Whether @len bytes of @block stand for @size bytes (LZ4_BLOCK_MAX at most), which are put into
 * @out; else it holds anything. @block may be anything. */
int lz4_block_unpack(const void *block, size_t len, void *out, size_t size);

#endif
