/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fw_cfg, by which firmware and kernels learn of the machine: items by number
 * or by name, read byte by byte or by DMA.
 *
 * Spec: QEMU, docs/specs/fw_cfg.rst.
 * Keys: none.
 * Lock: lock over the selection; items do not change once they are made.
 */
#include "devices/acpi_node.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/guest_memory.h"
#include "vmm/loader.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

#define FW_CFG_IO    0x510
#define FW_CFG_PORTS 12
/* From FW_CFG_IO. */
#define FW_CFG_SELECT	0
#define FW_CFG_DATA	1
#define FW_CFG_DMA_HIGH 4 /* big-endian; a write of the low half starts it */
#define FW_CFG_DMA_LOW	8

#define FW_CFG_KEY_SIGNATURE 0x0000
#define FW_CFG_KEY_ID	     0x0001
#define FW_CFG_KEY_RAM_SIZE  0x0003
#define FW_CFG_KEY_CPUS	     0x0005
#define FW_CFG_KEY_MAX_CPUS  0x000f
#define FW_CFG_KEY_DIR	     0x0019
#define FW_CFG_KEY_FILE	     0x0020 /* the first of the directory's */
#define FW_CFG_ID_VALUE	     3	    /* data port and DMA */

#define FW_CFG_DMA_ERROR     0x01u
#define FW_CFG_DMA_READ	     0x02u
#define FW_CFG_DMA_SKIP	     0x04u
#define FW_CFG_DMA_SELECT    0x08u
#define FW_CFG_DMA_WRITE     0x10u
#define FW_CFG_DMA_KEY_SHIFT 16
/* More is refused: an exit handler does not fill gigabytes with zeros. */
#define FW_CFG_DMA_MAX 65536u
#define FW_CFG_CHUNK   256u

#define FW_CFG_E820 16

struct fw_cfg_dma {
	uint32_t control, length; /* all big-endian */
	uint64_t address;
} __packed;
_Static_assert(sizeof(struct fw_cfg_dma) == 16, "FWCfgDmaAccess");

/* The directory, with its one file. */
struct fw_cfg_dir {
	uint32_t count; /* all big-endian */
	uint32_t size;
	uint16_t key, reserved;
	char name[56];
} __packed;
_Static_assert(sizeof(struct fw_cfg_dir) == 4 + 64, "FWCfgFiles");

struct fw_cfg_item {
	uint16_t key;
	uint32_t size;
	const void *data;
};

struct fw_cfg {
	struct spinlock lock;
	struct vm *vm;
	struct acpi_node acpi;
	uint16_t key;	   /* W: selected item */
	uint32_t offset;   /* of the next byte in it */
	uint32_t dma_high; /* W: upper half of the request's address */
	uint32_t id;
	uint64_t ram_size;
	uint16_t cpus;
	struct fw_cfg_dir dir;
	struct e820_entry e820[FW_CFG_E820];
	struct fw_cfg_item items[7];
};

static const struct fw_cfg_item *fw_cfg_find(const struct fw_cfg *f)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(f->items); i++)
		if (f->items[i].key == f->key)
			return &f->items[i];
	return NULL;
}

static void fw_cfg_select(struct fw_cfg *f, uint16_t key)
{
	f->key = key;
	f->offset = 0;
}

/* The next @n bytes; zeros behind the end, and of what is not there. */
static void fw_cfg_take(struct fw_cfg *f, void *to, uint32_t n)
{
	const struct fw_cfg_item *item = fw_cfg_find(f);
	uint32_t left = item && f->offset < item->size ? item->size - f->offset : 0;
	uint32_t have = MIN(n, left);

	memset(to, 0, n);
	if (have)
		memcpy(to, (const uint8_t *)item->data + f->offset, have);
	f->offset += have;
}

static int fw_cfg_dma_read(struct fw_cfg *f, gpa_t to, uint32_t length)
{
	uint8_t chunk[FW_CFG_CHUNK];
	uint32_t n;
	int err = 0;

	for (; !err && length; length -= n, to += n) {
		n = MIN(length, FW_CFG_CHUNK);
		fw_cfg_take(f, chunk, n);
		err = guest_write(f->vm, to, chunk, n);
	}
	return err;
}

static uint32_t fw_cfg_dma_do(struct fw_cfg *f, const struct fw_cfg_dma *dma)
{
	uint32_t control = __builtin_bswap32(dma->control);
	uint32_t length = __builtin_bswap32(dma->length);

	if (control & FW_CFG_DMA_SELECT)
		fw_cfg_select(f, (uint16_t)(control >> FW_CFG_DMA_KEY_SHIFT));
	if (control & FW_CFG_DMA_READ) {
		if (length > FW_CFG_DMA_MAX ||
		    fw_cfg_dma_read(f, __builtin_bswap64(dma->address), length))
			return FW_CFG_DMA_ERROR;
	} else if (control & FW_CFG_DMA_WRITE) {
		return FW_CFG_DMA_ERROR; /* nothing here can be written */
	} else if (control & FW_CFG_DMA_SKIP) {
		f->offset = length > UINT32_MAX - f->offset ? UINT32_MAX : f->offset + length;
	}
	return 0;
}

