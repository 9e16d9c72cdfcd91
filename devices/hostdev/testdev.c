/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI device that has one of everything, for those who test what shows it:
 * BARs of every kind, a ROM, all kinds of interrupts, DMA, a doorbell, and
 * counters of what reached it. It does what a driver tells it to.
 *
 * Spec: docs/testdev.md. Arguments: big, rom, vectors, mapped, big-mapped.
 * Lock: lock over everything but the pages that the guest reaches by itself.
 */
#include "devices/hostdev/testdev.h"

#include "devices/hostdev/host_args.h"
#include "devices/pci/pci_regs.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define TESTDEV_PAGES_ORDER 2
_Static_assert(PAGE_SIZE << TESTDEV_PAGES_ORDER == TESTDEV_PAGES_SIZE, "TESTDEV_PAGES");

#define TESTDEV_ROM_MIN	     2048u /* PCI Local Bus Specification 3.0, 6.2.5.2 */
#define TESTDEV_ROM_DATA     0x1c  /* where the PCI data structure is (6.3.1.2) */
#define TESTDEV_ROM_UNIT     512u
#define TESTDEV_VECTORS_MAX  2048u
#define TESTDEV_NOT_FOR_CPUS 0xff /* the code's type: of no architecture */

static void testdev_count(struct testdev *t, unsigned region, bool write, unsigned width)
{
	t->counts[region][write][(unsigned)__builtin_ctz(width)]++;
}

/* The header says what the specification asks for and that there is nothing to execute. */
static uint8_t testdev_rom_byte(const struct testdev *t, uint64_t offset)
{
	uint32_t units = (uint32_t)(t->hd->regions[HOST_REGION_ROM].size / TESTDEV_ROM_UNIT);
	const uint8_t header[TESTDEV_ROM_HEADER] = {
		0x55,
		0xaa,
		(uint8_t)MIN(units, 255u),
		[0x18] = TESTDEV_ROM_DATA,
		[0x1c] = 'P',
		'C',
		'I',
		'R',
		TESTDEV_VENDOR & 0xff,
		TESTDEV_VENDOR >> 8,
		TESTDEV_DEVICE & 0xff,
		TESTDEV_DEVICE >> 8,
		[0x26] = TESTDEV_ROM_HEADER - TESTDEV_ROM_DATA,
		[0x29] = 0,
		0,
		TESTDEV_CLASS >> 16,
		[0x2c] = (uint8_t)units,
		(uint8_t)(units >> 8),
		[0x30] = TESTDEV_NOT_FOR_CPUS,
		[0x31] = 0x80, /* the last image */
	};

	return offset < sizeof(header) ? header[offset] : TESTDEV_ROM_BYTE((uint32_t)offset);
}

/* A byte of BAR 2: the numbers of 64 bits that lie there are their offsets. */
static uint8_t testdev_big_byte(const struct testdev *t, uint64_t offset)
{
	if (offset < TESTDEV_BIG_KEPT)
		return t->big[offset];
	return (uint8_t)((offset & ~UINT64_C(7)) >> (8 * (offset & 7)));
}

static uint64_t testdev_bytes(const struct testdev *t, uint64_t offset, unsigned width,
			      uint8_t (*byte)(const struct testdev *t, uint64_t offset))
{
	uint64_t value = 0;
	unsigned i;

	for (i = 0; i < width; i++)
		value |= (uint64_t)byte(t, offset + i) << (8 * i);
	return value;
}

/* Under the lock; the access lies within the region. */
static int testdev_read_region(struct testdev *t, unsigned region, uint64_t offset, unsigned width,
			       uint64_t *value)
{
	*value = 0;
	switch (region) {
	case TESTDEV_REGS:
		return testdev_regs_read(t, offset, width, value);
	case TESTDEV_IO:
		memcpy(value, t->io + offset, width);
		break;
	case TESTDEV_BIG:
		*value = testdev_bytes(t, offset, width, testdev_big_byte);
		break;
	case TESTDEV_PAGES:
		memcpy(value, t->pages + offset, width);
		break;
	case HOST_REGION_ROM:
		*value = testdev_bytes(t, offset, width, testdev_rom_byte);
		break;
	case HOST_REGION_CONFIG:
		*value = host_config_read(&t->config, offset, width);
		break;
	}
	return 0;
}

