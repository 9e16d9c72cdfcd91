/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/nested_table.h"
#include "arch/x86_64/paging.h"

#include <errno.h>
#include <string.h>

#define NESTED_ENTRIES 512
#define NESTED_TOP     3 /* level of the root; 0 has the 4 KiB pages */

static uint64_t nested_span(unsigned level)
{
	return PAGE_SIZE << 9 * level;
}

static unsigned nested_index(gpa_t gpa, unsigned level)
{
	return gpa >> (PAGE_SHIFT + 9 * level) & (NESTED_ENTRIES - 1);
}

static bool nested_is_leaf(uint64_t entry, unsigned level)
{
	return level == 0 || (entry & NESTED_ENTRY_LARGE);
}

static bool nested_is_present(const struct nested_table *t, uint64_t entry)
{
	return entry & t->format.present;
}

static uint64_t *nested_below(uint64_t entry)
{
	return paging_direct(entry & NESTED_ENTRY_ADDR);
}

static uint64_t *nested_alloc(struct nested_table *t)
{
	return page_alloc_zeroed(t->owner, PAGE_ORDER_4K);
}

/* What the entry points to is written first: CPUs may be walking. */
static void nested_set(uint64_t *slot, uint64_t entry)
{
	__atomic_store_n(slot, entry, __ATOMIC_RELEASE);
}

int nested_table_init(struct nested_table *t, struct page_owner *owner,
		      const struct nested_format *format)
{
	*t = (struct nested_table){.owner = owner, .format = *format, .epoch = 1};
	t->root = nested_alloc(t);
	return t->root ? 0 : -ENOMEM;
}

hpa_t nested_table_root(const struct nested_table *t)
{
	return paging_phys(t->root);
}

static void nested_retire(struct nested_table *t, uint64_t *table)
{
	struct nested_retired *retired = (struct nested_retired *)table;

	memset(table, 0, PAGE_SIZE);
	*retired = (struct nested_retired){t->retired, t->epoch << NESTED_RETIRED_SHIFT};
	t->retired = retired;
}

/* @entry was taken out: its table, and all below. */
static void nested_retire_tree(struct nested_table *t, uint64_t entry, unsigned level)
{
	uint64_t *table = nested_below(entry);

	if (!nested_is_present(t, entry) || nested_is_leaf(entry, level))
		return;
	for (unsigned i = 0; level > 1 && i < NESTED_ENTRIES; i++)
		nested_retire_tree(t, table[i], level - 1);
	nested_retire(t, table);
}

void nested_table_reap(struct nested_table *t, uint64_t flushed)
{
	struct nested_retired **link = &t->retired;

	while (*link) {
		struct nested_retired *retired = *link;

		if (retired->epoch_shifted >> NESTED_RETIRED_SHIFT >= flushed) {
			link = &retired->next;
			continue;
		}
		*link = retired->next;
		page_free(t->owner, retired, PAGE_ORDER_4K);
	}
}

void nested_table_destroy(struct nested_table *t)
{
	if (!t->root)
		return;
	nested_retire_tree(t, paging_phys(t->root) | t->format.table, NESTED_TOP + 1);
	nested_table_reap(t, UINT64_MAX);
	t->root = NULL;
}

