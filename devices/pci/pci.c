/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI root as a PC has it: configuration mechanism #1, the same by memory
 * (ECAM), the host bridge as function 00.0, and the bus itself, which decodes
 * all ports and addresses that no hook and no RAM has.
 *
 * Spec: PCI Local Bus Specification 3.0, 3.2.2.3.2 (mechanism #1), 6.2; PCI
 * Express Base Specification 3.0, 7.2.2 (ECAM).
 * Keys: none. Lock: pci_bus.h's; the address is one store and one load.
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
#include "vmm/cpu_model.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

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

/* What the tables tell of: Linux looks at 32 devices of each bus that they name. Bridges may be
 * given higher numbers, and are found there. */
#define PCI_BUS_LAST 15

#define PCI_ECAM_FUNCTION_SHIFT 12

#define PCI_HOST_VENDOR 0x1b36
#define PCI_HOST_DEVICE 0x0008

#define PCI_HOLE_LAST  0xfebfffff /* the I/O APIC follows */
#define PCI_HIGH_ALIGN BIT(30)
#define PCI_HIGH_SIZE  BIT(36)

struct pci {
	struct pci_root root;
	struct pci_function *host;
	struct acpi_pci acpi;
	struct acpi_node ecam; /* of the board, so that kernels trust the MCFG */
	uint32_t address;      /* CONFIG_ADDRESS, R/W */
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
		*value =
			pci_root_read(&pci->root, (uint16_t)(address >> PCI_ADDRESS_FUNCTION_SHIFT),
				      (address & PCI_ADDRESS_REGISTER) + (unsigned)offset, width);
	return 0;
}

static int pci_data_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
			  uint64_t value)
{
	struct pci *pci = opaque;
	uint32_t address = READ_ONCE(pci->address);

	if (address & PCI_ADDRESS_ENABLE)
		pci_root_write(&pci->root, (uint16_t)(address >> PCI_ADDRESS_FUNCTION_SHIFT),
			       (address & PCI_ADDRESS_REGISTER) + (unsigned)offset, width,
			       (uint32_t)value);
	return 0;
}

static const struct hook_ops pci_data_ops = {
	.read = pci_data_read,
	.write = pci_data_write,
};

/*
 * Accesses that are not within 4 bytes, which hardware need not do, are done
 * piece by piece.
 */
static unsigned pci_ecam_piece(uint64_t offset, unsigned left)
{
	unsigned width = 1;

	while (width < 4 && width * 2 <= left && offset % (width * 2) == 0)
		width *= 2;
	return width;
}

static int pci_ecam_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
			 uint64_t *value)
{
	struct pci *pci = opaque;
	uint64_t part;
	unsigned done, step;

	*value = 0;
	for (done = 0; done < width; done += step) {
		uint64_t at = offset + done;

		step = pci_ecam_piece(at, width - done);
		part = pci_root_read(&pci->root, (uint16_t)(at >> PCI_ECAM_FUNCTION_SHIFT),
				     at % PCI_CONFIG_SIZE_EXT, step);
		*value |= (part & (BIT(8 * step) - 1)) << (8 * done);
	}
	return 0;
}

static int pci_ecam_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
			  uint64_t value)
{
	struct pci *pci = opaque;
	unsigned done, step;

	for (done = 0; done < width; done += step) {
		uint64_t at = offset + done;

		step = pci_ecam_piece(at, width - done);
		pci_root_write(&pci->root, (uint16_t)(at >> PCI_ECAM_FUNCTION_SHIFT),
			       at % PCI_CONFIG_SIZE_EXT, step,
			       (uint32_t)(value >> (8 * done) & (BIT(8 * step) - 1)));
	}
	return 0;
}

static const struct hook_ops pci_ecam_ops = {
	.read = pci_ecam_read,
	.write = pci_ecam_write,
};

static const char *pci_check(const void *state)
{
	const struct pci *pci = state;

	return pci->address & ~PCI_ADDRESS_KEPT ? "address" : NULL;
}

static const struct device_field pci_fields[] = {
	DEVICE_FIELD(struct pci, address),
	DEVICE_FIELD_REF(struct pci, host, &pci_function_ref),
	{},
};

static const struct device_state pci_saved = {
	.name = "pci",
	.version = 1,
	.size = sizeof(struct pci),
	.fields = pci_fields,
	.check = pci_check,
};

static void pci_reset(struct device *dev)
{
	struct pci *pci = dev->state;

	WRITE_ONCE(pci->address, 0);
	pci_assign(&pci->root);
	pci_pages_map(&pci->root);
}

static void pci_deferred(struct device *dev)
{
	struct pci *pci = dev->state;

	pci_pages_map(&pci->root);
}

static void pci_destroy(struct device *dev)
{
	struct pci *pci = dev->state;

	pci_function_free(pci->host);
	pci_root_free(&pci->root);
	kfree(pci);
}

