/* SPDX-License-Identifier: BSD-2-Clause */
/* The FORMAT of x/FORMAT, as gdb and QEMU's monitor have it: COUNT, one of xduocsi, one of bhwg. */
#ifndef ADMIN_EXAMINE_FORMAT_H
#define ADMIN_EXAMINE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXAMINE_COUNT_MAX 4096

struct examine_format {
	unsigned count;
	char letter;   /* of xduocsi */
	unsigned size; /* bytes: 1, 2, 4, 8 */
};

/* @text: what stands behind the /, in any order but that COUNT comes first; "" is 1xw. */
bool examine_format_parse(const char *text, struct examine_format *format);
/* One value, with a blank before it, and its width the same for all of its kind. */
int examine_format_value(const struct examine_format *format, uint64_t value, char *buf,
			 size_t size);

#endif
