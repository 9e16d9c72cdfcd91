/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record of memory is what 64 KiB of it have: whose they are, where they begin, which of the
 * pages are there, and these, packed where that makes them less. Of the guest's memory pages of
 * zeroes are left out; of a device's, those that are as they were when it was made. 64 KiB without
 * a page have no record. Each page is looked at once.
 */
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "vmm/checkpoint/state.h"
#include "vmm/device_internal.h"
#include "vmm/guest_memory.h"
#include "vmm/guest_past.h"
#include "vmm/state_bytes.h"
#include "vmm/vm.h"

#include <errno.h>
#include <lz4_block.h>
#include <stdio.h>
#include <string.h>

#define CHUNK	   LZ4_BLOCK_MAX
#define NUMBERS	   10u /* bytes of address and mask */
#define HEADER_MAX (1 + DEVICE_ID_MAX + NUMBERS)
_Static_assert(CHUNK == 16 * PAGE_SIZE, "a page is a bit of two bytes");

struct chunk {
	struct device *dev; /* whose; NULL: the guest's memory */
	uint64_t at;
	uint32_t mask;	     /* of the pages that are there … */
	uint32_t size;	     /* … bytes of them */
	const uint8_t *past; /* where its granule is to be read now; NULL: where it is */
	uint8_t header[HEADER_MAX];
	uint8_t pages[CHUNK], packed[CHUNK];
	uint64_t lz4[LZ4_BLOCK_STATE / 8];
};

static bool is_zero(const uint8_t *page)
{
	const uint64_t *quads = (const void *)page;
	uint64_t any = 0;

	/* By lines of a cache, so that a page that is not is seen soon. */
	for (size_t i = 0; !any && i < PAGE_SIZE / sizeof(*quads); i += 8)
		any = quads[i] | quads[i + 1] | quads[i + 2] | quads[i + 3] | quads[i + 4] |
		      quads[i + 5] | quads[i + 6] | quads[i + 7];
	return !any;
}

static const uint8_t *page_of(struct vm *vm, const struct chunk *c, uint64_t at)
{
	const struct device_pages *pages = c->dev ? c->dev->type->saved->pages : NULL;

	if (!pages) {
		const uint8_t *page = guest_memory_ptr(vm->memory, at, PAGE_SIZE);

		return page && c->past ? c->past + at % GUEST_GRANULE : page;
	}
	return at < pages->size(c->dev->state) ? pages->read(c->dev->state, at) : NULL;
}

static uint8_t *page_to_load(struct vm *vm, struct device *dev, uint64_t at)
{
	if (dev)
		return dev->type->saved->pages->write(dev->state, at);
	return guest_memory_ptr(vm->memory, at, PAGE_SIZE);
}

/* Copies what is there: it may change from now on. */
static void take_pages(struct vm *vm, struct chunk *c)
{
	c->mask = c->size = 0;
	for (uint32_t i = 0; i < CHUNK / PAGE_SIZE; i++) {
		const uint8_t *page = page_of(vm, c, c->at + i * PAGE_SIZE);

		if (!page || (!c->dev && is_zero(page)))
			continue;
		memcpy(c->pages + c->size, page, PAGE_SIZE);
		c->mask |= 1u << i;
		c->size += PAGE_SIZE;
	}
}

static int write_chunk(struct vm *vm, struct chunk *c, struct checkpoint_writer *w)
{
	struct state_writer header = {.buf = c->header, .size = sizeof(c->header)};
	bool past = !c->dev && vm->memory->past;
	size_t packed;
	int err;

	task_share(); /* its vCPUs may wait for this CPU */
	if (past)
		c->past = guest_past_open(vm, c->at / GUEST_GRANULE);
	take_pages(vm, c);
	if (past)
		guest_past_close(vm, c->at / GUEST_GRANULE);
	c->past = NULL;
	if (!c->mask)
		return 0;
	state_put_name(&header, c->dev ? c->dev->id : "");
	state_put_number(&header, c->at, 8);
	state_put_number(&header, c->mask, 2);
	packed = lz4_block_pack(c->lz4, c->pages, c->size, c->packed, c->size - 1);
	err = checkpoint_record_begin(w, CHECKPOINT_MEMORY, header.at + (packed ?: c->size));
	if (!err)
		err = checkpoint_put(w, c->header, header.at);
	if (!err)
		err = packed ? checkpoint_put(w, c->packed, packed)
			     : checkpoint_put(w, c->pages, c->size);
	return err ? err : checkpoint_record_end(w);
}

