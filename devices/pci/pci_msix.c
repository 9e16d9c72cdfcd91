/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X: the table and the pending bits, which lie in a BAR of the function
 * (PCI 3.0, 6.8.2). They are the bus's, whatever else the device has there.
 * Software is to access them by aligned 4 or 8 bytes; others are merged.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/slab.h"
#include "vmm/device.h"

#include <errno.h>
#include <string.h>

static uint32_t pci_msix_table_size(const struct pci_msix *m)
{
	return m->vectors * PCI_MSIX_ENTRY;
}

static uint32_t pci_msix_pba_size(const struct pci_msix *m)
{
	return (m->vectors + 63) / 64 * 8;
}

/* [@offset, + @size) lies in memory BAR @bar. */
static bool pci_msix_fits(const struct pci_function *f, unsigned bar, uint32_t offset,
			  uint32_t size)
{
	const struct pci_bar *b;

	if (bar >= PCI_BARS)
		return false;
	b = &f->regions[bar].desc;
	return !b->io && b->size >= size && offset <= b->size - size;
}

int pci_msix_create(struct pci_function *f)
{
	uint32_t table = pci_config_read(&f->config, f->msix_cap + PCI_MSIX_TABLE, 4);
	uint32_t pba = pci_config_read(&f->config, f->msix_cap + PCI_MSIX_PBA, 4);
	struct pci_msix *m = &f->msix;

	m->vectors = 1 + (pci_config_read(&f->config, f->msix_cap + PCI_MSIX_CONTROL, 2) &
			  PCI_MSIX_VECTORS);
	m->table_bar = table & PCI_MSIX_BAR;
	m->pba_bar = pba & PCI_MSIX_BAR;
	m->table_offset = table & ~(uint32_t)PCI_MSIX_BAR;
	m->pba_offset = pba & ~(uint32_t)PCI_MSIX_BAR;
	if (!pci_msix_fits(f, m->table_bar, m->table_offset, pci_msix_table_size(m)) ||
	    !pci_msix_fits(f, m->pba_bar, m->pba_offset, pci_msix_pba_size(m)) ||
	    (m->table_bar == m->pba_bar && m->table_offset < m->pba_offset + pci_msix_pba_size(m) &&
	     m->pba_offset < m->table_offset + pci_msix_table_size(m))) {
		device_log(f->dev, LOG_ERROR,
			   "MSI-X: table of %u entries at 0x%x, pending bits at 0x%x: expected "
			   "within memory BARs, apart",
			   m->vectors, table, pba);
		return -EINVAL;
	}
	m->table = kcalloc(m->vectors, sizeof(*m->table));
	m->pending = kzalloc(pci_msix_pba_size(m));
	if (!m->table || !m->pending)
		return -ENOMEM;
	f->regions[m->table_bar].has_msix = f->regions[m->pba_bar].has_msix = true;
	pci_msix_reset(f);
	return 0;
}

static bool pci_msix_has(uint64_t first, uint64_t size, uint64_t offset, uint64_t bytes)
{
	return first < offset + bytes && offset < first + size;
}

bool pci_msix_overlaps(const struct pci_function *f, unsigned bar, uint64_t offset, uint64_t size)
{
	const struct pci_msix *m = &f->msix;

	return m->vectors &&
	       ((bar == m->table_bar &&
		 pci_msix_has(m->table_offset, pci_msix_table_size(m), offset, size)) ||
		(bar == m->pba_bar &&
		 pci_msix_has(m->pba_offset, pci_msix_pba_size(m), offset, size)));
}

void pci_msix_reset(struct pci_function *f)
{
	struct pci_msix *m = &f->msix;
	unsigned i;

	if (!m->vectors)
		return;
	memset(m->table, 0, pci_msix_table_size(m));
	memset(m->pending, 0, pci_msix_pba_size(m));
	for (i = 0; i < m->vectors; i++)
		m->table[i][PCI_MSIX_ENTRY_CONTROL] = PCI_MSIX_ENTRY_MASK;
}

static bool pci_msix_in_table(const struct pci_msix *m, unsigned bar, uint64_t offset)
{
	return bar == m->table_bar && offset - m->table_offset < pci_msix_table_size(m);
}

static bool pci_msix_in_pba(const struct pci_msix *m, unsigned bar, uint64_t offset)
{
	return bar == m->pba_bar && offset - m->pba_offset < pci_msix_pba_size(m);
}

bool pci_msix_owns(const struct pci_function *f, unsigned bar, uint64_t offset)
{
	return pci_msix_in_table(&f->msix, bar, offset) || pci_msix_in_pba(&f->msix, bar, offset);
}

static uint8_t pci_msix_byte(const struct pci_msix *m, unsigned bar, uint64_t offset)
{
	if (pci_msix_in_table(m, bar, offset))
		return ((const uint8_t *)m->table)[offset - m->table_offset];
	if (pci_msix_in_pba(m, bar, offset))
		return ((const uint8_t *)m->pending)[offset - m->pba_offset];
	return 0;
}

uint64_t pci_msix_read(struct pci_function *f, unsigned bar, uint64_t offset, unsigned width)
{
	uint64_t value = 0;
	unsigned i;

	for (i = 0; i < width; i++)
		value |= (uint64_t)pci_msix_byte(&f->msix, bar, offset + i) << (8 * i);
	return value;
}

/* Addresses lie at 4 bytes, and of the control there is the mask alone. */
static uint32_t pci_msix_kept(uint64_t at)
{
	switch (at / 4 % 4) {
	case 0:
		return ~(uint32_t)3;
	case PCI_MSIX_ENTRY_CONTROL:
		return PCI_MSIX_ENTRY_MASK;
	default:
		return UINT32_MAX;
	}
}

/* The pending bits are read-only. */
void pci_msix_write(struct pci_function *f, unsigned bar, uint64_t offset, uint64_t value,
		    unsigned width)
{
	const struct pci_msix *m = &f->msix;
	unsigned i;

	for (i = 0; i < width; i++) {
		uint64_t at = offset + i - m->table_offset;
		uint8_t mask;

		if (!pci_msix_in_table(m, bar, offset + i))
			continue;
		mask = (uint8_t)(pci_msix_kept(at) >> (at % 4 * 8));
		((uint8_t *)m->table)[at] = (uint8_t)(value >> (8 * i)) & mask;
	}
	pci_irq_send_pending(f);
}
