/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on a screen of cells: a small terminal, enough for our own console and
 * for a shell in a guest (\b \t \n \r, ESC [ A-D H J K; other sequences are
 * swallowed). What is to be seen is kept in memory and drawn once per
 * write, changed cells only: reading video memory is slow, and scrolling a
 * line at a time on a large framebuffer would be.
 */
#ifndef DRIVERS_SCREEN_H
#define DRIVERS_SCREEN_H

#include "kernel/console.h"

#include <stdbool.h>

#define SCREEN_CELLS_MAX (240 * 100)

struct screen {
	struct console_sink sink;
	unsigned width, height; /* cells, together at most SCREEN_CELLS_MAX */
	/* Shows @c (printable ASCII) in a cell, with the cursor or without. */
	void (*draw)(struct screen *screen, unsigned x, unsigned y, char c, bool cursor);

	/* The rest is screen.c's, under the console's lock. */
	unsigned x, y;		   /* the cursor; x == width: the next character wraps */
	unsigned shown_x, shown_y; /* where the cursor is drawn */
	unsigned char state;	   /* of an escape sequence */
	unsigned params[2];
	unsigned param;			/* which one is being read */
	char cells[SCREEN_CELLS_MAX];	/* what is to be seen */
	char visible[SCREEN_CELLS_MAX]; /* what is */
};

/* Boot: clears the screen, shows the log so far and registers it as a console. */
void screen_register(struct screen *screen, const char *name);

#endif
