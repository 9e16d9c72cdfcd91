/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes what a guest sends to a serial port into our log, line by line
 * (devices/guest_lines.h). The guest hears nothing from it.
 *
 * Keys: frontend. No lock of its own: all calls come under the frontend's.
 */
#include "devices/guest_lines.h"
#include "kernel/slab.h"
#include "vmm/char_frontend.h"
#include "vmm/device.h"
#include "vmm/device_state.h"

#include <errno.h>

struct char_log {
	struct guest_lines lines;
	struct frontend *frontend; /* device_connect() wants a place for it */
};

static size_t char_log_output(void *opaque, const uint8_t *data, size_t len)
{
	struct char_log *l = opaque;

	guest_lines_put(&l->lines, data, len);
	return len;
}

static void char_log_input_ready(void *opaque __unused)
{
}

static void char_log_set_break(void *opaque __unused, bool on __unused)
{
}

static void char_log_gone(void *opaque)
{
	struct char_log *l = opaque;

	guest_lines_flush(&l->lines);
}

static const struct char_backend_ops char_log_ops = {
	.base.gone = char_log_gone,
	.output = char_log_output,
	.input_ready = char_log_input_ready,
	.set_break = char_log_set_break,
};

/* The connection is over: a half line is all there will be. */
static void char_log_flush(void *opaque)
{
	char_log_gone(opaque);
}

static void char_log_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int char_log_create(struct device *dev, const struct device_config *config)
{
	struct char_log *l = kzalloc(sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	dev->state = l;
	l->lines.dev = dev;
	err = device_own(dev, char_log_flush, l);
	if (err)
		return err;
	return device_connect(dev, device_config_device(config, "frontend")->id,
			      &char_frontend_kind, &char_log_ops.base, l, &l->frontend);
}

static const struct device_key char_log_keys[] = {
	{.name = "frontend",
	 .kind = KEY_FRONTEND,
	 .help = "the serial port, or other character frontend, whose lines go to the log"},
	{},
};

DEVICE_TYPE(char_log_type, .name = "char-log", .help = "writes a serial port's lines to the log",
	    .keys = char_log_keys, .create = char_log_create, .destroy = char_log_destroy,
	    .saved = DEVICE_STATE_NONE("char-log"));
