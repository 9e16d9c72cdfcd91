/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/cobs.h"

/* A block's first byte: how many it has with this one, and whether a 0 follows them. */
#define COBS_BLOCK_MAX 0xff /* the longest, and no 0 follows */

size_t cobs_encode(const uint8_t *in, size_t len, uint8_t *out)
{
	size_t code_at = 0, at = 1;

	for (size_t i = 0; i < len; i++) {
		if (in[i])
			out[at++] = in[i];
		if (in[i] && at - code_at < COBS_BLOCK_MAX)
			continue;
		out[code_at] = (uint8_t)(at - code_at);
		/* A full block at the very end needs none behind it. */
		if (in[i] && i + 1 == len)
			return at;
		code_at = at++;
	}
	out[code_at] = (uint8_t)(at - code_at);
	return at;
}

size_t cobs_decode(const uint8_t *in, size_t len, uint8_t *out)
{
	size_t at = 0, n = 0;

	while (at < len) {
		size_t code = in[at++], end = at + code - 1;

		if (!code || end > len)
			return SIZE_MAX;
		while (at < end) {
			if (!in[at])
				return SIZE_MAX;
			out[n++] = in[at++];
		}
		if (code < COBS_BLOCK_MAX && at < len)
			out[n++] = 0;
	}
	return n;
}