/* Whether all that it is written from is still wanted, and there. */
static int go_on(struct vm *vm, struct checkpoint_writer *w, uint64_t done)
{
	if (__atomic_load_n(&vm->saving, __ATOMIC_SEQ_CST) == VM_SAVING_GIVEN_UP)
		return -EAGAIN;
	return w->step && w->step(w, done, vm->memory->size) ? -ECANCELED : 0;
}

static int write_granule(struct vm *vm, struct chunk *c, struct checkpoint_writer *w)
{
	uint64_t index = c->at / GUEST_GRANULE, end = c->at + GUEST_GRANULE;
	int err = 0;

	for (; c->at < end && !err; c->at += CHUNK)
		err = write_chunk(vm, c, w);
	if (vm->memory->past)
		guest_past_forget(vm, index);
	return err;
}

static int write_ram(struct vm *vm, struct chunk *c, struct checkpoint_writer *w)
{
	uint64_t count = vm->memory->granule_count, done = 0;
	int err = 0;

	for (uint64_t i = 0; i < count && !err; i++) {
		c->at = i * GUEST_GRANULE;
		if (!vm->memory->granules[i])
			continue;
		err = write_granule(vm, c, w);
		done += GUEST_GRANULE;
		if (!err)
			err = go_on(vm, w, MIN(done, vm->memory->size));
	}
	return err;
}

static int write_pages(struct vm *vm, struct chunk *c, struct checkpoint_writer *w)
{
	uint64_t size = c->dev->type->saved->pages->size(c->dev->state);
	int err = 0;

	for (c->at = 0; c->at < size && !err; c->at += CHUNK) {
		err = write_chunk(vm, c, w);
		if (!err)
			err = go_on(vm, w, vm->memory->size);
	}
	return err;
}

int checkpoint_write_memory(struct vm *vm, struct checkpoint_writer *w)
{
	struct chunk *c = kmalloc(sizeof(*c));
	struct device *dev;
	int err;

	if (!c)
		return -ENOMEM;
	c->dev = NULL;
	c->past = NULL;
	err = write_ram(vm, c, w);
	list_for_each_entry (dev, &vm->devices->devices, link) {
		c->dev = dev;
		if (!err && dev->type->saved->pages)
			err = write_pages(vm, c, w);
	}
	kfree(c);
	return err;
}

static int wrong(const struct checkpoint_record *r, char *why, const char *what)
{
	snprintf(why, CHECKPOINT_WHY_MAX, "record %u (memory): %s", r->number, what);
	return -EINVAL;
}

/* The VM has all of the pages; how many bytes they are. */
static bool are_there(struct vm *vm, struct chunk *c)
{
	c->size = 0;
	for (uint32_t i = 0; i < CHUNK / PAGE_SIZE; i++) {
		uint64_t at = c->at + i * PAGE_SIZE;

		if (!(c->mask & 1u << i))
			continue;
		if (c->dev ? at >= c->dev->type->saved->pages->size(c->dev->state)
			   : !guest_memory_ptr(vm->memory, at, PAGE_SIZE))
			return false;
		c->size += PAGE_SIZE;
	}
	return true;
}

/* @len bytes of them, from @at on in the stream. */
static bool read_pages(const struct checkpoint_source *source, struct chunk *c, uint64_t at,
		       uint64_t len)
{
	if (!len || len > c->size)
		return false;
	source->read(source->opaque, at, len < c->size ? c->packed : c->pages, len);
	return len == c->size || lz4_block_unpack(c->packed, len, c->pages, c->size);
}

