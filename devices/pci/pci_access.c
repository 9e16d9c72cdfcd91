/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to configuration spaces, by whatever mechanism the guest makes them,
 * and what follows from a write: BARs move, decoding goes on and off, power
 * states change, functions are reset. The device is told when no lock is held
 * any more.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/grace.h"

/* What a write did; what is to be done without locks follows from it. */
struct pci_change {
	bool decode;	/* the maps are not right any more */
	bool command;	/* f->command is another */
	bool reset;	/* the function was reset … */
	bool secondary; /* … or what is behind it */
};

bool pci_function_is_behind(const struct pci_function *f, const struct pci_function *bridge)
{
	const struct pci_function *at;

	for (at = f->bus->bridge; at; at = at->bus->bridge)
		if (at == bridge)
			return true;
	return false;
}

static unsigned pci_power_state(const struct pci_function *f)
{
	return f->pm ? pci_config_read(&f->config, f->pm + PCI_PM_CONTROL, 1) & PCI_PM_STATE : 0;
}

bool pci_command_update(struct pci_function *f)
{
	uint16_t command = (uint16_t)pci_config_read(&f->config, PCI_COMMAND, 2);

	if (pci_power_state(f)) {
		command &= (uint16_t) ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		command |= PCI_COMMAND_INTX;
	}
	if (f->gone)
		command = 0;
	if (command == f->command)
		return false;
	WRITE_ONCE(f->command, command);
	return true;
}

void pci_function_reset(struct pci_function *f)
{
	unsigned i;

	pci_config_reset(&f->config);
	pci_msix_reset(f);
	for (i = 0; i < PCI_REGIONS; i++) {
		f->regions[i].sizing = 0;
		f->regions[i].base = 0;
	}
	pci_command_update(f);
	pci_irq_update(f);
}

/*
 * A write of all ones asks for a BAR's size: until another value comes, the BAR
 * answers where it did (hardware would move it to the end of the space).
 */
static void pci_wrote_region(struct pci_region *r, unsigned offset, unsigned width, uint32_t value,
			     struct pci_change *change)
{
	unsigned half, bytes = r->desc.wide ? 8 : 4;

	if (!r->desc.size || offset + width <= r->reg || offset >= r->reg + bytes)
		return;
	for (half = 0; half < bytes / 4; half++) {
		unsigned reg = r->reg + 4 * half;

		if (offset + width <= reg || offset >= reg + 4)
			continue;
		r->sizing &= (uint8_t)~BIT(half);
		if (offset == reg && width == 4 && value == UINT32_MAX &&
		    r != &r->f->regions[PCI_BAR_ROM])
			r->sizing |= (uint8_t)BIT(half);
	}
	pci_region_update(r);
	change->decode = true;
}

static bool pci_touches(unsigned offset, unsigned width, unsigned reg, unsigned size)
{
	return offset < reg + size && reg < offset + width;
}

/* A state that the function has not is as if it were not written (3.2.4). Out of D3hot it comes
 * reset, unless it says otherwise. */
static void pci_wrote_power(struct pci_function *f, unsigned before, struct pci_change *change)
{
	uint32_t caps = pci_config_read(&f->config, f->pm + PCI_PM_CAPS, 2);
	uint32_t control = pci_config_read(&f->config, f->pm + PCI_PM_CONTROL, 2);
	unsigned now = control & PCI_PM_STATE;

	if ((now == 1 && !(caps & PCI_PM_CAPS_D1)) || (now == 2 && !(caps & PCI_PM_CAPS_D2))) {
		pci_config_set(&f->config, f->pm + PCI_PM_CONTROL, 2,
			       (control & ~(uint32_t)PCI_PM_STATE) | before);
		return;
	}
	if (before == PCI_PM_D3 && now == 0 && !(control & PCI_PM_NO_SOFT_RESET))
		change->reset = true;
	change->decode |= before != now;
}

static bool pci_wants_flr(const struct pci_function *f, unsigned offset, unsigned width,
			  uint32_t value)
{
	unsigned reg = f->pcie + PCI_PCIE_DEVICE_CONTROL + 1u; /* the bit's byte */

	return f->pcie && pci_touches(offset, width, reg, 1) &&
	       (value >> (8 * (reg - offset)) & (PCI_PCIE_DEVICE_FLR >> 8)) &&
	       (pci_config_read(&f->config, f->pcie + PCI_PCIE_DEVICE_CAPS, 4) &
		PCI_PCIE_DEVICE_CAPS_FLR);
}

