/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line being typed: takes a terminal's bytes one by one and keeps text,
 * cursor and history. Knows no console; bytes that it does not know do nothing.
 */
#ifndef ADMIN_LINE_EDIT_H
#define ADMIN_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_EDIT_MAX	  240 /* characters */
#define LINE_EDIT_HISTORY 16  /* lines */
#define LINE_EDIT_SEARCH  32  /* characters of what Ctrl-R looks for */
#define LINE_EDIT_PARAMS  2   /* of an escape sequence of ours */

enum line_edit_event {
	LINE_EDIT_NOTHING, /* nothing to see */
	LINE_EDIT_CHANGED, /* text or cursor: draw */
	LINE_EDIT_DONE,	   /* Enter: text is the line; line_edit_reset() follows */
	LINE_EDIT_CANCEL,  /* Ctrl-C: as DONE, but nobody wants the line */
	LINE_EDIT_TAB,	   /* completion is asked for, at the cursor */
	LINE_EDIT_CLEAR,   /* Ctrl-L: the screen is to be empty but for the line */
	LINE_EDIT_SIZE,	   /* the terminal has said where its cursor is: params */
};

struct line_edit {
	char text[LINE_EDIT_MAX + 1];
	size_t len, cursor;
	uint8_t escape; /* how far into an escape sequence: enum in line_edit.c */
	uint8_t param;	/* which of its numbers comes … */
	uint16_t params[LINE_EDIT_PARAMS]; /* … and what they are */
	bool after_cr;			   /* an LF now belongs to the CR before */
	unsigned history;		   /* lines that are kept */
	unsigned shown;			   /* 0: the new line; n: the n-th last one is shown */
	char draft[LINE_EDIT_MAX + 1];	   /* the new line while an old one is shown */
	bool searching;			   /* Ctrl-R: the text is the last line with … */
	char search[LINE_EDIT_SEARCH + 1]; /* … this in it */
	size_t search_len;
	char lines[LINE_EDIT_HISTORY][LINE_EDIT_MAX + 1]; /* the newest first */
};

/* @edit is zeroed before its first use. */
enum line_edit_event line_edit_feed(struct line_edit *edit, uint8_t byte);
/* Puts @s in at the cursor; what does not fit is left out. */
void line_edit_insert(struct line_edit *edit, const char *s);
/* Keeps the line in the history, where it says something new, and empties it. */
void line_edit_reset(struct line_edit *edit, bool keep);

#endif
