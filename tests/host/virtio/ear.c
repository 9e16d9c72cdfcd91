/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/ear.h"

#include "kernel/slab.h"
#include "vmm/device.h"

#include <errno.h>
#include <string.h>

struct ear *ears[EARS];

static size_t ear_output(void *opaque, const uint8_t *data, size_t len)
{
	struct ear *e = opaque;
	size_t n = MIN(len, e->room), i;

	for (i = 0; i < n; i++)
		e->heard[e->count++ % sizeof(e->heard)] = (char)data[i];
	e->room -= n;
	return n;
}

static void ear_input_ready(void *opaque)
{
	((struct ear *)opaque)->ready++;
}

static void ear_set_break(void *opaque, bool on)
{
	(void)opaque;
	(void)on;
}

static void ear_gone(void *opaque)
{
	((struct ear *)opaque)->front = NULL;
}

static const struct char_backend_ops ear_ops = {
	.base.gone = ear_gone,
	.output = ear_output,
	.input_ready = ear_input_ready,
	.set_break = ear_set_break,
};

static void ear_destroy(struct device *dev)
{
	for (unsigned i = 0; i < EARS; i++)
		if (ears[i] == dev->state)
			ears[i] = NULL;
	kfree(dev->state);
}

static int ear_create(struct device *dev, const struct device_config *config)
{
	struct ear *e = kzalloc(sizeof(*e));
	struct frontend *frontend;
	int err;

	if (!e)
		return -ENOMEM;
	dev->state = e;
	e->room = sizeof(e->heard);
	err = device_connect(dev, device_config_device(config, "frontend")->id, &char_frontend_kind,
			     &ear_ops.base, e, &frontend);
	if (!err) {
		e->front = container_of(frontend, struct char_frontend, base);
		ears[device_config_uint(config, "n")] = e;
	}
	return err;
}

static const struct device_key ear_keys[] = {
	{.name = "frontend", .kind = KEY_FRONTEND, .help = "what it hears"},
	{.name = "n", .kind = KEY_UINT, .def = "0", .max = EARS - 1, .help = "which one"},
	{},
};

DEVICE_TYPE(ear_type, .name = "ear", .help = "hears", .keys = ear_keys, .create = ear_create,
	    .destroy = ear_destroy);
