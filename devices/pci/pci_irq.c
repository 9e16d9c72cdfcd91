/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of functions: pins, which are wire-ORed and end at four lines of
 * the root, and messages (PCI 3.0, 2.2.6, 6.8).
 *
 * Line n of the root raises GSI 16 + n at the I/O APIC, and ISA IRQ 10 or 11 at
 * the 8259s: both at once, as a chipset does; a kernel listens to one of them.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/grace.h"
#include "vmm/device.h"
#include "vmm/vm.h"

const uint8_t pci_irq_gsi[PCI_PINS] = {16, 17, 18, 19};
const uint8_t pci_irq_isa[PCI_PINS] = {10, 11, 10, 11};

/* Behind a bridge, pins turn by the device's number (bridges 1.2, 9.1); so they do on the root. */
uint8_t pci_irq_route(const struct pci_bus *bus, uint8_t devfn, uint8_t pin)
{
	unsigned at = pin - 1u;

	for (; bus->bridge; bus = bus->bridge->bus) {
		at += PCI_SLOT(devfn);
		devfn = bus->bridge->devfn;
	}
	return (at + PCI_SLOT(devfn)) % PCI_PINS;
}

enum pci_irq_mode pci_function_irq_mode(const struct pci_function *f)
{
	const struct pci_config_byte *bytes = f->config.bytes;

	if (f->msix_cap &&
	    (READ_ONCE(bytes[f->msix_cap + PCI_MSIX_CONTROL + 1].value) & PCI_MSIX_ENABLE >> 8))
		return PCI_IRQ_MSIX;
	if (f->msi && (READ_ONCE(bytes[f->msi + PCI_MSI_CONTROL].value) & PCI_MSI_ENABLE))
		return PCI_IRQ_MSI;
	return PCI_IRQ_INTX;
}

bool pci_function_master(const struct pci_function *f)
{
	const struct pci_function *at;

	for (at = f; at; at = at->bus->bridge)
		if (!(READ_ONCE(at->command) & PCI_COMMAND_MASTER))
			return false;
	return true;
}

typedef void (*pci_line_set)(struct irq_line *line, bool level);

static __always_inline void pci_pin_set(struct pci_pin *pin, bool level, pci_line_set set)
{
	struct pci_root *root = pin->root;

	spin_lock(&root->pin_lock);
	pin->asserting += level ? 1 : -1u;
	set(pin->line, pin->asserting > 0);
	set(pin->isa, pin->asserting > 0);
	spin_unlock(&root->pin_lock);
}

static __always_inline void pci_irq_settle(struct pci_function *f, pci_line_set set)
{
	bool level = f->pin && f->level && !f->gone, asserted;
	struct pci_config_byte *status = &f->config.bytes[PCI_STATUS];

	/* The status bit is there whether or not the pin may speak (6.2.3). */
	status->value &= (uint8_t)~PCI_STATUS_INTERRUPT;
	status->value |= level ? PCI_STATUS_INTERRUPT : 0;
	asserted = level && !(f->command & PCI_COMMAND_INTX) &&
		   pci_function_irq_mode(f) == PCI_IRQ_INTX;
	if (asserted == f->asserted)
		return;
	f->asserted = asserted;
	pci_pin_set(&f->bus->root->pins[f->route], asserted, set);
}

void pci_irq_update(struct pci_function *f)
{
	pci_irq_settle(f, irq_line_set);
}

void pci_irq_restore(struct pci_function *f)
{
	pci_irq_settle(f, irq_line_restore);
}

void pci_function_intx(struct pci_function *f, bool level)
{
	spin_lock(&f->lock);
	f->level = level;
	pci_irq_update(f);
	spin_unlock(&f->lock);
}

static void pci_send(struct pci_function *f, uint64_t address, uint32_t data)
{
	irq_message(f->dev->vm, address, data);
}

static bool pci_msix_masked(const struct pci_function *f, unsigned vector)
{
	return (pci_config_read(&f->config, f->msix_cap + PCI_MSIX_CONTROL, 2) &
		PCI_MSIX_MASK_ALL) ||
	       (f->msix.table[vector][PCI_MSIX_ENTRY_CONTROL] & PCI_MSIX_ENTRY_MASK);
}

static void pci_msix_message(struct pci_function *f, unsigned vector)
{
	const uint32_t *entry;

	if (vector >= f->msix.vectors)
		return;
	entry = f->msix.table[vector];
	if (pci_msix_masked(f, vector)) {
		f->msix.pending[vector / 64] |= BIT(vector % 64);
	} else {
		f->msix.pending[vector / 64] &= ~BIT(vector % 64);
		pci_send(f, (uint64_t)entry[1] << 32 | entry[0], entry[2]);
	}
}

