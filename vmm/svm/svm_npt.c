/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_npt.h"
#include "arch/x86_64/paging.h"

#include <errno.h>
#include <string.h>

#define NPT_ENTRIES 512
#define NPT_TOP	    3 /* level of the root; 0 has the 4 KiB pages */
/*
 * Nested walks are user accesses (15.25.5). Accessed and Dirty are set from the
 * start, so that no walk has to write.
 */
#define NPT_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A)
#define NPT_LEAF  (PTE_P | PTE_US | PTE_A | PTE_D)

static uint64_t npt_span(unsigned level)
{
	return PAGE_SIZE << 9 * level;
}

static unsigned npt_index(gpa_t gpa, unsigned level)
{
	return gpa >> (PAGE_SHIFT + 9 * level) & (NPT_ENTRIES - 1);
}

static bool npt_is_leaf(uint64_t entry, unsigned level)
{
	return level == 0 || (entry & PTE_PS);
}

static uint64_t *npt_table(uint64_t entry)
{
	return paging_direct(entry & PTE_ADDR);
}

static uint64_t *npt_alloc(struct svm_npt *npt)
{
	return page_alloc_zeroed(npt->owner, PAGE_ORDER_4K);
}

int svm_npt_init(struct svm_npt *npt, struct page_owner *owner, bool page_1g)
{
	*npt = (struct svm_npt){.owner = owner, .page_1g = page_1g, .epoch = 1};
	npt->root = npt_alloc(npt);
	return npt->root ? 0 : -ENOMEM;
}

hpa_t svm_npt_root(const struct svm_npt *npt)
{
	return paging_phys(npt->root);
}

static void npt_retire(struct svm_npt *npt, uint64_t *table)
{
	struct svm_npt_retired *retired = (struct svm_npt_retired *)table;

	memset(table, 0, PAGE_SIZE);
	*retired = (struct svm_npt_retired){npt->retired, npt->epoch << 1};
	npt->retired = retired;
}

/* @entry was taken out: its table, and all below. */
static void npt_retire_tree(struct svm_npt *npt, uint64_t entry, unsigned level)
{
	uint64_t *table = npt_table(entry);

	if (!(entry & PTE_P) || npt_is_leaf(entry, level))
		return;
	for (unsigned i = 0; level > 1 && i < NPT_ENTRIES; i++)
		npt_retire_tree(npt, table[i], level - 1);
	npt_retire(npt, table);
}

void svm_npt_reap(struct svm_npt *npt, uint64_t flushed)
{
	struct svm_npt_retired **link = &npt->retired;

	while (*link) {
		struct svm_npt_retired *retired = *link;

		if (retired->epoch2 >> 1 >= flushed) {
			link = &retired->next;
			continue;
		}
		*link = retired->next;
		page_free(npt->owner, retired, PAGE_ORDER_4K);
	}
}

void svm_npt_destroy(struct svm_npt *npt)
{
	if (!npt->root)
		return;
	npt_retire_tree(npt, paging_phys(npt->root) | NPT_TABLE, NPT_TOP + 1);
	svm_npt_reap(npt, UINT64_MAX);
	npt->root = NULL;
}