/* It always decodes memory, and passes on what masters send there. */
static int pci_add_host(struct device *dev, struct pci *pci)
{
	static const uint8_t bytes[PCI_CONFIG_SIZE] = {
		[PCI_VENDOR_ID] = PCI_HOST_VENDOR & 0xff,
		[PCI_VENDOR_ID + 1] = PCI_HOST_VENDOR >> 8,
		[PCI_DEVICE_ID] = PCI_HOST_DEVICE & 0xff,
		[PCI_DEVICE_ID + 1] = PCI_HOST_DEVICE >> 8,
		[PCI_CLASS + 2] = PCI_CLASS_HOST_BRIDGE >> 16,
	};
	const struct pci_function_desc desc = {.config = bytes, .config_size = sizeof(bytes)};
	struct pci_function *f;
	int err = pci_function_make(dev, &pci->root.bus, PCI_DEVFN(0, 0), &desc, &f);

	if (err)
		return err;
	pci_config_set_writable(&f->config, PCI_COMMAND, 2, PCI_COMMAND_PARITY | PCI_COMMAND_SERR);
	pci_config_set_initial(&f->config, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_config_reset(&f->config);
	err = pci_function_publish(f);
	if (err)
		pci_function_free(f);
	else
		pci->host = f;
	return err;
}

/* What lies between the processor and the bus: docs/memory-map.md. */
static void pci_set_windows(struct pci *pci)
{
	const struct guest_memory *m = pci->root.dev->vm->memory;
	uint64_t base = ALIGN_UP(MAX(m->high_end, GUEST_HIGH_BASE), PCI_HIGH_ALIGN);
	uint64_t end = MIN(base + PCI_HIGH_SIZE, BIT(cpu_model_phys_bits(pci->root.dev->vm)));

	if (base < end) {
		pci->root.high_base = base;
		pci->root.high_end = end;
	}
	pci->acpi = (struct acpi_pci){
		.config_port = PCI_IO,
		.config_ports = PCI_IO_PORTS,
		.bus_last = PCI_BUS_LAST,
		.io = {{0, PCI_IO - 1}, {PCI_IO + PCI_IO_PORTS, 0xffff}},
		.ecam = GUEST_PCI_CONFIG,
		.memory = {{GUEST_VGA_BASE, GUEST_VGA_END - 1},
			   {GUEST_LOW_LIMIT, GUEST_PCI_CONFIG - 1},
			   {GUEST_PCI_CONFIG + GUEST_PCI_CONFIG_SIZE, PCI_HOLE_LAST}},
		.prefetchable = {pci->root.high_base, base < end ? end - 1 : 0},
	};
	memcpy(pci->acpi.gsi, pci_irq_gsi, sizeof(pci->acpi.gsi));
	memcpy(pci->acpi.isa, pci_irq_isa, sizeof(pci->acpi.isa));
	pci->ecam = (struct acpi_node){
		.hid = ACPI_HID_BOARD,
		.memory = (uint32_t)GUEST_PCI_CONFIG,
		.memory_size = (uint32_t)GUEST_PCI_CONFIG_SIZE,
	};
}

static int pci_hook(struct device *dev, struct pci *pci)
{
	int err = device_hook_io_register(dev, PCI_IO, 4, &pci_address_ops, pci);

	if (!err)
		err = device_hook_io(dev, PCI_IO_DATA, PCI_DATA_PORTS, &pci_data_ops, pci);
	if (!err)
		err = device_hook_memory(dev, GUEST_PCI_CONFIG, GUEST_PCI_CONFIG_SIZE,
					 HOOK_MEMORY_FULL, &pci_ecam_ops, pci);
	if (!err)
		err = device_hook_io_rest(dev, &pci_ports_ops, &pci->root);
	if (!err)
		err = device_hook_memory_rest(dev, &pci_memory_ops, pci_pages_hooked, &pci->root);
	return err;
}

static int pci_create(struct device *dev, const struct device_config *config __unused)
{
	struct pci *pci = kzalloc(sizeof(*pci));
	int err;

	if (!pci)
		return -ENOMEM;
	dev->state = pci;
	pci->root.dev = dev;
	spinlock_init(&pci->root.lock);
	pci_set_windows(pci);
	err = pci_root_init(&pci->root);
	if (!err)
		err = pci_irq_create(&pci->root);
	if (!err)
		err = pci_add_host(dev, pci);
	if (!err)
		err = device_provide(dev, PCI_BUS_KIND, &pci->root.bus);
	if (!err)
		err = device_provide(dev, ACPI_PCI_KIND, &pci->acpi);
	if (!err)
		err = device_provide(dev, ACPI_NODE_KIND, &pci->ecam);
	if (err)
		return err;
	pci_reset(dev);
	return pci_hook(dev, pci);
}

MACHINE_PART(pci_part, .machine = "pc", .text = "[device \"pci0\"]\ntype = pci\n");

DEVICE_TYPE(pci_type, .name = "pci", .help = "PCI root: host bridge and bus 0",
	    .create = pci_create, .destroy = pci_destroy, .deferred = pci_deferred,
	    .reset = pci_reset, .saved = &pci_saved);
