/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/paste.h"

#include "admin/input.h"
#include "kernel/console.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PASTE_CTRLC 0x03
#define PASTE_DEL   0x7f

/* The shell's task alone pastes: an LF that belongs to the CR before it. */
static bool after_cr;

static uint8_t paste_byte(void)
{
	const uint8_t *data;
	uint8_t byte;
	size_t len;

	while (data = input_peek(&len), !len)
		input_wait();
	byte = *data;
	input_taken(1);
	return byte;
}

static void paste_show(const char *line, size_t len)
{
	char text[CONSOLE_EDIT_MAX + 1];
	size_t at = (size_t)snprintf(text, sizeof(text), "> ");

	for (size_t i = 0; i < len && at < CONSOLE_EDIT_MAX; i++)
		text[at++] = line[i] >= ' ' && line[i] < PASTE_DEL ? line[i] : '?';
	text[at] = '\0';
	console_edit(text, at);
}

/* True at the line's end. */
static bool paste_take(char *line, size_t *len, bool *fits, uint8_t byte)
{
	if (byte == '\n' && after_cr) {
		after_cr = false;
		return false;
	}
	after_cr = byte == '\r';
	if (byte == '\r' || byte == '\n')
		return true;
	if (byte == '\b' || byte == PASTE_DEL)
		*len -= *len ? 1 : 0;
	else if ((byte < ' ' && byte != '\t') || !*fits)
		return false;
	else if (*len < PASTE_LINE_MAX)
		line[(*len)++] = (char)byte;
	else
		*fits = false;
	return false;
}

enum paste_result paste_line(char line[PASTE_LINE_MAX + 1], size_t *len, bool show)
{
	bool fits = true, end = false, cancel = false;

	*len = 0;
	while (!end && !cancel) {
		uint8_t byte;

		if (show)
			paste_show(line, *len);
		byte = paste_byte();
		cancel = byte == PASTE_CTRLC;
		end = paste_take(line, len, &fits, byte);
	}
	line[*len] = '\0';
	if (show)
		console_edit(NULL, 0);
	if (cancel)
		return PASTE_CANCEL;
	return !fits ? PASTE_TOO_LONG : strcmp(line, ".") ? PASTE_LINE : PASTE_END;
}
