/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's own console: output sinks (serial, VGA text, framebuffer)
 * and one input stream. Drivers register; the log and the shell use it. Log
 * lines and the line being edited share the terminal: the editor registers
 * itself so that a log line erases its text, prints, and draws it again.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "lib/compiler.h"
#include "lib/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console_sink {
	const char *name; /* as `console=` on the command line names it: "com1", "vga", "fb" */
	/* Writes @len bytes; \n as it is (the driver adds \r). Under the console lock, or in a
	 * panic. */
	void (*write)(struct console_sink *sink, const char *s, size_t len);
	bool interactive; /* takes the shell's output as well as the log */
	struct list_head link;
};

void console_register(struct console_sink *sink);
/* To all interactive sinks, as a whole. */
void console_write(const char *s, size_t len);
void console_printf(const char *fmt, ...) __printf(1, 2);
/* For panic: no locks, all sinks. */
void console_write_emergency(const char *s, size_t len);

/* Drivers: bytes from the line, at an interrupt window. What does not fit (4 KiB) is counted and
 * dropped. */
void console_input(const char *s, size_t len);
/* Tasks: up to @max bytes, waiting for at least one. */
size_t console_read(char *buf, size_t max);
/* Tasks: as console_read, at most @ns nanoseconds; 0 = nothing came. */
size_t console_read_timeout(char *buf, size_t max, uint64_t ns);

/* What a log line has to erase and draw again; NULL, NULL when nothing is being edited. */
struct console_editor {
	void (*erase)(void *opaque);
	void (*redraw)(void *opaque);
	void *opaque;
};
void console_set_editor(const struct console_editor *editor);

#endif
