/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/hook/hook_range.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>

const char *hook_owner(const void *hook)
{
	return ((const struct hook *)hook)->owner;
}

void hook_wait(struct vm *vm)
{
	if (vm->hooks->live)
		grace_synchronize();
}

struct range_map *hook_range_create(const struct hook_range_kind *kind)
{
	void *memory = kmalloc(range_map_size(0));

	return memory ? range_map_build(memory, NULL, 0, kind->shift) : NULL;
}

/* Copies what lives in @old, and @range; the count, or -EBUSY when it meets another owner's. */
static int64_t gather(struct vm *vm, const struct range_map *old, struct range *out,
		      const struct hook_range_kind *kind, const struct range *range)
{
	int64_t count = 0;

	for (uint32_t i = 0; i < old->count; i++) {
		const struct range *r = &old->ranges[i];

		if (!r->item)
			continue;
		if (r->first <= range->last && range->first <= r->last) {
			vm_log(vm, LOG_ERROR,
			       "%s 0x%" PRIx64 "-0x%" PRIx64 ", wanted by %s, are %s's (0x%" PRIx64
			       "-0x%" PRIx64 ")",
			       kind->what, range->first, range->last, kind->owner(range->item),
			       kind->owner(r->item), r->first, r->last);
			return -EBUSY;
		}
		out[count++] = *r;
	}
	out[count++] = *range;
	return count;
}

/* Under the lock: the map to free later goes to @old. */
static int publish_with(struct vm *vm, struct range_map **map, const struct hook_range_kind *kind,
			const struct range *range, struct range_map **old)
{
	size_t room = (size_t)(*map)->count + 1;
	struct range *ranges = kcalloc(room, sizeof(*ranges));
	int64_t count = -ENOMEM;
	void *memory;

	if (!ranges)
		return -ENOMEM;
	count = gather(vm, *map, ranges, kind, range);
	if (count < 0)
		goto out;
	memory = kmalloc(range_map_size((size_t)count));
	if (!memory) {
		count = -ENOMEM;
		goto out;
	}
	*old = *map;
	grace_publish(*map, range_map_build(memory, ranges, (size_t)count, kind->shift));
out:
	kfree(ranges);
	return count < 0 ? (int)count : 0;
}

int hook_range_add(struct vm *vm, struct range_map **map, const struct hook_range_kind *kind,
		   const struct range *range)
{
	struct range_map *old = NULL;
	int err;

	spin_lock(&vm->hooks->lock);
	err = publish_with(vm, map, kind, range, &old);
	spin_unlock(&vm->hooks->lock);
	if (err)
		return err;
	hook_wait(vm);
	kfree(old);
	return 0;
}

void hook_range_remove(struct vm *vm, struct range_map **map, uint64_t first, const void *item)
{
	spin_lock(&vm->hooks->lock);
	range_map_remove(*map, first, item);
	spin_unlock(&vm->hooks->lock);
	hook_wait(vm);
}