static int testdev_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
			uint64_t *value)
{
	struct testdev *t = hd->state;
	int err;

	spin_lock(&t->lock);
	testdev_count(t, region, false, width);
	err = testdev_read_region(t, region, offset, width, value);
	spin_unlock(&t->lock);
	return err;
}

static void testdev_big_write(struct testdev *t, uint64_t offset, unsigned width, uint64_t value)
{
	unsigned i;

	for (i = 0; i < width && offset + i < TESTDEV_BIG_KEPT; i++)
		t->big[offset + i] = (uint8_t)(value >> (8 * i));
	t->last_offset = offset;
	t->last_value = value;
}

/* The mailbox keeps what is written; the others are not for the guest to write, but counted. */
static void testdev_config_write(struct testdev *t, uint64_t offset, unsigned width, uint64_t value)
{
	unsigned mailbox = t->cap + TESTDEV_CAP_MAILBOX, writes = t->cap + TESTDEV_CAP_WRITES;
	unsigned i;

	for (i = 0; i < width; i++)
		if (offset + i >= mailbox && offset + i < mailbox + 4)
			host_config_set(&t->config, (unsigned)offset + i,
					(uint8_t)(value >> (8 * i)), 1);
	host_config_set(&t->config, writes, (uint32_t)host_config_read(&t->config, writes, 4) + 1,
			4);
}

static int testdev_write_region(struct testdev *t, unsigned region, uint64_t offset, unsigned width,
				uint64_t value)
{
	switch (region) {
	case TESTDEV_REGS:
		return testdev_regs_write(t, offset, width, value);
	case TESTDEV_IO:
		memcpy(t->io + offset, &value, width);
		break;
	case TESTDEV_BIG:
		testdev_big_write(t, offset, width, value);
		break;
	case TESTDEV_PAGES:
		memcpy(t->pages + offset, &value, width);
		break;
	case HOST_REGION_CONFIG:
		testdev_config_write(t, offset, width, value);
		break;
	}
	return 0;
}

static int testdev_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
			 uint64_t value)
{
	struct testdev *t = hd->state;
	int err;

	spin_lock(&t->lock);
	testdev_count(t, region, true, width);
	err = testdev_write_region(t, region, offset, width, value);
	spin_unlock(&t->lock);
	return err;
}

static void testdev_doorbell(struct host_device *hd, unsigned region __unused, uint64_t offset,
			     uint64_t value)
{
	struct testdev *t = hd->state;

	spin_lock(&t->lock);
	t->doorbells++;
	t->doorbell_offset = (uint32_t)(offset - TESTDEV_DOORBELL);
	t->doorbell_value = (uint32_t)value;
	spin_unlock(&t->lock);
}

static void testdev_eoi(struct host_device *hd)
{
	struct testdev *t = hd->state;

	spin_lock(&t->lock);
	t->eois++;
	spin_unlock(&t->lock);
}

static void testdev_reset(struct host_device *hd)
{
	struct testdev *t = hd->state;
	uint32_t resets;

	spin_lock(&t->lock);
	resets = t->resets + 1;
	memset(&t->scratch, 0, offsetof(struct testdev, pages) - offsetof(struct testdev, scratch));
	t->resets = resets;
	host_config_set(&t->config, t->cap + TESTDEV_CAP_VOLATILE, 0, 4);
	host_config_set(&t->config, t->cap + TESTDEV_CAP_MAILBOX, 0, 4);
	host_config_set(&t->config, t->cap + TESTDEV_CAP_WRITES, 0, 4);
	memset(t->pages, 0, TESTDEV_PAGES_SIZE);
	memset(t->big, 0, TESTDEV_BIG_KEPT);
	host_device_intx(hd, false);
	spin_unlock(&t->lock);
}

/* What it keeps beside its registers: pages, and of its configuration the vendor's capability. */

#define TESTDEV_KEPT (TESTDEV_PAGES_SIZE + TESTDEV_BIG_KEPT + TESTDEV_CAP_SIZE)

/* The part of them at @at, and how long it is. */
static uint8_t *testdev_kept(struct testdev *t, size_t at, size_t *len)
{
	*len = TESTDEV_PAGES_SIZE;
	if (at < TESTDEV_PAGES_SIZE)
		return t->pages;
	*len = TESTDEV_BIG_KEPT;
	if (at < TESTDEV_PAGES_SIZE + TESTDEV_BIG_KEPT)
		return t->big;
	*len = TESTDEV_CAP_SIZE;
	return t->config.bytes + t->cap;
}

