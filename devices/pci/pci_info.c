/* SPDX-License-Identifier: BSD-2-Clause */
/* `info pci VM`: the buses as a tree, with what the guest has made of each function. */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "vmm/device.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#define PCI_INFO_CAPS_MAX ((PCI_CONFIG_SIZE - PCI_CAP_FIRST) / 4)

static uint32_t pci_get(struct pci_function *f, unsigned offset, unsigned width)
{
	return pci_function_config(f, offset, width);
}

static void pci_info_region(const struct pci_region *r, unsigned number, unsigned indent)
{
	const struct pci_function *f = r->f;
	bool on = f->command & (r->desc.io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);

	console_printf("%*s", (int)indent, "");
	if (number == PCI_BAR_ROM)
		console_printf("  ROM   memory");
	else
		console_printf("  BAR %u %s%s%s", number, r->desc.io ? "ports" : "memory",
			       r->desc.wide ? ", 64-bit" : "",
			       r->desc.prefetchable ? ", prefetchable" : "");
	console_printf(" of 0x%lx", r->desc.size);
	if (r->base)
		console_printf(" at 0x%lx%s%s\n", r->base, on ? "" : ", off",
			       READ_ONCE(r->mapped) ? ", mapped" : "");
	else
		console_printf(", no address\n");
}

static void pci_info_msi(struct pci_function *f, uint8_t at)
{
	uint32_t control = pci_get(f, at + PCI_MSI_CONTROL, 2);
	bool wide = control & PCI_MSI_WIDE;

	console_printf("MSI %s, %u of %u vectors%s", control & PCI_MSI_ENABLE ? "on" : "off",
		       1u << ((control & PCI_MSI_ENABLED) >> 4),
		       1u << ((control & PCI_MSI_CAPABLE) >> 1), wide ? ", 64-bit" : "");
	if (control & PCI_MSI_MASKS)
		console_printf(", masked 0x%x, pending 0x%x",
			       pci_get(f, at + PCI_MSI_MASK(wide), 4),
			       pci_get(f, at + PCI_MSI_MASK(wide) + 4, 4));
}

static void pci_info_msix(struct pci_function *f, uint8_t at)
{
	uint32_t control = pci_get(f, at + PCI_MSIX_CONTROL, 2);
	unsigned i, masked = 0, pending = 0;

	spin_lock(&f->lock);
	for (i = 0; i < f->msix.vectors; i++) {
		masked += f->msix.table[i][PCI_MSIX_ENTRY_CONTROL] & PCI_MSIX_ENTRY_MASK;
		pending += f->msix.pending[i / 64] >> (i % 64) & 1;
	}
	spin_unlock(&f->lock);
	console_printf("MSI-X %s%s, %u vectors, %u masked, %u pending, table in BAR %u",
		       control & PCI_MSIX_ENABLE ? "on" : "off",
		       control & PCI_MSIX_MASK_ALL ? " (all masked)" : "", f->msix.vectors, masked,
		       pending, f->msix.table_bar);
}

static void pci_info_cap(struct pci_function *f, uint8_t at)
{
	uint8_t id = (uint8_t)pci_get(f, at, 1);

	switch (id) {
	case PCI_CAP_PM:
		console_printf("power management, D%u",
			       pci_get(f, at + PCI_PM_CONTROL, 2) & PCI_PM_STATE);
		break;
	case PCI_CAP_MSI:
		pci_info_msi(f, at);
		break;
	case PCI_CAP_MSIX:
		if (at == f->msix_cap)
			pci_info_msix(f, at);
		break;
	case PCI_CAP_PCIE:
		console_printf("PCI Express %u",
			       pci_get(f, at + PCI_PCIE_FLAGS, 2) & PCI_PCIE_VERSION);
		break;
	case PCI_CAP_VENDOR:
		console_printf("vendor's, %u bytes", pci_get(f, at + 2u, 1));
		break;
	default:
		console_printf("id 0x%x", id);
	}
}

static void pci_info_caps(struct pci_function *f, unsigned indent)
{
	uint8_t at = (uint8_t)pci_get(f, PCI_CAPABILITIES, 1) & ~3u;
	unsigned n;

	if (!(pci_get(f, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
		return;
	for (n = 0; at >= PCI_CAP_FIRST && n < PCI_INFO_CAPS_MAX; n++) {
		console_printf("%*s  cap %02x ", (int)indent, "", at);
		pci_info_cap(f, at);
		console_printf("\n");
		at = (uint8_t)pci_get(f, at + PCI_CAP_NEXT, 1) & ~3u;
	}
}

static void pci_info_bridge(struct pci_function *f, unsigned indent)
{
	console_printf("%*s  buses %02x to %02x behind it\n", (int)indent, "",
		       pci_get(f, PCI_BRIDGE_SECONDARY, 1), pci_get(f, PCI_BRIDGE_SUBORDINATE, 1));
}

static void pci_info_function(struct pci_function *f, unsigned indent)
{
	char name[16];
	unsigned i;

	pci_function_name(f, name, sizeof(name));
	console_printf("%*s%s %04x: %04x:%04x %s%s%s%s\n", (int)indent, "", name,
		       pci_get(f, PCI_CLASS + 1, 2), pci_get(f, PCI_VENDOR_ID, 2),
		       pci_get(f, PCI_DEVICE_ID, 2), f->dev->id,
		       f->command & PCI_COMMAND_IO ? ", ports" : "",
		       f->command & PCI_COMMAND_MEMORY ? ", memory" : "",
		       f->command & PCI_COMMAND_MASTER ? ", master" : "");
	if (f->pin)
		console_printf("%*s  INT%c: GSI %u, ISA IRQ %u%s%s\n", (int)indent, "",
			       'A' + f->pin - 1, pci_irq_gsi[f->route], pci_irq_isa[f->route],
			       f->level ? ", pending" : "", f->asserted ? ", asserted" : "");
	for (i = 0; i < PCI_REGIONS; i++)
		if (f->regions[i].desc.size)
			pci_info_region(&f->regions[i], i, indent);
	pci_info_caps(f, indent);
	if (f->secondary)
		pci_info_bridge(f, indent);
}

/* No deeper than PCI_DEPTH_MAX. */
static void pci_info_bus(const struct pci_bus *bus)
{
	unsigned devfn;

	for (devfn = 0; devfn < PCI_DEVFNS; devfn++) {
		struct pci_function *f = bus->functions[devfn];

		if (!f)
			continue;
		pci_info_function(f, 2 * bus->depth);
		if (f->secondary)
			pci_info_bus(f->secondary);
	}
}

static void info_pci(char **argv)
{
	struct vm *vm = vm_find(argv[1]);
	const struct pci_bus *bus;
	enum vm_state state;

	if (!vm) {
		console_printf("%s: no such VM; `list` shows them\n", argv[1]);
		return;
	}
	/* Functions neither come nor go meanwhile. */
	state = vm_life_begin(vm);
	bus = vm->devices ? device_iface(vm, NULL, PCI_BUS_KIND) : NULL;
	if (bus)
		pci_info_bus(&bus->root->bus);
	else
		console_printf("VM %s has no PCI bus\n", vm->name);
	vm_life_end(vm, state);
}

INFO_TOPIC(info_pci_topic, .name = "pci", .args = "VM",
	   .help = "a VM's PCI functions: addresses, capabilities, interrupts", .min = 1, .max = 1,
	   .run = info_pci);
