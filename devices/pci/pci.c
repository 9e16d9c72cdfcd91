/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI bus as a PC has it: configuration mechanism #1, and the host bridge
 * as function 00.0.
 *
 * Spec: PCI Local Bus Specification 3.0, 3.2.2.3.2 (mechanism #1), 6.2.
 * Keys: none. Lock: a function's own; the address is one store and one load.
 *
 * The bridge has the id of QEMU's generic host bridge (QEMU, docs/specs/
 * pci-ids.rst), because there is nothing behind it that a driver could look
 * for. An id of a real chipset's promises its registers: of an 82441FX,
 * firmware sets the shadow RAM up, and Linux works around its faults
 * (drivers/pci/quirks.c, quirk_natoma and quirk_passive_release).
 */
#include "devices/acpi_node.h"
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define PCI_IO	       0xcf8
#define PCI_IO_DATA    0xcfc
#define PCI_IO_PORTS   8
#define PCI_DATA_PORTS 4

/* CONFIG_ADDRESS; what is in none of these is reserved and reads 0. */
#define PCI_ADDRESS_ENABLE	   UINT32_C(0x80000000)
#define PCI_ADDRESS_FUNCTION	   UINT32_C(0x00ffff00) /* bus, device, function */
#define PCI_ADDRESS_REGISTER	   UINT32_C(0x000000fc)
#define PCI_ADDRESS_KEPT	   (PCI_ADDRESS_ENABLE | PCI_ADDRESS_FUNCTION | PCI_ADDRESS_REGISTER)
#define PCI_ADDRESS_FUNCTION_SHIFT 8

#define PCI_HOST_VENDOR 0x1b36
#define PCI_HOST_DEVICE 0x0008

#define PCI_HOLE_LAST 0xfebfffff /* the I/O APIC follows */

struct pci {
	struct pci_bus bus;
	struct pci_function host;
	struct acpi_pci acpi;
	uint32_t address; /* CONFIG_ADDRESS, R/W */
};

static const struct pci_field pci_host_fields[] = {
	{PCI_VENDOR_ID, 2, PCI_HOST_VENDOR, 0, 0},
	{PCI_DEVICE_ID, 2, PCI_HOST_DEVICE, 0, 0},
	/* It always decodes memory, and passes on what masters send there. */
	{PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
	 PCI_COMMAND_PARITY | PCI_COMMAND_SERR, 0},
	{PCI_STATUS, 2, 0, 0, PCI_STATUS_ERRORS},
	{PCI_CLASS, 3, PCI_CLASS_HOST_BRIDGE, 0, 0},
};

/* What lies between the processor and the bus: docs/memory-map.md. */
static const struct acpi_pci pci_acpi = {
	.config_port = PCI_IO,
	.config_ports = PCI_IO_PORTS,
	.bus_last = 0xff,
	.io = {{0, PCI_IO - 1}, {PCI_IO + PCI_IO_PORTS, 0xffff}},
	.memory = {{GUEST_VGA_BASE, GUEST_VGA_END - 1}, {GUEST_LOW_LIMIT, PCI_HOLE_LAST}},
};

static int pci_address_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			    unsigned width __unused, uint64_t *value)
{
	struct pci *pci = opaque;

	*value = READ_ONCE(pci->address);
	return 0;
}

static int pci_address_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			     unsigned width __unused, uint64_t value)
{
	struct pci *pci = opaque;

	WRITE_ONCE(pci->address, (uint32_t)value & PCI_ADDRESS_KEPT);
	return 0;
}

static const struct hook_ops pci_address_ops = {
	.read = pci_address_read,
	.write = pci_address_write,
};

/* Bits 1:0 of the register are those of the port. */
static int pci_data_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
			 uint64_t *value)
{
	struct pci *pci = opaque;
	uint32_t address = READ_ONCE(pci->address);

	*value = UINT32_MAX;
	if (address & PCI_ADDRESS_ENABLE)
		*value = pci_bus_read(&pci->bus, (uint16_t)(address >> PCI_ADDRESS_FUNCTION_SHIFT),
				      (address & PCI_ADDRESS_REGISTER) + (unsigned)offset, width);
	return 0;
}

static int pci_data_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
			  uint64_t value)
{
	struct pci *pci = opaque;
	uint32_t address = READ_ONCE(pci->address);

	if (address & PCI_ADDRESS_ENABLE)
		pci_bus_write(&pci->bus, (uint16_t)(address >> PCI_ADDRESS_FUNCTION_SHIFT),
			      (address & PCI_ADDRESS_REGISTER) + (unsigned)offset, width,
			      (uint32_t)value);
	return 0;
}

static const struct hook_ops pci_data_ops = {
	.read = pci_data_read,
	.write = pci_data_write,
};

static void pci_reset(struct device *dev)
{
	struct pci *pci = dev->state;

	WRITE_ONCE(pci->address, 0);
	pci_function_reset(&pci->host);
}

static void pci_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int pci_create(struct device *dev, const struct device_config *config __unused)
{
	struct pci *pci = kzalloc(sizeof(*pci));
	int err;

	if (!pci)
		return -ENOMEM;
	dev->state = pci;
	pci->acpi = pci_acpi;
	pci_config_define(&pci->host.config, pci_host_fields, ARRAY_SIZE(pci_host_fields));
	err = pci_function_register(dev, &pci->bus, PCI_DEVFN(0, 0), &pci->host);
	if (!err)
		err = device_provide(dev, PCI_BUS_KIND, &pci->bus);
	if (!err)
		err = device_provide(dev, ACPI_PCI_KIND, &pci->acpi);
	if (!err)
		err = device_hook_io_register(dev, PCI_IO, 4, &pci_address_ops, pci);
	if (!err)
		err = device_hook_io(dev, PCI_IO_DATA, PCI_DATA_PORTS, &pci_data_ops, pci);
	return err;
}

MACHINE_PART(pci_part, .machine = "pc", .text = "[device \"pci0\"]\ntype = pci\n");

DEVICE_TYPE(pci_type, .name = "pci", .help = "PCI bus with its host bridge", .create = pci_create,
	    .destroy = pci_destroy, .reset = pci_reset);
