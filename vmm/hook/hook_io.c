/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map of ports is a table of two levels, so that a lookup is two loads
 * whatever is hooked. It is changed entry by entry: each is one pointer, and
 * a reader sees the old owner or the new one. Leaves live as long as the map.
 */
#include "vmm/hook/hook_io.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "vmm/hook/hook_maps.h"
#include "vmm/hook/hook_range.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

#define IO_PORTS	     0x10000u
#define IO_LEAF_PORTS	     256u
#define IO_LEAVES	     (IO_PORTS / IO_LEAF_PORTS)
#define IO_VALUE_MASK(width) (0xffffffffu >> (32 - 8 * (width)))

struct io_leaf {
	const struct hook *owner[IO_LEAF_PORTS];
};

struct hook_io_map {
	struct io_leaf *leaves[IO_LEAVES];
};

/* Nobody's ports. */
static struct io_leaf empty_leaf;

struct hook_io_map *hook_io_map_create(void)
{
	struct hook_io_map *map = kmalloc(sizeof(*map));

	for (unsigned i = 0; map && i < IO_LEAVES; i++)
		map->leaves[i] = &empty_leaf;
	return map;
}

void hook_io_map_destroy(struct hook_io_map *map)
{
	for (unsigned i = 0; map && i < IO_LEAVES; i++) {
		if (map->leaves[i] != &empty_leaf)
			kfree(map->leaves[i]);
	}
	kfree(map);
}

static __always_inline const struct hook *find(const struct hook_io_map *map, uint16_t port)
{
	const struct io_leaf *leaf = grace_read(map->leaves[port / IO_LEAF_PORTS]);

	return grace_read(leaf->owner[port % IO_LEAF_PORTS]);
}

const struct hook *hook_io_find(const struct hook_io_map *map, uint16_t port)
{
	return find(map, port);
}

static int make_leaves(struct hook_io_map *map, const struct hook *hook)
{
	for (uint64_t i = hook->first / IO_LEAF_PORTS; i <= hook->last / IO_LEAF_PORTS; i++) {
		struct io_leaf *leaf;

		if (map->leaves[i] != &empty_leaf)
			continue;
		leaf = kzalloc(sizeof(*leaf));
		if (!leaf)
			return -ENOMEM;
		grace_publish(map->leaves[i], leaf);
	}
	return 0;
}

static int add_locked(struct vm *vm, const struct hook *hook)
{
	struct hook_io_map *map = vm->hooks->io;
	int err;

	for (uint64_t port = hook->first; port <= hook->last; port++) {
		const struct hook *other = find(map, (uint16_t)port);

		if (other) {
			vm_log(vm, LOG_ERROR, "ports 0x%x-0x%x, wanted by %s, are %s's (0x%x-0x%x)",
			       (unsigned)hook->first, (unsigned)hook->last, hook->owner,
			       other->owner, (unsigned)other->first, (unsigned)other->last);
			return -EBUSY;
		}
	}
	err = make_leaves(map, hook);
	for (uint64_t port = hook->first; !err && port <= hook->last; port++)
		grace_publish(map->leaves[port / IO_LEAF_PORTS]->owner[port % IO_LEAF_PORTS], hook);
	return err;
}

int hook_io_add(struct vm *vm, const struct hook *hook)
{
	int err;

	if (hook->first > hook->last || hook->last >= IO_PORTS)
		return -EINVAL;
	spin_lock(&vm->hooks->lock);
	err = add_locked(vm, hook);
	spin_unlock(&vm->hooks->lock);
	return err;
}

void hook_io_remove(struct vm *vm, const struct hook *hook)
{
	struct hook_io_map *map = vm->hooks->io;

	spin_lock(&vm->hooks->lock);
	for (uint64_t port = hook->first; port <= hook->last && port < IO_PORTS; port++) {
		if (find(map, (uint16_t)port) == hook)
			WRITE_ONCE(map->leaves[port / IO_LEAF_PORTS]->owner[port % IO_LEAF_PORTS],
				   NULL);
	}
	spin_unlock(&vm->hooks->lock);
	hook_wait(vm);
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

/*
 * How many of the @left bytes from @port go to its owner at once: 1, 2 or 4,
 * as aligned as a bus would split them. Behind port 0xffff there is nobody.
 */
static unsigned piece(const struct hook_io_map *map, uint32_t port, unsigned left,
		      const struct hook **owner)
{
	unsigned width = 1;

	*owner = port < IO_PORTS ? find(map, (uint16_t)port) : NULL;
	if (!*owner)
		return 1;
	while (width * 2 <= left && port % (width * 2) == 0 &&
	       port + width * 2 - 1 <= (*owner)->last)
		width *= 2;
	return width;
}

static __noinline __cold uint32_t read_split(struct vcpu *vcpu, uint16_t port, unsigned width)
{
	const struct hook_io_map *map = vcpu->vm->hooks->io;
	uint32_t value = 0;
	unsigned step;

	for (unsigned done = 0; done < width; done += step) {
		const struct hook *owner;
		uint32_t part = 0xff;

		step = piece(map, (uint32_t)port + done, width - done, &owner);
		if (owner)
			part = read_one(vcpu, owner, (uint16_t)(port + done), step);
		value |= part << (8 * done);
	}
	return value;
}

static __noinline __cold void write_split(struct vcpu *vcpu, uint16_t port, unsigned width,
					  uint32_t value)
{
	const struct hook_io_map *map = vcpu->vm->hooks->io;
	unsigned step;

	for (unsigned done = 0; done < width; done += step) {
		const struct hook *owner;

		step = piece(map, (uint32_t)port + done, width - done, &owner);
		if (owner)
			write_one(vcpu, owner, (uint16_t)(port + done), step, value >> (8 * done));
	}
}

uint32_t hook_io_read(struct vcpu *vcpu, uint16_t port, unsigned width)
{
	const struct hook *hook = find(vcpu->vm->hooks->io, port);

	if (likely(hook && port + width - 1 <= hook->last))
		return read_one(vcpu, hook, port, width);
	return read_split(vcpu, port, width);
}

void hook_io_write(struct vcpu *vcpu, uint16_t port, unsigned width, uint32_t value)
{
	const struct hook *hook = find(vcpu->vm->hooks->io, port);

	if (likely(hook && port + width - 1 <= hook->last))
		write_one(vcpu, hook, port, width, value);
	else
		write_split(vcpu, port, width, value);
}
