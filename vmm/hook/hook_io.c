/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/hook/hook_io.h"

#include "vmm/hook/hook_table.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

#define IO_VALUE_MASK(width) (0xffffffffu >> (32 - 8 * (width)))

int hook_io_add(struct vm *vm, const struct hook *hook)
{
	if (hook->first > hook->last || hook->last >= HOOK_IO_PORTS ||
	    (hook->width && hook->first != hook->last))
		return -EINVAL;
	return hook_table_add(vm, vm->hooks->io, (uint32_t)hook->first, hook, "ports");
}

void hook_io_remove(struct vm *vm, const struct hook *hook)
{
	hook_table_remove(vm, vm->hooks->io, (uint32_t)hook->first, hook);
}

/* Whether @hook answers all of an access of @width bytes at @port, which it owns. */
static __always_inline bool answers(const struct hook *hook, uint16_t port, unsigned width)
{
	return hook->width ? hook->width == width : port + width - 1 <= hook->last;
}

/* One access that @hook answers as a whole. */
static __always_inline uint32_t read_one(struct vcpu *vcpu, const struct hook *hook, uint16_t port,
					 unsigned width)
{
	uint64_t value = 0;
	int err;

	if (unlikely(!hook->ops->read))
		return IO_VALUE_MASK(width);
	err = hook->ops->read(hook->opaque, vcpu, port - hook->first, width, &value);
	if (unlikely(err)) {
		hook_report(vcpu->vm, "read of port", port, hook->owner, err);
		return IO_VALUE_MASK(width);
	}
	return (uint32_t)value & IO_VALUE_MASK(width);
}

static __always_inline void write_one(struct vcpu *vcpu, const struct hook *hook, uint16_t port,
				      unsigned width, uint32_t value)
{
	int err;

	if (unlikely(!hook->ops->write))
		return;
	err = hook->ops->write(hook->opaque, vcpu, port - hook->first, width,
			       value & IO_VALUE_MASK(width));
	if (unlikely(err))
		hook_report(vcpu->vm, "write of port", port, hook->owner, err);
}

/* Who answers for @port, alone or with others, to an access of several bytes. */
static const struct hook *owner_of(const struct hook_table *map, uint32_t port)
{
	const struct hook *owner = hook_table_find(map, port);

	return owner && owner->width ? NULL : owner;
}

/*
 * How many of the @left bytes from @port go to its owner at once: 1, 2 or 4,
 * as aligned as a bus would split them. Behind port 0xffff there is nobody, and
 * a register of one width has no part in another access.
 */
static unsigned piece(const struct hook_maps *maps, uint32_t port, unsigned left,
		      const struct hook **owner)
{
	unsigned width = 1, i;

	*owner = NULL;
	if (port >= HOOK_IO_PORTS)
		return 1;
	*owner = owner_of(maps->io, port);
	while (width * 2 <= left && port % (width * 2) == 0) {
		for (i = width; i < width * 2; i++)
			if (owner_of(maps->io, port + i) != *owner)
				goto out;
		width *= 2;
	}
out:
	if (!*owner)
		*owner = grace_read(maps->rest[HOOK_REST_IO]);
	return width;
}

static __noinline __cold uint32_t read_split(struct vcpu *vcpu, uint16_t port, unsigned width)
{
	const struct hook_maps *maps = vcpu->vm->hooks;
	uint32_t value = 0;
	unsigned step;

	for (unsigned done = 0; done < width; done += step) {
		const struct hook *owner;
		uint32_t part;

		step = piece(maps, (uint32_t)port + done, width - done, &owner);
		part = IO_VALUE_MASK(step);
		if (owner)
			part = read_one(vcpu, owner, (uint16_t)(port + done), step);
		value |= part << (8 * done);
	}
	return value;
}

static __noinline __cold void write_split(struct vcpu *vcpu, uint16_t port, unsigned width,
					  uint32_t value)
{
	const struct hook_maps *maps = vcpu->vm->hooks;
	unsigned step;

	for (unsigned done = 0; done < width; done += step) {
		const struct hook *owner;

		step = piece(maps, (uint32_t)port + done, width - done, &owner);
		if (owner)
			write_one(vcpu, owner, (uint16_t)(port + done), step, value >> (8 * done));
	}
}

/*
 * The rest's hook, when it answers all of an access at @port, whose own slot in
 * @leaf is nobody's; or NULL. Aligned ones lie in one leaf; the others are split.
 */
static __always_inline const struct hook *
rest_of(const struct hook_maps *maps, const struct hook_leaf *leaf, uint16_t port, unsigned width)
{
	const struct hook *const *owner = &leaf->owner[port % HOOK_LEAF_SLOTS];

	if (width > 1) {
		if (unlikely((port & (width - 1)) || READ_ONCE(owner[1])))
			return NULL;
		if (width == 4 && unlikely(READ_ONCE(owner[2]) || READ_ONCE(owner[3])))
			return NULL;
	}
	return grace_read(maps->rest[HOOK_REST_IO]);
}

uint32_t hook_io_read(struct vcpu *vcpu, uint16_t port, unsigned width)
{
	const struct hook_maps *maps = vcpu->vm->hooks;
	const struct hook_leaf *leaf = grace_read(maps->io->leaves[port / HOOK_LEAF_SLOTS]);
	const struct hook *hook = grace_read(leaf->owner[port % HOOK_LEAF_SLOTS]);

	if (likely(hook && answers(hook, port, width)))
		return read_one(vcpu, hook, port, width);
	hook = hook ? NULL : rest_of(maps, leaf, port, width);
	return hook ? read_one(vcpu, hook, port, width) : read_split(vcpu, port, width);
}

void hook_io_write(struct vcpu *vcpu, uint16_t port, unsigned width, uint32_t value)
{
	const struct hook_maps *maps = vcpu->vm->hooks;
	const struct hook_leaf *leaf = grace_read(maps->io->leaves[port / HOOK_LEAF_SLOTS]);
	const struct hook *hook = grace_read(leaf->owner[port % HOOK_LEAF_SLOTS]);

	if (likely(hook && answers(hook, port, width))) {
		write_one(vcpu, hook, port, width, value);
		return;
	}
	hook = hook ? NULL : rest_of(maps, leaf, port, width);
	if (hook)
		write_one(vcpu, hook, port, width, value);
	else
		write_split(vcpu, port, width, value);
}
