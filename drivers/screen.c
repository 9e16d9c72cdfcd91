/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/screen.h"
#include "kernel/log.h"
#include "kernel/page_alloc.h"

#include <string.h>

/* screen.state: ECMA-48, 5.3 and 5.4. */
enum { SCREEN_TEXT, SCREEN_ESCAPE, SCREEN_CSI };

#define SCREEN_TAB 8
/* More than a cursor can go, and no sum of two overflows. */
#define SCREEN_PARAM_MAX 10000u

static void screen_clear(struct screen *screen, unsigned from, unsigned to)
{
	memset(screen->cells + from, ' ', to - from);
}

static void screen_newline(struct screen *screen)
{
	unsigned last = (screen->height - 1) * screen->width;

	if (screen->y + 1 < screen->height) {
		screen->y++;
		return;
	}
	memmove(screen->cells, screen->cells + screen->width, last);
	screen_clear(screen, last, last + screen->width);
}

static void screen_put(struct screen *screen, char c)
{
	if (screen->x == screen->width) {
		screen->x = 0;
		screen_newline(screen);
	}
	screen->cells[screen->y * screen->width + screen->x++] = c;
}

static void screen_text(struct screen *screen, unsigned char c)
{
	switch (c) {
	case '\b':
		if (screen->x)
			screen->x--;
		break;
	case '\t':
		screen->x = MIN((screen->x / SCREEN_TAB + 1) * SCREEN_TAB, screen->width - 1);
		break;
	case '\n':
		screen->x = 0;
		screen_newline(screen);
		break;
	case '\r':
		screen->x = 0;
		break;
	case 0x1b:
		screen->state = SCREEN_ESCAPE;
		break;
	default:
		/* One mark for each character of UTF-8 that is not ASCII: its first byte. */
		if (c >= 0xc0)
			screen_put(screen, '?');
		else if (c >= ' ' && c < 0x7f)
			screen_put(screen, (char)c);
	}
}

/* The end of a control sequence: ECMA-48, 8.3. */
static void screen_control(struct screen *screen, unsigned char final)
{
	unsigned x = MIN(screen->x, screen->width - 1);
	unsigned at = screen->y * screen->width + x;
	unsigned n = MAX(screen->params[0], 1u);

	switch (final) {
	case 'A':
		screen->y -= MIN(screen->y, n);
		break;
	case 'B':
		screen->y = MIN(screen->y + n, screen->height - 1);
		break;
	case 'C':
		screen->x = MIN(x + n, screen->width - 1);
		break;
	case 'D':
		screen->x = x - MIN(x, n);
		break;
	case 'H':
		screen->y = MIN(n, screen->height) - 1;
		screen->x = MIN(MAX(screen->params[1], 1u), screen->width) - 1;
		break;
	case 'J':
		screen_clear(screen, screen->params[0] ? 0 : at, screen->width * screen->height);
		break;
	case 'K':
		screen_clear(screen, screen->params[0] ? at - x : at, at - x + screen->width);
		break;
	default:
		break;
	}
}

/* Behind ESC: a control sequence begins, or the cursor is kept (7) or put back (8), as the VT100
 * does. */
static void screen_escape(struct screen *screen, unsigned char c)
{
	screen->state = c == '[' ? SCREEN_CSI : SCREEN_TEXT;
	screen->params[0] = screen->params[1] = 0;
	screen->param = 0;
	if (c == '7') {
		screen->saved_x = screen->x;
		screen->saved_y = screen->y;
	} else if (c == '8') {
		screen->x = screen->saved_x;
		screen->y = screen->saved_y;
	}
}

static void screen_take(struct screen *screen, unsigned char c)
{
	switch (screen->state) {
	case SCREEN_TEXT:
		screen_text(screen, c);
		break;
	case SCREEN_ESCAPE:
		screen_escape(screen, c);
		break;
	default:
		if (c >= '0' && c <= '9' && screen->param < ARRAY_SIZE(screen->params)) {
			unsigned *param = &screen->params[screen->param];

			*param = MIN(*param * 10 + c - '0', SCREEN_PARAM_MAX);
		} else if (c == ';') {
			screen->param++;
		} else if (c >= 0x40) {
			screen->state = SCREEN_TEXT;
			screen_control(screen, c);
		}
	}
}

static void screen_draw(struct screen *screen, unsigned x, unsigned y, bool cursor)
{
	unsigned at = y * screen->width + x;

	screen->draw(screen, x, y, screen->cells[at], cursor);
	screen->visible[at] = screen->cells[at];
}

static void screen_show(struct screen *screen)
{
	unsigned x = MIN(screen->x, screen->width - 1);
	unsigned at = 0;

	for (unsigned row = 0; row < screen->height; row++, at += screen->width) {
		if (!memcmp(screen->cells + at, screen->visible + at, screen->width))
			continue;
		for (unsigned i = 0; i < screen->width; i++)
			if (screen->cells[at + i] != screen->visible[at + i])
				screen_draw(screen, i, row, false);
	}
	screen_draw(screen, screen->shown_x, screen->shown_y, false);
	screen_draw(screen, x, screen->y, true);
	screen->shown_x = x;
	screen->shown_y = screen->y;
}

static void screen_write(struct console_sink *sink, const char *s, size_t len)
{
	struct screen *screen = container_of(sink, struct screen, sink);

	for (size_t i = 0; i < len; i++)
		screen_take(screen, (unsigned char)s[i]);
	screen_show(screen);
}

static void screen_log_line(void *opaque, const char *text)
{
	struct screen *screen = opaque;
	const char *time_end = strchr(text, ']');

	/* What the log keeps for dmesg only is not for the screen either. */
	if (time_end && !strncmp(time_end, "] debug: ", 9))
		return;
	for (; *text; text++)
		screen_take(screen, (unsigned char)*text);
	screen_take(screen, '\n');
}

bool screen_register(struct screen *screen, const char *name)
{
	static struct page_owner owner;
	unsigned cells = screen->width * screen->height, order = 0;

	if (!owner.name)
		page_owner_register(&owner, "screen");
	while (PAGE_SIZE << order < 2 * cells)
		order++;
	/* Zeroed: whatever is there, all cells are drawn. */
	screen->cells = page_alloc_zeroed(&owner, order);
	if (!screen->cells)
		return false;
	screen->visible = screen->cells + cells;
	screen_clear(screen, 0, cells);
	log_for_each(screen_log_line, screen);
	screen_show(screen);
	screen->sink.name = name;
	screen->sink.write = screen_write;
	screen->sink.interactive = true;
	console_register(&screen->sink);
	return true;
}

bool screen_console_init(const char *name)
{
	for (const struct screen_driver *driver = TABLE_START(screen_driver);
	     driver < TABLE_END(screen_driver); driver++)
		if (!strcmp(driver->name, name) && driver->init())
			return true;
	return false;
}
