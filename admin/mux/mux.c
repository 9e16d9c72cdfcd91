/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/mux/mux.h"

#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"

#include <errno.h>
#include <string.h>

#define MUX_LOOK_NS (100 * NSEC_PER_MSEC) /* for what wakes nobody: the shell has taken input */

struct mux *mux;

/* Under the console's lock, or in a panic. */
static void mux_output(struct console_sink *sink, unsigned stream, const char *s, size_t len)
{
	uint8_t wire[MUX_WIRE_MAX];
	uint8_t channel = (uint8_t)stream;

	for (size_t n; len; s += n, len -= n) {
		n = MIN(len, (size_t)MUX_PAYLOAD_MAX);
		sink->write(sink, (const char *)wire,
			    mux_frame_encode(wire, channel, mux->out_pos[channel], s, n));
		mux->out_pos[channel] = (uint16_t)(mux->out_pos[channel] + n);
	}
}

static size_t mux_open_message(uint8_t *message, uint8_t channel, enum mux_kind kind,
			       const char *name)
{
	size_t len = strlen(name);

	message[0] = MUX_OPEN;
	message[1] = channel;
	message[2] = kind;
	memcpy(message + 3, name, len);
	return 3 + len;
}

static void mux_begin_open(struct console_sink *sink, uint8_t channel, enum mux_kind kind,
			   const char *name)
{
	uint8_t message[16];

	mux_output(sink, MUX_CONTROL, (const char *)message,
		   mux_open_message(message, channel, kind, name));
}

/* Nothing goes before this, or the other end would miss it. */
static void mux_begin(struct console_sink *sink)
{
	static const char hello[] = {MUX_HELLO, MUX_VERSION, (char)MUX_PAYLOAD_MAX};

	memset(mux->out_pos, 0, sizeof(mux->out_pos));
	mux_output(sink, MUX_CONTROL, hello, sizeof(hello));
	mux_begin_open(sink, CONSOLE_STREAM_SHELL, MUX_KIND_SHELL, "shell");
	mux_begin_open(sink, CONSOLE_STREAM_LOG, MUX_KIND_LOG, "log");
}

static void mux_end(struct console_sink *sink)
{
	mux_output(sink, MUX_CONTROL, &(const char){MUX_BYE}, 1);
}

static void mux_line(struct console_sink *sink __unused, const char *s, size_t len)
{
	spin_lock(&mux->lock);
	if (ring_put(&mux->line, s, len) < len)
		mux->dropped = true;
	spin_unlock(&mux->lock);
	task_wake(mux->task);
}

static const struct console_framing mux_framing = {
	.begin = mux_begin,
	.end = mux_end,
	.output = mux_output,
	.input = mux_line,
	.pipe_open = mux_pipe_open,
	.pipe_read = mux_pipe_read,
	.pipe_write = mux_pipe_write,
	.pipe_close = mux_pipe_close,
};

void mux_tell(const uint8_t *message, size_t len)
{
	if (mux->sink)
		console_write_stream(mux->sink, MUX_CONTROL, (const char *)message, len);
}

void mux_tell_open(uint8_t channel, enum mux_kind kind, const char *name)
{
	uint8_t message[3 + sizeof(((struct mux_channel *)NULL)->name)];

	mux_tell(message, mux_open_message(message, channel, kind, name));
}

void mux_tell_credit(uint8_t channel, uint16_t limit)
{
	const uint8_t message[] = {MUX_CREDIT, channel, (uint8_t)limit, (uint8_t)(limit >> 8)};

	mux_tell(message, sizeof(message));
}

bool mux_step(void)
{
	bool shown = false;

	mux_take_input();
	if (mux->sink)
		mux_shell_credit(false);
	if (mux->sink)
		shown = mux_consoles_step();
	return shown;
}

static void mux_run(void *unused)
{
	(void)unused;
	for (;;) {
		if (!mux->sink)
			task_sleep();
		else if (mux_step())
			console_pace();
		else
			task_sleep_until(time_tsc() + time_ns_to_tsc(MUX_LOOK_NS));
	}
}

/* What of it is there once is kept for good. */
static int mux_init(void)
{
	if (!mux)
		mux = kzalloc(sizeof(*mux));
	if (!mux)
		return -ENOMEM;
	ring_init(&mux->line, mux->line_data, sizeof(mux->line_data));
	if (!mux->task)
		mux->task = task_create("mux", mux_run, NULL, 0);
	return mux->task ? 0 : -ENOMEM;
}

static void mux_appeared(void)
{
	task_wake(mux->task);
}

int mux_start(struct console_sink *sink)
{
	if ((!mux || !mux->sink) && mux_init())
		return -ENOMEM;
	mux->sink = NULL; /* the other end knows of no channels */
	mux_consoles_close();
	memset(&mux->decoder, 0, sizeof(mux->decoder));
	memset(mux->errors, 0, sizeof(mux->errors));
	mux->control_pos = mux->shell_pos = mux->shell_limit = 0;
	mux->sink = sink;
	console_set_framing(sink, &mux_framing);
	mux_shell_credit(true);
	vm_console_watch(mux_appeared);
	task_wake(mux->task);
	return 0;
}

void mux_stop(void)
{
	struct console_sink *sink = mux->sink;

	vm_console_watch(NULL);
	mux->sink = NULL;
	mux_consoles_close();
	console_set_framing(sink, NULL);
}