static size_t testdev_kept_save(void *state, uint8_t *buf, size_t size)
{
	size_t at, len;

	for (at = 0; size >= TESTDEV_KEPT && at < TESTDEV_KEPT; at += len) {
		const uint8_t *from = testdev_kept(state, at, &len);

		memcpy(buf + at, from, len);
	}
	return TESTDEV_KEPT;
}

static const char *testdev_kept_check(const void *state, const uint8_t *data, size_t len)
{
	const struct testdev *t = state;

	if (len != TESTDEV_KEPT)
		return "of another size";
	return memcmp(data + len - TESTDEV_CAP_SIZE, t->config.bytes + t->cap, TESTDEV_CAP_VOLATILE)
		       ? "another capability"
		       : NULL;
}

static const char *testdev_kept_load(void *state, const uint8_t *data, size_t size)
{
	size_t at, len;

	for (at = 0; at < size; at += len) {
		uint8_t *to = testdev_kept(state, at, &len);

		memcpy(to, data + at, len);
	}
	return NULL;
}

static const struct device_blob testdev_kept_blob = {
	.save = testdev_kept_save,
	.check = testdev_kept_check,
	.load = testdev_kept_load,
};

static const struct device_field testdev_fields[] = {
	DEVICE_FIELD(struct testdev, scratch),
	DEVICE_FIELD(struct testdev, resets),
	DEVICE_FIELD(struct testdev, vector),
	DEVICE_FIELD(struct testdev, eois),
	DEVICE_FIELD(struct testdev, intx),
	DEVICE_FIELD(struct testdev, dma_source),
	DEVICE_FIELD(struct testdev, dma_target),
	DEVICE_FIELD(struct testdev, dma_length),
	DEVICE_FIELD(struct testdev, dma_result),
	DEVICE_FIELD(struct testdev, dma_copied),
	DEVICE_FIELD(struct testdev, doorbells),
	DEVICE_FIELD(struct testdev, doorbell_offset),
	DEVICE_FIELD(struct testdev, doorbell_value),
	DEVICE_FIELD(struct testdev, last_offset),
	DEVICE_FIELD(struct testdev, last_value),
	DEVICE_FIELD_AS(struct testdev, counts, DEVICE_FIELD_U32_KIND,
			HOST_REGIONS * 2 * TESTDEV_WIDTHS),
	DEVICE_FIELD(struct testdev, io),
	DEVICE_FIELD_BLOB("kept", &testdev_kept_blob),
	{},
};

static const struct device_state testdev_saved = {
	.name = "testdev",
	.version = 1,
	.size = sizeof(struct testdev),
	.lock = DEVICE_STATE_LOCK(struct testdev, lock),
	.fields = testdev_fields,
};

static void testdev_free(struct host_device *hd, struct testdev *t)
{
	if (t->pages)
		page_free(&hd->owner->vm->owner, t->pages, TESTDEV_PAGES_ORDER);
	if (t->big)
		page_free(&hd->owner->vm->owner, t->big, PAGE_ORDER_4K);
	kfree(t);
}

static void testdev_close(struct host_device *hd)
{
	testdev_free(hd, hd->state);
}

static int testdev_config(struct testdev *t, unsigned vectors)
{
	static const struct host_config_ids ids = {
		.vendor = TESTDEV_VENDOR,
		.device = TESTDEV_DEVICE,
		.class_code = TESTDEV_CLASS,
		.revision = TESTDEV_REVISION,
		.pin = 1,
	};
	static const uint8_t cap[TESTDEV_CAP_SIZE - 2] = {TESTDEV_CAP_SIZE};

	host_config_init(&t->config, &ids);
	t->cap = host_config_add(&t->config, PCI_CAP_VENDOR, cap, sizeof(cap));
	if (!t->cap || !host_config_add_pm(&t->config) ||
	    !host_config_add_msi(&t->config, TESTDEV_MSI_COUNT) ||
	    !host_config_add_msix(&t->config, vectors, TESTDEV_MSIX, 0, TESTDEV_MSIX,
				  TESTDEV_MSIX_PBA))
		return -ENOSPC;
	return 0;
}

