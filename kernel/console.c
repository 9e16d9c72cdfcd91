/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/console.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "kernel/timer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CONSOLE_PRINTF_MAX 512
#define CONSOLE_HELD_MAX   4096 /* bytes of log lines that wait for a guest's line to end … */
#define CONSOLE_HELD_NS	   (100 * UINT64_C(1000000)) /* … and how long the first one does */
/* To the line's start, and away with what stands behind. */
#define CONSOLE_ERASE "\r\x1b[K"

/* What is written, and so to whom: the shell's and guests' text; log lines, and what is drawn
 * around them, where that text is too; log lines elsewhere; what must be seen. */
enum console_kind { CONSOLE_TEXT, CONSOLE_MIXED, CONSOLE_LOG, CONSOLE_ALL };

/* Sinks, what was written last, and the edited line; before the input's lock in the order. */
static struct spinlock console_lock = SPINLOCK_INIT;
static struct list_head console_sinks = LIST_HEAD_INIT(console_sinks);
static bool console_mid_line;	/* what was written last did not end in a newline … */
static bool console_guest_line; /* … and is a guest's */
static bool console_muted;	/* log lines are held, whatever was written last */

/* The shell's task's, which alone uses it. */
static void (*console_taker)(const char *s, size_t len);

/* What console_edit() showed last. */
static struct {
	bool active;
	char text[CONSOLE_EDIT_MAX + 1];
	size_t len, cursor;
} console_editor;

/* Log lines that are not shown yet. */
static struct {
	char text[CONSOLE_HELD_MAX];
	size_t len;
	unsigned lost;	    /* lines that came while it was full and the console muted */
	struct timer timer; /* armed while there are any, and maybe after */
} console_held;

void console_register(struct console_sink *sink)
{
	spin_lock(&console_lock);
	list_add_tail(&sink->link, &console_sinks);
	spin_unlock(&console_lock);
}

void console_set_takes(const char *name, bool text, bool log)
{
	struct console_sink *sink;

	spin_lock(&console_lock);
	list_for_each_entry (sink, &console_sinks, link) {
		if (strcmp(sink->name, name))
			continue;
		sink->interactive = text;
		sink->quiet = !log;
	}
	spin_unlock(&console_lock);
}

static bool console_takes(const struct console_sink *sink, enum console_kind kind)
{
	bool mixed = sink->interactive && !sink->quiet && !sink->framing;

	switch (kind) {
	case CONSOLE_TEXT:
		return sink->interactive;
	case CONSOLE_MIXED:
		return mixed;
	case CONSOLE_LOG:
		return !sink->quiet && !mixed;
	default:
		return true;
	}
}

static void console_put(struct console_sink *sink, enum console_kind kind, const char *s,
			size_t len)
{
	unsigned stream = kind == CONSOLE_TEXT ? CONSOLE_STREAM_SHELL : CONSOLE_STREAM_LOG;

	if (sink->framing)
		sink->framing->output(sink, stream, s, len);
	else
		sink->write(sink, s, len);
}

/* To all, because nobody may be looking at @dead. */
static void console_tell_lost(struct console_sink *dead)
{
	struct console_sink *sink;
	char line[80];
	int len = snprintf(line, sizeof(line), "\nconsole: %s stands still: its output is lost\n",
			   dead->name);

	dead->lost = false;
	list_for_each_entry (sink, &console_sinks, link)
		console_put(sink, CONSOLE_ALL, line, MIN((size_t)len, sizeof(line) - 1));
}

/* To the sinks that take it. Under the lock, or in a panic. */
static void console_emit(const char *s, size_t len, enum console_kind kind)
{
	struct console_sink *sink;

	if (!len)
		return;
	list_for_each_entry (sink, &console_sinks, link)
		if (console_takes(sink, kind))
			console_put(sink, kind, s, len);
	list_for_each_entry (sink, &console_sinks, link)
		if (unlikely(sink->lost) && !console_muted)
			console_tell_lost(sink);
	if (kind == CONSOLE_LOG)
		return;
	console_mid_line = s[len - 1] != '\n';
	console_guest_line = false;
}

