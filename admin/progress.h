/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a command is that takes long, in a line for a person who looks on, and Ctrl-C to give it
 * up. Such a command is `.direct`. The shell's task alone.
 */
#ifndef ADMIN_PROGRESS_H
#define ADMIN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what;	  /* in front of the line */
	uint64_t start, shown_at; /* time_ns() */
	bool shown;
};

void progress_begin(struct progress *p, const char *what);
/*
 * @done bytes of @total are done; @total 0: of nobody knows how many. Shown four times a second,
 * where a terminal has answered (admin/terminal.h) and no program reads what the command prints.
 */
void progress_update(struct progress *p, uint64_t done, uint64_t total);
/* What is printed next stands below the line as it was shown last. */
void progress_end(struct progress *p);
/* Whether Ctrl-C was typed, which is taken, and what came before it. To be asked now and then. */
bool progress_cancelled(void);

#endif