/* The answer goes where the request's control word is, which is not changed where it fails. */
static int fw_cfg_dma_start(struct fw_cfg *f, uint32_t low)
{
	gpa_t gpa = (uint64_t)f->dma_high << 32 | low;
	struct fw_cfg_dma dma;
	uint32_t answer;
	int err = guest_read(f->vm, gpa, &dma, sizeof(dma));

	f->dma_high = 0; /* who asks from below 4 GiB writes the low half only */
	if (err)
		return err;
	answer = __builtin_bswap32(fw_cfg_dma_do(f, &dma));
	return guest_write(f->vm, gpa, &answer, sizeof(answer));
}

static int fw_cfg_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		       uint64_t *value)
{
	/* What the DMA register reads as, so that one can see that it is there. */
	static const char signature[8] = "QEMU CFG";
	struct fw_cfg *f = opaque;

	*value = 0;
	if (offset >= FW_CFG_DMA_HIGH) {
		memcpy(value, &signature[offset - FW_CFG_DMA_HIGH], width);
		return 0;
	}
	if (offset != FW_CFG_DATA)
		return 0;
	spin_lock(&f->lock);
	fw_cfg_take(f, value, width);
	spin_unlock(&f->lock);
	return 0;
}

static int fw_cfg_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
			uint64_t value)
{
	struct fw_cfg *f = opaque;
	uint32_t swapped = __builtin_bswap32((uint32_t)value);
	int err = 0;

	spin_lock(&f->lock);
	if (offset == FW_CFG_SELECT && width == 2)
		fw_cfg_select(f, (uint16_t)value);
	else if (offset == FW_CFG_DMA_HIGH && width == 4)
		f->dma_high = swapped;
	else if (offset == FW_CFG_DMA_LOW && width == 4)
		err = fw_cfg_dma_start(f, swapped);
	spin_unlock(&f->lock);
	return err;
}

static const struct hook_ops fw_cfg_ops = {.read = fw_cfg_read, .write = fw_cfg_write};

static void fw_cfg_fill(struct fw_cfg *f, const struct vm *vm)
{
	size_t e820_size = guest_e820(f->vm, f->e820, FW_CFG_E820) * sizeof(f->e820[0]);

	f->id = FW_CFG_ID_VALUE;
	f->ram_size = vm->memory->size;
	f->cpus = (uint16_t)vm->vcpu_count;
	f->dir.count = __builtin_bswap32(1);
	f->dir.size = __builtin_bswap32((uint32_t)e820_size);
	f->dir.key = __builtin_bswap16(FW_CFG_KEY_FILE);
	strcpy(f->dir.name, "etc/e820");
	f->items[0] = (struct fw_cfg_item){FW_CFG_KEY_SIGNATURE, 4, "QEMU"};
	f->items[1] = (struct fw_cfg_item){FW_CFG_KEY_ID, sizeof(f->id), &f->id};
	f->items[2] = (struct fw_cfg_item){FW_CFG_KEY_RAM_SIZE, sizeof(f->ram_size), &f->ram_size};
	f->items[3] = (struct fw_cfg_item){FW_CFG_KEY_CPUS, sizeof(f->cpus), &f->cpus};
	f->items[4] = (struct fw_cfg_item){FW_CFG_KEY_MAX_CPUS, sizeof(f->cpus), &f->cpus};
	f->items[5] = (struct fw_cfg_item){FW_CFG_KEY_DIR, sizeof(f->dir), &f->dir};
	f->items[6] = (struct fw_cfg_item){FW_CFG_KEY_FILE, (uint32_t)e820_size, f->e820};
}

static void fw_cfg_reset(struct device *dev)
{
	struct fw_cfg *f = dev->state;

	spin_lock(&f->lock);
	fw_cfg_select(f, FW_CFG_KEY_SIGNATURE);
	f->dma_high = 0;
	spin_unlock(&f->lock);
}

/* The items are as the VM is made. */
static const struct device_field fw_cfg_fields[] = {
	DEVICE_FIELD(struct fw_cfg, key),
	DEVICE_FIELD(struct fw_cfg, offset),
	DEVICE_FIELD(struct fw_cfg, dma_high),
	{},
};

static const struct device_state fw_cfg_saved = {
	.name = "fw-cfg",
	.version = 1,
	.size = sizeof(struct fw_cfg),
	.lock = DEVICE_STATE_LOCK(struct fw_cfg, lock),
	.fields = fw_cfg_fields,
};

static void fw_cfg_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int fw_cfg_create(struct device *dev, const struct device_config *config __unused)
{
	struct fw_cfg *f = kzalloc(sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	dev->state = f;
	f->vm = dev->vm;
	f->acpi = (struct acpi_node){.hid = ACPI_HID_FW_CFG, .io = {{FW_CFG_IO, FW_CFG_PORTS}}};
	fw_cfg_fill(f, dev->vm);
	err = device_provide(dev, ACPI_NODE_KIND, &f->acpi);
	if (!err)
		err = device_hook_io(dev, FW_CFG_IO, FW_CFG_PORTS, &fw_cfg_ops, f);
	return err;
}

MACHINE_PART(fw_cfg_part, .machine = "pc", .text = "[device \"fw-cfg\"]\ntype = fw-cfg\n");

DEVICE_TYPE(fw_cfg_type, .name = "fw-cfg", .help = "fw_cfg: what firmware asks of the machine",
	    .create = fw_cfg_create, .destroy = fw_cfg_destroy, .reset = fw_cfg_reset,
	    .saved = &fw_cfg_saved);
