/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware does before a kernel starts: numbers to buses, addresses to
 * BARs, windows to bridges, and decoding on. So kernels that do not assign
 * anything find working devices, and those that do find nothing to mend.
 *
 * Each bus is filled from the largest alignment down, which leaves no holes
 * between what is a power of two. A bridge is an item of its parent, as large as
 * what is behind it.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#define PCI_ASSIGN_IO_FIRST 0x1000 /* below are the board's, and its aliases */
#define PCI_ASSIGN_IO_LAST  0xffff
#define PCI_HOLE_2	    (GUEST_PCI_CONFIG + GUEST_PCI_CONFIG_SIZE)
#define PCI_HOLE_2_LAST	    UINT64_C(0xfebfffff)

/* A bridge's granule, and what it has at least: for what is plugged in later. */
static const uint64_t pci_granule[PCI_KINDS] = {0x1000, 0x100000, 0x100000};
static const uint64_t pci_bridge_min[PCI_KINDS] = {0x1000, 0x200000, 0x200000};

/* Free addresses: [at, end). */
struct pci_room_range {
	uint64_t at, end;
};

/* A BAR, or a bridge with what is behind it. */
struct pci_item {
	struct pci_region *region; /* NULL: the bridge */
	struct pci_function *f;
	uint64_t size, align;
};

static enum pci_kind pci_region_kind(const struct pci_root *root, const struct pci_region *r)
{
	if (r->desc.io)
		return PCI_KIND_IO;
	if (r->desc.wide && r->desc.prefetchable && root->high_base < root->high_end)
		return PCI_KIND_HIGH;
	return PCI_KIND_MEMORY;
}

/* Item @i of function @f, its regions first; false: it has none of that kind there. */
static bool pci_item_of(struct pci_function *f, unsigned i, enum pci_kind kind,
			struct pci_item *item)
{
	struct pci_region *r = i < PCI_REGIONS ? &f->regions[i] : NULL;

	if (!r) {
		*item = (struct pci_item){NULL, f, f->need[kind].size, f->need[kind].align};
		return f->secondary && item->size;
	}
	*item = (struct pci_item){r, f, r->desc.size, r->desc.size};
	return item->size && pci_region_kind(f->bus->root, r) == kind;
}

/* The largest alignment below @below that an item of @bus has; 0: none. */
static uint64_t pci_next_align(const struct pci_bus *bus, enum pci_kind kind, uint64_t below)
{
	struct pci_item item;
	uint64_t align = 0;
	unsigned devfn, i;

	for (devfn = 0; devfn < PCI_DEVFNS; devfn++)
		for (i = 0; bus->functions[devfn] && i <= PCI_REGIONS; i++)
			if (pci_item_of(bus->functions[devfn], i, kind, &item) &&
			    item.align < below)
				align = MAX(align, item.align);
	return align;
}

/* An aligned place for @item in the first range that has one; false: there is none. */
static bool pci_place(struct pci_room_range *ranges, unsigned count, const struct pci_item *item,
		      uint64_t *base)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		*base = ALIGN_UP(ranges[i].at, item->align);
		if (*base > ranges[i].end || ranges[i].end - *base < item->size)
			continue;
		ranges[i].at = *base + item->size;
		return true;
	}
	return false;
}

static void pci_set_window(struct pci_config *c, enum pci_kind kind, uint64_t base, uint64_t last)
{
	switch (kind) {
	case PCI_KIND_IO:
		pci_config_set(c, PCI_BRIDGE_IO_BASE, 1, (uint32_t)(base >> 8) & 0xf0);
		pci_config_set(c, PCI_BRIDGE_IO_LIMIT, 1, (uint32_t)(last >> 8) & 0xf0);
		break;
	case PCI_KIND_MEMORY:
		pci_config_set(c, PCI_BRIDGE_MEMORY_BASE, 2, (uint32_t)(base >> 16) & 0xfff0);
		pci_config_set(c, PCI_BRIDGE_MEMORY_LIMIT, 2, (uint32_t)(last >> 16) & 0xfff0);
		break;
	default:
		pci_config_set(c, PCI_BRIDGE_PREF_BASE, 2,
			       ((uint32_t)(base >> 16) & 0xfff0) | PCI_BRIDGE_PREF_WIDE);
		pci_config_set(c, PCI_BRIDGE_PREF_LIMIT, 2,
			       ((uint32_t)(last >> 16) & 0xfff0) | PCI_BRIDGE_PREF_WIDE);
		pci_config_set(c, PCI_BRIDGE_PREF_BASE_HI, 4, (uint32_t)(base >> 32));
		pci_config_set(c, PCI_BRIDGE_PREF_LIMIT_HI, 4, (uint32_t)(last >> 32));
	}
}

