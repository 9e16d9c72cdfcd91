/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port whose bytes become lines of our log: what firmware and early kernels
 * print where there is no UART yet. Reads give the port's low byte, by which
 * a guest finds it.
 *
 * Spec: as Bochs' port 0xe9 and QEMU's isa-debugcon (0x402).
 * Keys: io. Lock: lock over the line.
 */
#include "devices/guest_lines.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"

#include <errno.h>

struct debug_console {
	struct spinlock lock;
	uint8_t id;
	struct guest_lines lines;
};

static int debug_console_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			      unsigned width __unused, uint64_t *value)
{
	struct debug_console *d = opaque;

	*value = d->id;
	return 0;
}

static int debug_console_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			       unsigned width __unused, uint64_t value)
{
	struct debug_console *d = opaque;
	uint8_t byte = (uint8_t)value;

	spin_lock(&d->lock);
	guest_lines_put(&d->lines, &byte, 1);
	spin_unlock(&d->lock);
	return 0;
}

static const struct hook_ops debug_console_ops = {
	.read = debug_console_read,
	.write = debug_console_write,
};

static void debug_console_reset(struct device *dev)
{
	struct debug_console *d = dev->state;

	guest_lines_flush(&d->lines);
}

static void debug_console_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int debug_console_create(struct device *dev, const struct device_config *config)
{
	uint16_t io = (uint16_t)device_config_uint(config, "io");
	struct debug_console *d = kzalloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	dev->state = d;
	d->lines.dev = dev;
	d->id = (uint8_t)io;
	return device_hook_io(dev, io, 1, &debug_console_ops, d);
}

static const struct device_key debug_console_keys[] = {
	{.name = "io", .kind = KEY_UINT, .def = "0xe9", .max = 0xffff, .help = "the I/O port"},
	{},
};

DEVICE_TYPE(debug_console_type, .name = "debug-console", .help = "a port whose lines go to the log",
	    .keys = debug_console_keys, .create = debug_console_create,
	    .destroy = debug_console_destroy, .reset = debug_console_reset,
	    .saved = DEVICE_STATE_NONE("debug-console"));
