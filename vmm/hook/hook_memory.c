/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/hook/hook_memory.h"

#include "kernel/grace.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_maps.h"
#include "vmm/hook/hook_range.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define MEMORY_VALUE_MASK(width) (~UINT64_C(0) >> (64 - 8 * (width)))

/* Devices' registers mostly come in pages. A range's tag is its enum hook_memory_mode. */
static const struct hook_range_kind memory_kind = {
	.what = "memory", .shift = PAGE_SHIFT, .owner = hook_owner};

struct range_map *hook_memory_map_create(void)
{
	return hook_range_create(&memory_kind);
}

/* What the guest may do at full speed in the page at @page. */
static unsigned page_access(const struct range_map *map, gpa_t page)
{
	unsigned access = ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC;

	for (uint32_t i = 0; i < map->count; i++) {
		const struct range *r = &map->ranges[i];

		if (!r->item || r->last < page || r->first > page + PAGE_SIZE - 1)
			continue;
		if (r->tag != HOOK_MEMORY_WRITE)
			return 0;
		access &= ~ACCESS_WRITE;
	}
	return access;
}

/*
 * The nested rights of RAM below the pages of @hook as the map now says. Only
 * the first and the last page can be shared with other hooks. No lock: there is
 * one writer at a time, the task that has the VM's life to itself.
 */
static int apply_access(struct vm *vm, const struct hook *hook)
{
	const struct range_map *map = vm->hooks->memory;
	gpa_t first = ALIGN_DOWN(hook->first, PAGE_SIZE);
	gpa_t last = ALIGN_DOWN(hook->last, PAGE_SIZE);
	int err;

	if (!vm->memory)
		return 0;
	err = guest_memory_set_access(vm, first, PAGE_SIZE, page_access(map, first));
	if (!err && last > first)
		err = guest_memory_set_access(vm, last, PAGE_SIZE, page_access(map, last));
	if (!err && last > first + PAGE_SIZE)
		err = guest_memory_set_access(vm, first + PAGE_SIZE, last - first - PAGE_SIZE,
					      page_access(map, first + PAGE_SIZE));
	return err;
}

/* Whole pages, and no RAM below them. */
static bool may_map_pages(const struct vm *vm, const struct hook *hook)
{
	if ((hook->first | (hook->last + 1) | (uintptr_t)hook->opaque) % PAGE_SIZE)
		return false;
	for (gpa_t gpa = hook->first; vm->memory && gpa < hook->last; gpa += PAGE_SIZE) {
		if (guest_memory_ptr(vm->memory, gpa, 1))
			return false;
	}
	return true;
}

static int map_pages(struct vm *vm, const struct hook *hook)
{
	return vm->memory ? guest_memory_map_device(vm, hook->first, hook->opaque,
						    hook->last - hook->first + 1)
			  : 0;
}

static void unmap_pages(struct vm *vm, const struct hook *hook)
{
	if (!vm->memory)
		return;
	guest_memory_unmap_device(vm, hook->first, hook->last - hook->first + 1);
	if (vm->hooks->live)
		vm_flush(vm);
}

static void tell_rest(const struct vm *vm)
{
	const struct hook *rest = grace_read(vm->hooks->rest[HOOK_REST_MEMORY]);

	if (rest && rest->changed)
		rest->changed(rest->opaque);
}

int hook_memory_add(struct vm *vm, const struct hook *hook, enum hook_memory_mode mode)
{
	struct range range = {
		.first = hook->first, .last = hook->last, .item = hook, .tag = (uint64_t)mode};
	int err;

	if (hook->first > hook->last || hook->last >> GPA_BITS_MAX)
		return -EINVAL;
	if (mode == HOOK_MEMORY_MAPPED && !may_map_pages(vm, hook))
		return -EINVAL;
	err = hook_range_add(vm, &vm->hooks->memory, &memory_kind, &range);
	if (err)
		return err;
	tell_rest(vm);
	err = apply_access(vm, hook);
	if (!err && mode == HOOK_MEMORY_MAPPED)
		err = map_pages(vm, hook);
	if (err) {
		hook_memory_remove(vm, hook);
		return err;
	}
	if (vm->hooks->live)
		vm_flush(vm);
	return 0;
}

