/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/hostdev/machine_memory.h"

#include "drivers/device_memory.h"
#include "kernel/page_alloc.h"
#include "kernel/spinlock.h"
#include "vmm/cpu_model.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>

static struct spinlock machine_memory_lock = SPINLOCK_INIT;
static struct list_head machine_memory_claims = LIST_HEAD_INIT(machine_memory_claims);

/* Whose part of [@first, @last] is; under the lock. Page by page: what is straight is in pages. */
static const struct machine_memory *machine_memory_owner(uint64_t first, uint64_t last)
{
	const struct machine_memory *m;

	list_for_each_entry (m, &machine_memory_claims, link)
		if (m->first / PAGE_SIZE <= last / PAGE_SIZE &&
		    m->last / PAGE_SIZE >= first / PAGE_SIZE)
			return m;
	return NULL;
}

/* A device may have several ranges in one page of its own. */
static int machine_memory_enter(struct device *dev, struct machine_memory *m)
{
	const struct machine_memory *other;
	char vm[VM_NAME_MAX + 1], id[DEVICE_ID_MAX + 1];
	int err = 0;

	spin_lock(&machine_memory_lock);
	other = machine_memory_owner(m->first, m->last);
	if (other && other->device != dev) {
		snprintf(vm, sizeof(vm), "%s", other->device->vm->name);
		snprintf(id, sizeof(id), "%s", other->device->id);
		err = -EBUSY;
	} else {
		list_add_tail(&m->link, &machine_memory_claims);
	}
	spin_unlock(&machine_memory_lock);
	if (err)
		device_log(dev, LOG_ERROR,
			   "memory 0x%lx-0x%lx of the machine: device %s of vm %s has its pages",
			   m->first, m->last, id, vm);
	return err;
}

static void machine_memory_leave(void *opaque)
{
	struct machine_memory *m = opaque;

	spin_lock(&machine_memory_lock);
	list_del(&m->link);
	spin_unlock(&machine_memory_lock);
}

int machine_memory_claim(struct device *dev, struct machine_memory *m, uint64_t first,
			 uint64_t last)
{
	unsigned bits = cpu_model_phys_bits(dev->vm);
	const char *why;
	int err;

	*m = (struct machine_memory){.device = dev, .first = first, .last = last};
	if (last >> bits) {
		device_log(dev, LOG_ERROR,
			   "memory 0x%lx-0x%lx: expected an end within %u bits, which is what "
			   "this VM has of addresses",
			   first, last, bits);
		return -EINVAL;
	}
	err = device_memory_map(first, last - first + 1, &m->memory, &why);
	if (err) {
		device_log(dev, LOG_ERROR, "memory 0x%lx-0x%lx of the machine %s", first, last,
			   why);
		return err;
	}
	err = machine_memory_enter(dev, m);
	if (err)
		return err;
	err = device_own(dev, machine_memory_leave, m);
	if (err)
		machine_memory_leave(m);
	return err;
}

/* Of the pages that are all within it. */
static uint64_t machine_memory_pages(const struct machine_memory *m, uint64_t *first)
{
	uint64_t end = ALIGN_DOWN(m->last + 1, PAGE_SIZE);

	*first = ALIGN_UP(m->first, PAGE_SIZE);
	return end > *first ? end - *first : 0;
}

static void machine_memory_close(void *opaque)
{
	const struct machine_memory *m = opaque;
	struct vm *vm = m->device->vm;
	uint64_t first, size = machine_memory_pages(m, &first);

	guest_memory_unmap_device(vm, first, size);
	if (vm->hooks->live)
		vm_flush(vm);
}

int machine_memory_open(struct device *dev, struct machine_memory *m)
{
	uint64_t first, size = machine_memory_pages(m, &first);
	int err;

	if (!size)
		return 0;
	err = device_own(dev, machine_memory_close, m);
	if (!err)
		err = guest_memory_map_machine(dev->vm, first, size);
	if (err)
		device_log(dev, LOG_ERROR, "no memory to map 0x%lx-0x%lx of the machine", m->first,
			   m->last);
	return err;
}

uint64_t machine_memory_read(const struct machine_memory *m, uint64_t offset, unsigned width)
{
	return device_memory_read((const volatile uint8_t *)m->memory + offset, width);
}

void machine_memory_write(const struct machine_memory *m, uint64_t offset, unsigned width,
			  uint64_t value)
{
	device_memory_write((volatile uint8_t *)m->memory + offset, width, value);
}
