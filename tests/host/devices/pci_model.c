/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/pci_model.h"

#include "devices/pci/pci_regs.h"

/* What the registers of the bridges above say of [*first, *last]; false: nothing passes. */
static bool passes(const struct pci_region *r, uint64_t *first, uint64_t *last)
{
	const struct pci_function *b;

	for (b = r->f->bus->bridge; b; b = b->bus->bridge) {
		const struct pci_config *c = &b->config;
		uint64_t windows[2][2];
		unsigned n = r->desc.io ? 1 : 2, i;

		if (!(pci_config_read(c, PCI_COMMAND, 1) & (r->desc.io ? 1 : 2)))
			return false;
		if (r->desc.io) {
			windows[0][0] = pci_config_read(c, 0x1c, 1) >> 4 << 12;
			windows[0][1] = pci_config_read(c, 0x1d, 1) >> 4 << 12 | 0xfff;
		} else {
			windows[0][0] = pci_config_read(c, 0x20, 2) >> 4 << 20;
			windows[0][1] = pci_config_read(c, 0x22, 2) >> 4 << 20 | 0xfffff;
			windows[1][0] = (uint64_t)pci_config_read(c, 0x28, 4) << 32 |
					pci_config_read(c, 0x24, 2) >> 4 << 20;
			windows[1][1] = (uint64_t)pci_config_read(c, 0x2c, 4) << 32 |
					pci_config_read(c, 0x26, 2) >> 4 << 20 | 0xfffff;
		}
		for (i = 0; i < n; i++)
			if (windows[i][0] <= windows[i][1] && *first <= windows[i][1] &&
			    *last >= windows[i][0])
				break;
		if (i == n)
			return false;
		*first = MAX(*first, windows[i][0]);
		*last = MIN(*last, windows[i][1]);
	}
	return true;
}

static bool is_on(const struct pci_region *r)
{
	const struct pci_function *f = r->f;
	bool rom = r == &f->regions[PCI_BAR_ROM];
	uint32_t bit = r->desc.io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	if (f->pm && (pci_config_read(&f->config, f->pm + 4u, 1) & 3))
		return false;
	return r->desc.size && r->base && (pci_config_read(&f->config, PCI_COMMAND, 2) & bit) &&
	       (!rom || (pci_config_read(&f->config, r->reg, 1) & 1));
}

/* Who has byte @at: the one that begins first, then the older function's, then the lower number. */
const struct pci_region *pci_model_owner(const struct pci_root *root, bool io, uint64_t at)
{
	const struct pci_region *best = NULL;
	uint64_t best_first = 0;
	unsigned i, n;

	for (i = 0; i < root->list->count; i++)
		for (n = 0; root->list->items[i] && n < PCI_REGIONS; n++) {
			const struct pci_region *r = &root->list->items[i]->regions[n];
			uint64_t first = r->base, last = r->base + r->desc.size - 1;

			if (r->desc.io != io || !is_on(r) || !passes(r, &first, &last))
				continue;
			if (at < first || at > last || (best && first >= best_first))
				continue;
			best = r;
			best_first = first;
		}
	return best;
}
