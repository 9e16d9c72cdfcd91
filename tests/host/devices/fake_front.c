/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/fake_front.h"

#include "devices/pci/pci_regs.h"
#include "kernel/page_alloc.h"
#include "tests/host/devices/fake.h"
#include "vmm/device.h"

#include <stdlib.h>
#include <string.h>

struct fake_front fake_front;

static struct device owner = {.id = "front", .vm = &fake_vm};
static unsigned long pages_in_use;

/* What the machine would do; a device's pages are those that it gives back. */

void *page_alloc_zeroed(struct page_owner *o, unsigned order)
{
	size_t size = PAGE_SIZE << order;
	void *pages = aligned_alloc(size, size);

	(void)o;
	pages_in_use += 1ul << order;
	return memset(pages, 0, size);
}

void page_free(struct page_owner *o, void *pages, unsigned order)
{
	(void)o;
	pages_in_use -= 1ul << order;
	free(pages);
}

/* The front. */

static void front_intx(void *opaque, bool level)
{
	((struct fake_front *)opaque)->level = level;
}

static void front_message(void *opaque, unsigned vector)
{
	struct fake_front *front = opaque;

	front->messages++;
	front->last_vector = vector;
}

static enum host_irq_mode front_irq_mode(void *opaque)
{
	return ((struct fake_front *)opaque)->mode;
}

static bool front_master(void *opaque)
{
	return ((struct fake_front *)opaque)->master;
}

static void front_vanished(void *opaque)
{
	((struct fake_front *)opaque)->vanished = true;
}

static const struct host_front_ops front_ops = {
	.intx = front_intx,
	.message = front_message,
	.irq_mode = front_irq_mode,
	.master = front_master,
	.vanished = front_vanished,
};

bool fake_front_open(const char *url)
{
	fake_start(1);
	fake_front = (struct fake_front){.master = true};
	return !host_device_open(&owner, url, HOST_BUS_PCI, &front_ops, &fake_front,
				 &fake_front.hd);
}

void fake_front_close(void)
{
	fake_end();
	host_device_close(fake_front.hd);
	if (pages_in_use)
		abort();
}

uint64_t fake_front_read(unsigned region, uint64_t offset, unsigned width)
{
	uint64_t value = 0, ones = UINT64_MAX >> (64 - 8 * width);

	if (host_device_read(fake_front.hd, region, offset, width, &value))
		return ones;
	return value & ones;
}

void fake_front_write(unsigned region, uint64_t offset, unsigned width, uint64_t value)
{
	/* Answered by nobody. */
	if (host_device_write(fake_front.hd, region, offset, width, value))
		return;
}

unsigned fake_front_cap(uint8_t id)
{
	unsigned at = (unsigned)fake_front_read(HOST_REGION_CONFIG, PCI_CAPABILITIES, 1), i;

	for (i = 0; at && i < 48; i++) {
		if (fake_front_read(HOST_REGION_CONFIG, at, 1) == id)
			return at;
		at = (unsigned)fake_front_read(HOST_REGION_CONFIG, at + 1, 1);
	}
	abort();
}
