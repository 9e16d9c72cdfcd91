/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Console frontends and backends: what a guest's screen (frontend) and whoever
 * shows it (backend) know of each other (vmm/frontend.h). A backend gets
 * copies; it never sees guest memory.
 *
 * A guest that writes to its screen makes no exit, so nobody is told at once:
 * while a backend watches, the frontend looks CONSOLE_HZ times a second what
 * has changed, and tells that.
 */
#ifndef VMM_CONSOLE_FRONTEND_H
#define VMM_CONSOLE_FRONTEND_H

#include "vmm/frontend.h"

#include <stddef.h>
#include <stdint.h>

extern const struct frontend_kind console_frontend_kind;

#define CONSOLE_HZ	  20
#define CONSOLE_CELLS_MAX 8192u /* of one screen */

/* A cell: the character (code page 437) in bits 0-7, its attribute as of a VGA in bits 8-15. */
#define CONSOLE_BLANK UINT16_C(0x0720)

struct console_screen {
	uint16_t columns, rows; /* of text, at most CONSOLE_CELLS_MAX cells; 0 in a graphics mode */
	uint16_t width, height; /* in pixels */
	uint16_t cursor_x, cursor_y;
	bool cursor; /* it is shown, and lies on the screen */
	bool blink;  /* bit 7 of an attribute: blinks; else: bright background */
};

/* What a backend offers; all of it is called with the frontend's lock held and never waits. Of
 * one look, in this order, what applies. */
struct console_backend_ops {
	struct backend_ops base;
	/* Columns, rows, width or height changed, and so everything did. */
	void (*resolution)(void *opaque);
	/* All rows moved up by @rows, less than there are; what is new below comes as update. */
	void (*scroll)(void *opaque, unsigned rows);
	void (*update)(void *opaque, unsigned x, unsigned y, unsigned columns, unsigned rows);
	/* It moved, appeared or went. */
	void (*cursor)(void *opaque);
};

struct console_frontend {
	struct frontend base;
	/* Set by the frontend. Called by the backend with base.lock held. */
	void (*watch)(void *opaque, bool on);
	/* The screen as it is now; row after row of cells, none in a graphics mode. */
	void (*snapshot)(void *opaque, struct console_screen *screen,
			 uint16_t cells[CONSOLE_CELLS_MAX]);
	void *opaque;
};

/* Under the lock. NULL: there is none. */
static inline const struct console_backend_ops *
console_backend(const struct console_frontend *frontend)
{
	const struct backend_ops *ops = frontend->base.backend;

	return ops ? container_of(ops, const struct console_backend_ops, base) : NULL;
}

#endif