static bool npt_is_empty(const uint64_t *table)
{
	for (unsigned i = 0; i < NPT_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

/* A large page becomes a table of 512 pages of the next size, with the same rights. */
static int npt_split(struct svm_npt *npt, uint64_t *slot, unsigned level)
{
	uint64_t *table = npt_alloc(npt);
	uint64_t entry = *slot;

	if (!table)
		return -ENOMEM;
	if (level == 1)
		entry &= ~PTE_PS;
	for (unsigned i = 0; i < NPT_ENTRIES; i++)
		table[i] = entry + i * npt_span(level - 1);
	WRITE_ONCE(*slot, paging_phys(table) | NPT_TABLE);
	return 0;
}

/* The table below @slot, made or split off when there is none. */
static int npt_descend(struct svm_npt *npt, uint64_t *slot, unsigned level)
{
	uint64_t *table;

	if ((*slot & PTE_P) && npt_is_leaf(*slot, level))
		return npt_split(npt, slot, level);
	if (*slot & PTE_P)
		return 0;
	table = npt_alloc(npt);
	if (!table)
		return -ENOMEM;
	WRITE_ONCE(*slot, paging_phys(table) | NPT_TABLE);
	return 0;
}

/* May one entry of @level map @gpa to @hpa? Tables that are there stay: vCPUs are using them. */
static bool npt_fits(const struct svm_npt *npt, uint64_t slot, unsigned level, gpa_t gpa, hpa_t hpa)
{
	if (level > (npt->page_1g ? 2u : 1u))
		return false;
	return IS_ALIGNED(gpa | hpa, npt_span(level)) &&
	       (!(slot & PTE_P) || npt_is_leaf(slot, level));
}

/* @bits: the rights of NPT_LEAF's kind. */
static int npt_map_level(struct svm_npt *npt, uint64_t *table, unsigned level, gpa_t gpa, gpa_t end,
			 hpa_t hpa, uint64_t bits)
{
	while (gpa < end) {
		uint64_t *slot = &table[npt_index(gpa, level)];
		gpa_t next = MIN(end, ALIGN_DOWN(gpa, npt_span(level)) + npt_span(level));
		int err = 0;

		if (next - gpa == npt_span(level) && npt_fits(npt, *slot, level, gpa, hpa)) {
			WRITE_ONCE(*slot, hpa | bits | (level ? PTE_PS : 0));
		} else {
			err = npt_descend(npt, slot, level);
			if (!err)
				err = npt_map_level(npt, npt_table(*slot), level - 1, gpa, next,
						    hpa, bits);
		}
		if (err)
			return err;
		hpa += next - gpa;
		gpa = next;
	}
	return 0;
}

static int npt_unmap_level(struct svm_npt *npt, uint64_t *table, unsigned level, gpa_t gpa,
			   gpa_t end)
{
	for (gpa_t next; gpa < end; gpa = next) {
		uint64_t *slot = &table[npt_index(gpa, level)];
		uint64_t entry = *slot;
		int err;

		next = MIN(end, ALIGN_DOWN(gpa, npt_span(level)) + npt_span(level));
		if (!(entry & PTE_P))
			continue;
		if (next - gpa < npt_span(level)) {
			err = npt_descend(npt, slot, level);
			if (!err)
				err = npt_unmap_level(npt, npt_table(*slot), level - 1, gpa, next);
			if (err)
				return err;
			if (!npt_is_empty(npt_table(*slot)))
				continue;
			entry = *slot;
		}
		WRITE_ONCE(*slot, 0);
		npt_retire_tree(npt, entry, level);
	}
	return 0;
}

static bool npt_range_ok(gpa_t gpa, uint64_t size)
{
	return IS_ALIGNED(gpa | size, PAGE_SIZE) && size <= SVM_NPT_GPA_END &&
	       gpa <= SVM_NPT_GPA_END - size;
}

int svm_npt_map(struct svm_npt *npt, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access)
{
	uint64_t bits = NPT_LEAF;
	int err;

	if (!npt_range_ok(gpa, size) || !IS_ALIGNED(hpa, PAGE_SIZE) || !access)
		return -EINVAL;
	if (access & ACCESS_WRITE)
		bits |= PTE_RW;
	if (!(access & ACCESS_EXEC))
		bits |= PTE_NX;
	err = npt_map_level(npt, npt->root, NPT_TOP, gpa, gpa + size, hpa, bits);
	__atomic_store_n(&npt->epoch, npt->epoch + 1, __ATOMIC_SEQ_CST);
	return err;
}

int svm_npt_unmap(struct svm_npt *npt, gpa_t gpa, uint64_t size)
{
	int err;

	if (!npt_range_ok(gpa, size))
		return -EINVAL;
	err = npt_unmap_level(npt, npt->root, NPT_TOP, gpa, gpa + size);
	__atomic_store_n(&npt->epoch, npt->epoch + 1, __ATOMIC_SEQ_CST);
	return err;
}

uint64_t svm_npt_lookup(const struct svm_npt *npt, gpa_t gpa, uint64_t *size)
{
	const uint64_t *table = npt->root;

	for (unsigned level = NPT_TOP;; level--) {
		uint64_t entry = table[npt_index(gpa, level)];

		*size = npt_span(level);
		if (!(entry & PTE_P))
			return 0;
		if (npt_is_leaf(entry, level))
			return entry;
		table = npt_table(entry);
	}
}
