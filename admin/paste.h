/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that are pasted behind a command, up to one with a single dot. */
#ifndef ADMIN_PASTE_H
#define ADMIN_PASTE_H

#include <stdbool.h>
#include <stddef.h>

#define PASTE_LINE_MAX 4096 /* bytes */

enum paste_result {
	PASTE_LINE,
	PASTE_END,	/* the dot */
	PASTE_TOO_LONG, /* a line: it was taken, up to its end */
	PASTE_CANCEL,	/* Ctrl-C */
};

/*
 * The next line, without its end, in @line, 0-terminated. Control bytes but tabs are left out.
 * @show: it is shown as it is typed.
 */
enum paste_result paste_line(char line[PASTE_LINE_MAX + 1], size_t *len, bool show);

#endif
