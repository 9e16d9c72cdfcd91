/* SPDX-License-Identifier: BSD-2-Clause */
/* A screen on a terminal, between its files: screen.c is the device, screen_draw.c what the
 * terminal is sent, screen_keys.c what it sends. */
#ifndef DEVICES_BACKEND_SCREEN_H
#define DEVICES_BACKEND_SCREEN_H

#include "vmm/console_frontend.h"
#include "vmm/keyboard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two pictures: what is to be seen, and what the terminal shows once it has got all that it was
 * sent. The former is drawn over the latter, so that what changed meanwhile is sent once. */
struct screen_draw {
	struct console_screen screen; /* that `want` is of */
	uint16_t want[CONSOLE_CELLS_MAX];
	uint16_t shown[CONSOLE_CELLS_MAX];
	unsigned columns, rows; /* of both; a graphics mode has a text that says so */
	unsigned first, end;	/* the rows in which they may differ */
	unsigned scroll;	/* rows to move up before anything is drawn */
	bool clear;		/* the terminal may show anything */
	bool ascii;		/* it knows no UTF-8 */
	/* Of the terminal; -1: unknown. */
	int x, y, attr, cursor;
};

/* The longest that screen_draw() has to put in one piece. */
#define SCREEN_DRAW_MIN 128

/* All of it is drawn again. */
void screen_draw_clear(struct screen_draw *d);
/* `screen` and `want` are new: rows [@first, @end) may have changed. */
void screen_draw_take(struct screen_draw *d, unsigned first, unsigned end);
void screen_draw_scroll(struct screen_draw *d, unsigned rows);
/* The next bytes for the terminal, of @max >= SCREEN_DRAW_MIN; 0: it shows what is wanted. */
size_t screen_draw(struct screen_draw *d, uint8_t *buf, size_t max);

/* A character of code page 437 as UTF-8 (up to 3 bytes) or ASCII; how many bytes. */
size_t cp437_put(uint8_t ch, bool ascii, uint8_t *buf);

#define SCREEN_MOD_SHIFT 1 /* as VT220 keys tell them, less 1 */
#define SCREEN_MOD_ALT	 2
#define SCREEN_MOD_CTRL	 4

struct screen_stroke {
	uint8_t key, mods;
};

enum screen_keys_state {
	SCREEN_KEYS_PLAIN,
	SCREEN_KEYS_ESC,
	SCREEN_KEYS_CSI,
	SCREEN_KEYS_LINUX,
	SCREEN_KEYS_SS3
};

/* Between the bytes of a sequence. */
struct screen_keys {
	enum screen_keys_state state;
	unsigned params[2], param; /* of CSI, and which one comes; 2: others, which do not count */
};

/* A byte from the terminal; whether a key is complete. */
bool screen_keys_feed(struct screen_keys *k, uint8_t byte, struct screen_stroke *stroke);
/* The events of a stroke; how many. */
unsigned screen_keys_events(const struct screen_stroke *stroke,
			    struct key_event events[KEYBOARD_EVENTS_MAX]);

#endif
