/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture of text for a terminal: cursor addressing, colours, and only what
 * differs from what it shows. After the last piece its attributes are plain.
 *
 * Spec: ECMA-48 (CUP, ED, EL, SGR); VT100 User Guide (DECSTBM); the bright
 * colours are aixterm's, which all terminal programs know.
 */
#include "devices/backend/screen.h"

#include "lib/compiler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DRAW_CELL	40 /* bytes: an address, attributes, a character */
#define DRAW_PLAIN	(CONSOLE_BLANK >> 8)
#define DRAW_BLANKS	4 /* at a row's end: cheaper erased */
#define DRAW_GAP	6 /* not more than draw_cell()'s address */
#define DRAW_SCROLL_MAX (SCREEN_DRAW_MIN - DRAW_CELL)

struct draw_out {
	uint8_t *buf;
	size_t len, max;
};

/* Less than DRAW_CELL bytes. */
static __printf(2, 3) void draw_printf(struct draw_out *o, const char *fmt, ...)
{
	char text[DRAW_CELL];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	memcpy(o->buf + o->len, text, (size_t)len);
	o->len += (size_t)len;
}

static bool draw_full(const struct draw_out *o)
{
	return o->max - o->len < DRAW_CELL;
}

static void draw_fill(uint16_t *cells, size_t count)
{
	while (count--)
		*cells++ = CONSOLE_BLANK;
}

static void draw_goto(struct screen_draw *d, struct draw_out *o, unsigned x, unsigned y)
{
	if (d->x != (int)x || d->y != (int)y)
		draw_printf(o, "\033[%u;%uH", y + 1, x + 1);
	d->x = (int)x;
	d->y = (int)y;
}

/* VGA counts colours blue, green, red; terminals red, green, blue. */
static unsigned draw_colour(unsigned vga)
{
	return (vga & 1) << 2 | (vga & 2) | (vga >> 2 & 1);
}

static void draw_attr(struct screen_draw *d, struct draw_out *o, unsigned attr)
{
	unsigned fg = attr & 15, bg = attr >> 4 & 7, high = attr >> 7;

	if (d->attr == (int)attr)
		return;
	d->attr = (int)attr;
	draw_printf(o, "\033[0");
	if (high && d->screen.blink)
		draw_printf(o, ";5");
	if (fg != 7)
		draw_printf(o, ";%u", draw_colour(fg) + (fg & 8 ? 90 : 30));
	if (high && !d->screen.blink)
		draw_printf(o, ";%u", draw_colour(bg) + 100);
	else if (bg)
		draw_printf(o, ";%u", draw_colour(bg) + 40);
	draw_printf(o, "m");
}

/* A few cells that are right already are shorter than an address, where they look like the rest. */
static void draw_gap(struct screen_draw *d, struct draw_out *o, unsigned x, unsigned y)
{
	const uint16_t *row = d->shown + y * d->columns;

	if (d->y != (int)y || d->x < 0 || d->x >= (int)x || x - (unsigned)d->x > DRAW_GAP)
		return;
	for (unsigned i = (unsigned)d->x; i < x; i++)
		if (row[i] >> 8 != d->attr || (uint8_t)row[i] < ' ' || (uint8_t)row[i] > '~')
			return;
	while (d->x < (int)x)
		o->buf[o->len++] = (uint8_t)row[d->x++];
}

static bool draw_is_blank(const uint16_t *cells, size_t count)
{
	while (count--)
		if (*cells++ != CONSOLE_BLANK)
			return false;
	return true;
}

static void draw_cell(struct screen_draw *d, struct draw_out *o, unsigned x, unsigned y)
{
	uint16_t cell = d->want[y * d->columns + x];

	draw_gap(d, o, x, y);
	draw_goto(d, o, x, y);
	draw_attr(d, o, cell >> 8);
	o->len += cp437_put((uint8_t)cell, d->ascii, o->buf + o->len);
	d->x++;
	/* Behind the last column terminals differ. */
	if (d->x == (int)d->columns)
		d->x = -1;
}