/* How many vectors software gave it: no more than it asked for. */
static unsigned pci_msi_vectors(const struct pci_function *f)
{
	uint32_t control = pci_config_read(&f->config, f->msi + PCI_MSI_CONTROL, 2);
	unsigned enabled = (control & PCI_MSI_ENABLED) >> 4,
		 capable = (control & PCI_MSI_CAPABLE) >> 1;

	return 1u << MIN(MIN(enabled, capable), PCI_MSI_LOG_MAX);
}

/* The vector is the data's lowest bits. With fewer than it asked for, it shares them. */
static void pci_msi_message(struct pci_function *f, unsigned vector)
{
	struct pci_config *c = &f->config;
	uint32_t control = pci_config_read(c, f->msi + PCI_MSI_CONTROL, 2);
	bool wide = control & PCI_MSI_WIDE, masks = control & PCI_MSI_MASKS;
	unsigned count = pci_msi_vectors(f), at = f->msi + PCI_MSI_MASK(wide);
	uint64_t address = pci_config_read(c, f->msi + PCI_MSI_ADDRESS, 4);
	uint32_t data = pci_config_read(c, f->msi + PCI_MSI_DATA(wide), 2), bit;

	vector %= count;
	bit = UINT32_C(1) << vector;
	if (masks) {
		uint32_t pending = pci_config_read(c, at + 4, 4);
		bool masked = pci_config_read(c, at, 4) & bit;

		pci_config_set(c, at + 4, 4, masked ? pending | bit : pending & ~bit);
		if (masked)
			return;
	}
	if (wide)
		address |= (uint64_t)pci_config_read(c, f->msi + PCI_MSI_ADDRESS_HI, 4) << 32;
	pci_send(f, address, (data & ~(count - 1)) | vector);
}

void pci_function_message(struct pci_function *f, unsigned vector)
{
	spin_lock(&f->lock);
	if (!f->gone && pci_function_master(f)) {
		if (pci_function_irq_mode(f) == PCI_IRQ_MSIX)
			pci_msix_message(f, vector);
		else if (pci_function_irq_mode(f) == PCI_IRQ_MSI)
			pci_msi_message(f, vector);
	}
	spin_unlock(&f->lock);
}

static void pci_msix_send_pending(struct pci_function *f)
{
	unsigned i, bit;

	for (i = 0; i < (f->msix.vectors + 63) / 64; i++) {
		uint64_t left = f->msix.pending[i];

		for (; left; left &= left - 1) {
			bit = (unsigned)__builtin_ctzll(left);
			if (!pci_msix_masked(f, i * 64 + bit))
				pci_msix_message(f, i * 64 + bit);
		}
	}
}

static void pci_msi_send_pending(struct pci_function *f)
{
	uint32_t control = pci_config_read(&f->config, f->msi + PCI_MSI_CONTROL, 2), left;
	unsigned at = f->msi + PCI_MSI_MASK(control & PCI_MSI_WIDE);

	if (!(control & PCI_MSI_MASKS))
		return;
	left = pci_config_read(&f->config, at + 4, 4) & ~pci_config_read(&f->config, at, 4);
	for (; left; left &= left - 1)
		pci_msi_message(f, (unsigned)__builtin_ctz(left));
}

void pci_irq_send_pending(struct pci_function *f)
{
	if (!pci_function_master(f))
		return;
	if (pci_function_irq_mode(f) == PCI_IRQ_MSIX)
		pci_msix_send_pending(f);
	else if (pci_function_irq_mode(f) == PCI_IRQ_MSI)
		pci_msi_send_pending(f);
}

/* A chip's lock is not held, nor is any of ours. */
static void pci_pin_eoi(void *opaque)
{
	struct pci_pin *pin = opaque;
	const struct pci_list *list = grace_read(pin->root->list);
	unsigned i;

	for (i = 0; list && i < list->count; i++) {
		struct pci_function *f = grace_read(list->items[i]);

		if (f && f->pin && &pin->root->pins[f->route] == pin && f->ops && f->ops->eoi)
			f->ops->eoi(f->opaque);
	}
}

static int pci_pin_line(struct pci_pin *pin, unsigned gsi, struct irq_line **line)
{
	int err = device_irq(pin->root->dev, gsi, "PCI", line);

	if (err)
		return err;
	(*line)->opaque = pin;
	(*line)->eoi = pci_pin_eoi;
	return 0;
}

int pci_irq_create(struct pci_root *root)
{
	unsigned i;
	int err = 0;

	spinlock_init(&root->pin_lock);
	for (i = 0; !err && i < PCI_PINS; i++) {
		root->pins[i].root = root;
		err = pci_pin_line(&root->pins[i], pci_irq_gsi[i], &root->pins[i].line);
		if (!err)
			err = pci_pin_line(&root->pins[i], pci_irq_isa[i], &root->pins[i].isa);
	}
	return err;
}
