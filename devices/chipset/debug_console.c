/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port whose bytes become lines of our log: what firmware and early kernels
 * print where there is no UART yet. Reads give the port's low byte, by which
 * a guest finds it.
 *
 * Spec: as Bochs' port 0xe9 and QEMU's isa-debugcon (0x402).
 * Keys: io. Lock: lock over the line.
 *
 * The log is everyone's: of a guest that floods the port, some lines a second
 * are shown, and how many were not.
 */
#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>

#define DEBUG_CONSOLE_LINE  128
#define DEBUG_CONSOLE_LINES 100 /* a second */

struct debug_console {
	struct spinlock lock;
	struct device *dev;
	uint8_t id;
	unsigned count;
	char line[DEBUG_CONSOLE_LINE];
	uint64_t second; /* of vm_time_ns(), that these are of: */
	unsigned shown, dropped;
};

static bool debug_console_may_show(struct debug_console *d)
{
	uint64_t second = vm_time_ns(d->dev->vm) / NSEC_PER_SEC;

	if (second != d->second) {
		if (d->dropped)
			device_log(d->dev, LOG_WARN, "%u lines were not shown", d->dropped);
		d->second = second;
		d->shown = d->dropped = 0;
	}
	if (d->shown == DEBUG_CONSOLE_LINES) {
		d->dropped++;
		return false;
	}
	d->shown++;
	return true;
}

static void debug_console_flush(struct debug_console *d)
{
	if (d->count && debug_console_may_show(d))
		device_log(d->dev, LOG_INFO, "%.*s", (int)d->count, d->line);
	d->count = 0;
}

static int debug_console_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			      unsigned width __unused, uint64_t *value)
{
	struct debug_console *d = opaque;

	*value = d->id;
	return 0;
}

/* What cannot be printed would only disturb the terminal. */
static int debug_console_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			       unsigned width __unused, uint64_t value)
{
	struct debug_console *d = opaque;
	char c = (char)value;

	spin_lock(&d->lock);
	if (c >= ' ' && c <= '~')
		d->line[d->count++] = c;
	if (c == '\n' || d->count == sizeof(d->line))
		debug_console_flush(d);
	spin_unlock(&d->lock);
	return 0;
}

static const struct hook_ops debug_console_ops = {
	.read = debug_console_read,
	.write = debug_console_write,
};

static void debug_console_reset(struct device *dev)
{
	debug_console_flush(dev->state);
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
	d->dev = dev;
	d->id = (uint8_t)io;
	return device_hook_io(dev, io, 1, &debug_console_ops, d);
}

static const struct device_key debug_console_keys[] = {
	{.name = "io", .kind = KEY_UINT, .def = "0xe9", .max = 0xffff, .help = "the I/O port"},
	{},
};

DEVICE_TYPE(debug_console_type, .name = "debug-console", .help = "a port whose lines go to the log",
	    .keys = debug_console_keys, .create = debug_console_create,
	    .destroy = debug_console_destroy, .reset = debug_console_reset);
