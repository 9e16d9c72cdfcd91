/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a function's configuration software may change: the header, its BARs,
 * and the capabilities that the bus knows. Lists are a device's data, a real
 * device's among them: walked with a bound, and refused where they are broken.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "vmm/device.h"

#include <errno.h>

/* As many as fit between the header and the end, and their extended ones. */
#define PCI_CAPS_MAX	 ((PCI_CONFIG_SIZE - PCI_CAP_FIRST) / 4)
#define PCI_EXT_CAPS_MAX ((PCI_CONFIG_SIZE_EXT - PCI_EXT_FIRST) / 4)

/* The bit is 0 after a reset, and then what software says. */
static void pci_define_writable(struct pci_config *c, unsigned offset, unsigned width,
				uint32_t mask)
{
	uint32_t initial = pci_config_read(c, offset, width) & ~mask;

	pci_config_set_writable(c, offset, width, mask);
	pci_config_set_initial(c, offset, width, initial);
	pci_config_set(c, offset, width, initial);
}

static int pci_cap_fits(struct pci_function *f, unsigned at, unsigned size, const char *what)
{
	if (pci_config_inside(&f->config, at + size - 4, 4) &&
	    (at >= PCI_EXT_FIRST || at + size <= PCI_CONFIG_SIZE))
		return 0;
	device_log(f->dev, LOG_ERROR, "PCI capability %s at 0x%x reaches beyond the configuration",
		   what, at);
	return -EINVAL;
}

static int pci_define_pm(struct pci_function *f, uint8_t at)
{
	int err = pci_cap_fits(f, at, PCI_PM_SIZE, "PM");

	if (err)
		return err;
	pci_define_writable(&f->config, at + PCI_PM_CONTROL, 2, PCI_PM_STATE | PCI_PM_PME_ENABLE);
	pci_config_set_clear(&f->config, at + PCI_PM_CONTROL, 2, PCI_PM_PME_STATUS);
	f->pm = at;
	return 0;
}

static int pci_define_msi(struct pci_function *f, uint8_t at)
{
	uint16_t control = (uint16_t)pci_config_read(&f->config, at + PCI_MSI_CONTROL, 2);
	bool wide = control & PCI_MSI_WIDE, masks = control & PCI_MSI_MASKS;
	struct pci_config *c = &f->config;
	int err =
		pci_cap_fits(f, at, masks ? PCI_MSI_MASK(wide) + 8 : PCI_MSI_DATA(wide) + 4, "MSI");

	if (err)
		return err;
	pci_define_writable(c, at + PCI_MSI_CONTROL, 2, PCI_MSI_ENABLE | PCI_MSI_ENABLED);
	pci_define_writable(c, at + PCI_MSI_ADDRESS, 4, ~(uint32_t)3);
	if (wide)
		pci_define_writable(c, at + PCI_MSI_ADDRESS_HI, 4, UINT32_MAX);
	pci_define_writable(c, at + PCI_MSI_DATA(wide), 2, UINT16_MAX);
	if (masks)
		pci_define_writable(c, at + PCI_MSI_MASK(wide), 4, UINT32_MAX);
	f->msi = at;
	return 0;
}

