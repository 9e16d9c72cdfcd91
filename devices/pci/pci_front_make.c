/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How PCI's front-end comes and goes: a host device is opened, and its regions
 * and its configuration space become those of a function.
 *
 * Spec: PCI Local Bus Specification 3.0, 6.1, 6.2.5, 6.7, 6.8; PCI Express Base
 * Specification 3.0, 7.9.
 * Keys: bus, hostdev, addr, rom, dma. Lock: none, see pci_front.c.
 */
#include "devices/pci/pci_front.h"

#include "devices/pci/pci_regs.h"
#include "kernel/boot_info.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

#define PCI_FRONT_NOBODY     0xffff /* the vendor of an empty slot */
#define PCI_FRONT_CONFIG_MIN 256u
#define PCI_FRONT_ROM_MIN    UINT64_C(0x800) /* 6.2.5.2 */
#define PCI_FRONT_ROM_MAX    UINT64_C(0x1000000)
#define PCI_FRONT_NUMBER_MAX 18	 /* 0xffffffffffffffff */
#define PCI_FRONT_CAPS_MAX   48u /* of 4 bytes each, in what is behind the header */
#define PCI_FRONT_EXT_MAX    960u
#define PCI_FRONT_MSI_BASE   10u
#define PCI_FRONT_MSI_WIDE   4u
#define PCI_FRONT_MSI_MASKED 10u

static uint32_t pci_front_get(const uint8_t *config, unsigned offset, unsigned width)
{
	uint32_t value = 0;

	memcpy(&value, config + offset, width);
	return value;
}

/* Which bytes of the configuration space the bus keeps. */

static void pci_front_bus_has(struct pci_front *front, unsigned offset, unsigned len)
{
	for (; len && offset < PCI_FRONT_CONFIG_MAX; offset++, len--)
		front->bus_has[offset / 8] |= (uint8_t)(1u << offset % 8);
}

static unsigned pci_front_msi_size(unsigned control)
{
	return PCI_FRONT_MSI_BASE + (control & PCI_MSI_WIDE ? PCI_FRONT_MSI_WIDE : 0) +
	       (control & PCI_MSI_MASKS ? PCI_FRONT_MSI_MASKED : 0);
}

/* How much of the capability whose first 4 bytes are @head is the bus's; 0: it does not know it. */
static unsigned pci_front_cap_size(uint32_t head)
{
	switch (head & 0xff) {
	case PCI_CAP_PM:
		return PCI_PM_SIZE;
	case PCI_CAP_MSI:
		return pci_front_msi_size(head >> 16);
	case PCI_CAP_MSIX:
		return PCI_MSIX_SIZE;
	case PCI_CAP_PCIE:
		return (head >> 16 & PCI_PCIE_VERSION) == 1 ? PCI_PCIE_SIZE_1 : PCI_PCIE_SIZE_2;
	}
	return 0;
}

static void pci_front_walk_caps(struct pci_front *front, const uint8_t *config)
{
	unsigned at = config[PCI_CAPABILITIES] & ~3u, i;

	for (i = 0; i < PCI_FRONT_CAPS_MAX && at >= PCI_CAP_FIRST; i++) {
		pci_front_bus_has(front, at, pci_front_cap_size(pci_front_get(config, at, 4)));
		at = config[at + PCI_CAP_NEXT] & ~3u;
	}
}

static void pci_front_walk_extended(struct pci_front *front, const uint8_t *config)
{
	unsigned at = PCI_EXT_FIRST, i;
	uint32_t head;

	for (i = 0; i < PCI_FRONT_EXT_MAX && at >= PCI_EXT_FIRST; i++) {
		head = pci_front_get(config, at, 4);
		if ((head & PCI_EXT_ID) == PCI_EXT_AER)
			pci_front_bus_has(front, at, PCI_AER_SIZE);
		at = head >> PCI_EXT_NEXT_SHIFT & PCI_EXT_ALIGN;
	}
}

/* What the guest sees of the host device. */

static int pci_front_read_config(struct pci_front *front, uint8_t *config, uint64_t size)
{
	uint64_t offset, value;
	int err;

	for (offset = 0; offset < size; offset += 4) {
		err = host_device_read(front->hd, HOST_REGION_CONFIG, offset, 4, &value);
		if (err) {
			device_log(front->dev, LOG_ERROR,
				   "hostdev: its configuration space cannot be read at %#lx "
				   "(error %d)",
				   offset, -err);
			return err;
		}
		memcpy(config + offset, &(uint32_t){(uint32_t)value}, 4);
	}
	return 0;
}

/* A doorbell that no write reaches would be silent. */
static bool pci_front_pages_ring(const struct host_region *r)
{
	return r->pages && r->doorbell_size &&
	       r->pages_offset < r->doorbell_offset + r->doorbell_size &&
	       r->doorbell_offset < r->pages_offset + r->pages_size;
}