/* Shows the log lines that were held, if they may be. Under the lock, or in a panic: takes none. */
static void console_release(void)
{
	size_t len = MIN(console_held.len, (size_t)CONSOLE_HELD_MAX);

	if (console_muted)
		return;
	console_held.len = 0;
	if (len && console_mid_line)
		console_emit("\n", 1, CONSOLE_MIXED);
	console_emit(console_held.text, len, CONSOLE_MIXED);
}

static void console_held_long(struct timer *timer)
{
	(void)timer;
	spin_lock(&console_lock);
	console_release();
	spin_unlock(&console_lock);
}

/* False when there is no space for it. */
static bool console_hold(const char *line, size_t len)
{
	if (len > CONSOLE_HELD_MAX - console_held.len)
		return false;
	if (!console_held.timer.fn)
		timer_init(&console_held.timer, console_held_long);
	if (!console_held.len)
		timer_arm(&console_held.timer, time_tsc() + time_ns_to_tsc(CONSOLE_HELD_NS));
	memcpy(console_held.text + console_held.len, line, len);
	console_held.len += len;
	return true;
}

void console_redirect(void (*take)(const char *s, size_t len))
{
	console_taker = take;
}

void console_write(const char *s, size_t len)
{
	if (console_taker) {
		console_taker(s, len);
		return;
	}
	spin_lock(&console_lock);
	console_release();
	console_emit(s, len, CONSOLE_TEXT);
	spin_unlock(&console_lock);
}

void console_write_guest(const char *s, size_t len)
{
	const char *end;

	spin_lock(&console_lock);
	end = console_held.len ? memchr(s, '\n', len) : NULL;
	if (end) {
		console_emit(s, end + 1 - s, CONSOLE_TEXT);
		console_release();
		len -= end + 1 - s;
		s = end + 1;
	}
	console_emit(s, len, CONSOLE_TEXT);
	console_guest_line = console_mid_line;
	spin_unlock(&console_lock);
}

void console_push(void)
{
	struct console_sink *sink;

	spin_lock(&console_lock);
	list_for_each_entry (sink, &console_sinks, link)
		if (sink->backlog)
			sink->write(sink, "", 0);
	spin_unlock(&console_lock);
}

void console_flush(struct console_sink *sink)
{
	spin_lock(&console_lock);
	sink->write(sink, "", 0);
	spin_unlock(&console_lock);
}

void console_drain(void)
{
	struct console_sink *sink;

	spin_lock(&console_lock);
	list_for_each_entry (sink, &console_sinks, link) {
		sink->now = true;
		sink->write(sink, "", 0);
		sink->now = false;
	}
	spin_unlock(&console_lock);
}

void console_write_stream(struct console_sink *sink, unsigned stream, const char *s, size_t len)
{
	spin_lock(&console_lock);
	if (sink->framing)
		sink->framing->output(sink, stream, s, len);
	spin_unlock(&console_lock);
}

void console_input_resume(void)
{
	struct console_sink *sink;

	spin_lock(&console_lock);
	list_for_each_entry (sink, &console_sinks, link)
		if (sink->input_ready)
			sink->input_ready(sink);
	spin_unlock(&console_lock);
}

void console_printf(const char *fmt, ...)
{
	char buf[CONSOLE_PRINTF_MAX];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	if (len > 0)
		console_write(buf, MIN((size_t)len, sizeof(buf) - 1));
}

void console_write_emergency(const char *s, size_t len)
{
	struct console_sink *sink;

	/* Whoever holds the input's lock may be stopped, and output takes input meanwhile. */
	console_input_stop();
	list_for_each_entry (sink, &console_sinks, link)
		sink->now = true;
	console_muted = false;
	console_release();
	console_emit(s, len, CONSOLE_ALL);
}

/* Draws the edited line, from the cursor at the start of an empty one. */
static void console_draw_edit(enum console_kind kind)
{
	static const char back[] = "\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b";
	size_t steps = console_editor.len - console_editor.cursor;

	console_emit(console_editor.text, console_editor.len, kind);
	for (size_t n; steps; steps -= n) {
		n = MIN(steps, sizeof(back) - 1);
		console_emit(back, n, kind);
	}
}