static void pci_set_item(const struct pci_item *item, enum pci_kind kind, uint64_t base)
{
	struct pci_region *r = item->region;
	struct pci_config *c = &item->f->config;

	if (!r) {
		pci_set_window(c, kind, base, base + item->size - 1);
		item->f->need[kind].base = base;
		return;
	}
	pci_config_set(c, r->reg, 4, pci_config_read(c, r->reg, 4) | (uint32_t)base);
	if (r->desc.wide)
		pci_config_set(c, r->reg + 4u, 4, (uint32_t)(base >> 32));
	pci_region_update(r);
}

/* At each reset, and a guest resets as often as it likes. */
static void pci_tell_no_place(const struct pci_item *item)
{
	const struct device *dev = item->f->dev;

	if (item->region)
		vm_log_guest(
			dev->vm, LOG_WARN,
			"%s: PCI: no address is left for BAR %u, 0x%lx bytes: the guest finds none",
			dev->id, (unsigned)(item->region - item->f->regions), item->size);
	else
		vm_log_guest(dev->vm, LOG_WARN,
			     "%s: PCI: no addresses are left for the bus behind it", dev->id);
}

/* All of a kind on @bus into @ranges; @set: their registers too. */
static void pci_fill(const struct pci_bus *bus, enum pci_kind kind, struct pci_room_range *ranges,
		     unsigned count, bool set)
{
	uint64_t align = UINT64_MAX, base;
	struct pci_item item;
	unsigned devfn, i;

	while ((align = pci_next_align(bus, kind, align)) != 0) {
		for (devfn = 0; devfn < PCI_DEVFNS; devfn++) {
			for (i = 0; bus->functions[devfn] && i <= PCI_REGIONS; i++) {
				if (!pci_item_of(bus->functions[devfn], i, kind, &item) ||
				    item.align != align)
					continue;
				if (!pci_place(ranges, count, &item, &base))
					pci_tell_no_place(&item);
				else if (set)
					pci_set_item(&item, kind, base);
			}
		}
	}
}

/* What bridge @f needs for what is behind it; that of bridges behind it is known. */
static void pci_measure(struct pci_function *f)
{
	const struct pci_root *root = f->bus->root;
	enum pci_kind kind;

	for (kind = 0; kind < PCI_KINDS; kind++) {
		struct pci_room_range range = {0, UINT64_MAX / 2};

		f->need[kind].size = f->need[kind].base = 0;
		pci_set_window(&f->config, kind, UINT64_MAX, 0);
		if (kind == PCI_KIND_HIGH && root->high_base >= root->high_end)
			continue;
		pci_fill(f->secondary, kind, &range, 1, false);
		f->need[kind].size =
			MAX(ALIGN_UP(range.at, pci_granule[kind]), pci_bridge_min[kind]);
		f->need[kind].align =
			MAX(pci_next_align(f->secondary, kind, UINT64_MAX), pci_granule[kind]);
	}
}

static void pci_fill_root(struct pci_root *root)
{
	struct pci_room_range io = {PCI_ASSIGN_IO_FIRST, PCI_ASSIGN_IO_LAST + 1};
	struct pci_room_range memory[] = {{GUEST_LOW_LIMIT, GUEST_PCI_CONFIG},
					  {PCI_HOLE_2, PCI_HOLE_2_LAST + 1}};
	struct pci_room_range high = {root->high_base, root->high_end};

	pci_fill(&root->bus, PCI_KIND_IO, &io, 1, true);
	pci_fill(&root->bus, PCI_KIND_MEMORY, memory, ARRAY_SIZE(memory), true);
	pci_fill(&root->bus, PCI_KIND_HIGH, &high, 1, true);
}