static void pci_front_bar(struct pci_front *front, unsigned number, struct pci_bar *bar)
{
	const struct host_region *region = &front->hd->regions[number];

	front->regions[number] = (struct pci_front_region){front, number};
	*bar = (struct pci_bar){
		.size = region->size,
		.io = region->io,
		.wide = region->wide,
		.prefetchable = region->prefetchable,
		.ops = &pci_front_bar_ops,
		.opaque = &front->regions[number],
		.pages = region->pages,
		.pages_offset = region->pages_offset,
		.pages_size = region->pages_size,
	};
}

static void pci_front_rom(struct pci_front *front, bool on, struct pci_bar *bar)
{
	uint64_t size = PCI_FRONT_ROM_MIN;

	if (front->rom) {
		while (size < front->rom->size)
			size *= 2;
		*bar = (struct pci_bar){
			.size = size, .ops = &pci_front_module_ops, .opaque = front};
	} else if (on) {
		*bar = (struct pci_bar){.size = front->hd->regions[HOST_REGION_ROM].size,
					.ops = &pci_front_rom_ops,
					.opaque = front};
	}
}

static int pci_front_add(struct pci_front *front, struct pci_bus *bus, uint8_t devfn,
			 const uint8_t *config, bool rom)
{
	struct pci_function_desc desc = {
		.config = config,
		.config_size = front->hd->regions[HOST_REGION_CONFIG].size,
		.ops = &pci_front_function_ops,
		.opaque = front,
	};
	unsigned i;
	int err;

	for (i = 0; i < PCI_BARS; i++) {
		if (pci_front_pages_ring(&front->hd->regions[i])) {
			device_log(front->dev, LOG_ERROR,
				   "hostdev: region %u has a doorbell among its pages", i);
			return -EINVAL;
		}
		pci_front_bar(front, i, &desc.bars[i]);
	}
	pci_front_rom(front, rom, &desc.rom);
	pci_front_bus_has(front, 0, PCI_CAP_FIRST);
	pci_front_walk_caps(front, config);
	if (desc.config_size == PCI_FRONT_CONFIG_MAX)
		pci_front_walk_extended(front, config);
	err = pci_function_add(front->dev, bus, devfn, &desc, &front->function);
	if (!err && READ_ONCE(front->hd->vanished))
		pci_function_vanish(front->function); /* before there was a function to tell */
	return err;
}

static int pci_front_show(struct pci_front *front, struct pci_bus *bus, uint8_t devfn, bool rom)
{
	uint64_t size = front->hd->regions[HOST_REGION_CONFIG].size;
	uint8_t *config;
	int err;

	if (size != PCI_FRONT_CONFIG_MIN && size != PCI_FRONT_CONFIG_MAX) {
		device_log(front->dev, LOG_ERROR,
			   "hostdev: its configuration space has %lu bytes: expected %u or %u",
			   size, PCI_FRONT_CONFIG_MIN, PCI_FRONT_CONFIG_MAX);
		return -EINVAL;
	}
	config = kzalloc(size);
	if (!config)
		return -ENOMEM;
	err = pci_front_read_config(front, config, size);
	if (!err && pci_front_get(config, PCI_VENDOR_ID, 2) == PCI_FRONT_NOBODY)
		device_log(front->dev, LOG_INFO, "nobody is there: slot %02x.%u stays empty",
			   devfn >> 3, devfn & 7);
	else if (!err)
		err = pci_front_add(front, bus, devfn, config, rom);
	kfree(config);
	return err;
}

/* The function first: when the host device goes on, bus mastering is what it was. */
static const struct device_field pci_front_fields[] = {
	DEVICE_FIELD_REF(struct pci_front, function, &pci_function_ref),
	DEVICE_FIELD_REF(struct pci_front, hd, &host_device_ref),
	{},
};

static const struct device_state pci_front_saved = {
	.name = "pci-front",
	.version = 1,
	.size = sizeof(struct pci_front),
	.fields = pci_front_fields,
};

/* Its life. */

/* The key rom: @*on, or front->rom. */
static int pci_front_rom_key(struct pci_front *front, const char *text, bool *on)
{
	static const struct device_key boolean = {.kind = KEY_BOOL};
	const size_t prefix = sizeof(VM_CONFIG_MODULE) - 1;
	uint64_t number;

	*on = false;
	if (device_key_parse(&boolean, text, &number)) {
		*on = number;
		return 0;
	}
	if (!strncmp(text, VM_CONFIG_MODULE, prefix))
		front->rom = boot_module_find(text + prefix);
	if (!front->rom) {
		device_log(front->dev, LOG_ERROR,
			   "rom: expected on, off or module:NAME of a loaded module, got '%s'",
			   text);
		return -ENOENT;
	}
	if (!boot_module_use(front->rom, false)) {
		device_log(front->dev, LOG_ERROR,
			   "rom: a VM's disk writes to '%s' now (cow = false)", text);
		front->rom = NULL;
		return -EBUSY;
	}
	if (!front->rom->size || front->rom->size > PCI_FRONT_ROM_MAX) {
		device_log(front->dev, LOG_ERROR, "rom: '%s' has %lu bytes: expected 1 to %lu",
			   text, front->rom->size, PCI_FRONT_ROM_MAX);
		return -EINVAL;
	}
	return 0;
}

