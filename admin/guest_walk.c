/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/guest_walk.h"

#include "lib/compiler.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#include <string.h>

#define WALK_CR0_PG   BIT(31)
#define WALK_CR4_PSE  BIT(4)
#define WALK_CR4_PAE  BIT(5)
#define WALK_EFER_LMA BIT(10)

#define WALK_PRESENT BIT(0)
#define WALK_LARGE   BIT(7)
#define WALK_ADDRESS UINT64_C(0x000ffffffffff000)
/* PSE-36: bits 20-13 of a 4 MiB page's entry are 39-32 of its address (SDM vol. 3A, table 4-4). */
#define WALK_PSE36(entry) ((((entry) >> 13) & 0xff) << 32 | ((entry)&0xffc00000))

static void guest_walk_level(struct guest_walk *w, unsigned shift, unsigned bits, bool large)
{
	w->shifts[w->levels] = (uint8_t)shift;
	w->bits[w->levels] = (uint8_t)bits;
	w->large[w->levels++] = large;
}

void guest_walk_init(struct guest_walk *w, struct vm *vm, const struct vcpu_mode *mode)
{
	*w = (struct guest_walk){.vm = vm, .entry_size = 8, .root = mode->cr3 & WALK_ADDRESS};
	if (!(mode->cr0 & WALK_CR0_PG))
		return;
	if (!(mode->cr4 & WALK_CR4_PAE)) {
		w->entry_size = 4;
		w->root = mode->cr3 & 0xfffff000;
		guest_walk_level(w, 22, 10, mode->cr4 & WALK_CR4_PSE);
		guest_walk_level(w, 12, 10, false);
		return;
	}
	if (mode->efer & WALK_EFER_LMA) {
		guest_walk_level(w, 39, 9, false);
		guest_walk_level(w, 30, 9, true);
	} else {
		w->root = mode->cr3 & 0xffffffe0;
		guest_walk_level(w, 30, 2, false);
	}
	guest_walk_level(w, 21, 9, true);
	guest_walk_level(w, 12, 9, false);
}

/* An entry that others may be writing; 0 where there is no RAM. */
static uint64_t guest_walk_entry(const struct guest_walk *w, gpa_t table, unsigned index)
{
	const uint8_t *p =
		guest_memory_ptr(w->vm->memory, table + index * w->entry_size, w->entry_size);

	if (!p)
		return 0;
	return w->entry_size == 4 ? READ_ONCE(*(const uint32_t *)p)
				  : READ_ONCE(*(const uint64_t *)p);
}

/* The rights of PAE's root entries are reserved bits: those below count alone. */
static uint64_t guest_walk_rights(const struct guest_walk *w, unsigned level, uint64_t entry,
				  uint64_t above)
{
	uint64_t both = GUEST_WALK_WRITE | GUEST_WALK_USER;

	if (w->levels == 3 && !level)
		return above;
	return (above & entry & both) | ((above | entry) & GUEST_WALK_NX);
}

static bool guest_walk_is_page(const struct guest_walk *w, unsigned level, uint64_t entry)
{
	return level == w->levels - 1 || (w->large[level] && (entry & WALK_LARGE));
}

static gpa_t guest_walk_page(const struct guest_walk *w, unsigned level, uint64_t entry)
{
	uint64_t size = BIT(w->shifts[level]);

	if (w->entry_size == 4)
		return level ? entry & 0xfffff000 : WALK_PSE36(entry);
	return entry & WALK_ADDRESS & ~(size - 1);
}

/* Bit 47 goes on to the top in long mode. */
static gva_t guest_walk_canonical(const struct guest_walk *w, gva_t gva)
{
	return w->levels == 4 && gva & BIT(47) ? gva | ~(BIT(48) - 1) : gva;
}

bool guest_walk_find(const struct guest_walk *w, gva_t gva, struct guest_page *page)
{
	uint64_t entry, size, rights = GUEST_WALK_WRITE | GUEST_WALK_USER;
	gpa_t table = w->root;

	if (w->levels != 4)
		gva &= UINT32_MAX;
	else if (guest_walk_canonical(w, gva & (BIT(48) - 1)) != gva)
		return false;
	if (!w->levels)
		*page = (struct guest_page){ALIGN_DOWN(gva, 4096), ALIGN_DOWN(gva, 4096), 4096,
					    rights};
	for (unsigned level = 0; level < w->levels; level++) {
		size = BIT(w->shifts[level]);
		entry = guest_walk_entry(w, table,
					 gva >> w->shifts[level] & (BIT(w->bits[level]) - 1));
		if (!(entry & WALK_PRESENT))
			return false;
		rights = guest_walk_rights(w, level, entry, rights);
		if (guest_walk_is_page(w, level, entry)) {
			*page = (struct guest_page){ALIGN_DOWN(gva, size),
						    guest_walk_page(w, level, entry), size, rights};
			return true;
		}
		table = entry & (w->entry_size == 4 ? 0xfffff000 : WALK_ADDRESS);
	}
	return !w->levels;
}

/* One walk over all. */
struct guest_walk_way {
	const struct guest_walk *walk;
	unsigned tables; /* that may yet be read */
	bool (*fn)(void *opaque, const struct guest_page *page);
	void *opaque;
};

/* Four levels deep at most. */
static bool guest_walk_table(struct guest_walk_way *way, unsigned level, gpa_t table, gva_t gva,
			     uint64_t rights)
{
	const struct guest_walk *w = way->walk;

	if (!way->tables)
		return false;
	way->tables--;
	for (unsigned i = 0; i < BIT(w->bits[level]); i++) {
		uint64_t entry = guest_walk_entry(w, table, i), size = BIT(w->shifts[level]);
		uint64_t own = guest_walk_rights(w, level, entry, rights);
		gva_t at = guest_walk_canonical(w, gva + i * size);

		if (!(entry & WALK_PRESENT))
			continue;
		if (guest_walk_is_page(w, level, entry)) {
			if (!way->fn(way->opaque,
				     &(struct guest_page){at, guest_walk_page(w, level, entry),
							  size, own}))
				return false;
		} else if (!guest_walk_table(
				   way, level + 1,
				   entry & (w->entry_size == 4 ? 0xfffff000 : WALK_ADDRESS), at,
				   own)) {
			return false;
		}
	}
	return true;
}

bool guest_walk_all(const struct guest_walk *w, unsigned tables,
		    bool (*fn)(void *opaque, const struct guest_page *page), void *opaque)
{
	struct guest_walk_way way = {w, tables, fn, opaque};

	return !w->levels ||
	       guest_walk_table(&way, 0, w->root, 0, GUEST_WALK_WRITE | GUEST_WALK_USER);
}
