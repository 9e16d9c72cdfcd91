/* SPDX-License-Identifier: BSD-2-Clause */
/* `info state`: what a checkpoint would have of a device. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm_life.h"

/* Room for what may come while it is saved. */
#define SLACK 256

/* Saved first, so that the lines, which take long, do not hold the device's lock. */
static void print_state(struct device *dev)
{
	const struct device_state *saved = dev->type->saved;
	const char *lacks = saved ? device_state_lacks(saved, dev->state) : dev->type->name;
	size_t size, len;
	uint8_t *buf;

	if (lacks) {
		command_error("%s: %s has no state that can be saved\n", dev->id, lacks);
		return;
	}
	size = device_state_save(saved, dev->state, NULL, 0) + SLACK;
	buf = kmalloc(size);
	len = buf ? device_state_save(saved, dev->state, buf, size) : 0;
	if (!buf || len > size)
		command_error("%s: no memory for its %zu bytes\n", dev->id, len);
	else
		device_state_print(buf, len, console_printf);
	kfree(buf);
}

static void info_state(char **argv)
{
	enum vm_state state;
	struct vm *vm = vm_arg_begin(argv[1], &state);
	struct device *dev;

	if (!vm)
		return;
	dev = device_find(vm, argv[2]);
	if (dev)
		print_state(dev);
	else
		command_error("%s: no such device; `info devices %s` shows them\n", argv[2],
			      argv[1]);
	vm_life_end(vm, state);
}

INFO_TOPIC(info_state_topic, .name = "state", .args = "VM DEVICE",
	   .help = "what a device is at, as a checkpoint would have it",
	   .example = "info state linux pit", .min = 2, .max = 2, .run = info_state);