/* The key dma, "BASE+SIZE": where the device's DMA is to stay. */
static int pci_front_dma_key(struct pci_front *front, const char *text)
{
	static const struct device_key at = {.kind = KEY_UINT, .max = UINT64_MAX};
	static const struct device_key size = {.kind = KEY_SIZE, .min = 1, .max = UINT64_MAX};
	const char *plus = strchr(text, '+');
	char base[PCI_FRONT_NUMBER_MAX + 1] = "";
	uint64_t where, bytes;

	if (!*text)
		return 0;
	if (plus && plus - text <= PCI_FRONT_NUMBER_MAX)
		memcpy(base, text, (size_t)(plus - text));
	if (!plus || !device_key_parse(&at, base, &where) ||
	    !device_key_parse(&size, plus + 1, &bytes)) {
		device_log(front->dev, LOG_ERROR, "dma: expected BASE+SIZE, got '%s'", text);
		return -EINVAL;
	}
	return host_device_confine(front->hd, where, bytes);
}

static void pci_front_destroy(struct device *dev)
{
	struct pci_front *front = dev->state;

	host_device_close(front->hd);
	pci_function_free(front->function); /* until then, the host device may call it */
	if (front->rom)
		boot_module_unuse(front->rom);
	kfree(front);
}

/* When the machine begins anew, nothing of before may reach its memory. */
static void pci_front_reset(struct device *dev)
{
	struct pci_front *front = dev->state;

	host_device_reset(front->hd);
	host_device_drain(front->hd);
}

/* The function is gone: nothing of the guest's is to use the host device's timers and backends when
 * these go. */
static void pci_front_stop(void *opaque)
{
	struct pci_front *front = opaque;

	pci_front_reset(front->dev);
}

static int pci_front_create(struct device *dev, const struct device_config *config)
{
	struct pci_front *front = kzalloc(sizeof(*front));
	struct pci_bus *bus;
	uint8_t devfn;
	bool rom;
	int err;

	if (!front)
		return -ENOMEM;
	dev->state = front;
	front->dev = dev;
	bus = pci_bus_of(dev, device_config_device(config, "bus"));
	if (!bus)
		return -ENOENT;
	err = pci_address_parse(dev, bus, "addr", device_config_string(config, "addr"), &devfn);
	if (!err)
		err = pci_front_rom_key(front, device_config_string(config, "rom"), &rom);
	if (!err)
		err = host_device_open(dev, device_config_string(config, "hostdev"), HOST_BUS_PCI,
				       &pci_front_host_ops, front, &front->hd);
	if (!err)
		err = pci_front_dma_key(front, device_config_string(config, "dma"));
	if (err)
		return err;
	pci_front_reset(dev);
	err = device_own(dev, pci_front_stop, front);
	return err ? err : pci_front_show(front, bus, devfn, rom);
}

static bool pci_front_unplug(struct device *dev)
{
	const struct pci_front *front = dev->state;

	return front->function && pci_function_unplug(front->function);
}

static const struct device_key pci_front_keys[] = {
	{.name = "bus", .kind = KEY_DEVICE, .def = "pci0", .help = "the device that has the bus"},
	{.name = "hostdev",
	 .kind = KEY_STRING,
	 .help = "the host device's URL, SCHEME:PATH?KEY=VALUE&...: `help hostdev`"},
	{.name = "addr",
	 .kind = KEY_STRING,
	 .def = "",
	 .help = "device.function, hexadecimal; left out: the first free device"},
	{.name = "rom",
	 .kind = KEY_STRING,
	 .def = "on",
	 .help = "on: the host device's; off: none; module:NAME: that image"},
	{.name = "dma",
	 .kind = KEY_STRING,
	 .def = "",
	 .help = "BASE+SIZE: RAM that its DMA is to stay in, and other such windows out of; "
		 "left out: all of it"},
	{},
};

DEVICE_TYPE(pci_front_type, .name = "pci-front", .help = "shows a host device as a PCI function",
	    .keys = pci_front_keys, .create = pci_front_create, .destroy = pci_front_destroy,
	    .reset = pci_front_reset, .unplug = pci_front_unplug, .saved = &pci_front_saved);
