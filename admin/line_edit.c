/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/line_edit.h"

#include <string.h>

#define CTRL(c) ((c) - '@')
#define ESC	0x1b
#define DEL	0x7f

/* Escape sequences of terminals (ECMA-48, 5.4): ESC [ numbers letter, or ESC O letter. */
enum escape_state { ESCAPE_NONE, ESCAPE_START, ESCAPE_CSI, ESCAPE_SKIP, ESCAPE_SS3 };

void line_edit_insert(struct line_edit *edit, const char *s)
{
	size_t n = strlen(s);

	if (n > LINE_EDIT_MAX - edit->len)
		n = LINE_EDIT_MAX - edit->len;
	memmove(edit->text + edit->cursor + n, edit->text + edit->cursor, edit->len - edit->cursor);
	memcpy(edit->text + edit->cursor, s, n);
	edit->len += n;
	edit->cursor += n;
	edit->text[edit->len] = '\0';
}

/* Takes out [@from, @to); the cursor goes to @from. */
static enum line_edit_event line_edit_cut(struct line_edit *edit, size_t from, size_t to)
{
	if (from >= to)
		return LINE_EDIT_NOTHING;
	memmove(edit->text + from, edit->text + to, edit->len - to + 1);
	edit->len -= to - from;
	edit->cursor = from;
	return LINE_EDIT_CHANGED;
}

static enum line_edit_event line_edit_move(struct line_edit *edit, size_t cursor)
{
	if (cursor > edit->len || cursor == edit->cursor)
		return LINE_EDIT_NOTHING;
	edit->cursor = cursor;
	return LINE_EDIT_CHANGED;
}

/* Shows the @n-th last line of the history, 0 being the new one. */
static enum line_edit_event line_edit_show(struct line_edit *edit, unsigned n)
{
	if (n > edit->history)
		return LINE_EDIT_NOTHING;
	if (edit->shown == 0)
		memcpy(edit->draft, edit->text, sizeof(edit->draft));
	memcpy(edit->text, n ? edit->lines[n - 1] : edit->draft, sizeof(edit->text));
	edit->shown = n;
	edit->len = strlen(edit->text);
	edit->cursor = edit->len;
	return LINE_EDIT_CHANGED;
}

static enum line_edit_event line_edit_key(struct line_edit *edit, char final)
{
	switch (final) {
	case 'A': /* up */
		return line_edit_show(edit, edit->shown + 1);
	case 'B': /* down */
		return edit->shown ? line_edit_show(edit, edit->shown - 1) : LINE_EDIT_NOTHING;
	case 'C': /* right */
		return line_edit_move(edit, edit->cursor + 1);
	case 'D': /* left: off the start it wraps to a place that is none */
		return line_edit_move(edit, edit->cursor - 1);
	case 'H':
		return line_edit_move(edit, 0);
	case 'F':
		return line_edit_move(edit, edit->len);
	default:
		return LINE_EDIT_NOTHING;
	}
}

/* ESC [ n ~, as the VT220 sends it. */
static enum line_edit_event line_edit_numbered_key(struct line_edit *edit)
{
	switch (edit->param) {
	case 1:
	case 7:
		return line_edit_move(edit, 0);
	case 4:
	case 8:
		return line_edit_move(edit, edit->len);
	case 3: /* Delete */
		return edit->cursor < edit->len
			       ? line_edit_cut(edit, edit->cursor, edit->cursor + 1)
			       : LINE_EDIT_NOTHING;
	default:
		return LINE_EDIT_NOTHING;
	}
}

static enum line_edit_event line_edit_escape(struct line_edit *edit, uint8_t byte)
{
	enum escape_state state = edit->escape;

	if (state == ESCAPE_START) {
		edit->param = 0;
		edit->escape = byte == '[' ? ESCAPE_CSI : byte == 'O' ? ESCAPE_SS3 : ESCAPE_NONE;
		return LINE_EDIT_NOTHING;
	}
	if (state == ESCAPE_CSI && byte >= '0' && byte <= '9') {
		edit->param = edit->param < 25 ? edit->param * 10 + (byte - '0') : UINT8_MAX;
		return LINE_EDIT_NOTHING;
	}
	if (state != ESCAPE_SS3 && byte >= 0x20 && byte < 0x40) {
		edit->escape = ESCAPE_SKIP; /* more numbers or intermediates: no key of ours */
		return LINE_EDIT_NOTHING;
	}
	edit->escape = ESCAPE_NONE;
	if (state == ESCAPE_SKIP)
		return LINE_EDIT_NOTHING;
	return byte == '~' ? line_edit_numbered_key(edit) : line_edit_key(edit, (char)byte);
}

static enum line_edit_event line_edit_control(struct line_edit *edit, uint8_t byte)
{
	switch (byte) {
	case '\r':
	case '\n':
		return LINE_EDIT_DONE;
	case '\t':
		return LINE_EDIT_TAB;
	case '\b':
	case DEL:
		return edit->cursor ? line_edit_cut(edit, edit->cursor - 1, edit->cursor)
				    : LINE_EDIT_NOTHING;
	case CTRL('C'):
		return LINE_EDIT_CANCEL;
	case CTRL('U'):
		return line_edit_cut(edit, 0, edit->cursor);
	case CTRL('K'):
		return edit->cursor < edit->len ? line_edit_cut(edit, edit->cursor, edit->len)
						: LINE_EDIT_NOTHING;
	case CTRL('A'):
		return line_edit_move(edit, 0);
	case CTRL('E'):
		return line_edit_move(edit, edit->len);
	case ESC:
		edit->escape = ESCAPE_START;
		return LINE_EDIT_NOTHING;
	default:
		return LINE_EDIT_NOTHING;
	}
}

enum line_edit_event line_edit_feed(struct line_edit *edit, uint8_t byte)
{
	bool after_cr = edit->after_cr;
	char s[2] = {(char)byte, '\0'};

	edit->after_cr = byte == '\r';
	if (byte == '\n' && after_cr)
		return LINE_EDIT_NOTHING;
	/* Control characters end a sequence that was cut short. */
	if (edit->escape != ESCAPE_NONE && byte >= 0x20)
		return line_edit_escape(edit, byte);
	edit->escape = ESCAPE_NONE;
	if (byte < 0x20 || byte == DEL)
		return line_edit_control(edit, byte);
	if (byte > DEL || edit->len == LINE_EDIT_MAX)
		return LINE_EDIT_NOTHING;
	line_edit_insert(edit, s);
	return LINE_EDIT_CHANGED;
}

void line_edit_reset(struct line_edit *edit, bool keep)
{
	if (keep && edit->len && (!edit->history || strcmp(edit->lines[0], edit->text))) {
		memmove(edit->lines[1], edit->lines[0],
			sizeof(edit->lines) - sizeof(edit->lines[0]));
		memcpy(edit->lines[0], edit->text, sizeof(edit->lines[0]));
		if (edit->history < LINE_EDIT_HISTORY)
			edit->history++;
	}
	edit->text[0] = '\0';
	edit->len = 0;
	edit->cursor = 0;
	edit->shown = 0;
}
