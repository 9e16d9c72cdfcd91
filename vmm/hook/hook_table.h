/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who answers for each of many small numbers (ports, MSRs): a table of two
 * levels, so that a lookup is two loads whatever is hooked. It is changed
 * entry by entry: each is one pointer, and a reader sees the old owner or the
 * new one. Leaves live as long as the table.
 */
#ifndef VMM_HOOK_HOOK_TABLE_H
#define VMM_HOOK_HOOK_TABLE_H

#include "kernel/grace.h"
#include "lib/compiler.h"
#include "vmm/hook/hook.h"

#define HOOK_LEAF_SLOTS 256u

struct hook_leaf {
	const struct hook *owner[HOOK_LEAF_SLOTS];
};

struct hook_table {
	uint32_t slots; /* a multiple of HOOK_LEAF_SLOTS */
	struct hook_leaf *leaves[];
};

/* With no owners; NULL: no memory. */
struct hook_table *hook_table_create(uint32_t slots) __must_check;
void hook_table_destroy(struct hook_table *table); /* NULL is fine */

/*
 * Gives @hook the slots from @first on, one for each number of its range. @what
 * is what messages call them. 0, -ENOMEM, or -EBUSY (logged with both owners).
 */
int hook_table_add(struct vm *vm, struct hook_table *table, uint32_t first, const struct hook *hook,
		   const char *what) __must_check;
/* On return no CPU sees it any more. Never fails. */
void hook_table_remove(struct vm *vm, struct hook_table *table, uint32_t first,
		       const struct hook *hook);

/* Each hook once, by its first slot from @slot on; NULL: no more. Context: none can go meanwhile.
 */
const struct hook *hook_table_next(const struct hook_table *table, uint32_t *slot);

/*
 * The owner of slot @slot % HOOK_LEAF_SLOTS of leaf @leaf, or NULL. As
 * grace_read() does, which compilers take for more than a load; what is read of
 * the leaf comes after the pointer to it on its own.
 */
static __always_inline const struct hook *hook_table_in(const struct hook_table *table,
							uint32_t leaf, uint32_t slot)
{
	const struct hook_leaf *slots = READ_ONCE(table->leaves[leaf]);

	return READ_ONCE(slots->owner[slot % HOOK_LEAF_SLOTS]);
}

/* The owner of @slot, which is below table->slots, or NULL. */
static __always_inline const struct hook *hook_table_find(const struct hook_table *table,
							  uint32_t slot)
{
	return hook_table_in(table, slot / HOOK_LEAF_SLOTS, slot);
}

#endif
