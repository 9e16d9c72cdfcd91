/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log: levels, time since boot, one ring that `dmesg` prints, and the sinks
 * (serial, VGA/framebuffer text) that a line goes to. A line is written as a
 * whole: it never lands inside the shell's prompt (the console redraws what
 * was being typed). Any context but NMI, with no lock of the
 * console or of what lies below it held (docs/locking.md).
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include "lib/compiler.h"

#include <stdarg.h>
#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/*
 * Writes one line. @fmt has no newline at its end and begins with the part
 * that speaks ("svm: …", "vm linux: …", "vm linux: com1: …"). Longer than
 * 240 bytes is cut and marked with "…".
 */
void log_msg(enum log_level level, const char *fmt, ...) __printf(2, 3);
void log_vmsg(enum log_level level, const char *fmt, va_list args) __printf(2, 0);

#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

/* Lines above @level go to the ring only, not to the sinks. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* What a line of the TSC @tsc has in front, in microseconds. */
uint64_t log_time_us(uint64_t tsc);

/* Calls @line for each kept line, oldest first; text is 0-terminated, with time and level. */
void log_for_each(void (*line)(void *opaque, const char *text), void *opaque);

/*
 * For who follows the log: where it ends now, as a position, and the line at *@pos (the oldest,
 * when that one is gone) in @line, LOG_LINE_MAX bytes; *@pos is then behind it. Returns its length
 * with its newline, 0: there is none yet.
 */
#define LOG_LINE_MAX 288
size_t log_end(void);
size_t log_read(size_t *pos, char *line);

/* In a panic: the last @count lines (16 at most), without the lock, however they stand. */
void log_last(unsigned count, void (*line)(void *opaque, const char *text), void *opaque);

#endif
