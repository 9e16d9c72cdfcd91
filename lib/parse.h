/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values as people write them: in configs, on the command line, in the shell.
 * All of the text must be the value; false when it is not, or does not fit.
 */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal, or hexadecimal behind 0x. */
bool parse_uint(const char *s, uint64_t *value);
/* As parse_uint, with K, M, G or T behind it: times a power of 1024. */
bool parse_size(const char *s, uint64_t *value);
/* true, yes, on; false, no, off. */
bool parse_bool(const char *s, bool *value);
/* One of the words of @choices, "a|b|c": its index. */
bool parse_choice(const char *s, const char *choices, uint64_t *index);
/* A name of 1 to @max characters out of A-Z a-z 0-9 . _ - with a letter or digit first. */
bool parse_name(const char *s, size_t max);

#endif
