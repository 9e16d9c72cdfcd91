/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/hook/hook_table.h"

#include "kernel/slab.h"
#include "vmm/hook/hook_range.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>

/* Nobody's. */
static struct hook_leaf empty_leaf;

struct hook_table *hook_table_create(uint32_t slots)
{
	uint32_t count = slots / HOOK_LEAF_SLOTS;
	struct hook_table *table = kmalloc(sizeof(*table) + count * sizeof(table->leaves[0]));

	if (!table)
		return NULL;
	table->slots = slots;
	for (uint32_t i = 0; i < count; i++)
		table->leaves[i] = &empty_leaf;
	return table;
}

void hook_table_destroy(struct hook_table *table)
{
	for (uint32_t i = 0; table && i < table->slots / HOOK_LEAF_SLOTS; i++) {
		if (table->leaves[i] != &empty_leaf)
			kfree(table->leaves[i]);
	}
	kfree(table);
}

static const struct hook *first_owner(const struct hook_table *table, uint32_t first, uint32_t last)
{
	for (uint32_t slot = first; slot <= last; slot++) {
		const struct hook *owner = hook_table_find(table, slot);

		if (owner)
			return owner;
	}
	return NULL;
}

static int make_leaves(struct hook_table *table, uint32_t first, uint32_t last)
{
	for (uint32_t i = first / HOOK_LEAF_SLOTS; i <= last / HOOK_LEAF_SLOTS; i++) {
		struct hook_leaf *leaf;

		if (table->leaves[i] != &empty_leaf)
			continue;
		leaf = kzalloc(sizeof(*leaf));
		if (!leaf)
			return -ENOMEM;
		grace_publish(table->leaves[i], leaf);
	}
	return 0;
}

static void set(struct hook_table *table, uint32_t slot, const struct hook *hook)
{
	grace_publish(table->leaves[slot / HOOK_LEAF_SLOTS]->owner[slot % HOOK_LEAF_SLOTS], hook);
}

int hook_table_add(struct vm *vm, struct hook_table *table, uint32_t first, const struct hook *hook,
		   const char *what)
{
	uint32_t last = first + (uint32_t)(hook->last - hook->first);
	const struct hook *other;
	int err = -EBUSY;

	spin_lock(&vm->hooks->lock);
	other = first_owner(table, first, last);
	if (!other)
		err = make_leaves(table, first, last);
	for (uint32_t slot = first; !err && slot <= last; slot++)
		set(table, slot, hook);
	spin_unlock(&vm->hooks->lock);
	if (other)
		vm_log(vm, LOG_ERROR,
		       "%s 0x%" PRIx64 "-0x%" PRIx64 ", wanted by %s, are %s's (0x%" PRIx64
		       "-0x%" PRIx64 ")",
		       what, hook->first, hook->last, hook->owner, other->owner, other->first,
		       other->last);
	return err;
}

void hook_table_remove(struct vm *vm, struct hook_table *table, uint32_t first,
		       const struct hook *hook)
{
	uint32_t last = first + (uint32_t)(hook->last - hook->first);

	spin_lock(&vm->hooks->lock);
	for (uint32_t slot = first; slot <= last; slot++) {
		if (hook_table_find(table, slot) == hook)
			set(table, slot, NULL);
	}
	spin_unlock(&vm->hooks->lock);
	hook_wait(vm);
}

const struct hook *hook_table_next(const struct hook_table *table, uint32_t *slot)
{
	const struct hook *hook, *before = *slot ? hook_table_find(table, *slot - 1) : NULL;

	for (; *slot < table->slots; before = hook) {
		hook = hook_table_find(table, (*slot)++);
		if (hook && hook != before)
			return hook;
	}
	return NULL;
}
