/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bridge to ISA, so that firmware and kernels find a PC: the board's
 * devices are behind it. It passes on all that nobody on the bus takes, and has
 * no register of its own.
 *
 * Spec: PCI Local Bus Specification 3.0, appendix D (class 0601).
 * Keys: bus, addr. Lock: the bus's.
 *
 * Its id is that of Intel's 82378ZB (SIO), the first of its kind: kernels bind
 * to the class, and look for power management, interrupt routers or GPIOs
 * behind the ids of later ones.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "vmm/device.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define PCI_ISA_VENDOR 0x8086
#define PCI_ISA_DEVICE 0x0484

static const struct device_state pci_isa_saved = PCI_FUNCTION_STATE("isa-bridge");

static void pci_isa_destroy(struct device *dev)
{
	pci_function_free(dev->state);
}

static int pci_isa_add(struct device *dev, struct pci_bus *bus, uint8_t devfn)
{
	static const uint8_t bytes[PCI_CONFIG_SIZE] = {
		[PCI_VENDOR_ID] = PCI_ISA_VENDOR & 0xff,
		[PCI_VENDOR_ID + 1] = PCI_ISA_VENDOR >> 8,
		[PCI_DEVICE_ID] = PCI_ISA_DEVICE & 0xff,
		[PCI_DEVICE_ID + 1] = PCI_ISA_DEVICE >> 8,
		[PCI_CLASS + 1] = PCI_CLASS_ISA_BRIDGE >> 8 & 0xff,
		[PCI_CLASS + 2] = PCI_CLASS_ISA_BRIDGE >> 16,
	};
	const struct pci_function_desc desc = {.config = bytes, .config_size = sizeof(bytes)};
	struct pci_function *f;
	int err = pci_function_make(dev, bus, devfn, &desc, &f);

	if (err)
		return err;
	/* It decodes, and lets the DMA controllers master, always. */
	pci_config_set_writable(&f->config, PCI_COMMAND, 2, PCI_COMMAND_PARITY | PCI_COMMAND_SERR);
	pci_config_set_initial(&f->config, PCI_COMMAND, 2,
			       PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_config_reset(&f->config);
	dev->state = f;
	return pci_function_publish(f);
}

static int pci_isa_create(struct device *dev, const struct device_config *config)
{
	struct pci_bus *bus = pci_bus_of(dev, device_config_device(config, "bus"));
	uint8_t devfn;
	int err;

	if (!bus)
		return -EINVAL;
	err = pci_address_parse(dev, bus, "addr", device_config_string(config, "addr"), &devfn);
	return err ? err : pci_isa_add(dev, bus, devfn);
}

static const struct device_key pci_isa_keys[] = {
	{.name = "bus", .kind = KEY_DEVICE, .def = "pci0", .help = "PCI bus that it is on"},
	{.name = "addr",
	 .kind = KEY_STRING,
	 .def = "1f.0",
	 .help = "device.function on that bus, hexadecimal"},
	{},
};

MACHINE_PART(pci_isa_part, .machine = "pc", .text = "[device \"isa0\"]\ntype = isa-bridge\n");

DEVICE_TYPE(pci_isa_type, .name = "isa-bridge", .help = "PCI-to-ISA bridge", .keys = pci_isa_keys,
	    .create = pci_isa_create, .destroy = pci_isa_destroy, .saved = &pci_isa_saved);