void hook_memory_remove(struct vm *vm, const struct hook *hook)
{
	/* First, because the rest may map its own there as soon as the hook is gone. */
	if (hook->ops == &hook_mapped_ops)
		unmap_pages(vm, hook);
	hook_range_remove(vm, &vm->hooks->memory, hook->first, hook);
	/*
	 * Giving rights back may need a table that there is no memory for. The
	 * page then stays trapped, and is served from RAM access by access.
	 */
	if (apply_access(vm, hook))
		vm_log(vm, LOG_WARN, "no memory to map the pages of %s back: they stay slow",
		       hook->owner);
	tell_rest(vm);
}

bool hook_memory_is_rest(const struct vm *vm, gpa_t gpa, uint64_t size)
{
	return !guest_memory_has_ram(vm->memory, gpa, size) &&
	       !range_map_overlap(grace_read(vm->hooks->memory), gpa, gpa + size - 1);
}

bool hook_memory_covers(const struct range_map *map, gpa_t gpa, uint64_t len, bool write)
{
	gpa_t page = ALIGN_DOWN(gpa, PAGE_SIZE);
	gpa_t last = gpa + len - 1;

	if (likely(!range_map_overlap(map, page, last | (PAGE_SIZE - 1))))
		return false;
	for (; page <= last; page += PAGE_SIZE) {
		unsigned access = page_access(map, page);

		if (!access || (write && !(access & ACCESS_WRITE)))
			return true;
	}
	return false;
}

static __always_inline uint64_t read_one(struct vcpu *vcpu, const struct hook *hook, gpa_t gpa,
					 unsigned width)
{
	uint64_t value = 0;
	int err;

	if (unlikely(!hook->ops->read))
		return MEMORY_VALUE_MASK(width);
	err = hook->ops->read(hook->opaque, vcpu, gpa - hook->first, width, &value);
	if (unlikely(err)) {
		hook_report(vcpu->vm, "read of memory", gpa, hook->owner, err);
		return MEMORY_VALUE_MASK(width);
	}
	return value & MEMORY_VALUE_MASK(width);
}

static __always_inline void write_one(struct vcpu *vcpu, const struct hook *hook, gpa_t gpa,
				      unsigned width, uint64_t value)
{
	int err;

	if (unlikely(!hook->ops->write))
		return;
	err = hook->ops->write(hook->opaque, vcpu, gpa - hook->first, width,
			       value & MEMORY_VALUE_MASK(width));
	if (unlikely(err))
		hook_report(vcpu->vm, "write of memory", gpa, hook->owner, err);
}

/* Who answers the byte at @gpa for a read or a write; NULL: RAM, or nobody. */
static const struct hook *answerer(const struct range_map *map, gpa_t gpa, bool write)
{
	uint64_t mode = HOOK_MEMORY_FULL;
	const struct hook *hook = range_map_find(map, gpa, &mode);

	return mode != HOOK_MEMORY_WRITE || write ? hook : NULL;
}

/*
 * As many of the @left bytes from @gpa as @owner (NULL: nobody, or RAM) has at
 * once: a power of two, aligned. So it is all RAM, or none of it is.
 */
static unsigned piece(const struct range_map *map, const struct hook *owner, gpa_t gpa,
		      unsigned left, bool write)
{
	unsigned width, i;

	for (width = 1; width * 2 <= left && gpa % (width * 2) == 0; width *= 2) {
		for (i = width; i < width * 2; i++)
			if (answerer(map, gpa + i, write) != owner)
				return width;
	}
	return width;
}

/* RAM that is trapped because of its page's other bytes; NULL: part of it is something else. */
static uint8_t *plain_ram(struct vcpu *vcpu, const struct range_map *map, gpa_t gpa, unsigned width,
			  bool write)
{
	for (unsigned i = 0; i < width; i++) {
		if (answerer(map, gpa + i, write))
			return NULL;
	}
	return write ? guest_memory_ptr_to_write(vcpu->vm->memory, gpa, width)
		     : guest_memory_ptr(vcpu->vm->memory, gpa, width);
}

