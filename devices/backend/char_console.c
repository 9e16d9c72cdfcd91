/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows a guest's serial port to the administrator: connects the character
 * frontend that the key `frontend` names to a console of the VM
 * (vmm/vm_console.h), which the shell's command `console` attaches to.
 *
 * No lock of its own: calls from the guest's side come under the frontend's.
 * `frontend` may become NULL at any time and is then only not used any more;
 * the frontend itself stays for a grace period.
 */
#include "kernel/grace.h"
#include "kernel/slab.h"
#include "vmm/char_frontend.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm_config.h"
#include "vmm/vm_console.h"

#include <errno.h>

struct char_console {
	struct vm_console *console;
	struct frontend *frontend; /* NULL: it has gone */
};

/* NULL: it has gone. */
static struct char_frontend *char_console_frontend(const struct char_console *c)
{
	struct frontend *frontend = grace_read(c->frontend);

	return frontend ? container_of(frontend, struct char_frontend, base) : NULL;
}

/* From the guest. */

static size_t char_console_output(void *opaque, const uint8_t *data, size_t len)
{
	const struct char_console *c = opaque;

	return vm_console_output(c->console, data, len);
}

static void char_console_input_ready(void *opaque)
{
	const struct char_console *c = opaque;

	vm_console_input_ready(c->console);
}

/* A terminal has no way to show a break. */
static void char_console_set_break(void *opaque, bool on)
{
	(void)opaque;
	(void)on;
}

static void char_console_gone(void *opaque)
{
	struct char_console *c = opaque;

	grace_publish(c->frontend, NULL);
}

static const struct char_backend_ops char_console_ops = {
	.base.gone = char_console_gone,
	.output = char_console_output,
	.input_ready = char_console_input_ready,
	.set_break = char_console_set_break,
};

/* From the administrator. */

static size_t char_console_input(void *opaque, const uint8_t *data, size_t len)
{
	const struct char_console *c = opaque;
	struct char_frontend *frontend = char_console_frontend(c);

	/* Typed into nothing: taken, not kept. */
	return frontend ? frontend->input(frontend->opaque, data, len) : len;
}

static void char_console_input_break(void *opaque)
{
	struct char_frontend *frontend = char_console_frontend(opaque);

	if (frontend)
		frontend->input_break(frontend->opaque);
}

static void char_console_input_size(void *opaque, unsigned columns, unsigned rows)
{
	struct char_frontend *frontend = char_console_frontend(opaque);

	if (frontend && frontend->input_size)
		frontend->input_size(frontend->opaque, columns, rows);
}

static void char_console_output_ready(void *opaque)
{
	struct char_frontend *frontend = char_console_frontend(opaque);

	if (frontend)
		frontend->output_ready(frontend->opaque);
}

static const struct vm_console_backend char_console_backend = {
	.input = char_console_input,
	.input_break = char_console_input_break,
	.input_size = char_console_input_size,
	.output_ready = char_console_output_ready,
};

static void char_console_unregister(void *opaque)
{
	const struct char_console *c = opaque;

	vm_console_unregister(c->console);
}

static void char_console_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int char_console_create(struct device *dev, const struct device_config *config)
{
	const char *frontend = device_config_device(config, "frontend")->id;
	struct char_console *c = kzalloc(sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	dev->state = c;
	c->console = vm_console_register(dev->vm, dev->id, frontend, &char_console_backend, c);
	if (!c->console)
		return -ENOMEM;
	err = device_own(dev, char_console_unregister, c);
	if (err) {
		vm_console_unregister(c->console);
		return err;
	}
	/* Last, so that it is the first to go: the guest's output needs the console. */
	return device_connect(dev, frontend, &char_frontend_kind, &char_console_ops.base, c,
			      &c->frontend);
}

static const struct device_key char_console_keys[] = {
	{.name = "frontend",
	 .kind = KEY_FRONTEND,
	 .help = "the serial port, or other character frontend, to show"},
	{},
};

MACHINE_PART(char_console_part, .machine = "pc",
	     .text = "[device \"console0\"]\ntype = char-console\nfrontend = com1\n");

DEVICE_TYPE(char_console_type, .name = "char-console",
	    .help = "shows a serial port to the administrator", .keys = char_console_keys,
	    .create = char_console_create, .destroy = char_console_destroy,
	    .saved = DEVICE_STATE_NONE("char-console"));
