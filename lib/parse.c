/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/parse.h"

#include "lib/compiler.h"

#include <string.h>

/* The digit's value, or -1: not one of base @base. */
static int parse_digit(char c, unsigned base)
{
	int digit = -1;

	if (c >= '0' && c <= '9')
		digit = c - '0';
	else if (c >= 'a' && c <= 'f')
		digit = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		digit = c - 'A' + 10;
	return digit < (int)base ? digit : -1;
}

/* Returns what follows the number, or NULL. */
static const char *parse_number(const char *s, uint64_t *value)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	unsigned base = hex ? 16 : 10;
	uint64_t n = 0;
	int digit;

	s += hex ? 2 : 0;
	if (parse_digit(*s, base) < 0)
		return NULL;
	for (; (digit = parse_digit(*s, base)) >= 0; s++)
		if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit, &n))
			return NULL;
	*value = n;
	return s;
}

bool parse_uint(const char *s, uint64_t *value)
{
	uint64_t n;

	s = parse_number(s, &n);
	if (!s || *s)
		return false;
	*value = n;
	return true;
}

bool parse_size(const char *s, uint64_t *value)
{
	static const char units[] = "KkMmGgTt";
	const char *unit;
	uint64_t n;

	s = parse_number(s, &n);
	if (!s)
		return false;
	if (*s) {
		unit = strchr(units, *s);
		if (!unit || s[1] ||
		    __builtin_mul_overflow(n, BIT(10 * ((unit - units) / 2 + 1)), &n))
			return false;
	}
	*value = n;
	return true;
}

bool parse_bool(const char *s, bool *value)
{
	uint64_t index;

	if (!parse_choice(s, "false|true|no|yes|off|on", &index))
		return false;
	*value = index & 1;
	return true;
}

bool parse_choice(const char *s, const char *choices, uint64_t *index)
{
	size_t len = strlen(s);
	uint64_t i = 0;

	for (;; i++) {
		size_t word = strcspn(choices, "|");

		if (word == len && !memcmp(s, choices, len)) {
			*index = i;
			return true;
		}
		if (!choices[word])
			return false;
		choices += word + 1;
	}
}

bool parse_name(const char *s, size_t max)
{
	static const char more[] = "._-";
	size_t i;

	for (i = 0; s[i]; i++) {
		bool alnum = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'z') ||
			     (s[i] >= 'A' && s[i] <= 'Z');

		if (i == max || (!alnum && (i == 0 || !strchr(more, s[i]))))
			return false;
	}
	return i > 0;
}
