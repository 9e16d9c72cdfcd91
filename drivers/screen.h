/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text on a screen of cells: a small terminal, enough for our own console and
 * for a shell in a guest (\b \t \n \r, ESC 7 8, ESC [ A-D H J K; other sequences
 * are swallowed). What is to be seen is kept in memory and drawn once per
 * write, changed cells only: reading video memory is slow, and scrolling a
 * line at a time on a large framebuffer would be.
 */
#ifndef DRIVERS_SCREEN_H
#define DRIVERS_SCREEN_H

#include "kernel/console.h"
#include "lib/compiler.h"

#include <stdbool.h>

#define SCREEN_CELLS_MAX (240 * 100)

struct screen {
	struct console_sink sink;
	unsigned width, height; /* cells, together at most SCREEN_CELLS_MAX */
	/* Shows @c (printable ASCII) in a cell, with the cursor or without. */
	void (*draw)(struct screen *screen, unsigned x, unsigned y, char c, bool cursor);

	/* The rest is screen.c's, under the console's lock. */
	unsigned x, y;		   /* the cursor; x == width: the next character wraps */
	unsigned saved_x, saved_y; /* what ESC 7 keeps for ESC 8 */
	unsigned shown_x, shown_y; /* where the cursor is drawn */
	unsigned char state;	   /* of an escape sequence */
	unsigned params[2];
	unsigned param; /* which one is being read */
	char *cells;	/* what is to be seen */
	char *visible;	/* what is; both of width * height */
};

/* Clears the screen, shows the log so far and registers it as a console. False: no memory. */
bool screen_register(struct screen *screen, const char *name) __must_check;

/* A kind of screen, one a file, so that each can be left out. */
struct screen_driver {
	const char *name; /* as `console=` on the command line names it */
	/* Sets the screen up as the boot loader left it, and registers it; false if it is another
	 * kind. */
	bool (*init)(void);
};
TABLE_DECLARE(screen_driver, struct screen_driver);
#define SCREEN_DRIVER(ident, ...) \
	TABLE_ENTRY(screen_driver, struct screen_driver, ident) = {__VA_ARGS__}

/* Boot, once devices can be mapped: false when there is no such screen, or its driver was left out.
 */
bool screen_console_init(const char *name) __must_check;

#endif