/* From the bus numbers to the I/O window, and from there to the prefetchable one. */
static void pci_wrote_bridge(struct pci_function *f, unsigned offset, unsigned width,
			     uint16_t before, struct pci_change *change)
{
	uint32_t control = pci_config_read(&f->config, PCI_BRIDGE_CONTROL, 2);

	if (pci_touches(offset, width, PCI_BRIDGE_PRIMARY,
			PCI_BRIDGE_PREF_LIMIT_HI + 4 - PCI_BRIDGE_PRIMARY))
		change->decode = true;
	if (control & ~before & PCI_BRIDGE_CONTROL_RESET)
		change->secondary = true;
}

/* Both locks are held. */
static void pci_function_write(struct pci_function *f, unsigned offset, unsigned width,
			       uint32_t value, struct pci_change *change)
{
	unsigned power = pci_power_state(f), i;
	uint16_t control =
		f->is_bridge ? (uint16_t)pci_config_read(&f->config, PCI_BRIDGE_CONTROL, 2) : 0;

	pci_config_write(&f->config, offset, width, value);
	for (i = 0; i < PCI_REGIONS; i++)
		pci_wrote_region(&f->regions[i], offset, width, value, change);
	if (f->is_bridge)
		pci_wrote_bridge(f, offset, width, control, change);
	if (f->pm)
		pci_wrote_power(f, power, change);
	if (pci_wants_flr(f, offset, width, value))
		change->reset = true;
	if (change->reset)
		pci_function_reset(f);
	change->command = pci_command_update(f);
	change->decode |= change->command || change->reset;
	pci_irq_update(f);
	pci_irq_send_pending(f);
}

/* The bridge is not locked; the root is. */
static void pci_reset_behind(struct pci_root *root, const struct pci_function *bridge)
{
	unsigned i;

	for (i = 0; i < root->list->count; i++) {
		struct pci_function *f = root->list->items[i];

		if (!f || !pci_function_is_behind(f, bridge))
			continue;
		spin_lock(&f->lock);
		pci_function_reset(f);
		spin_unlock(&f->lock);
	}
}

static void pci_tell_reset(const struct pci_function *f)
{
	if (f->ops->command)
		f->ops->command(f->opaque, READ_ONCE(f->command));
	if (f->ops->reset)
		f->ops->reset(f->opaque);
}

static void pci_tell(struct pci_root *root, const struct pci_function *f,
		     const struct pci_change *change)
{
	const struct pci_list *list = grace_read(root->list);
	unsigned i;

	if (change->reset)
		pci_tell_reset(f);
	else if (change->command && f->ops->command)
		f->ops->command(f->opaque, READ_ONCE(f->command));
	for (i = 0; change->secondary && i < list->count; i++) {
		const struct pci_function *behind = grace_read(list->items[i]);

		if (behind && pci_function_is_behind(behind, f))
			pci_tell_reset(behind);
	}
}

static struct pci_function *pci_root_find(struct pci_root *root, uint16_t address)
{
	const struct pci_bus *bus = grace_read(root->numbers[address >> 8]);

	return bus ? grace_read(bus->functions[address & 0xff]) : NULL;
}

uint32_t pci_root_read(struct pci_root *root, uint16_t address, unsigned offset, unsigned width)
{
	struct pci_function *f = pci_root_find(root, address);
	uint32_t value;

	if (!f || READ_ONCE(f->gone) || !pci_config_inside(&f->config, offset, width))
		return UINT32_MAX;
	value = pci_function_config(f, offset, width);
	if (f->ops->config_read)
		f->ops->config_read(f->opaque, offset, width, &value);
	return value;
}

void pci_root_write(struct pci_root *root, uint16_t address, unsigned offset, unsigned width,
		    uint32_t value)
{
	struct pci_function *f = pci_root_find(root, address);
	struct pci_change change = {};

	if (!f || READ_ONCE(f->gone) || !pci_config_inside(&f->config, offset, width))
		return;
	spin_lock(&root->lock);
	spin_lock(&f->lock);
	if (!f->gone)
		pci_function_write(f, offset, width, value, &change);
	spin_unlock(&f->lock);
	if (change.secondary)
		pci_reset_behind(root, f);
	if (change.decode || change.secondary)
		pci_decode_update(root);
	spin_unlock(&root->lock);
	pci_tell(root, f, &change);
	if (f->ops->config_written)
		f->ops->config_written(f->opaque, offset, width, value);
}
