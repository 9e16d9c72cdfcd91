/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text in the syntax of QEMU's -readconfig and git:
 *
 *	# comment
 *	[section "id"]        the id may be left out
 *	key = value           to the end of the line; blank and # begin a comment
 *	key = "value"         in quotes: \" and \\ stand for " and \
 *
 * Allocates nothing, is bounded, and makes no assumption about the text.
 */
#ifndef LIB_INI_H
#define LIB_INI_H

#include <stddef.h>

#define INI_LINE_MAX 4096 /* bytes of a line, its end not counted */
#define INI_NAME_MAX 63	  /* bytes of a section's kind, its id, a key */

/* Strings are 0-terminated and valid during the call. Any result but 0 ends the parse with it. */
struct ini_handler {
	int (*section)(void *opaque, unsigned line, const char *kind, const char *id);
	int (*key)(void *opaque, unsigned line, const char *name, const char *value);
	/* What is wrong with @line; ini_parse() then ends. */
	void (*error)(void *opaque, unsigned line, const char *message);
	void *opaque;
};

/* 0, what a handler returned, or -EINVAL after error(). @text need not be 0-terminated. */
int ini_parse(const char *text, size_t len, const struct ini_handler *handler);

#endif
