/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's page tables, as a person looks at them: nothing is changed, no accessed bit is set. No
 * paging, 32-bit, PAE, 4-level (SDM vol. 3A, 4.3 to 4.5).
 */
#ifndef ADMIN_GUEST_WALK_H
#define ADMIN_GUEST_WALK_H

#include "vmm/types.h"
#include "vmm/vcpu.h"

#define GUEST_WALK_WRITE BIT(1)
#define GUEST_WALK_USER	 BIT(2)
#define GUEST_WALK_NX	 BIT(63)

struct vm;

/* What @mode says about the tables. */
struct guest_walk {
	struct vm *vm;
	uint64_t root;
	unsigned levels; /* 0: no paging */
	unsigned entry_size;
	uint8_t shifts[4]; /* from the root on: lowest address bit that the level translates */
	uint8_t bits[4];   /* how many it translates */
	bool large[4];	   /* its entries may be pages */
};

/* A page, or the range that an entry lacks. */
struct guest_page {
	gva_t gva;
	gpa_t gpa;
	uint64_t size;
	uint64_t rights; /* of all levels: GUEST_WALK_ */
};

void guest_walk_init(struct guest_walk *walk, struct vm *vm, const struct vcpu_mode *mode);
/* The page of @gva; false: it has none. */
bool guest_walk_find(const struct guest_walk *walk, gva_t gva, struct guest_page *page);
/*
 * Each page, by rising address, until @fn returns false; reads at most @tables tables. False when
 * it did not come to the end.
 */
bool guest_walk_all(const struct guest_walk *walk, unsigned tables,
		    bool (*fn)(void *opaque, const struct guest_page *page), void *opaque);

#endif
