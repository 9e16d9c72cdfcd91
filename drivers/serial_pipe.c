/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's COM1 or COM2 as a pipe (kernel/console.h), for a task of ours that talks with a
 * program at the other end: 115200 8n1, bytes as they are; breaks are passed over. What the task
 * has not read waits in a ring, and then at the other end, by RTS.
 *
 * Lock: a pipe's, over its ring; nothing is taken inside.
 */
#include "drivers/serial_port.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "lib/ring.h"

#include <errno.h>
#include <stdio.h>

#define SERIAL_PIPE_RING     4096
#define SERIAL_PIPE_LOOK_NS  NSEC_PER_MSEC	   /* for space in the transmitter's ring … */
#define SERIAL_PIPE_STUCK_NS (500 * NSEC_PER_MSEC) /* … of which there is none for good then */
#define SERIAL_PIPE_WHY_MAX  (SERIAL_PORT_USER_MAX + 120)

struct serial_pipe {
	struct console_pipe pipe;
	struct serial_port *port;
	struct task *reader;
	struct spinlock lock;
	struct ring in;
	char in_data[SERIAL_PIPE_RING];
};

static size_t serial_pipe_input(void *opaque, const uint8_t *data, size_t len)
{
	struct serial_pipe *p = opaque;

	spin_lock(&p->lock);
	len = ring_put(&p->in, data, len);
	spin_unlock(&p->lock);
	task_wake(READ_ONCE(p->reader));
	return len;
}

static void serial_pipe_nothing(void *opaque __unused)
{
}

static const struct serial_port_ops serial_pipe_line = {
	.input = serial_pipe_input,
	.input_break = serial_pipe_nothing,
	.output_ready = serial_pipe_nothing,
};

static size_t serial_pipe_read(struct console_pipe *pipe, char *buf, size_t max)
{
	struct serial_pipe *p = container_of(pipe, struct serial_pipe, pipe);
	size_t len;

	WRITE_ONCE(p->reader, task_current());
	spin_lock(&p->lock);
	len = ring_get(&p->in, buf, max);
	spin_unlock(&p->lock);
	if (len)
		serial_port_input_ready(p->port);
	return len;
}

/* A line that takes nothing for so long loses the rest. */
static void serial_pipe_write(struct console_pipe *pipe, const char *s, size_t len)
{
	struct serial_pipe *p = container_of(pipe, struct serial_pipe, pipe);
	uint64_t moved = time_tsc(), now = moved;

	while (len && now - moved < time_ns_to_tsc(SERIAL_PIPE_STUCK_NS)) {
		size_t n = serial_port_write(p->port, (const uint8_t *)s, len);

		s += n;
		len -= n;
		if (len)
			task_sleep_until(time_tsc() + time_ns_to_tsc(SERIAL_PIPE_LOOK_NS));
		now = time_tsc();
		if (n)
			moved = now;
	}
}

static void serial_pipe_close(struct console_pipe *pipe)
{
	struct serial_pipe *p = container_of(pipe, struct serial_pipe, pipe);

	serial_port_close(p->port);
	kfree(p);
}

static const struct console_framing serial_pipe_framing = {
	.pipe_read = serial_pipe_read,
	.pipe_write = serial_pipe_write,
	.pipe_close = serial_pipe_close,
};

static const char *serial_pipe_why(const char *name, int err)
{
	static char why[SERIAL_PIPE_WHY_MAX];

	if (err == -ENODEV)
		return "the machine has no such serial port, com1 or com2, that can be used";
	if (err == -ENOMEM)
		return "no memory is left";
	snprintf(why, sizeof(why),
		 "it is in use, by %s; console= and log= on the command line say what is ours, and "
		 "`device_del` takes one from a VM",
		 serial_port_user(name));
	return why;
}

static struct console_pipe *serial_pipe_open(const char *name, const char *user, const char **why)
{
	struct serial_pipe *p = kzalloc(sizeof(*p));
	int err = -ENOMEM;

	if (p) {
		p->pipe.framing = &serial_pipe_framing;
		p->reader = task_current();
		ring_init(&p->in, p->in_data, sizeof(p->in_data));
		err = serial_port_open(name, SERIAL_PORT_SPEED_MAX, user, &serial_pipe_line, p,
				       &p->port);
	}
	if (!err)
		return &p->pipe;
	kfree(p);
	*why = serial_pipe_why(name, err);
	return NULL;
}

CONSOLE_LINE(serial_pipe_open);
