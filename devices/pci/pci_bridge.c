/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI-to-PCI bridge: a function of one bus, and another bus behind it.
 *
 * Spec: PCI-to-PCI Bridge Architecture 1.2.
 * Keys: bus, addr. Lock: the bus's.
 *
 * Its id is that of QEMU's (QEMU, docs/specs/pci-ids.rst); it has no hot-plug
 * controller (SHPC), as that one may be without.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/slab.h"
#include "vmm/device.h"

#include <errno.h>

#define PCI_BRIDGE_VENDOR 0x1b36
#define PCI_BRIDGE_DEVICE 0x0001

struct pci_bridge {
	struct pci_function *f;
	struct pci_bus bus; /* behind it */
};

static int pci_bridge_add(struct device *dev, struct pci_bus *above, uint8_t devfn,
			  struct pci_bridge *b)
{
	static const uint8_t bytes[PCI_CONFIG_SIZE] = {
		[PCI_VENDOR_ID] = PCI_BRIDGE_VENDOR & 0xff,
		[PCI_VENDOR_ID + 1] = PCI_BRIDGE_VENDOR >> 8,
		[PCI_DEVICE_ID] = PCI_BRIDGE_DEVICE,
		[PCI_CLASS + 1] = PCI_CLASS_PCI_BRIDGE >> 8 & 0xff,
		[PCI_CLASS + 2] = PCI_CLASS_PCI_BRIDGE >> 16,
		[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE,
		[PCI_BRIDGE_PREF_BASE] = PCI_BRIDGE_PREF_WIDE,
		[PCI_BRIDGE_PREF_LIMIT] = PCI_BRIDGE_PREF_WIDE,
	};
	const struct pci_function_desc desc = {.config = bytes, .config_size = sizeof(bytes)};
	int err = pci_function_make(dev, above, devfn, &desc, &b->f);

	if (err)
		return err;
	b->bus.root = above->root;
	b->bus.bridge = b->f;
	b->bus.depth = above->depth + 1;
	b->bus.number = -1;
	b->f->secondary = &b->bus;
	return pci_function_publish(b->f);
}

static const struct device_field pci_bridge_fields[] = {
	DEVICE_FIELD_REF(struct pci_bridge, f, &pci_function_ref),
	{},
};

static const struct device_state pci_bridge_saved = {
	.name = "pci-bridge",
	.version = 1,
	.size = sizeof(struct pci_bridge),
	.fields = pci_bridge_fields,
};

static void pci_bridge_destroy(struct device *dev)
{
	struct pci_bridge *b = dev->state;

	pci_function_free(b->f);
	kfree(b);
}

static int pci_bridge_create(struct device *dev, const struct device_config *config)
{
	struct pci_bus *above = pci_bus_of(dev, device_config_device(config, "bus"));
	struct pci_bridge *b;
	uint8_t devfn;
	int err;

	if (!above)
		return -EINVAL;
	if (above->depth == PCI_DEPTH_MAX) {
		device_log(dev, LOG_ERROR, "key bus: %u bridges one behind the other are enough",
			   PCI_DEPTH_MAX);
		return -EINVAL;
	}
	err = pci_address_parse(dev, above, "addr", device_config_string(config, "addr"), &devfn);
	if (err)
		return err;
	b = kzalloc(sizeof(*b));
	if (!b)
		return -ENOMEM;
	dev->state = b;
	err = pci_bridge_add(dev, above, devfn, b);
	if (!err)
		err = device_provide(dev, PCI_BUS_KIND, &b->bus);
	return err;
}

static const struct device_key pci_bridge_keys[] = {
	{.name = "bus", .kind = KEY_DEVICE, .def = "pci0", .help = "PCI bus that it is on"},
	{.name = "addr",
	 .kind = KEY_STRING,
	 .def = "",
	 .help = "device.function on that bus, hexadecimal; the first free device"},
	{},
};

DEVICE_TYPE(pci_bridge_type, .name = "pci-bridge", .help = "PCI-to-PCI bridge",
	    .keys = pci_bridge_keys, .create = pci_bridge_create, .destroy = pci_bridge_destroy,
	    .saved = &pci_bridge_saved);
