/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port that ends the VM: a test in a guest writes its result there.
 *
 * Spec: as QEMU's isa-debug-exit; the code is what was written, unchanged.
 * Keys: io. Lock: none.
 */
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>

#define DEBUG_EXIT_PORTS 4

struct debug_exit {
	struct vm *vm;
};

static int debug_exit_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			    unsigned width __unused, uint64_t value)
{
	struct debug_exit *d = opaque;

	vm_log_guest(d->vm, LOG_INFO, "exit code %" PRIu64, value);
	vm_request(d->vm, VM_REQUEST_POWEROFF, "debug-exit");
	return 0;
}

static const struct hook_ops debug_exit_ops = {.write = debug_exit_write};

static void debug_exit_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int debug_exit_create(struct device *dev, const struct device_config *config)
{
	struct debug_exit *d = kzalloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	dev->state = d;
	d->vm = dev->vm;
	return device_hook_io(dev, (uint16_t)device_config_uint(config, "io"), DEBUG_EXIT_PORTS,
			      &debug_exit_ops, d);
}

static const struct device_key debug_exit_keys[] = {
	{.name = "io",
	 .kind = KEY_UINT,
	 .def = "0xf4",
	 .max = 0x10000 - DEBUG_EXIT_PORTS,
	 .help = "first I/O port"},
	{},
};

DEVICE_TYPE(debug_exit_type, .name = "debug-exit", .help = "a port that ends the VM with a code",
	    .keys = debug_exit_keys, .create = debug_exit_create, .destroy = debug_exit_destroy,
	    .saved = DEVICE_STATE_NONE("debug-exit"));
