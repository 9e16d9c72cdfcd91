/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's serial port on the machine's own COM1 or COM2, which is then nobody else's
 * (drivers/serial_port.h): bytes, breaks, DTR and RTS go out; bytes and breaks come in. Inputs to
 * the modem (CTS, DSR, DCD) are on for the guest: a cable without them is not one that says wait.
 *
 * Keys: frontend, port, speed. No lock of its own. `frontend` may become NULL at any time; the
 * frontend itself stays for a grace period.
 */
#include "drivers/serial_port.h"
#include "kernel/grace.h"
#include "kernel/slab.h"
#include "vmm/char_frontend.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>

struct char_uart {
	struct serial_port *port;
	struct frontend *frontend; /* NULL: not yet, or it has gone */
};

static struct char_frontend *char_uart_frontend(const struct char_uart *c)
{
	struct frontend *frontend = grace_read(c->frontend);

	return frontend ? container_of(frontend, struct char_frontend, base) : NULL;
}

/* From the line. */

static size_t char_uart_input(void *opaque, const uint8_t *data, size_t len)
{
	struct char_frontend *frontend = char_uart_frontend(opaque);

	return frontend ? frontend->input(frontend->opaque, data, len) : len;
}

static void char_uart_input_break(void *opaque)
{
	struct char_frontend *frontend = char_uart_frontend(opaque);

	if (frontend)
		frontend->input_break(frontend->opaque);
}

static void char_uart_output_ready(void *opaque)
{
	struct char_frontend *frontend = char_uart_frontend(opaque);

	if (frontend)
		frontend->output_ready(frontend->opaque);
}

static const struct serial_port_ops char_uart_line = {
	.input = char_uart_input,
	.input_break = char_uart_input_break,
	.output_ready = char_uart_output_ready,
};

/* From the guest, under the frontend's lock. */

static size_t char_uart_output(void *opaque, const uint8_t *data, size_t len)
{
	const struct char_uart *c = opaque;

	return serial_port_write(c->port, data, len);
}

static void char_uart_input_ready(void *opaque)
{
	const struct char_uart *c = opaque;

	serial_port_input_ready(c->port);
}

static void char_uart_set_break(void *opaque, bool on)
{
	const struct char_uart *c = opaque;

	serial_port_set_break(c->port, on);
}

static void char_uart_modem(void *opaque, bool dtr, bool rts)
{
	const struct char_uart *c = opaque;

	serial_port_set_modem(c->port, dtr, rts);
}

static void char_uart_gone(void *opaque)
{
	struct char_uart *c = opaque;

	grace_publish(c->frontend, NULL);
}

static const struct char_backend_ops char_uart_ops = {
	.base.gone = char_uart_gone,
	.output = char_uart_output,
	.input_ready = char_uart_input_ready,
	.set_break = char_uart_set_break,
	.modem = char_uart_modem,
};

static void char_uart_close(void *opaque)
{
	const struct char_uart *c = opaque;

	serial_port_close(c->port);
}

static void char_uart_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int char_uart_open(struct device *dev, const struct device_config *config,
			  struct char_uart *c)
{
	static const char *const names[] = {"com1", "com2"};
	const char *name = names[device_config_uint(config, "port")];
	char user[VM_NAME_MAX + DEVICE_ID_MAX + 16];
	int err;

	snprintf(user, sizeof(user), "vm %s's %s", dev->vm->name, dev->id);
	err = serial_port_open(name, (unsigned)device_config_uint(config, "speed"), user,
			       &char_uart_line, c, &c->port);
	if (err == -EBUSY)
		device_log(dev, LOG_ERROR,
			   "port: the machine's %s is in use, by %s; console= and log= on the "
			   "command line say what is ours",
			   name, serial_port_user(name));
	else if (err == -ENODEV)
		device_log(dev, LOG_ERROR, "port: this machine has no %s that can be used", name);
	return err;
}

static int char_uart_create(struct device *dev, const struct device_config *config)
{
	struct char_uart *c = kzalloc(sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	dev->state = c;
	if (SERIAL_PORT_SPEED_MAX % device_config_uint(config, "speed")) {
		device_log(
			dev, LOG_ERROR,
			"speed: expected 115200 or what divides it: 57600, 38400, 19200, 9600 …");
		return -EINVAL;
	}
	err = char_uart_open(dev, config, c);
	if (err)
		return err;
	err = device_own(dev, char_uart_close, c);
	if (err) {
		char_uart_close(c);
		return err;
	}
	/* Last, so that it is the first to go: the guest's output needs the port. */
	return device_connect(dev, device_config_device(config, "frontend")->id,
			      &char_frontend_kind, &char_uart_ops.base, c, &c->frontend);
}

static const struct device_key char_uart_keys[] = {
	{.name = "frontend",
	 .kind = KEY_FRONTEND,
	 .help = "the serial port, or other character frontend, that is there"},
	{.name = "port",
	 .kind = KEY_CHOICE,
	 .def = "com2",
	 .choices = "com1|com2",
	 .help = "the machine's serial port"},
	{.name = "speed",
	 .kind = KEY_UINT,
	 .def = "115200",
	 .min = SERIAL_PORT_SPEED_MIN,
	 .max = SERIAL_PORT_SPEED_MAX,
	 .help = "bits a second, 8N1"},
	{},
};

/* What is on the line is not the VM's. */
DEVICE_TYPE(char_uart_type, .name = "char-uart",
	    .help = "a serial port on one of the machine's own", .keys = char_uart_keys,
	    .create = char_uart_create, .destroy = char_uart_destroy,
	    .saved = DEVICE_STATE_NONE("char-uart"));
