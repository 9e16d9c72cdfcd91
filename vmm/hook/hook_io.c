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

/*
 * How many of the @left bytes from @port go to its owner at once: 1, 2 or 4,
 * as aligned as a bus would split them. Behind port 0xffff there is nobody, and
 * a register of one width has no part in another access.
 */
static unsigned piece(const struct hook_table *map, uint32_t port, unsigned left,
		      const struct hook **owner)
{
	unsigned width = 1;

	*owner = port < HOOK_IO_PORTS ? hook_table_find(map, port) : NULL;
	if (*owner && (*owner)->width)
		*owner = NULL;
	if (!*owner)
		return 1;
	while (width * 2 <= left && port % (width * 2) == 0 &&
	       port + width * 2 - 1 <= (*owner)->last)
		width *= 2;
	return width;
}

static __noinline __cold uint32_t read_split(struct vcpu *vcpu, uint16_t port, unsigned width)
{
	const struct hook_table *map = vcpu->vm->hooks->io;
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
	const struct hook_table *map = vcpu->vm->hooks->io;
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
	const struct hook *hook = hook_table_find(vcpu->vm->hooks->io, port);

	if (likely(hook && answers(hook, port, width)))
		return read_one(vcpu, hook, port, width);
	if (!hook && width == 1)
		return IO_VALUE_MASK(1);
	return read_split(vcpu, port, width);
}

void hook_io_write(struct vcpu *vcpu, uint16_t port, unsigned width, uint32_t value)
{
	const struct hook *hook = hook_table_find(vcpu->vm->hooks->io, port);

	if (likely(hook && answers(hook, port, width)))
		write_one(vcpu, hook, port, width, value);
	else if (hook || width > 1)
		write_split(vcpu, port, width, value);
}