static bool nested_is_empty(const uint64_t *table)
{
	for (unsigned i = 0; i < NESTED_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

/* A large page becomes a table of 512 pages of the next size, with the same rights. */
static int nested_split(struct nested_table *t, uint64_t *slot, unsigned level)
{
	uint64_t *table = nested_alloc(t);
	uint64_t entry = *slot;

	if (!table)
		return -ENOMEM;
	if (level == 1)
		entry &= ~NESTED_ENTRY_LARGE;
	for (unsigned i = 0; i < NESTED_ENTRIES; i++)
		table[i] = entry + i * nested_span(level - 1);
	nested_set(slot, paging_phys(table) | t->format.table);
	return 0;
}

/* The table below @slot, made or split off when there is none. */
static int nested_descend(struct nested_table *t, uint64_t *slot, unsigned level)
{
	uint64_t *table;

	if (nested_is_present(t, *slot) && nested_is_leaf(*slot, level))
		return nested_split(t, slot, level);
	if (nested_is_present(t, *slot))
		return 0;
	table = nested_alloc(t);
	if (!table)
		return -ENOMEM;
	nested_set(slot, paging_phys(table) | t->format.table);
	return 0;
}

/* May one entry of @level map @gpa to @hpa? Tables that are there stay: vCPUs are using them. */
static bool nested_fits(const struct nested_table *t, uint64_t slot, unsigned level, gpa_t gpa,
			hpa_t hpa)
{
	if (level > (t->format.page_1g ? 2u : 1u))
		return false;
	return IS_ALIGNED(gpa | hpa, nested_span(level)) &&
	       (!nested_is_present(t, slot) || nested_is_leaf(slot, level));
}

/* @bits: one of the format's leafs. */
static int nested_map_level(struct nested_table *t, uint64_t *table, unsigned level, gpa_t gpa,
			    gpa_t end, hpa_t hpa, uint64_t bits)
{
	while (gpa < end) {
		uint64_t *slot = &table[nested_index(gpa, level)];
		gpa_t next = MIN(end, ALIGN_DOWN(gpa, nested_span(level)) + nested_span(level));
		int err = 0;

		if (next - gpa == nested_span(level) && nested_fits(t, *slot, level, gpa, hpa)) {
			nested_set(slot, hpa | bits | (level ? NESTED_ENTRY_LARGE : 0));
		} else {
			err = nested_descend(t, slot, level);
			if (!err)
				err = nested_map_level(t, nested_below(*slot), level - 1, gpa, next,
						       hpa, bits);
		}
		if (err)
			return err;
		hpa += next - gpa;
		gpa = next;
	}
	return 0;
}

static int nested_unmap_level(struct nested_table *t, uint64_t *table, unsigned level, gpa_t gpa,
			      gpa_t end)
{
	for (gpa_t next; gpa < end; gpa = next) {
		uint64_t *slot = &table[nested_index(gpa, level)];
		uint64_t entry = *slot;
		int err;

		next = MIN(end, ALIGN_DOWN(gpa, nested_span(level)) + nested_span(level));
		if (!nested_is_present(t, entry))
			continue;
		if (next - gpa < nested_span(level)) {
			err = nested_descend(t, slot, level);
			if (!err)
				err = nested_unmap_level(t, nested_below(*slot), level - 1, gpa,
							 next);
			if (err)
				return err;
			if (!nested_is_empty(nested_below(*slot)))
				continue;
			entry = *slot;
		}
		nested_set(slot, 0);
		nested_retire_tree(t, entry, level);
	}
	return 0;
}

static bool nested_range_ok(gpa_t gpa, uint64_t size)
{
	return IS_ALIGNED(gpa | size, PAGE_SIZE) && size <= NESTED_TABLE_GPA_END &&
	       gpa <= NESTED_TABLE_GPA_END - size;
}

int nested_table_map(struct nested_table *t, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access)
{
	int err;

	if (!nested_range_ok(gpa, size) || !IS_ALIGNED(hpa, PAGE_SIZE) ||
	    !(access & NESTED_ACCESS_ALL) || access >= NESTED_LEAFS)
		return -EINVAL;
	err = nested_map_level(t, t->root, NESTED_TOP, gpa, gpa + size, hpa,
			       t->format.leaf[access]);
	__atomic_store_n(&t->epoch, t->epoch + 1, __ATOMIC_SEQ_CST);
	return err;
}

int nested_table_unmap(struct nested_table *t, gpa_t gpa, uint64_t size)
{
	int err;

	if (!nested_range_ok(gpa, size))
		return -EINVAL;
	err = nested_unmap_level(t, t->root, NESTED_TOP, gpa, gpa + size);
	__atomic_store_n(&t->epoch, t->epoch + 1, __ATOMIC_SEQ_CST);
	return err;
}

uint64_t nested_table_lookup(const struct nested_table *t, gpa_t gpa, uint64_t *size)
{
	const uint64_t *table = t->root;

	for (unsigned level = NESTED_TOP;; level--) {
		uint64_t entry = table[nested_index(gpa, level)];

		*size = nested_span(level);
		if (!nested_is_present(t, entry))
			return 0;
		if (nested_is_leaf(entry, level))
			return entry;
		table = nested_below(entry);
	}
}
