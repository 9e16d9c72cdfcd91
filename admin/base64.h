/* SPDX-License-Identifier: BSD-2-Clause */
/* Base64 (RFC 4648, 4) as it comes, line by line. */
#ifndef ADMIN_BASE64_H
#define ADMIN_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed before its first line. */
struct base64 {
	uint32_t bits;	/* of characters that make no byte yet … */
	unsigned count; /* … how many of four there were */
	bool padded;	/* = has come: nothing but = may follow */
};

/* Decodes @len characters into @out (at least @len bytes); *@bytes: how many. False: it is no
 * base64. */
bool base64_line(struct base64 *b, const char *line, size_t len, uint8_t *out, size_t *bytes);
/* Whether it may end here: = for what is missing, or nothing left over. */
bool base64_ends(const struct base64 *b);

#endif
