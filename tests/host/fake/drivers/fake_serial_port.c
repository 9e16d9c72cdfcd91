/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/fake/drivers/fake_serial_port.h"

#include "kernel/slab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct fake_serial_port fake_serial_port;

static struct fake_serial_port *const fake = &fake_serial_port;
static void *memory; /* counted, and refused, as all */

const char *serial_port_user(const char *name)
{
	return strcmp(name, "com1") ? fake->user : "the serial console";
}

int serial_port_open(const char *name, unsigned speed, const char *user,
		     const struct serial_port_ops *ops, void *opaque, struct serial_port **out)
{
	if (!strcmp(name, "com1") || fake->speed)
		return -EBUSY;
	if (fake->absent)
		return -ENODEV;
	memory = kzalloc(1);
	if (!memory)
		return -ENOMEM;
	*fake = (struct fake_serial_port){.ops = *ops,
					  .opaque = opaque,
					  .speed = speed,
					  .room = sizeof(fake->said),
					  .dtr = true,
					  .rts = true};
	snprintf(fake->user, sizeof(fake->user), "%s", user);
	*out = (struct serial_port *)fake;
	return 0;
}

void serial_port_close(struct serial_port *port)
{
	(void)port;
	kfree(memory);
	fake->speed = 0;
}

size_t serial_port_write(struct serial_port *port, const uint8_t *data, size_t len)
{
	size_t n = MIN(len, fake->room);

	(void)port;
	memcpy(fake->said + fake->len, data, n);
	fake->len += n;
	fake->room -= n;
	fake->refused |= n < len;
	return n;
}

void serial_port_input_ready(struct serial_port *port)
{
	(void)port;
	fake->ready++;
}

void serial_port_set_break(struct serial_port *port, bool on)
{
	(void)port;
	fake->breaks = on;
}

void serial_port_set_modem(struct serial_port *port, bool dtr, bool rts)
{
	(void)port;
	fake->dtr = dtr;
	fake->rts = rts;
}

void fake_serial_port_turn(void)
{
	bool refused = fake->refused;
	size_t n;

	if (!fake->speed)
		return;
	fake->ops.input_break(fake->opaque);
	n = fake->ops.input(fake->opaque, fake->said, fake->len);
	fake->len -= n;
	memmove(fake->said, fake->said + n, fake->len);
	fake->room = sizeof(fake->said) - fake->len;
	fake->refused = false;
	if (refused)
		fake->ops.output_ready(fake->opaque);
}
