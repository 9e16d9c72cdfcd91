/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's own console: output sinks (serial, VGA text, framebuffer)
 * and one input stream. Drivers register; the log and the shell use it. Log
 * lines and the line being edited share the terminal: the console holds the
 * latter, so that a log line can erase it, print, and draw it again.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "lib/compiler.h"
#include "lib/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console_sink;

/* What has taken over a line to carry several streams on it: these, and its own beyond. */
enum console_stream { CONSOLE_STREAM_SHELL, CONSOLE_STREAM_LOG, CONSOLE_STREAMS };

struct console_framing {
	/* The line is its own from here on, and until here. Under the console lock. */
	void (*begin)(struct console_sink *sink);
	void (*end)(struct console_sink *sink);
	/* Writes by the sink's write(). Under the console lock, or in a panic. */
	void (*output)(struct console_sink *sink, unsigned stream, const char *s, size_t len);
	/* Bytes from the line, that are taken. Any CPU, under the driver's lock. */
	void (*input)(struct console_sink *sink, const char *s, size_t len);
	/* A stream of its own, by @name or what makes that another one than all others', for a task
	 * of the shell's CPU and a program at the other end. NULL: no memory, or too many. */
	struct console_pipe *(*pipe_open)(const char *name);
	/* Up to @max bytes of what has come; 0: nothing yet. The caller is woken when more has, or
	 * when it is over. */
	size_t (*pipe_read)(struct console_pipe *pipe, char *buf, size_t max);
	void (*pipe_write)(struct console_pipe *pipe, const char *s, size_t len);
	void (*pipe_close)(struct console_pipe *pipe);
};

struct console_pipe {
	const struct console_framing *framing;
	const char *name; /* on a framed line: as the other end knows it */
	bool over;	  /* the line has been taken back: nothing comes or goes any more */
};

/*
 * Who has lines of the machine that are nobody's: opens the one called @name for the caller, a
 * task, whom messages call @user, as a pipe. Its framing has the pipe_ functions alone, without
 * pipe_open. NULL: *@why says why not, until the next call, and what to do.
 */
typedef struct console_pipe *(*console_line_fn)(const char *name, const char *user,
						const char **why);
TABLE_DECLARE(console_lines, console_line_fn);
#define CONSOLE_LINE(fn_) TABLE_ENTRY(console_lines, console_line_fn, console_line_##fn_) = fn_

struct console_sink {
	const char *name; /* as `console=` on the command line names it: "com1", "vga", "fb" */
	/* Writes @len bytes; \n as it is (the driver adds \r). Under the console lock, or in a
	 * panic. */
	void (*write)(struct console_sink *sink, const char *s, size_t len);
	/* There is space again for input that the driver has left where it was. Under the console
	 * lock. NULL: it has none. */
	void (*input_ready)(struct console_sink *sink);
	/* NULL: the line carries text. Changed under the console lock, read by the driver without
	 * it. Bytes go as they are, and no flow control among them, while it is there. */
	const struct console_framing *framing;
	bool interactive; /* takes the shell's output as well as the log */
	bool quiet;	  /* takes no log */
	size_t backlog;	  /* set by the driver: bytes that are written and not out */
	bool now;	  /* what is written is out, and all before it, when write() returns */
	bool lost;	  /* set by the driver: it has begun to lose what is written … */
	unsigned losses;  /* … for the how manieth time */
	struct list_head link;
};

void console_register(struct console_sink *sink);
/* Boot: whether the sink of that name, if there is one, takes the shell's text, and the log. */
void console_set_takes(const char *name, bool text, bool log);
/* To all interactive sinks, as a whole. */
void console_write(const char *s, size_t len);
/*
 * As console_write, of a guest: a log line that comes while its line has not
 * ended waits for that, 100 ms at most, and goes above all that is written
 * otherwise. The log itself (dmesg) has it at once.
 */
void console_write_guest(const char *s, size_t len);
/* The shell's task: what it writes by console_write() and console_printf() goes to @take (NULL: to
 * the sinks, as otherwise). The log and guests are shown as ever. */
void console_redirect(void (*take)(const char *s, size_t len));
/* All that was written is out when this returns: the machine is about to go. */
void console_drain(void);
/* Tasks that write much: others run, and the line is given what it takes. */
void console_pace(void);
/* As console_write; cut at 512 bytes. */
void console_printf(const char *fmt, ...) __printf(1, 2);
/* For panic: no locks, all sinks; no input any more. */
void console_write_emergency(const char *s, size_t len);

/* Boot, once there are pages: input has 64 KiB of space from then on, 4 KiB before. */
void console_input_init(void);
/* Drivers: bytes from the line of @sink, at an interrupt window. What does not fit is dropped. */
void console_line_input(struct console_sink *sink, const char *s, size_t len);
/* The same, typed to the shell, whatever carried it on the line of @sink. */
void console_input(struct console_sink *sink, const char *s, size_t len);
/* The reader: what it was given last has ended a command. */
void console_input_is_command(void);
/* The line that the command came from, whoever types meanwhile; NULL: there was none. */
struct console_sink *console_input_sink(void);
/* Drivers: how many fit, of several lines at a time. Less is reason to leave them where they are,
 * until input_ready(). */
size_t console_input_space(void);
/* Drivers: whether the other end should wait, because most of the space is used. It may go on at
 * input_ready(). */
bool console_input_full(void);
/* Drivers, at an interrupt window: @sink's write() of nothing, under the console lock. */
void console_flush(struct console_sink *sink);
/* kernel/console.c: that, to all that have a backlog. */
void console_push(void);
/* kernel/console.c: calls all input_ready(). */
void console_input_resume(void);
/* The reader: drops all up to @byte and it too, when that is there; whether it was. */
bool console_input_skip(char byte);
/* kernel/console.c: input is ignored from here on. */
void console_input_stop(void);
/* Tasks: up to @max bytes of one line's, waiting for at least one, or for a task_wake() of the
 * caller: 0 then. */
size_t console_read(char *buf, size_t max);
/* Tasks: as console_read, at most @ns nanoseconds; 0 = nothing came. */
size_t console_read_timeout(char *buf, size_t max, uint64_t ns);

/*
 * The shell: shows @text (prompt and what was typed; printable, at most
 * CONSOLE_EDIT_MAX bytes, the rest is not shown) as the last line of the
 * terminal, with the cursor behind the first @cursor bytes. Log lines go above it. The
 * console keeps a copy, so that a log line of another CPU never sees it half
 * changed. NULL: the line stays as it stands, with a newline; nothing is
 * being edited any more.
 */
#define CONSOLE_EDIT_MAX 272
void console_edit(const char *text, size_t cursor);

/* Tasks: hands the line of @sink to @framing, or takes it back (NULL), and draws what is edited. */
void console_set_framing(struct console_sink *sink, const struct console_framing *framing);
/* To @sink, if its line is framed. */
void console_write_stream(struct console_sink *sink, unsigned stream, const char *s, size_t len);

/* The shell: something else than text is on the line. Log lines are shown when that is over, the
 * first 4 KiB of them (`dmesg` has all). */
void console_mute(bool mute);
/* Drivers: whether it is so. */
bool console_is_muted(void);
/* How often a line that takes the shell's output has begun to lose what was written to it. */
unsigned console_losses(void);

/* The log: one line with its newline, to all sinks that take it, never inside what is being edited.
 */
void console_write_line(const char *line, size_t len);

#endif