/* Whose pages they are; false: nobody's. */
static bool find_owner(struct vm *vm, struct state_name name, struct device **dev)
{
	char id[DEVICE_ID_MAX + 1] = "";

	*dev = NULL;
	if (!name.len)
		return true;
	if (name.len > DEVICE_ID_MAX)
		return false;
	memcpy(id, name.text, name.len);
	*dev = device_find(vm, id);
	return *dev && (*dev)->type->saved && (*dev)->type->saved->pages;
}

/* @c: on entry, whose memory was before it, and the end of that. */
static int read_chunk(struct vm *vm, const struct checkpoint_source *source,
		      const struct checkpoint_record *r, struct chunk *c, char *why)
{
	struct state_reader header = {.data = c->header, .len = MIN(r->length, sizeof(c->header))};
	struct device *before = c->dev;
	uint64_t behind = c->at;
	struct state_name name;

	source->read(source->opaque, r->at, c->header, header.len);
	name = state_get_name(&header);
	c->at = state_get_number(&header, 8);
	c->mask = (uint32_t)state_get_number(&header, 2);
	if (r->kind != CHECKPOINT_MEMORY || header.cut)
		return wrong(r, why, "not a record of memory");
	if (!find_owner(vm, name, &c->dev))
		return wrong(r, why, "no device of this VM has such pages");
	if (c->at % CHUNK || c->at >= BIT(GPA_BITS_MAX) ||
	    (c->dev == before ? c->at < behind : !c->dev))
		return wrong(r, why, "an address that is out of order");
	if (!are_there(vm, c))
		return wrong(r, why, "pages that this VM does not have");
	if (!read_pages(source, c, r->at + header.at, r->length - header.at))
		return wrong(r, why, "bytes that do not make its pages");
	return 0;
}

/* What the VM's making left there: little, so that it is worth to look first. */
static void clear(struct vm *vm, gpa_t from, gpa_t to)
{
	for (; from < to; from += PAGE_SIZE) {
		uint8_t *page = guest_memory_ptr(vm->memory, from, PAGE_SIZE);

		if (page && !is_zero(page))
			memset(page, 0, PAGE_SIZE);
		if (from % GUEST_GRANULE == 0)
			task_share();
	}
}

static int load_chunk(struct vm *vm, const struct chunk *c)
{
	const uint8_t *from = c->pages;

	for (uint32_t i = 0; i < CHUNK / PAGE_SIZE; i++) {
		uint64_t at = c->at + i * PAGE_SIZE;

		if (c->mask & 1u << i) {
			uint8_t *page = page_to_load(vm, c->dev, at);

			if (!page)
				return -ENOMEM;
			memcpy(page, from, PAGE_SIZE);
			from += PAGE_SIZE;
		} else if (!c->dev) {
			clear(vm, at, at + PAGE_SIZE);
		}
	}
	return 0;
}

/* @end: of the guest's memory that is done with, which comes first. */
static int load_next(struct vm *vm, const struct chunk *c, gpa_t *end)
{
	gpa_t all = vm->memory->granule_count * GUEST_GRANULE;

	clear(vm, *end, c->dev ? all : c->at);
	*end = c->dev ? all : c->at + CHUNK;
	return load_chunk(vm, c);
}

int checkpoint_read_memory(struct vm *vm, const struct checkpoint_source *source,
			   struct checkpoint_record r, bool check, char *why)
{
	struct chunk *c = kmalloc(sizeof(*c));
	bool more = r.kind != CHECKPOINT_END;
	int err = c ? 0 : -ENOMEM;
	gpa_t end = 0;

	if (c) {
		c->dev = NULL;
		c->at = 0;
	}
	for (; more && !err; more = checkpoint_next(source, &r)) {
		err = read_chunk(vm, source, &r, c, why);
		if (!err && !check)
			err = load_next(vm, c, &end);
		if (!err)
			c->at += CHUNK;
		task_share();
	}
	if (!err && !check)
		clear(vm, end, vm->memory->granule_count * GUEST_GRANULE);
	kfree(c);
	return err;
}