/* The bus behind @f, within the windows that it has got. */
static void pci_fill_behind(const struct pci_function *f)
{
	enum pci_kind kind;

	for (kind = 0; kind < PCI_KINDS; kind++) {
		uint64_t base = f->need[kind].base;
		struct pci_room_range range = {base, base + f->need[kind].size};

		if (base)
			pci_fill(f->secondary, kind, &range, 1, true);
	}
}

/* Depth first, as firmware does; the next free number. Bounded by PCI_DEPTH_MAX. */
static unsigned pci_number_below(const struct pci_bus *bus, unsigned number, unsigned next)
{
	unsigned devfn;

	for (devfn = 0; devfn < PCI_DEVFNS && next < PCI_BUSES; devfn++) {
		struct pci_function *f = bus->functions[devfn];
		unsigned own = next;

		if (!f || !f->secondary)
			continue;
		next = pci_number_below(f->secondary, own, own + 1);
		pci_config_set(&f->config, PCI_BRIDGE_PRIMARY, 1, number);
		pci_config_set(&f->config, PCI_BRIDGE_SECONDARY, 1, own);
		pci_config_set(&f->config, PCI_BRIDGE_SUBORDINATE, 1, next - 1);
	}
	return next;
}

/* A device without function 0 is not looked at by software (6.1). */
static void pci_tell_hidden(const struct pci_function *f)
{
	if (PCI_FN(f->devfn) && !f->bus->functions[PCI_DEVFN(PCI_SLOT(f->devfn), 0)])
		vm_log_guest(f->dev->vm, LOG_WARN,
			     "%s: PCI function %02x.%u: the guest will not find it, there is no "
			     "%02x.0",
			     f->dev->id, PCI_SLOT(f->devfn), PCI_FN(f->devfn), PCI_SLOT(f->devfn));
}

/* Decoding on for what has got addresses; mastering is the drivers', but for bridges. */
static void pci_enable(struct pci_function *f)
{
	uint32_t command = f->secondary ? PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER
					: 0,
		 off = 0;
	unsigned i;

	for (i = 0; i < PCI_REGIONS; i++) {
		const struct pci_region *r = &f->regions[i];
		uint32_t bit = r->desc.io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

		if (r->desc.size)
			*(r->base ? &command : &off) |= bit;
	}
	command |= pci_config_read(&f->config, PCI_COMMAND, 2);
	pci_config_set(&f->config, PCI_COMMAND, 2, command & ~off);
	pci_command_update(f);
}

void pci_assign(struct pci_root *root)
{
	const struct pci_list *list;
	unsigned i;

	spin_lock(&root->lock);
	list = root->list;
	for (i = list->count; i-- > 0;) {
		struct pci_function *f = list->items[i];

		if (!f)
			continue;
		spin_lock(&f->lock);
		pci_function_reset(f);
		spin_unlock(&f->lock);
		if (f->secondary)
			pci_measure(f);
	}
	pci_number_below(&root->bus, 0, 1);
	pci_fill_root(root);
	for (i = 0; i < list->count; i++)
		if (list->items[i] && list->items[i]->secondary)
			pci_fill_behind(list->items[i]);
	for (i = 0; i < list->count; i++)
		if (list->items[i]) {
			pci_tell_hidden(list->items[i]);
			pci_enable(list->items[i]);
		}
	pci_decode_update(root);
	spin_unlock(&root->lock);
	/* No function goes meanwhile: the VM's life is ours. */
	for (i = 0; i < list->count; i++)
		if (list->items[i] && list->items[i]->ops->command)
			list->items[i]->ops->command(list->items[i]->opaque,
						     list->items[i]->command);
}