bool console_is_muted(void)
{
	return READ_ONCE(console_muted);
}

unsigned console_losses(void)
{
	struct console_sink *sink;
	unsigned losses = 0;

	spin_lock(&console_lock);
	list_for_each_entry (sink, &console_sinks, link)
		losses += sink->interactive ? sink->losses : 0;
	spin_unlock(&console_lock);
	return losses;
}

void console_mute(bool mute)
{
	char line[80];
	int len;

	spin_lock(&console_lock);
	console_release();
	console_muted = mute;
	console_release();
	if (console_held.lost) {
		len = snprintf(line, sizeof(line), "-- %u lines more: `dmesg` has the log --\n",
			       console_held.lost);
		console_held.lost = 0;
		console_emit(line, MIN((size_t)len, sizeof(line) - 1), CONSOLE_MIXED);
	}
	spin_unlock(&console_lock);
}

void console_write_line(const char *line, size_t len)
{
	spin_lock(&console_lock);
	console_emit(line, len, CONSOLE_LOG);
	if (console_muted) {
		console_held.lost += console_held.lost || !console_hold(line, len);
	} else if (!console_guest_line || !console_hold(line, len)) {
		console_release();
		if (console_editor.active)
			console_emit(CONSOLE_ERASE, sizeof(CONSOLE_ERASE) - 1, CONSOLE_MIXED);
		else if (console_mid_line)
			console_emit("\n", 1, CONSOLE_MIXED);
		console_emit(line, len, CONSOLE_MIXED);
		if (console_editor.active)
			console_draw_edit(CONSOLE_MIXED);
	}
	spin_unlock(&console_lock);
}

void console_set_framing(struct console_sink *sink, const struct console_framing *framing)
{
	spin_lock(&console_lock);
	console_release();
	if (sink->framing)
		sink->framing->end(sink);
	WRITE_ONCE(sink->framing, framing);
	if (framing)
		framing->begin(sink);
	if (console_editor.active) {
		console_emit(CONSOLE_ERASE, sizeof(CONSOLE_ERASE) - 1, CONSOLE_TEXT);
		console_draw_edit(CONSOLE_TEXT);
	}
	spin_unlock(&console_lock);
}

/*
 * Whether @text only adds to the end of what is shown, with the cursor at the
 * end before and after: the usual keystroke, which then costs one character.
 */
static bool console_edit_appends(const char *text, size_t len, size_t cursor)
{
	return console_editor.active && console_editor.cursor == console_editor.len &&
	       cursor == len && len >= console_editor.len &&
	       !memcmp(text, console_editor.text, console_editor.len);
}

static void console_edit_set(const char *text, size_t len, size_t cursor)
{
	memcpy(console_editor.text, text, len);
	console_editor.len = len;
	console_editor.cursor = cursor;
	console_editor.active = true;
}

static void console_edit_show(const char *text, size_t cursor)
{
	size_t len = strnlen(text, CONSOLE_EDIT_MAX);
	size_t shown = console_editor.len;

	cursor = MIN(cursor, len);
	if (console_edit_appends(text, len, cursor)) {
		console_edit_set(text, len, cursor);
		console_emit(text + shown, len - shown, CONSOLE_TEXT);
		return;
	}
	if (console_editor.active)
		console_emit(CONSOLE_ERASE, sizeof(CONSOLE_ERASE) - 1, CONSOLE_TEXT);
	else if (console_mid_line)
		console_emit("\n", 1, CONSOLE_TEXT);
	console_edit_set(text, len, cursor);
	console_draw_edit(CONSOLE_TEXT);
}

void console_edit(const char *text, size_t cursor)
{
	spin_lock(&console_lock);
	console_release();
	if (text) {
		console_edit_show(text, cursor);
	} else if (console_editor.active) {
		console_editor.active = false;
		console_emit("\n", 1, CONSOLE_TEXT);
	}
	spin_unlock(&console_lock);
}
