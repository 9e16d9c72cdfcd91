/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/guest.h"

#include "kernel/slab.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define GRANULES_COUNT (GUEST_RAM / GUEST_GRANULE)

#define CAP_VENDOR 0x09
#define CAP_MSIX   0x11

struct guest_front front;
struct guest_places places;

static uint8_t *granules[GRANULES_COUNT];
static struct guest_memory memory = {
	.size = GUEST_RAM,
	.low_end = GUEST_RAM,
	.high_end = GUEST_HIGH_BASE,
	.granules = granules,
	.granule_count = GRANULES_COUNT,
};
static const char *plug_url;

/* Memory. */

static int each_piece(gpa_t gpa, size_t len, uint8_t *buf, bool write)
{
	size_t n;

	if (gpa > GUEST_RAM || len > GUEST_RAM - gpa)
		return -EFAULT;
	for (; len; gpa += n, buf += n, len -= n) {
		n = MIN(len, (size_t)(GUEST_GRANULE - gpa % GUEST_GRANULE));
		if (!guest_memory_ptr(&memory, gpa, n))
			return -EFAULT;
		if (write)
			memcpy(guest_memory_ptr(&memory, gpa, n), buf, n);
		else
			memcpy(buf, guest_memory_ptr(&memory, gpa, n), n);
	}
	return 0;
}

int guest_read(struct vm *vm, gpa_t gpa, void *buf, size_t len)
{
	(void)vm;
	return each_piece(gpa, len, buf, false);
}

int guest_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	(void)vm;
	return each_piece(gpa, len, (uint8_t *)buf, true);
}

void *guest_at(gpa_t gpa)
{
	return guest_memory_ptr(&memory, gpa, 1);
}

void guest_put(gpa_t gpa, const void *data, size_t len)
{
	assert_int_equal(guest_write(NULL, gpa, data, len), 0);
}

void guest_get(gpa_t gpa, void *data, size_t len)
{
	assert_int_equal(guest_read(NULL, gpa, data, len), 0);
}

/* The front. */

static void front_intx(void *opaque, bool level)
{
	struct guest_front *f = opaque;

	assert_false(f->gone);
	f->intx_edges += level && !f->intx;
	f->intx = level;
}

static void front_message(void *opaque, unsigned vector)
{
	struct guest_front *f = opaque;

	assert_false(f->gone);
	assert_true(vector < places.vectors);
	assert_true(f->mode == HOST_IRQ_MSIX);
	f->messages[vector]++;
}

static enum host_irq_mode front_mode(void *opaque)
{
	return ((struct guest_front *)opaque)->mode;
}

static bool front_master(void *opaque)
{
	return ((struct guest_front *)opaque)->master;
}

static void front_vanished(void *opaque)
{
	(void)opaque;
}

static const struct host_front_ops front_ops = {
	.intx = front_intx,
	.message = front_message,
	.irq_mode = front_mode,
	.master = front_master,
	.vanished = front_vanished,
};

static void front_reset(struct device *dev)
{
	host_device_reset(dev->state);
	host_device_drain(dev->state);
}

static int front_create(struct device *dev, const struct device_config *config)
{
	int err = host_device_open(dev, plug_url, HOST_BUS_PCI, &front_ops, &front, &front.hd);

	(void)config;
	if (err)
		return err;
	dev->state = front.hd;
	front_reset(dev);
	return 0;
}

static void front_destroy(struct device *dev)
{
	front.gone = true;
	host_device_close(dev->state);
	front.hd = NULL;
}

DEVICE_TYPE(front_type, .name = "front", .help = "shows a host device", .create = front_create,
	    .destroy = front_destroy, .reset = front_reset);

/* What the driver finds. */

static uint32_t pci_in(unsigned offset, unsigned width)
{
	uint64_t value;

	assert_int_equal(host_device_read(front.hd, HOST_REGION_CONFIG, offset, width, &value), 0);
	return (uint32_t)value;
}

static void find_cap(unsigned at)
{
	struct guest_place place = {pci_in(at + 4, 1), pci_in(at + 8, 4), pci_in(at + 12, 4)};

	if (pci_in(at, 1) == CAP_MSIX)
		places.vectors = (pci_in(at + 2, 2) & 0x7ff) + 1;
	if (pci_in(at, 1) != CAP_VENDOR)
		return;
	switch (pci_in(at + 3, 1)) {
	case 1:
		places.common = place;
		break;
	case 2:
		places.notify = place;
		places.notify_multiplier = pci_in(at + 16, 4);
		break;
	case 3:
		places.isr = place;
		break;
	case 4:
		places.config = place;
		break;
	case 5:
		places.window = at;
		break;
	}
	assert_true(place.offset + place.length <= front.hd->regions[place.bar].size);
}

struct host_device *guest_plug(const char *url)
{
	unsigned at, n = 0;

	memset(&front, 0, sizeof(front));
	memset(&places, 0, sizeof(places));
	front.master = true;
	front.mode = HOST_IRQ_MSIX;
	plug_url = url;
	front.dev = world_add(0, "front", "card", "");
	if (!front.dev)
		return NULL;
	for (at = pci_in(0x34, 1); at; at = pci_in(at + 1, 1)) {
		assert_true(n++ < 48);
		find_cap(at);
	}
	return front.hd;
}

void guest_unplug(void)
{
	world_del(0, "card");
	front.dev = NULL;
}

/* Zeroes, between pages that nobody may touch. */
static void granule_clear(uint8_t **granule)
{
	size_t size = GUEST_GRANULE + 2 * PAGE_SIZE;
	uint8_t *pages;

	if (*granule) {
		assert_int_equal(madvise(*granule, GUEST_GRANULE, MADV_DONTNEED), 0);
		return;
	}
	pages = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	*granule = pages + PAGE_SIZE;
	assert_int_equal(mprotect(*granule, GUEST_GRANULE, PROT_READ | PROT_WRITE), 0);
}

struct host_device *guest_start(const char *url)
{
	unsigned i;

	world_start();
	for (i = 0; i < GRANULES_COUNT; i++)
		granule_clear(&granules[i]);
	world_vms[0].memory = &memory;
	return guest_plug(url);
}

void guest_end(void)
{
	world_end();
}

static uint64_t bar_in(const struct guest_place *place, unsigned offset, unsigned width)
{
	uint64_t value;

	assert_int_equal(
		host_device_read(front.hd, place->bar, place->offset + offset, width, &value), 0);
	return value;
}

static void bar_out(const struct guest_place *place, unsigned offset, unsigned width,
		    uint64_t value)
{
	assert_int_equal(
		host_device_write(front.hd, place->bar, place->offset + offset, width, value), 0);
}

uint64_t common_in(unsigned reg, unsigned width)
{
	return bar_in(&places.common, reg, width);
}

void common_out(unsigned reg, unsigned width, uint64_t value)
{
	bar_out(&places.common, reg, width, value);
}

uint64_t config_in(unsigned offset, unsigned width)
{
	return bar_in(&places.config, offset, width);
}

void config_out(unsigned offset, unsigned width, uint64_t value)
{
	bar_out(&places.config, offset, width, value);
}

uint8_t isr_in(void)
{
	return (uint8_t)bar_in(&places.isr, 0, 1);
}

void notify_out(uint32_t offset, uint16_t value)
{
	bar_out(&places.notify, offset, 2, value);
}