static int pci_define_msix(struct pci_function *f, uint8_t at)
{
	int err = pci_cap_fits(f, at, PCI_MSIX_SIZE, "MSI-X");

	if (err)
		return err;
	pci_define_writable(&f->config, at + PCI_MSIX_CONTROL, 2,
			    PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	f->msix_cap = at;
	return pci_msix_create(f);
}

static int pci_define_pcie(struct pci_function *f, uint8_t at)
{
	struct pci_config *c = &f->config;
	uint16_t flags = (uint16_t)pci_config_read(c, at + PCI_PCIE_FLAGS, 2);
	bool second = (flags & PCI_PCIE_VERSION) >= 2;
	int err = pci_cap_fits(f, at, second ? PCI_PCIE_SIZE_2 : PCI_PCIE_SIZE_1, "PCI Express");

	if (err)
		return err;
	/* FLR is a bit of endpoints; bridges have another meaning for it. */
	pci_define_writable(c, at + PCI_PCIE_DEVICE_CONTROL, 2, PCI_PCIE_DEVICE_FLR - 1);
	pci_config_set_clear(c, at + PCI_PCIE_DEVICE_STATUS, 2, PCI_PCIE_DEVICE_ERRORS);
	if ((flags & PCI_PCIE_TYPE) != PCI_PCIE_TYPE_INTEGRATED)
		pci_define_writable(c, at + PCI_PCIE_LINK_CONTROL, 2, PCI_PCIE_LINK_CONTROL_KEPT);
	if (second)
		pci_define_writable(c, at + PCI_PCIE_DEVICE_CONTROL_2, 2, PCI_PCIE_CONTROL_2_KEPT);
	f->pcie = at;
	return 0;
}

/* The first of each kind counts. */
static int pci_define_cap(struct pci_function *f, uint8_t at)
{
	switch (pci_config_read(&f->config, at, 1)) {
	case PCI_CAP_PM:
		return f->pm ? 0 : pci_define_pm(f, at);
	case PCI_CAP_MSI:
		return f->msi ? 0 : pci_define_msi(f, at);
	case PCI_CAP_MSIX:
		return f->msix_cap ? 0 : pci_define_msix(f, at);
	case PCI_CAP_PCIE:
		return f->pcie ? 0 : pci_define_pcie(f, at);
	default:
		return 0;
	}
}

static int pci_define_caps(struct pci_function *f)
{
	uint8_t at = (uint8_t)pci_config_read(&f->config, PCI_CAPABILITIES, 1) & ~3u;
	unsigned n;
	int err = 0;

	for (n = 0; !err && at && n < PCI_CAPS_MAX; n++) {
		if (at < PCI_CAP_FIRST) {
			device_log(f->dev, LOG_ERROR, "PCI capability at 0x%x, within the header",
				   at);
			return -EINVAL;
		}
		err = pci_define_cap(f, at);
		at = (uint8_t)pci_config_read(&f->config, at + PCI_CAP_NEXT, 1) & ~3u;
	}
	if (!err && at) {
		device_log(f->dev, LOG_ERROR, "the list of PCI capabilities has no end");
		err = -EINVAL;
	}
	return err;
}

static int pci_define_aer(struct pci_function *f, unsigned at)
{
	struct pci_config *c = &f->config;
	int err = pci_cap_fits(f, at, PCI_AER_SIZE, "AER");

	if (err)
		return err;
	/* Which errors there can be, the device says by its severities. */
	pci_config_set_clear(c, at + PCI_AER_STATUS, 4, PCI_AER_UNCORRECTED);
	pci_define_writable(c, at + PCI_AER_MASK, 4, PCI_AER_UNCORRECTED);
	pci_config_set_writable(c, at + PCI_AER_SEVERITY, 4, PCI_AER_UNCORRECTED);
	pci_config_set_clear(c, at + PCI_AER_CORR_STATUS, 4, PCI_AER_CORRECTED);
	pci_config_set_writable(c, at + PCI_AER_CORR_MASK, 4, PCI_AER_CORRECTED);
	return 0;
}

static int pci_define_ext_caps(struct pci_function *f)
{
	unsigned at = PCI_EXT_FIRST, n;
	uint32_t header = UINT32_MAX;
	int err = 0;

	for (n = 0; !err && at && n < PCI_EXT_CAPS_MAX; n++) {
		if (at < PCI_EXT_FIRST) {
			device_log(f->dev, LOG_ERROR, "extended PCI capability at 0x%x", at);
			return -EINVAL;
		}
		header = pci_config_read(&f->config, at, 4);
		if ((header & PCI_EXT_ID) == PCI_EXT_AER)
			err = pci_define_aer(f, at);
		at = (header >> PCI_EXT_NEXT_SHIFT) & PCI_EXT_ALIGN;
	}
	if (!err && at) {
		device_log(f->dev, LOG_ERROR, "the list of extended PCI capabilities has no end");
		err = -EINVAL;
	}
	return err;
}

static void pci_define_region(struct pci_function *f, struct pci_region *r)
{
	struct pci_config *c = &f->config;
	uint64_t mask = ~(r->desc.size - 1);
	uint32_t flags = 0;

	if (r == &f->regions[PCI_BAR_ROM]) {
		pci_define_writable(c, r->reg, 4, (mask & PCI_ROM_MASK) | PCI_ROM_ENABLE);
		pci_config_set_initial(c, r->reg, 4, 0);
	} else {
		if (r->desc.io)
			flags = PCI_BAR_IO;
		else
			flags = (r->desc.wide ? PCI_BAR_WIDE : 0) |
				(r->desc.prefetchable ? PCI_BAR_PREFETCHABLE : 0);
		pci_config_set_writable(
			c, r->reg, 4,
			(uint32_t)mask & (r->desc.io ? PCI_BAR_IO_MASK : PCI_BAR_MEMORY_MASK));
		pci_config_set_initial(c, r->reg, 4, flags);
	}
	if (r->desc.wide) {
		pci_config_set_writable(c, r->reg + 4u, 4, (uint32_t)(mask >> 32));
		pci_config_set_initial(c, r->reg + 4u, 4, 0);
	}
}

/* BARs that there are not read 0. */
static void pci_define_regions(struct pci_function *f)
{
	unsigned i, bars = f->is_bridge ? PCI_BRIDGE_BARS : PCI_BARS;

	for (i = 0; i < bars; i++)
		pci_config_set_initial(&f->config, PCI_BAR0 + 4 * i, 4, 0);
	pci_config_set_initial(&f->config, f->regions[PCI_BAR_ROM].reg, 4, 0);
	for (i = 0; i < PCI_REGIONS; i++)
		if (f->regions[i].desc.size)
			pci_define_region(f, &f->regions[i]);
}

static void pci_define_bridge(struct pci_config *c)
{
	pci_define_writable(c, PCI_BRIDGE_PRIMARY, 4, UINT32_MAX); /* and the latency */
	pci_define_writable(c, PCI_BRIDGE_IO_BASE, 2, 0xf0f0);
	pci_config_set_clear(c, PCI_BRIDGE_STATUS, 2, PCI_STATUS_ERRORS);
	pci_define_writable(c, PCI_BRIDGE_MEMORY_BASE, 4, 0xfff0fff0);
	pci_define_writable(c, PCI_BRIDGE_PREF_BASE, 4, 0xfff0fff0);
	pci_define_writable(c, PCI_BRIDGE_PREF_BASE_HI, 4, UINT32_MAX);
	pci_define_writable(c, PCI_BRIDGE_PREF_LIMIT_HI, 4, UINT32_MAX);
	pci_define_writable(c, PCI_BRIDGE_CONTROL, 2,
			    PCI_BRIDGE_CONTROL_PARITY | PCI_BRIDGE_CONTROL_SERR |
				    PCI_BRIDGE_CONTROL_ABORT | PCI_BRIDGE_CONTROL_RESET);
}

/* I/O and memory can be switched on where there is something to switch on. */
static uint16_t pci_command_mask(const struct pci_function *f)
{
	uint16_t mask = PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR;
	unsigned i;

	if (f->is_bridge)
		mask |= PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	if (f->pin)
		mask |= PCI_COMMAND_INTX;
	for (i = 0; i < PCI_REGIONS; i++)
		if (f->regions[i].desc.size)
			mask |= f->regions[i].desc.io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	return mask;
}

int pci_caps_define(struct pci_function *f)
{
	struct pci_config *c = &f->config;
	uint16_t status = (uint16_t)pci_config_read(c, PCI_STATUS, 2);
	int err = 0;

	pci_config_set_initial(c, PCI_COMMAND, 2, 0);
	pci_config_set_writable(c, PCI_COMMAND, 2, pci_command_mask(f));
	status &= (uint16_t) ~(PCI_STATUS_ERRORS | PCI_STATUS_INTERRUPT | PCI_STATUS_CAPABILITIES);
	if (pci_config_read(c, PCI_CAPABILITIES, 1))
		status |= PCI_STATUS_CAPABILITIES;
	pci_config_set_initial(c, PCI_STATUS, 2, status);
	pci_config_set_clear(c, PCI_STATUS, 2, PCI_STATUS_ERRORS);
	pci_define_writable(c, PCI_CACHE_LINE, 2, UINT16_MAX); /* and the latency */
	if (f->pin) {
		pci_config_set_writable(c, PCI_INTERRUPT_LINE, 1, UINT8_MAX);
		pci_config_set_initial(c, PCI_INTERRUPT_LINE, 1, pci_irq_isa[f->route]);
	}
	if (f->is_bridge)
		pci_define_bridge(c);
	pci_define_regions(f);
	if (status & PCI_STATUS_CAPABILITIES)
		err = pci_define_caps(f);
	if (!err && c->size == PCI_CONFIG_SIZE_EXT)
		err = pci_define_ext_caps(f);
	pci_config_reset(c);
	return err;
}
