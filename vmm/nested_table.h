/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested page tables: guest-physical to host-physical, four levels of 512
 * entries. Both vendors walk the same tree, and what stands in its entries is
 * a format: AMD's (APM vol. 2, 15.25.5; 5.3) or Intel's (SDM vol. 3C, 28.2.2).
 * Each mapping uses the largest pages that fit.
 *
 * CPUs walk and cache these tables while they are changed. An entry is written
 * at once; a table that is taken out stays, empty, until no vCPU can have it
 * cached: it is kept with the epoch in which it was taken out, and freed when
 * every vCPU has flushed in a later one (vmm/nested_epoch.h).
 */
#ifndef VMM_NESTED_TABLE_H
#define VMM_NESTED_TABLE_H

#include "kernel/page_alloc.h"
#include "lib/compiler.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stdint.h>

/* What four levels translate. */
#define NESTED_TABLE_GPA_END (UINT64_C(1) << 48)

/* What entries of both vendors have in common. */
#define NESTED_ENTRY_LARGE BIT(7) /* above the lowest level: a page, not a table */
#define NESTED_ENTRY_ADDR  UINT64_C(0x000ffffffffff000)

#define NESTED_ACCESS_ALL (ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC)
#define NESTED_LEAFS	  16 /* of these bits and ACCESS_UNCACHED */

/* What differs. The vendor's function makes one for the machine. */
struct nested_format {
	uint64_t present; /* an entry with none of these bits maps nothing */
	uint64_t table;	  /* what an entry has beside the address of a table */
	/* What one has beside the address of a page, by the ACCESS_ bits that are wanted;
	 * what the format cannot say gives more than wanted, never less. */
	uint64_t leaf[NESTED_LEAFS];
	bool page_1g;
};

/*
 * What stands in a table that was taken out. A stale walk finds nothing
 * present: in no format is there a present bit among those that are 0 in both.
 */
#define NESTED_RETIRED_SHIFT 3
struct nested_retired {
	struct nested_retired *next; /* whole pages */
	uint64_t epoch_shifted;
};

struct nested_table {
	uint64_t *root;
	struct page_owner *owner; /* pays for the tables */
	struct nested_format format;
	uint64_t epoch; /* counts changes; read by other CPUs */
	struct nested_retired *retired;
};

/* -ENOMEM. */
int nested_table_init(struct nested_table *t, struct page_owner *owner,
		      const struct nested_format *format) __must_check;
/* No vCPU uses them any more. */
void nested_table_destroy(struct nested_table *t);
hpa_t nested_table_root(const struct nested_table *t);

/*
 * [@gpa, @gpa + @size), whole pages below NESTED_TABLE_GPA_END, to @hpa with
 * @access (rights, and ACCESS_UNCACHED). -EINVAL, or -ENOMEM with a part mapped.
 */
int nested_table_map(struct nested_table *t, gpa_t gpa, hpa_t hpa, uint64_t size,
		     unsigned access) __must_check;
/* -EINVAL, or -ENOMEM when a large page had to be split and there was no page for the table. */
int nested_table_unmap(struct nested_table *t, gpa_t gpa, uint64_t size) __must_check;
/* Frees what was taken out before epoch @flushed. */
void nested_table_reap(struct nested_table *t, uint64_t flushed);

/* The entry that maps @gpa, 0 if none; its page's size to @size. For dumps and tests. */
uint64_t nested_table_lookup(const struct nested_table *t, gpa_t gpa, uint64_t *size);

#endif
