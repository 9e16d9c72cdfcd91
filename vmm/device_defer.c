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

	list_for_each_entry (dev, &manager->devices, link)
		if (__atomic_exchange_n(&dev->wants_deferred, false, __ATOMIC_ACQ_REL))
			return dev;
	return NULL;
}

/* From the start each time: a device may end others, and no other task changes the list. */
void device_run_deferred(struct vm *vm)
{
	struct device *dev;

	while (vm->devices && (dev = device_next_deferred(vm->devices)))
		dev->type->deferred(dev);
}
