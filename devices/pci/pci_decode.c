/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which BAR has an address. BARs move when the guest writes a register, where
 * nothing may be allocated or waited for; so they are no hooks, but windows of
 * two sorted maps (ports, memory), built anew in their place at each change.
 * The root asks them for what no hook and no RAM has: BARs lose against both.
 *
 * Where windows of BARs overlap, the one that begins first has what is common,
 * of two that begin together the function that is older, then the lower
 * register. It stays so until one of them moves.
 */
#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "kernel/grace.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>

void pci_region_update(struct pci_region *r)
{
	const struct pci_config *c = &r->f->config;
	uint64_t base = pci_config_read(c, r->reg, 4), limit = BIT(32);

	if (r->sizing)
		return;
	if (r->desc.wide) {
		base |= (uint64_t)pci_config_read(c, r->reg + 4u, 4) << 32;
		limit = PCI_GPA_LIMIT;
	} else if (r->desc.io) {
		limit = BIT(16);
	}
	base &= ~(r->desc.size - 1);
	r->base = base < limit ? base : 0;
}

static bool pci_region_is_on(const struct pci_region *r)
{
	const struct pci_function *f = r->f;

	if (!r->desc.size || !r->base)
		return false;
	if (r == &f->regions[PCI_BAR_ROM] &&
	    !(pci_config_read(&f->config, r->reg, 4) & PCI_ROM_ENABLE))
		return false;
	return f->command & (r->desc.io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

/* @w becomes the part of it that is in [@first, @last]; false: there is none. */
static bool pci_clip(struct pci_window *w, uint64_t first, uint64_t last)
{
	if (first > last || w->first > last || w->last < first)
		return false;
	w->first = MAX(w->first, first);
	w->last = MIN(w->last, last);
	return true;
}

static bool pci_clip_io(struct pci_window *w, const struct pci_config *c)
{
	uint32_t base = pci_config_read(c, PCI_BRIDGE_IO_BASE, 1) & 0xf0;
	uint32_t limit = pci_config_read(c, PCI_BRIDGE_IO_LIMIT, 1) & 0xf0;

	return pci_clip(w, base << 8, limit << 8 | 0xfff);
}

static bool pci_clip_memory(struct pci_window *w, const struct pci_config *c)
{
	uint64_t base = pci_config_read(c, PCI_BRIDGE_MEMORY_BASE, 2) & 0xfff0;
	uint64_t limit = pci_config_read(c, PCI_BRIDGE_MEMORY_LIMIT, 2) & 0xfff0;

	if (pci_clip(w, base << 16, limit << 16 | 0xfffff))
		return true;
	base = pci_config_read(c, PCI_BRIDGE_PREF_BASE, 2) & 0xfff0;
	limit = pci_config_read(c, PCI_BRIDGE_PREF_LIMIT, 2) & 0xfff0;
	base |= (uint64_t)pci_config_read(c, PCI_BRIDGE_PREF_BASE_HI, 4) << 16;
	limit |= (uint64_t)pci_config_read(c, PCI_BRIDGE_PREF_LIMIT_HI, 4) << 16;
	return pci_clip(w, base << 16, limit << 16 | 0xfffff);
}

/*
 * What of @w the bridges above its bus pass on. Of a BAR that lies in both of a
 * bridge's memory windows, the part in the first is seen.
 */
static bool pci_pass_bridges(struct pci_window *w)
{
	bool io = w->region->desc.io, passed = true;
	const struct pci_function *b;

	for (b = w->region->f->bus->bridge; b && passed; b = b->bus->bridge) {
		passed = b->command & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
		if (passed)
			passed = io ? pci_clip_io(w, &b->config) : pci_clip_memory(w, &b->config);
	}
	return passed;
}

static void pci_map_function(struct pci_map *const maps[], const struct pci_function *f,
			     unsigned order)
{
	unsigned i;

	for (i = 0; i < PCI_REGIONS; i++) {
		const struct pci_region *r = &f->regions[i];
		struct pci_map *map = maps[r->desc.io ? PCI_PORTS : PCI_MEMORY];
		struct pci_window w = {r->base, r->base + r->desc.size - 1, r,
				       order * PCI_REGIONS + i, false};

		if (pci_region_is_on(r) && pci_pass_bridges(&w))
			map->windows[map->count++] = w;
	}
}

static bool pci_window_before(const struct pci_window *a, const struct pci_window *b)
{
	return a->first < b->first || (a->first == b->first && a->order < b->order);
}

static void pci_sift(struct pci_window *w, uint32_t at, uint32_t count)
{
	uint32_t child;
	struct pci_window kept;

	for (child = 2 * at + 1; child < count; child = 2 * at + 1) {
		if (child + 1 < count && pci_window_before(&w[child], &w[child + 1]))
			child++;
		if (!pci_window_before(&w[at], &w[child]))
			return;
		kept = w[at];
		w[at] = w[child];
		w[child] = kept;
		at = child;
	}
}

/* Heapsort: a guest that shuffles its BARs costs us no more than one that does not. */
static void pci_sort(struct pci_window *w, uint32_t count)
{
	struct pci_window kept;
	uint32_t i;

	for (i = count / 2; i-- > 0;)
		pci_sift(w, i, count);
	for (i = count; i-- > 1;) {
		kept = w[0];
		w[0] = w[i];
		w[i] = kept;
		pci_sift(w, 0, i);
	}
}

/* The first one, when nobody waits for the map any more. */
static void pci_tell_overlap(struct pci_root *root)
{
	const struct pci_window *has = &root->overlap[0], *wants = &root->overlap[1];

	if (!has->region || root->overlap_told)
		return;
	root->overlap_told = true;
	device_log(root->dev, LOG_WARN,
		   "PCI: the guest has put register 0x%x of %s onto register 0x%x of %s, which is "
		   "the one that is seen at 0x%lx (told once)",
		   wants->region->reg, wants->region->f->dev->id, has->region->reg,
		   has->region->f->dev->id, wants->first);
}

/* Cuts off what another has already. */
static void pci_make_disjoint(struct pci_root *root, struct pci_map *map)
{
	uint32_t i, kept = 0;

	for (i = 0; i < map->count; i++) {
		struct pci_window w = map->windows[i];

		if (kept && w.first <= map->windows[kept - 1].last) {
			map->windows[kept - 1].shared = w.shared = true;
			root->overlap[0] = map->windows[kept - 1];
			root->overlap[1] = w;
			if (w.last <= map->windows[kept - 1].last)
				continue;
			w.first = map->windows[kept - 1].last + 1;
		}
		map->windows[kept++] = w;
	}
	map->count = kept;
}

/*
 * Bridges come before what is behind them: one pass finds all. A bus whose
 * number another has already is not reachable.
 */
static void pci_number_buses(struct pci_root *root)
{
	struct pci_bus *numbers[PCI_BUSES] = {&root->bus};
	unsigned i;

	for (i = 0; i < root->list->count; i++) {
		const struct pci_function *f = root->list->items[i];
		unsigned number, last;

		if (!f || !f->secondary)
			continue;
		number = pci_config_read(&f->config, PCI_BRIDGE_SECONDARY, 1);
		last = pci_config_read(&f->config, PCI_BRIDGE_SUBORDINATE, 1);
		f->secondary->number = -1;
		f->secondary->last = MIN(f->bus->last, last);
		if (f->bus->number < 0 || number <= (unsigned)f->bus->number ||
		    number > f->secondary->last || numbers[number])
			continue;
		f->secondary->number = (int)number;
		numbers[number] = f->secondary;
	}
	/* A bus that keeps its number is seen all the time. */
	for (i = 0; i < PCI_BUSES; i++)
		if (root->numbers[i] != numbers[i])
			grace_publish(root->numbers[i], numbers[i]);
}

static void pci_map_begin(struct pci_map *map)
{
	__atomic_store_n(&map->changes, map->changes + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	map->count = 0;
}

static void pci_map_end(struct pci_map *map)
{
	__atomic_store_n(&map->changes, map->changes + 1, __ATOMIC_RELEASE);
}

void pci_decode_build(struct pci_root *root, struct pci_map *const maps[])
{
	unsigned i;

	pci_number_buses(root);
	for (i = 0; i < PCI_SPACES; i++)
		pci_map_begin(maps[i]);
	for (i = 0; i < root->list->count; i++)
		if (root->list->items[i])
			pci_map_function(maps, root->list->items[i], i);
	for (i = 0; i < PCI_SPACES; i++) {
		pci_sort(maps[i]->windows, maps[i]->count);
		pci_make_disjoint(root, maps[i]);
		pci_map_end(maps[i]);
	}
	pci_tell_overlap(root);
	pci_pages_update(root, maps[PCI_MEMORY]);
}

void pci_decode_update(struct pci_root *root)
{
	pci_decode_build(root, root->maps);
}

/* The last window that begins at @at or before, or the first one. There are any. */
static __always_inline const struct pci_window *pci_map_look(const struct pci_map *map, uint64_t at,
							     uint32_t count)
{
	const struct pci_window *w = map->windows;
	uint32_t half;

	for (; count > 1; count -= half) {
		half = count / 2;
		if (READ_ONCE(w[half].first) <= at)
			w += half;
	}
	return w;
}

/* The last byte behind @at that no window has either; @w: what pci_map_look() found. */
static __noinline uint64_t pci_map_gap(const struct pci_map *map, const struct pci_window *w,
				       uint64_t at, uint32_t count)
{
	uint64_t first = READ_ONCE(w->first);

	if (first <= at)
		first = ++w < map->windows + count ? READ_ONCE(w->first) : 0;
	return first - 1;
}

bool pci_map_is_alone(const struct pci_map *map, const struct pci_region *r)
{
	const struct pci_window *w;

	if (!map->count)
		return false;
	w = pci_map_look(map, r->base, map->count);
	return w->region == r && !w->shared && w->first == r->base && w->last == r->base + r->mask;
}

/*
 * The region that answers byte @at, and the last byte from there that it
 * answers; NULL: none, and the last byte that none does. The region stays while this CPU passes no
 * quiescent point. What is read while the map is being rebuilt is thrown away; its writer is never
 * held up.
 */
static __always_inline const struct pci_region *pci_map_find(const struct pci_map *map, uint64_t at,
							     uint64_t *last)
{
	const struct pci_region *region;
	uint32_t changes, count;

	do {
		region = NULL;
		*last = UINT64_MAX;
		changes = __atomic_load_n(&map->changes, __ATOMIC_ACQUIRE);
		count = READ_ONCE(map->count);
		if (likely(count)) {
			const struct pci_window *w = pci_map_look(map, at, count);
			uint64_t first = READ_ONCE(w->first);

			*last = READ_ONCE(w->last);
			if (likely(first <= at && at <= *last))
				region = READ_ONCE(w->region);
			else
				*last = pci_map_gap(map, w, at, count);
		}
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely((changes & 1) || READ_ONCE(map->changes) != changes));
	return region;
}

static __always_inline int pci_bar_access(const struct pci_region *r, struct vcpu *vcpu, bool write,
					  uint64_t offset, unsigned width, uint64_t *value)
{
	return write ? r->ops.write(r->desc.opaque, vcpu, offset, width, *value)
		     : r->ops.read(r->desc.opaque, vcpu, offset, width, value);
}

/* Bytes of the MSI-X structures are the bus's; an access may lie across their ends. */
static __noinline int pci_msix_access(const struct pci_region *r, struct vcpu *vcpu, bool write,
				      uint64_t offset, unsigned width, uint64_t *value)
{
	struct pci_function *f = r->f;
	unsigned bar = (unsigned)(r - f->regions), i, owned = 0;
	uint64_t result = 0, byte;
	int err = 0;

	for (i = 0; i < width; i++)
		owned += pci_msix_owns(f, bar, offset + i);
	if (!owned)
		return pci_bar_access(r, vcpu, write, offset, width, value);
	spin_lock(&f->lock);
	if (write)
		pci_msix_write(f, bar, offset, *value, width);
	else
		result = pci_msix_read(f, bar, offset, width);
	spin_unlock(&f->lock);
	for (i = 0; i < width && owned < width && !err; i++) {
		if (pci_msix_owns(f, bar, offset + i))
			continue;
		byte = *value >> (8 * i) & 0xff;
		err = pci_bar_access(r, vcpu, write, offset + i, 1, &byte);
		result |= (byte & 0xff) << (8 * i);
	}
	if (!write)
		*value = result;
	return err;
}

/* An access that lies within @r. */
static __always_inline void pci_region_access(const struct pci_region *r, struct vcpu *vcpu,
					      bool write, uint64_t at, unsigned width,
					      uint64_t *value)
{
	uint64_t offset = at & r->mask;
	int err;

	if (unlikely(r->has_msix))
		err = pci_msix_access(r, vcpu, write, offset, width, value);
	else
		err = pci_bar_access(r, vcpu, write, offset, width, value);
	if (likely(!err))
		return;
	if (!write)
		*value = UINT64_MAX;
	hook_report(r->f->dev->vm, r->desc.io ? "a BAR's port" : "a BAR's memory", at,
		    r->f->dev->id, err);
}

/* Across the end of a region: piece by piece, as aligned as they can be. */
static __noinline __cold void pci_access_split(const struct pci_map *map, struct vcpu *vcpu,
					       bool write, uint64_t at, unsigned width,
					       uint64_t *value)
{
	const struct pci_region *r;
	uint64_t last, part, result = 0;
	unsigned done, step;

	for (done = 0; done < width; done += step) {
		r = pci_map_find(map, at + done, &last);
		step = 1;
		part = 0xff;
		if (r) {
			while (step * 2 <= width - done && (at + done) % (step * 2) == 0 &&
			       at + done + step * 2 - 1 <= last)
				step *= 2;
			part = write ? *value >> (8 * done) & (UINT64_MAX >> (64 - 8 * step)) : 0;
			pci_region_access(r, vcpu, write, at + done, step, &part);
			part &= UINT64_MAX >> (64 - 8 * step);
		}
		result |= part << (8 * done);
	}
	if (!write)
		*value = result;
}

static __always_inline void pci_access(struct pci_root *root, enum pci_space space,
				       struct vcpu *vcpu, bool write, uint64_t at, unsigned width,
				       uint64_t *value)
{
	const struct pci_map *map = grace_read(root->maps[space]);
	const struct pci_region *r;
	uint64_t last;

	/* One look for all of an access: in pieces, the first might miss what the last finds. */
	r = pci_map_find(map, at, &last);
	if (unlikely(at + width - 1 > last))
		pci_access_split(map, vcpu, write, at, width, value);
	else if (likely(r))
		pci_region_access(r, vcpu, write, at, width, value);
	else if (!write)
		*value = UINT64_MAX;
}

static int pci_ports_read(void *opaque, struct vcpu *vcpu, uint64_t port, unsigned width,
			  uint64_t *value)
{
	pci_access(opaque, PCI_PORTS, vcpu, false, port, width, value);
	return 0;
}

static int pci_ports_write(void *opaque, struct vcpu *vcpu, uint64_t port, unsigned width,
			   uint64_t value)
{
	pci_access(opaque, PCI_PORTS, vcpu, true, port, width, &value);
	return 0;
}

const struct hook_ops pci_ports_ops = {.read = pci_ports_read, .write = pci_ports_write};

static int pci_memory_read(void *opaque, struct vcpu *vcpu, uint64_t gpa, unsigned width,
			   uint64_t *value)
{
	pci_access(opaque, PCI_MEMORY, vcpu, false, gpa, width, value);
	return 0;
}

static int pci_memory_write(void *opaque, struct vcpu *vcpu, uint64_t gpa, unsigned width,
			    uint64_t value)
{
	pci_access(opaque, PCI_MEMORY, vcpu, true, gpa, width, &value);
	return 0;
}

const struct hook_ops pci_memory_ops = {.read = pci_memory_read, .write = pci_memory_write};