static __noinline __cold uint64_t read_split(struct vcpu *vcpu, gpa_t gpa, unsigned width)
{
	const struct range_map *map = grace_read(vcpu->vm->hooks->memory);
	const uint8_t *ram = plain_ram(vcpu, map, gpa, width, false);
	uint64_t value = 0;
	unsigned step;

	if (ram) {
		memcpy(&value, ram, width);
		return value;
	}
	for (unsigned done = 0; done < width; done += step) {
		const struct hook *owner = answerer(map, gpa + done, false);
		uint64_t part;

		step = piece(map, owner, gpa + done, width - done, false);
		part = MEMORY_VALUE_MASK(step);
		ram = guest_memory_ptr(vcpu->vm->memory, gpa + done, step);
		if (!owner && !ram)
			owner = grace_read(vcpu->vm->hooks->rest[HOOK_REST_MEMORY]);
		if (owner)
			part = read_one(vcpu, owner, gpa + done, step);
		else if (ram)
			memcpy(&part, ram, step);
		value |= (part & MEMORY_VALUE_MASK(step)) << (8 * done);
	}
	return value;
}

static __noinline __cold void write_split(struct vcpu *vcpu, gpa_t gpa, unsigned width,
					  uint64_t value)
{
	const struct range_map *map = grace_read(vcpu->vm->hooks->memory);
	uint8_t *ram = plain_ram(vcpu, map, gpa, width, true);
	unsigned step;

	if (ram) {
		memcpy(ram, &value, width);
		return;
	}
	for (unsigned done = 0; done < width; done += step) {
		const struct hook *owner = answerer(map, gpa + done, true);
		uint64_t part = value >> (8 * done);

		step = piece(map, owner, gpa + done, width - done, true);
		ram = guest_memory_ptr_to_write(vcpu->vm->memory, gpa + done, step);
		if (!owner && !ram)
			owner = grace_read(vcpu->vm->hooks->rest[HOOK_REST_MEMORY]);
		if (owner)
			write_one(vcpu, owner, gpa + done, step, part);
		else if (ram)
			memcpy(ram, &part, step);
	}
}

/* Whether no byte of [@gpa, @last] is hooked or RAM; the first one is not hooked. */
static __always_inline bool is_free(const struct vcpu *vcpu, const struct range_map *map, gpa_t gpa,
				    gpa_t last)
{
	/* Within 8 aligned bytes that no hook begins or ends in, they are all the same. */
	if (likely((gpa ^ last) < 8 && map->edges % 8 == 0))
		return !guest_memory_ptr(vcpu->vm->memory, gpa, 1);
	return last >= gpa && !range_map_overlap(map, gpa, last) &&
	       !guest_memory_ptr(vcpu->vm->memory, gpa, 1) &&
	       !guest_memory_ptr(vcpu->vm->memory, last, 1);
}

/* The rest's hook, when it has all of an access that begins where no hook is; or NULL. */
static __always_inline const struct hook *
rest_of(const struct vcpu *vcpu, const struct range_map *map, gpa_t gpa, unsigned width)
{
	return is_free(vcpu, map, gpa, gpa + width - 1)
		       ? grace_read(vcpu->vm->hooks->rest[HOOK_REST_MEMORY])
		       : NULL;
}

uint64_t hook_memory_read(struct vcpu *vcpu, gpa_t gpa, unsigned width)
{
	const struct range_map *map = grace_read(vcpu->vm->hooks->memory);
	uint64_t mode = HOOK_MEMORY_FULL;
	const struct hook *hook = range_map_find(map, gpa, &mode);

	if (likely(hook && mode != HOOK_MEMORY_WRITE && gpa + width - 1 <= hook->last))
		return read_one(vcpu, hook, gpa, width);
	hook = hook ? NULL : rest_of(vcpu, map, gpa, width);
	return hook ? read_one(vcpu, hook, gpa, width) : read_split(vcpu, gpa, width);
}

void hook_memory_write(struct vcpu *vcpu, gpa_t gpa, unsigned width, uint64_t value)
{
	const struct range_map *map = grace_read(vcpu->vm->hooks->memory);
	const struct hook *hook = range_map_find(map, gpa, NULL);

	if (likely(hook && gpa + width - 1 <= hook->last)) {
		write_one(vcpu, hook, gpa, width, value);
		return;
	}
	hook = hook ? NULL : rest_of(vcpu, map, gpa, width);
	if (hook)
		write_one(vcpu, hook, gpa, width, value);
	else
		write_split(vcpu, gpa, width, value);
}
