/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A channel for a task of ours that talks with a program at the other end: gdb. What it says is
 * answers, and waits for no limit of the other end's.
 */
#include "admin/mux/mux.h"

#include "kernel/slab.h"
#include "kernel/task.h"

#include <stdio.h>

static struct mux_channel *mux_pipe_channel(struct console_pipe *pipe)
{
	return container_of(pipe, struct mux_channel, pipe);
}

struct console_pipe *mux_pipe_open(const char *name)
{
	struct mux_channel **slot = mux_channel_slot();
	struct mux_channel *c = slot ? kzalloc(sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	c->pipe.framing = mux->sink->framing;
	c->reader = task_current();
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->pipe.name = c->name;
	mux_channel_open(slot, c);
	return &c->pipe;
}

size_t mux_pipe_read(struct console_pipe *pipe, char *buf, size_t max)
{
	struct mux_channel *c = mux_pipe_channel(pipe);
	size_t len = ring_get(&c->pending, buf, max);

	c->reader = task_current();
	if (len && !pipe->over)
		mux_console_credit(c, false);
	return len;
}

void mux_pipe_write(struct console_pipe *pipe, const char *s, size_t len)
{
	if (!pipe->over)
		console_write_stream(mux->sink, mux_pipe_channel(pipe)->id, s, len);
}

void mux_pipe_end(struct mux_channel *c)
{
	c->pipe.over = true;
	task_wake(c->reader);
}

void mux_pipe_close(struct console_pipe *pipe)
{
	struct mux_channel *c = mux_pipe_channel(pipe);

	for (unsigned i = 0; i < MUX_CONSOLES && !pipe->over; i++) {
		if (mux->channels[i] != c)
			continue;
		mux->channels[i] = NULL;
		mux_tell((const uint8_t[]){MUX_CLOSE, c->id}, 2);
	}
	kfree(c);
}