/* False: there is no room for more. */
static bool draw_row(struct screen_draw *d, struct draw_out *o, unsigned y)
{
	uint16_t *want = d->want + y * d->columns, *shown = d->shown + y * d->columns;

	for (unsigned x = 0; x < d->columns; x++) {
		unsigned left = d->columns - x;

		if (want[x] == shown[x])
			continue;
		if (draw_full(o))
			return false;
		if (left >= DRAW_BLANKS && draw_is_blank(want + x, left)) {
			draw_goto(d, o, x, y);
			draw_attr(d, o, DRAW_PLAIN);
			draw_printf(o, "\033[K");
			draw_fill(shown + x, left);
			return true;
		}
		draw_cell(d, o, x, y);
		shown[x] = want[x];
	}
	return true;
}

static void draw_clear(struct screen_draw *d, struct draw_out *o)
{
	draw_printf(o, "\033[0m\033[r\033[2J");
	draw_fill(d->shown, CONSOLE_CELLS_MAX);
	d->clear = false;
	d->x = d->cursor = -1;
	d->attr = DRAW_PLAIN;
	d->scroll = d->first = 0;
	d->end = d->rows;
}

/* A line feed at the end of a scrolling region that is as large as the screen, not the terminal. */
static void draw_scroll(struct screen_draw *d, struct draw_out *o)
{
	size_t cells = (size_t)d->columns * d->rows, moved = cells - (size_t)d->scroll * d->columns;

	draw_attr(d, o, DRAW_PLAIN);
	draw_printf(o, "\033[1;%ur\033[%u;1H", d->rows, d->rows);
	memset(o->buf + o->len, '\n', d->scroll);
	o->len += d->scroll;
	draw_printf(o, "\033[r");
	memmove(d->shown, d->shown + (cells - moved), moved * sizeof(d->shown[0]));
	draw_fill(d->shown + moved, cells - moved);
	d->x = -1;
	d->scroll = d->first = 0;
	d->end = d->rows;
}

static void draw_cursor(struct screen_draw *d, struct draw_out *o)
{
	if (d->screen.cursor)
		draw_goto(d, o, d->screen.cursor_x, d->screen.cursor_y);
	if (d->cursor != d->screen.cursor)
		draw_printf(o, d->screen.cursor ? "\033[?25h" : "\033[?25l");
	d->cursor = d->screen.cursor;
}

size_t screen_draw(struct screen_draw *d, uint8_t *buf, size_t max)
{
	struct draw_out o = {buf, 0, max};

	if (d->clear)
		draw_clear(d, &o);
	else if (d->scroll)
		draw_scroll(d, &o);
	for (; d->first < d->end; d->first++)
		if (!draw_row(d, &o, d->first))
			return o.len;
	if (draw_full(&o))
		return o.len;
	draw_attr(d, &o, DRAW_PLAIN);
	draw_cursor(d, &o);
	return o.len;
}

void screen_draw_clear(struct screen_draw *d)
{
	d->clear = true;
}

/* There are no cells: a text in their place. */
static void draw_graphics(struct screen_draw *d)
{
	char text[48];
	int len = snprintf(text, sizeof(text), "graphics mode %ux%u", d->screen.width,
			   d->screen.height);

	d->screen.columns = 80;
	d->screen.rows = 25;
	draw_fill(d->want, 80 * 25);
	for (int i = 0; i < len; i++)
		d->want[12 * 80 + 40 - len / 2 + i] = (uint16_t)(DRAW_PLAIN << 8 | text[i]);
}

void screen_draw_take(struct screen_draw *d, unsigned first, unsigned end)
{
	if (!d->screen.columns)
		draw_graphics(d);
	d->clear |= d->columns != d->screen.columns || d->rows != d->screen.rows;
	d->columns = d->screen.columns;
	d->rows = d->screen.rows;
	if (d->first >= d->end) {
		d->first = first;
		d->end = end;
	}
	d->first = MIN(d->first, first);
	d->end = MIN(MAX(d->end, end), d->rows);
}

void screen_draw_scroll(struct screen_draw *d, unsigned rows)
{
	d->scroll += rows;
	if (d->scroll >= d->rows || d->scroll > DRAW_SCROLL_MAX) {
		d->scroll = 0;
		d->first = 0;
		d->end = d->rows;
	}
}
