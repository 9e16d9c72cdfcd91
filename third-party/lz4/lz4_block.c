/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LZ4's own functions come in many kinds, by the size of the data and of the space; each holds all
 * of the code again. One of each kind is what we need: blocks of up to 64 KiB, into less space than
 * they might take. So the source is included, as lz4hc.c does it, and nothing else of it is linked.
 */
#include "lz4.c"

#include "lz4_block.h"

_Static_assert(sizeof(LZ4_stream_t) == LZ4_BLOCK_STATE, "lz4_block.h");

size_t lz4_block_pack(void *state, const void *data, size_t len, void *out, size_t room)
{
	LZ4_stream_t *stream = LZ4_initStream(state, LZ4_BLOCK_STATE);

	return (size_t)LZ4_compress_generic(&stream->internal_donotuse, data, out, (int)len, NULL,
					    (int)room, limitedOutput, byU16, noDict, noDictIssue,
					    1);
}

int lz4_block_unpack(const void *block, size_t len, void *out, size_t size)
{
	return LZ4_decompress_generic(block, out, (int)len, (int)size, decode_full_block, noDict,
				      out, NULL, 0) == (int)size;
}
