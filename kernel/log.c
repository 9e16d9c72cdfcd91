/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/log.h"
#include "kernel/console.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "lib/ring.h"

#include <stdio.h>
#include <string.h>

#define LOG_RING_SIZE 65536
#define LOG_TEXT_MAX  240
#define LOG_LAST_MAX  16u /* lines that log_last() can have */
#define LOG_CUT_MARK  "…"

_Static_assert(LOG_LINE_MAX >= 24 + 10 + LOG_TEXT_MAX + sizeof(LOG_CUT_MARK) + 1,
	       "time, level, text, mark, newline, 0");

/* Nothing is taken while it is held: a line goes to the consoles after it. */
static struct spinlock log_lock = SPINLOCK_INIT;
/* Whole lines, each with its newline. Under log_lock. */
static char log_data[LOG_RING_SIZE];
static struct ring log_ring = {.data = log_data, .size = LOG_RING_SIZE};
static enum log_level log_level = LOG_INFO;
/* TSC of the first line: time counts from there, whatever the firmware left in the TSC. */
static uint64_t log_epoch;

static const char *const log_level_text[] = {
	[LOG_ERROR] = "error: ",
	[LOG_WARN] = "warning: ",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "debug: ",
};

/*
 * Names and bytes in a line can come from a config, a module or a guest:
 * nothing in them may steer the terminal or fake a line.
 */
static void log_disarm(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

uint64_t log_time_us(uint64_t tsc)
{
	return time_tsc_to_ns(tsc - log_epoch) / NSEC_PER_USEC;
}

/* Returns the line's length with its newline; @line is LOG_LINE_MAX bytes. */
static size_t log_format(char *line, enum log_level level, const char *fmt, va_list args)
{
	uint64_t us = log_time_us(time_tsc());
	size_t at;
	int len;

	at = (size_t)snprintf(line, LOG_LINE_MAX, "[%5lu.%06lu] %s", us / 1000000, us % 1000000,
			      log_level_text[level]);
	len = vsnprintf(line + at, LOG_TEXT_MAX + 1, fmt, args);
	log_disarm(line + at);
	at += strlen(line + at);
	if (len > LOG_TEXT_MAX) {
		memcpy(line + at, LOG_CUT_MARK, sizeof(LOG_CUT_MARK));
		at += sizeof(LOG_CUT_MARK) - 1;
	}
	line[at++] = '\n';
	line[at] = '\0';
	return at;
}

/* The position behind the line that @pos is in. */
static size_t log_line_end(size_t pos)
{
	char c;

	while (ring_peek(&log_ring, pos, &c, 1)) {
		pos++;
		if (c == '\n')
			break;
	}
	return pos;
}

static void log_keep(const char *line, size_t len)
{
	spin_lock(&log_lock);
	while (ring_space(&log_ring) < len)
		log_ring.tail = log_line_end(log_ring.tail);
	ring_put(&log_ring, line, len);
	spin_unlock(&log_lock);
}

void log_vmsg(enum log_level level, const char *fmt, va_list args)
{
	char line[LOG_LINE_MAX];
	size_t len;

	if (!log_epoch)
		log_epoch = time_tsc();
	len = log_format(line, level, fmt, args);
	log_keep(line, len);
	if (level <= READ_ONCE(log_level))
		console_write_line(line, len);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vmsg(level, fmt, args);
	va_end(args);
}

enum log_level log_get_level(void)
{
	return READ_ONCE(log_level);
}

void log_set_level(enum log_level level)
{
	WRITE_ONCE(log_level, level);
}

size_t log_end(void)
{
	return READ_ONCE(log_ring.head);
}

size_t log_read(size_t *pos, char *line)
{
	size_t len;

	spin_lock(&log_lock);
	if (*pos - log_ring.tail > ring_used(&log_ring))
		*pos = log_ring.tail;
	len = ring_peek(&log_ring, *pos, line, LOG_LINE_MAX);
	if (len) {
		len = log_line_end(*pos) - *pos;
		*pos += len;
	}
	spin_unlock(&log_lock);
	return len;
}

void log_for_each(void (*line_fn)(void *opaque, const char *text), void *opaque)
{
	char line[LOG_LINE_MAX];
	size_t pos = READ_ONCE(log_ring.tail);
	size_t end = READ_ONCE(log_ring.head);
	size_t len;

	/* Not beyond what was there at the start: @line_fn may log itself. */
	while ((ptrdiff_t)(end - pos) > 0 && (len = log_read(&pos, line))) {
		line[len - 1] = '\0';
		line_fn(opaque, line);
	}
}

void log_last(unsigned count, void (*line_fn)(void *opaque, const char *text), void *opaque)
{
	char line[LOG_LINE_MAX];
	size_t starts[LOG_LAST_MAX] = {0}, pos = log_ring.tail, end;
	unsigned lines = 0;

	count = MIN(count, LOG_LAST_MAX);
	for (; (end = log_line_end(pos)) != pos; pos = end)
		starts[lines++ % LOG_LAST_MAX] = pos;
	for (unsigned i = lines - MIN(lines, count); i < lines; i++) {
		pos = starts[i % LOG_LAST_MAX];
		end = MIN(log_line_end(pos), pos + sizeof(line));
		line[ring_peek(&log_ring, pos, line, end - pos - 1)] = '\0';
		line_fn(opaque, line);
	}
}
