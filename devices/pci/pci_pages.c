/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BARs whose pages the guest reaches without an exit: mapped into its nested
 * tables while the BAR is decoded and nobody else is there. Whatever changes that
 * takes them away at once, under the root's lock, and asks vCPUs to flush; the
 * one that wrote goes on when all have. Mapping allocates, so it is left to a
 * task; accesses exit until then, and come to the BAR's handlers.
 */
#include "devices/pci/pci_bus.h"
#include "kernel/page_alloc.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/nested_table.h"
#include "vmm/vm.h"

#include <errno.h>

#define PCI_PAGES_LARGE UINT64_C(0x200000) /* what takes longer in small pages is not done */

static bool pci_pages_fit(const struct pci_bar *b)
{
	uint64_t host = (uintptr_t)b->pages;

	if (b->io || !b->pages_size || (host | b->pages_offset | b->pages_size) % PAGE_SIZE)
		return false;
	if (b->pages_size >= PCI_PAGES_LARGE && (host - b->pages_offset) % PCI_PAGES_LARGE)
		return false;
	return b->pages_offset < b->size && b->pages_size <= b->size - b->pages_offset;
}

int pci_pages_check(const struct pci_function *f)
{
	unsigned i;

	for (i = 0; i < PCI_REGIONS; i++) {
		const struct pci_bar *b = &f->regions[i].desc;

		if (!b->size || !b->pages)
			continue;
		if (!pci_pages_fit(b) || pci_msix_overlaps(f, i, b->pages_offset, b->pages_size)) {
			device_log(
				f->dev, LOG_ERROR,
				"BAR %u: pages of 0x%lx bytes at 0x%lx: expected whole ones within "
				"its 0x%lx of memory, and no MSI-X there",
				i, b->pages_size, b->pages_offset, b->size);
			return -EINVAL;
		}
	}
	return 0;
}

void pci_pages_enter(struct pci_root *root, struct pci_function *f)
{
	unsigned i;

	for (i = 0; i < PCI_REGIONS; i++)
		if (f->regions[i].desc.size && f->regions[i].desc.pages)
			list_add_tail(&f->regions[i].link, &root->paged);
}

static void pci_pages_take(struct pci_region *r)
{
	guest_memory_unmap_device(r->f->dev->vm, r->mapped, r->desc.pages_size);
	r->mapped = 0;
}

static uint64_t pci_pages_place(const struct vm *vm, const struct pci_map *map,
				const struct pci_region *r)
{
	uint64_t at = r->base + r->desc.pages_offset, size = r->desc.pages_size;

	return pci_map_is_alone(map, r) && at < NESTED_TABLE_GPA_END &&
			       size <= NESTED_TABLE_GPA_END - at &&
			       hook_memory_is_rest(vm, at, size)
		       ? at
		       : 0;
}

void pci_pages_update(struct pci_root *root, const struct pci_map *map)
{
	struct vm *vm = root->dev->vm;
	bool taken = false, wanted = false;
	struct pci_region *r;

	list_for_each_entry (r, &root->paged, link) {
		r->place = pci_pages_place(vm, map, r);
		if (r->mapped && r->mapped != r->place) {
			pci_pages_take(r);
			taken = true;
		}
		wanted |= r->place != r->mapped;
	}
	if (taken)
		vm_flush_soon(vm);
	if (wanted)
		device_defer(root->dev);
}

bool pci_pages_leave(struct pci_function *f)
{
	bool paged = false;
	unsigned i;

	for (i = 0; i < PCI_REGIONS; i++) {
		struct pci_region *r = &f->regions[i];

		if (!r->desc.size || !r->desc.pages)
			continue;
		if (r->mapped)
			pci_pages_take(r);
		list_del(&r->link);
		paged = true;
	}
	return paged;
}

/* Also where they were taken away before: a vCPU may not have flushed since. */
void pci_pages_left(struct vm *vm)
{
	if (vm->hooks->live)
		vm_flush(vm);
	guest_memory_trim(vm);
}

/* What cannot be mapped is trapped until something moves. */
static void pci_pages_map_one(struct pci_region *r)
{
	struct vm *vm = r->f->dev->vm;
	int err = guest_memory_map_data(vm, r->place, r->desc.pages, r->desc.pages_size);

	if (!err) {
		r->mapped = r->place;
		return;
	}
	guest_memory_unmap_device(vm, r->place, r->desc.pages_size);
	vm_flush_soon(vm); /* of the part that was there */
	vm_log_guest(vm, LOG_WARN, "%s: no memory to map its BAR at 0x%lx: it stays slow",
		     r->f->dev->id, r->base);
	r->place = 0;
}

void pci_pages_map(struct pci_root *root)
{
	struct pci_region *r;

	spin_lock(&root->lock);
	list_for_each_entry (r, &root->paged, link)
		if (r->place != r->mapped)
			pci_pages_map_one(r);
	spin_unlock(&root->lock);
}

void pci_pages_hooked(void *opaque)
{
	struct pci_root *root = opaque;

	spin_lock(&root->lock);
	pci_pages_update(root, root->maps[PCI_MEMORY]);
	spin_unlock(&root->lock);
}