static void testdev_map(struct host_region *r, void *pages, uint64_t size)
{
	r->pages = pages;
	r->pages_size = size;
}

static void testdev_regions(struct host_device *hd, uint64_t big, uint64_t rom)
{
	struct host_region *r = hd->regions;

	r[TESTDEV_REGS] = (struct host_region){
		.size = TESTDEV_REGS_SIZE,
		.doorbell_offset = TESTDEV_DOORBELL,
		.doorbell_size = TESTDEV_DOORBELL_SIZE,
	};
	r[TESTDEV_IO] = (struct host_region){.size = TESTDEV_IO_SIZE, .io = true};
	r[TESTDEV_BIG] = (struct host_region){.size = big, .wide = true, .prefetchable = true};
	r[TESTDEV_PAGES] = (struct host_region){.size = TESTDEV_PAGES_SIZE, .prefetchable = true};
	r[TESTDEV_MSIX].size = TESTDEV_MSIX_SIZE;
	r[HOST_REGION_ROM].size = rom;
	r[HOST_REGION_CONFIG].size = HOST_CONFIG_SIZE;
}

/* What keys cannot say of a size. */
static bool testdev_is_power(struct host_device *hd, const char *key, uint64_t size, uint64_t min)
{
	if (size >= min && !(size & (size - 1)))
		return true;
	device_log(hd->owner, LOG_ERROR,
		   "hostdev: argument %s: expected a power of two from %lu, got %lu", key, min,
		   size);
	return false;
}

static int testdev_open(struct host_device *hd, const char *path __unused,
			const struct host_args *args)
{
	uint64_t big = host_args_uint(args, "big"), rom = host_args_uint(args, "rom");
	struct testdev *t;
	int err;

	if (!testdev_is_power(hd, "big", big, TESTDEV_BIG_KEPT) ||
	    (rom && !testdev_is_power(hd, "rom", rom, TESTDEV_ROM_MIN)))
		return -EINVAL;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	spinlock_init(&t->lock);
	t->hd = hd;
	err = testdev_config(t, (unsigned)host_args_uint(args, "vectors"));
	if (!err) {
		t->pages = page_alloc_zeroed(&hd->owner->vm->owner, TESTDEV_PAGES_ORDER);
		t->big = page_alloc_zeroed(&hd->owner->vm->owner, PAGE_ORDER_4K);
		err = t->pages && t->big ? 0 : -ENOMEM;
	}
	if (err) {
		testdev_free(hd, t);
		return err;
	}
	hd->state = t;
	testdev_regions(hd, big, rom);
	if (host_args_bool(args, "mapped"))
		testdev_map(&hd->regions[TESTDEV_PAGES], t->pages, TESTDEV_PAGES_SIZE);
	if (host_args_bool(args, "big-mapped"))
		testdev_map(&hd->regions[TESTDEV_BIG], t->big, TESTDEV_BIG_KEPT);
	return 0;
}

static const struct device_key testdev_keys[] = {
	{.name = "big",
	 .kind = KEY_SIZE,
	 .def = "64K",
	 .min = TESTDEV_BIG_KEPT,
	 .max = UINT64_C(1) << 40,
	 .help = "the size of BAR 2, a power of two"},
	{.name = "rom",
	 .kind = KEY_SIZE,
	 .def = "4K",
	 .max = 1 << 20,
	 .help = "the size of its ROM, a power of two; 0: none"},
	{.name = "vectors",
	 .kind = KEY_UINT,
	 .def = "8",
	 .min = 1,
	 .max = TESTDEV_VECTORS_MAX,
	 .help = "of MSI-X"},
	{.name = "mapped",
	 .kind = KEY_BOOL,
	 .def = "true",
	 .help = "the guest reaches BAR 4 without an exit"},
	{.name = "big-mapped", .kind = KEY_BOOL, .def = "false", .help = "and what BAR 2 keeps"},
	{},
};

HOST_SCHEME(testdev_scheme, .name = "testdev", .help = "a device with one of everything, for tests",
	    .bus = HOST_BUS_PCI, .keys = testdev_keys, .open = testdev_open, .close = testdev_close,
	    .read = testdev_read, .write = testdev_write, .doorbell = testdev_doorbell,
	    .reset = testdev_reset, .eoi = testdev_eoi, .saved = &testdev_saved);
