/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/base64.h"

#include <string.h>

static int base64_value(char c)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

/* Padding says that of the last four characters one or two are missing, whose bits are 0. */
static bool base64_pad(struct base64 *b)
{
	bool may = b->count == 2 || b->count == 3;

	b->padded = true;
	b->count = (b->count + 1) % 4;
	return may && !(b->bits & (b->count == 3 ? 0xf : 0x3));
}

bool base64_line(struct base64 *b, const char *line, size_t len, uint8_t *out, size_t *bytes)
{
	*bytes = 0;
	for (size_t i = 0; i < len; i++) {
		int value = base64_value(line[i]);

		if (line[i] == ' ' || line[i] == '\t')
			continue;
		if (line[i] == '=' && b->count) {
			if (!base64_pad(b))
				return false;
			continue;
		}
		if (value < 0 || b->padded)
			return false;
		b->bits = b->bits << 6 | (unsigned)value;
		b->count = (b->count + 1) % 4;
		if (b->count != 1) /* 12, 18 or 24 bits since the last whole group: a byte more */
			out[(*bytes)++] = (uint8_t)(b->bits >> (b->count ? 8 - 2 * b->count : 0));
	}
	return true;
}

bool base64_ends(const struct base64 *b)
{
	return !b->count;
}
