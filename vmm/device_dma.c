/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory that is one device's alone to reach by DMA, as devices' resources. */
#include "vmm/device_internal.h"

#include "kernel/slab.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#include <errno.h>

struct dma_resource {
	struct device_resource res;
	gpa_t base;
	uint64_t size;
};

static bool device_dma_meets(const struct device_resource *res, const void *what)
{
	const struct dma_resource *a, *b = what;

	if (res->kind != DEVICE_DMA)
		return false;
	a = container_of(res, struct dma_resource, res);
	return a->base - b->base < b->size || b->base - a->base < a->size;
}

/* Holes in between are no RAM to any DMA. */
static bool device_dma_is_ram(const struct guest_memory *m, gpa_t base, uint64_t size)
{
	gpa_t last = base + size - 1;

	return size && last >= base && guest_memory_ptr(m, base, 1) && guest_memory_ptr(m, last, 1);
}

/* The list that it is in is all there is to it. */
static void device_release_dma(struct device_resource *res __unused)
{
}

int device_dma_window(struct device *dev, gpa_t base, uint64_t size)
{
	struct dma_resource *dma = device_resource_alloc(dev, sizeof(*dma));
	const struct device *holder;
	int err = 0;

	if (!dma)
		return -ENOMEM;
	dma->base = base;
	dma->size = size;
	holder = device_holder(dev->vm, device_dma_meets, dma);
	if (!device_dma_is_ram(dev->vm->memory, base, size)) {
		device_log(dev, LOG_ERROR, "DMA window %#lx+%#lx: expected RAM of the VM", base,
			   size);
		err = -EINVAL;
	} else if (holder) {
		device_log(dev, LOG_ERROR, "DMA window %#lx+%#lx: device %s has some of it", base,
			   size, holder->id);
		err = -EBUSY;
	}
	if (err)
		kfree(dma);
	else
		device_resource_add(dev, &dma->res, DEVICE_DMA, device_release_dma);
	return err;
}
