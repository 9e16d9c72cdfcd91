/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has the line: the shell, with now and then a request in it, or the protocol alone. While an
 * answer goes out, and all the time of the protocol's, the console is muted: the log waits, and
 * nothing else writes to the line, for whatever does is the shell's task.
 */
#include "admin/qmp/qmp.h"

#include "admin/command.h"
#include "admin/input.h"
#include "admin/shell.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"

#include <string.h>

#define QMP_PIECE  256u /* bytes that go out before others on this CPU run */
#define QMP_POLL   (50 * NSEC_PER_MSEC)
#define QMP_CTRLC  0x03
#define QMP_ATTACH 0x1d /* Ctrl-], which leaves a VM's console */
#define QMP_DEL	   0x7f
#define QMP_XON	   0x11
#define QMP_XOFF   0x13

struct qmp *qmp_now;

static char piece[QMP_PIECE];
static size_t piece_len;

void qmp_flush(void)
{
	console_write(piece, piece_len);
	piece_len = 0;
	console_pace();
}

void qmp_write(const char *s, size_t len)
{
	for (size_t n; len; s += n, len -= n) {
		n = MIN(len, QMP_PIECE - piece_len);
		memcpy(piece + piece_len, s, n);
		piece_len += n;
		if (piece_len == QMP_PIECE)
			qmp_flush();
	}
}

void qmp_text(const char *text)
{
	qmp_write(text, strlen(text));
}

/* True: the line is over, for better or worse. */
static bool qmp_byte(struct qmp *q, uint8_t byte)
{
	bool after_cr = q->after_cr;

	q->after_cr = byte == '\r';
	if (byte == '\r' || byte == '\n')
		return byte == '\r' || !after_cr;
	if (byte == QMP_XON || byte == QMP_XOFF) /* a terminal's, on their way to nobody */
		return false;
	if (!q->open && (byte == '\b' || byte == QMP_DEL)) {
		q->len -= q->len ? 1 : 0;
		return false;
	}
	if (q->len == QMP_LINE_MAX)
		q->too_long = true;
	else
		q->line[q->len++] = (char)byte;
	return false;
}

static void qmp_line(struct qmp *q)
{
	bool blank;

	q->line[q->len] = '\0';
	blank = strspn(q->line, " \t") == q->len;
	if (!q->open)
		console_mute(true);
	if (q->too_long)
		qmp_error(q, QMP_GENERIC, "the line is longer than %u bytes", QMP_LINE_MAX);
	else if (!blank)
		qmp_request(q);
	if (!q->open)
		console_mute(false);
	q->len = 0;
	q->too_long = false;
	if (q->after)
		q->after();
	q->after = NULL;
}

/* Ctrl-C, Ctrl-]: whoever types them starts afresh; what came before is no request any more. */
static void qmp_cancel(struct qmp *q)
{
	if (q->len && q->open)
		qmp_error(q, QMP_GENERIC, "the line was given up; %s",
			  "{\"execute\": \"qmp_quit\"} leads back to the shell");
	q->len = 0;
	q->too_long = false;
}

/* Takes what was typed, to a line's end at most; whether there was any. */
static bool qmp_take(struct qmp *q)
{
	const uint8_t *data;
	bool done = false;
	uint8_t byte;
	size_t len, n;

	for (n = 0; !done && (data = input_peek(&len), len); n++) {
		byte = *data;
		input_taken(1);
		if (byte == QMP_CTRLC || byte == QMP_ATTACH)
			qmp_cancel(q);
		else
			done = qmp_byte(q, byte);
	}
	if (done)
		qmp_line(q);
	return n;
}

/* The line belongs to the protocol until qmp_quit. */
static void qmp_serve(struct qmp *q)
{
	while (q->open) {
		bool shown;

		qmp_event_write();
		shown = qmp_console_show(q);
		if (qmp_take(q) || shown)
			continue;
		if (qmp_event_polls())
			input_wait_ns(QMP_POLL);
		else
			input_wait();
	}
	qmp_console_detach(q);
	qmp_event_close();
}

/* A line that began with {, as it is typed at the prompt; false: it was given up. */
static bool qmp_read(struct qmp *q)
{
	const uint8_t *data;
	bool done = false;
	uint8_t byte;
	size_t len;

	while (!done) {
		while (data = input_peek(&len), !len) {
			shell_show(q->line, q->len);
			input_wait();
		}
		byte = *data;
		input_taken(1);
		if (byte == QMP_CTRLC)
			q->len = 0;
		/* With nothing left of it, it is the shell's line again. */
		done = byte == QMP_CTRLC || qmp_byte(q, byte) || !q->len;
	}
	shell_show(q->line, q->len);
	console_edit(NULL, 0);
	return q->len;
}

/* Begins a conversation; NULL with a message. */
static struct qmp *qmp_begin(void)
{
	qmp_now = kzalloc(sizeof(*qmp_now));
	if (!qmp_now) {
		console_edit(NULL, 0);
		console_printf("{\"error\": {\"class\": \"" QMP_GENERIC
			       "\", \"desc\": \"out of memory\"}}\n");
	}
	return qmp_now;
}

/* Goes on with it as long as the line is its own, and ends it. */
static void qmp_end(struct qmp *q)
{
	qmp_serve(q);
	kfree(q);
	qmp_now = NULL;
}

static void qmp_typed(char first)
{
	struct qmp *q = qmp_begin();

	if (!q)
		return;
	q->line[q->len++] = first;
	if (qmp_read(q))
		qmp_line(q);
	qmp_end(q);
}

static void command_qmp(char **argv)
{
	struct qmp *q = qmp_begin();

	(void)argv;
	if (!q)
		return;
	console_mute(true);
	qmp_open(q);
	qmp_end(q);
}

SHELL_SPEAKER(qmp_speaker, .first = '{', .speak = qmp_typed);
COMMAND(qmp_entry, .name = "qmp", .args = "",
	.help = "hand this line to a program that speaks QMP, until qmp_quit", .example = "qmp",
	.run = command_qmp, .live = true);
