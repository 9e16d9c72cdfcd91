/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/examine_format.h"

#include <stdio.h>
#include <string.h>

/* Digits of the largest value in each base. */
static const int octal_digits[] = {[1] = 3, [2] = 6, [4] = 11, [8] = 22};
static const int decimal_digits[] = {[1] = 4, [2] = 6, [4] = 11, [8] = 20};

static bool examine_format_count(const char **text, unsigned *count)
{
	unsigned n = 0;

	if (**text < '0' || **text > '9')
		return true;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		n = n * 10 + (unsigned)(**text - '0');
		if (n > EXAMINE_COUNT_MAX)
			return false;
	}
	*count = n;
	return n;
}

bool examine_format_parse(const char *text, struct examine_format *format)
{
	static const char letters[] = "xduocsi", sizes[] = "bhwg";
	bool letter = false, size = false;

	*format = (struct examine_format){.count = 1, .letter = 'x', .size = 4};
	if (!examine_format_count(&text, &format->count))
		return false;
	for (; *text; text++) {
		const char *at = strchr(sizes, *text);

		if (at && !size) {
			format->size = 1u << (at - sizes);
			size = true;
		} else if (strchr(letters, *text) && !letter) {
			format->letter = *text;
			letter = true;
		} else {
			return false;
		}
	}
	if (format->letter == 's' || (format->letter == 'c' && !size))
		format->size = 1;
	return true;
}

static int64_t examine_format_signed(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (int64_t)(value << shift) >> shift;
}

static int examine_format_character(uint64_t value, char *buf, size_t size)
{
	if (value >= ' ' && value < 0x7f)
		return snprintf(buf, size, " '%c' ", (char)value);
	return snprintf(buf, size, " '\\x%02lx'", value);
}

int examine_format_value(const struct examine_format *format, uint64_t value, char *buf,
			 size_t size)
{
	switch (format->letter) {
	case 'd':
		return snprintf(buf, size, " %*ld", decimal_digits[format->size],
				examine_format_signed(value, format->size));
	case 'u':
		return snprintf(buf, size, " %*lu", decimal_digits[format->size], value);
	case 'o':
		return snprintf(buf, size, " 0%0*lo", octal_digits[format->size], value);
	case 'c':
		return examine_format_character(value, buf, size);
	default:
		return snprintf(buf, size, " 0x%0*lx", (int)format->size * 2, value);
	}
}
