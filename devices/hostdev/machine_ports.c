/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/hostdev/machine_ports.h"

#include "drivers/ports.h"
#include "vmm/device.h"
#include "vmm/hook/hook.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>

int machine_ports_claim(struct device *dev, uint16_t first, uint32_t count)
{
	char user[VM_NAME_MAX + DEVICE_ID_MAX + 16];
	const char *other;

	snprintf(user, sizeof(user), "vm %s's %s", dev->vm->name, dev->id);
	other = ports_claim(first, count, dev->vm, user);
	if (!other)
		return 0;
	device_log(dev, LOG_ERROR, "ports 0x%x-0x%x of the machine are in use, by %s", first,
		   first + count - 1, other);
	return -EPERM;
}

void machine_ports_release(struct vm *vm, uint16_t first, uint32_t count)
{
	ports_release(first, count, vm);
}

static void machine_ports_intercept(struct vm *vm, uint16_t first, uint32_t count, bool on)
{
	hv_ops->intercept_io(vm, first, count, on);
	if (vm->hooks->live)
		vm_flush(vm);
}

void machine_ports_open(struct vm *vm, uint16_t first, uint32_t count)
{
	machine_ports_intercept(vm, first, count, false);
}

void machine_ports_close(struct vm *vm, uint16_t first, uint32_t count)
{
	machine_ports_intercept(vm, first, count, true);
}

uint32_t machine_ports_read(uint16_t port, unsigned width)
{
	return ports_read(port, width);
}

void machine_ports_write(uint16_t port, unsigned width, uint32_t value)
{
	ports_write(port, width, value);
}
