/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/admin/loadmod_line.h"

#include "admin/progress.h"
#include "kernel/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void line_write(struct console_sink *sink, const char *s, size_t len)
{
	(void)sink;
	for (size_t i = 0; i < len; i++)
		loadmod_hears(s[i]);
}

struct console_sink loadmod_sink = {.name = "com1", .write = line_write};
bool loadmod_no_line;

struct console_sink *console_input_sink(void)
{
	return loadmod_no_line ? NULL : &loadmod_sink;
}

void console_set_framing(struct console_sink *of, const struct console_framing *framing)
{
	assert_ptr_equal(of, &loadmod_sink);
	assert_true(loadmod_muted && !framing != !of->framing);
	of->framing = framing;
}

void console_write_stream(struct console_sink *of, unsigned stream, const char *s, size_t len)
{
	of->framing->output(of, stream, s, len);
}

void console_input(struct console_sink *sink, const char *s, size_t len)
{
	(void)sink;
	(void)s;
	(void)len;
	fail();
}

void console_pace(void)
{
	fail();
}

/* A line that is framed: the person may type to the shell. */

bool loadmod_pipe_is_open, loadmod_cancels;
unsigned loadmod_updates;

static struct console_pipe *pipe_open(const char *name)
{
	assert_string_equal(name, "transfer");
	assert_false(loadmod_pipe_is_open);
	loadmod_pipe_is_open = true;
	return &loadmod_pipe;
}

static size_t pipe_read(struct console_pipe *p, char *buf, size_t max)
{
	assert_ptr_equal(p, &loadmod_pipe);
	return console_read_timeout(buf, max, 0);
}

static void pipe_write(struct console_pipe *p, const char *s, size_t len)
{
	(void)p;
	line_write(&loadmod_sink, s, len);
}

static void pipe_close(struct console_pipe *p)
{
	(void)p;
	assert_true(loadmod_pipe_is_open);
	loadmod_pipe_is_open = false;
}

const struct console_framing loadmod_frames = {.pipe_open = pipe_open,
					       .pipe_read = pipe_read,
					       .pipe_write = pipe_write,
					       .pipe_close = pipe_close};
struct console_pipe loadmod_pipe = {.framing = &loadmod_frames};

void task_sleep_until(uint64_t deadline)
{
	assert_true(deadline > fake_tsc);
	fake_tsc = deadline;
}

void progress_begin(struct progress *p, const char *what)
{
	(void)p;
	assert_string_equal(what, "taken");
}

void progress_update(struct progress *p, uint64_t done, uint64_t total)
{
	(void)p;
	assert_true(done < total + 1024);
	loadmod_updates++;
}

void progress_end(struct progress *p)
{
	(void)p;
}

bool progress_cancelled(void)
{
	bool was = loadmod_cancels;

	loadmod_cancels = false;
	return was;
}
