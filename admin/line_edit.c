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
	switch (edit->params[0]) {
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

/* A byte of a control sequence's numbers; false: it is none. */
static bool line_edit_param(struct line_edit *edit, uint8_t byte)
{
	uint16_t *param = &edit->params[edit->param];

	if (byte >= '0' && byte <= '9') {
		*param = *param < 1000 ? (uint16_t)(*param * 10 + (byte - '0')) : UINT16_MAX;
		return true;
	}
	if (byte != ';' || edit->param + 1 == LINE_EDIT_PARAMS)
		return false;
	edit->param++;
	return true;
}

/* The last byte of a control sequence. */
static enum line_edit_event line_edit_final(struct line_edit *edit, uint8_t byte)
{
	if (edit->param)
		return byte == 'R' ? LINE_EDIT_SIZE : LINE_EDIT_NOTHING;
	return byte == '~' ? line_edit_numbered_key(edit) : line_edit_key(edit, (char)byte);
}

static enum line_edit_event line_edit_escape(struct line_edit *edit, uint8_t byte)
{
	enum escape_state state = edit->escape;

	if (state == ESCAPE_START) {
		edit->param = 0;
		memset(edit->params, 0, sizeof(edit->params));
		edit->escape = byte == '[' ? ESCAPE_CSI : byte == 'O' ? ESCAPE_SS3 : ESCAPE_NONE;
		return LINE_EDIT_NOTHING;
	}
	if (state == ESCAPE_CSI && line_edit_param(edit, byte))
		return LINE_EDIT_NOTHING;
	if (state != ESCAPE_SS3 && byte >= 0x20 && byte < 0x40) {
		edit->escape = ESCAPE_SKIP; /* more numbers or intermediates: no key of ours */
		return LINE_EDIT_NOTHING;
	}
	edit->escape = ESCAPE_NONE;
	return state == ESCAPE_SKIP ? LINE_EDIT_NOTHING : line_edit_final(edit, byte);
}

/* The blanks before the cursor and the word before them. */
static enum line_edit_event line_edit_cut_word(struct line_edit *edit)
{
	size_t from = edit->cursor;

	while (from && edit->text[from - 1] == ' ')
		from--;
	while (from && edit->text[from - 1] != ' ')
		from--;
	return line_edit_cut(edit, from, edit->cursor);
}

/* Shows the newest line, but those before the @from-th, that has what is looked for in it. */
static enum line_edit_event line_edit_search_from(struct line_edit *edit, unsigned from)
{
	for (unsigned n = from; n <= edit->history; n++)
		if (n && strstr(edit->lines[n - 1], edit->search))
			return line_edit_show(edit, n);
	return LINE_EDIT_CHANGED; /* the last one that had it stays */
}

static enum line_edit_event line_edit_search_begin(struct line_edit *edit)
{
	edit->searching = true;
	edit->search[edit->search_len = 0] = '\0';
	return LINE_EDIT_CHANGED;
}

/*
 * A byte of what is looked for. True: it is, and *@event says what is to be seen; any other ends
 * the search with the line that was found, and then does what it does.
 */
static bool line_edit_search(struct line_edit *edit, uint8_t byte, enum line_edit_event *event)
{
	*event = LINE_EDIT_CHANGED;
	if (byte == CTRL('R')) {
		*event = line_edit_search_from(edit, edit->shown + 1);
	} else if ((byte == '\b' || byte == DEL) && edit->search_len) {
		edit->search[--edit->search_len] = '\0';
		*event = line_edit_search_from(edit, 1);
	} else if (byte >= 0x20 && byte < DEL && edit->search_len < LINE_EDIT_SEARCH) {
		edit->search[edit->search_len++] = (char)byte;
		edit->search[edit->search_len] = '\0';
		*event = line_edit_search_from(edit, edit->shown);
	} else if (byte == CTRL('C') || byte == CTRL('G')) {
		edit->searching = false;
		if (edit->shown)
			(void)line_edit_show(edit, 0);
	} else {
		edit->searching = false;
		return false;
	}
	return true;
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
	case CTRL('W'):
		return line_edit_cut_word(edit);
	case CTRL('L'):
		return LINE_EDIT_CLEAR;
	case CTRL('R'):
		return line_edit_search_begin(edit);
	case CTRL('A'):
		return line_edit_move(edit, 0);
	case CTRL('E'):
		return line_edit_move(edit, edit->len);
	case CTRL('B'):
		return line_edit_key(edit, 'D');
	case CTRL('F'):
		return line_edit_key(edit, 'C');
	case CTRL('P'):
		return line_edit_key(edit, 'A');
	case CTRL('N'):
		return line_edit_key(edit, 'B');
	case ESC:
		edit->escape = ESCAPE_START;
		return LINE_EDIT_NOTHING;
	default:
		return LINE_EDIT_NOTHING;
	}
}

/* A byte that is none of a search. */
static enum line_edit_event line_edit_key_byte(struct line_edit *edit, uint8_t byte)
{
	char s[2] = {(char)byte, '\0'};

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

enum line_edit_event line_edit_feed(struct line_edit *edit, uint8_t byte)
{
	bool after_cr = edit->after_cr, searching = edit->searching;
	enum line_edit_event event;

	edit->after_cr = byte == '\r';
	if (byte == '\n' && after_cr)
		return LINE_EDIT_NOTHING;
	if (searching && line_edit_search(edit, byte, &event))
		return event;
	event = line_edit_key_byte(edit, byte);
	/* The search itself is not to be seen any more. */
	return searching && event == LINE_EDIT_NOTHING ? LINE_EDIT_CHANGED : event;
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
	edit->searching = false;
}
