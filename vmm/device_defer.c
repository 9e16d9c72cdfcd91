/* SPDX-License-Identifier: BSD-2-Clause */
/* What devices leave to a task. */
#include "vmm/device_internal.h"

#include "vmm/vm.h"

void device_defer(struct device *dev)
{
	struct vm *vm = dev->vm;

	__atomic_store_n(&dev->wants_deferred, true, __ATOMIC_RELEASE);
	__atomic_fetch_or(&vm->requests, 1u << VM_REQUEST_DEVICES, __ATOMIC_SEQ_CST);
	work_queue(&vm->request_work);
}

static struct device *device_next_deferred(struct device_manager *manager)
{
	struct device *dev;

	list_for_each_entry (dev, &manager->devices, link) {
		if (!dev->deferred_now)
			continue;
		dev->deferred_now = false;
		return dev;
	}
	return NULL;
}

/*
 * From the start each time: a device may end others, and no other task changes the list. What is
 * asked for from here on is for the next pass, which device_defer() has queued: a guest that asks
 * all the time does not keep us, nor the VM's life.
 */
void device_run_deferred(struct vm *vm)
{
	struct device *dev;

	if (!vm->devices)
		return;
	list_for_each_entry (dev, &vm->devices->devices, link)
		dev->deferred_now |=
			__atomic_exchange_n(&dev->wants_deferred, false, __ATOMIC_ACQ_REL);
	while ((dev = device_next_deferred(vm->devices)))
		dev->type->deferred(dev);
}
