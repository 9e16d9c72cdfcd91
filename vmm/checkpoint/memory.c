/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record of memory is what 2 MiB of it have: whose they are, where they
 * begin, how many runs of pages follow, the runs, and then their pages. Of the
 * guest's memory pages of zeroes are left out; of a device's, those that are as
 * they were when it was made. 2 MiB without a page have no record.
 */
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "vmm/checkpoint/state.h"
#include "vmm/device_internal.h"
#include "vmm/guest_memory.h"
#include "vmm/state_bytes.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PAGES	   (GUEST_GRANULE / PAGE_SIZE)
#define RUNS_MAX   (PAGES / 2)
#define NUMBERS	   12u /* bytes of address and count */
#define HEADER_MAX (1 + DEVICE_ID_MAX + NUMBERS)

struct run {
	uint32_t first, count; /* pages from the granule's first */
};

struct granule {
	struct device *dev; /* whose; NULL: the guest's memory */
	uint64_t at;
	uint32_t count, header;
	uint8_t bytes[HEADER_MAX];
	struct run runs[RUNS_MAX];
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

static const uint8_t *page_of(struct vm *vm, const struct granule *g, uint64_t at)
{
	const struct device_pages *pages = g->dev ? g->dev->type->saved->pages : NULL;

	if (!pages)
		return guest_memory_ptr(vm->memory, at, PAGE_SIZE);
	return at < pages->size(g->dev->state) ? pages->read(g->dev->state, at) : NULL;
}

static uint8_t *page_to_load(struct vm *vm, struct device *dev, uint64_t at)
{
	if (dev)
		return dev->type->saved->pages->write(dev->state, at);
	return guest_memory_ptr(vm->memory, at, PAGE_SIZE);
}

/* Returns how many pages the runs have. */
static uint32_t find_runs(struct vm *vm, struct granule *g)
{
	uint32_t pages = 0;
	bool in_run = false;

	g->count = 0;
	for (uint32_t i = 0; i < PAGES; i++) {
		const uint8_t *page = page_of(vm, g, g->at + i * PAGE_SIZE);
		bool kept = page && (g->dev || !is_zero(page));

		if (kept && !in_run)
			g->runs[g->count++] = (struct run){.first = i};
		if (kept)
			g->runs[g->count - 1].count++;
		pages += kept;
		in_run = kept;
	}
	return pages;
}

/* A device's page is gone where the device did not bring to an end what was under way. */
static int write_pages(struct vm *vm, const struct granule *g, struct checkpoint_writer *w)
{
	int err = 0;

	for (uint32_t r = 0; r < g->count; r++)
		for (uint32_t i = 0; i < g->runs[r].count && !err; i++) {
			const uint8_t *page =
				page_of(vm, g, g->at + (g->runs[r].first + i) * PAGE_SIZE);

			err = page ? checkpoint_put(w, page, PAGE_SIZE) : -EAGAIN;
		}
	return err;
}

static int write_granule(struct vm *vm, struct granule *g, struct checkpoint_writer *w)
{
	struct state_writer header = {.buf = g->bytes, .size = sizeof(g->bytes)};
	uint32_t pages = find_runs(vm, g);
	size_t runs_size = g->count * sizeof(g->runs[0]);
	int err;

	if (!pages)
		return 0;
	state_put_name(&header, g->dev ? g->dev->id : "");
	state_put_number(&header, g->at, 8);
	state_put_number(&header, g->count, 4);
	err = checkpoint_record_begin(w, CHECKPOINT_MEMORY,
				      header.at + runs_size + pages * PAGE_SIZE);
	if (!err)
		err = checkpoint_put(w, g->bytes, header.at);
	if (!err)
		err = checkpoint_put(w, g->runs, runs_size);
	if (!err)
		err = write_pages(vm, g, w);
	return err ? err : checkpoint_record_end(w);
}

static int write_all(struct vm *vm, struct granule *g, uint64_t size, struct checkpoint_writer *w)
{
	int err = 0;

	for (g->at = 0; g->at < size && !err; g->at += GUEST_GRANULE) {
		if (!g->dev && !vm->memory->granules[g->at / GUEST_GRANULE])
			continue;
		err = write_granule(vm, g, w);
		task_yield();
	}
	return err;
}

int checkpoint_write_memory(struct vm *vm, struct checkpoint_writer *w)
{
	struct granule *g = kzalloc(sizeof(*g));
	struct device *dev;
	int err;

	if (!g)
		return -ENOMEM;
	err = write_all(vm, g, vm->memory->granule_count * GUEST_GRANULE, w);
	list_for_each_entry (dev, &vm->devices->devices, link) {
		g->dev = dev;
		if (!err && dev->type->saved->pages)
			err = write_all(vm, g, dev->type->saved->pages->size(dev->state), w);
	}
	kfree(g);
	return err;
}

static int wrong(const struct checkpoint_record *r, char *why, const char *what)
{
	snprintf(why, CHECKPOINT_WHY_MAX, "record %u (memory): %s", r->number, what);
	return -EINVAL;
}

/* All of a run of @g is the VM's. */
static bool is_there(struct vm *vm, const struct granule *g, const struct run *run)
{
	uint64_t at = g->at + run->first * PAGE_SIZE, size = run->count * PAGE_SIZE;

	if (!g->dev)
		return guest_memory_ptr(vm->memory, at, size);
	return at + size <= ALIGN_UP(g->dev->type->saved->pages->size(g->dev->state), PAGE_SIZE);
}

/* The runs come in order, and their pages are as many as the record has. */
static int check_runs(struct vm *vm, const struct granule *g, const struct checkpoint_record *r,
		      char *why)
{
	uint64_t pages = 0, behind = 0;

	for (uint32_t i = 0; i < g->count; i++) {
		const struct run *run = &g->runs[i];

		if (run->first < behind || !run->count || run->count > PAGES ||
		    run->first > PAGES - run->count)
			return wrong(r, why, "runs of pages that are none");
		if (!is_there(vm, g, run))
			return wrong(r, why, "pages that this VM does not have");
		behind = run->first + run->count;
		pages += run->count;
	}
	if (r->length != g->header + g->count * sizeof(g->runs[0]) + pages * PAGE_SIZE)
		return wrong(r, why, "not as long as its pages");
	return 0;
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

/* @g: on entry, whose memory was before it, and the end of that. */
static int read_granule(struct vm *vm, const struct checkpoint_source *source,
			const struct checkpoint_record *r, struct granule *g, char *why)
{
	struct state_reader header = {.data = g->bytes, .len = MIN(r->length, sizeof(g->bytes))};
	struct device *before = g->dev;
	uint64_t behind = g->at;
	struct state_name name;

	source->read(source->opaque, r->at, g->bytes, header.len);
	name = state_get_name(&header);
	g->at = state_get_number(&header, 8);
	g->count = (uint32_t)state_get_number(&header, 4);
	g->header = (uint32_t)header.at;
	if (r->kind != CHECKPOINT_MEMORY || header.cut)
		return wrong(r, why, "not a record of memory");
	if (!find_owner(vm, name, &g->dev))
		return wrong(r, why, "no device of this VM has such pages");
	if (g->at % GUEST_GRANULE || g->at >= BIT(GPA_BITS_MAX) ||
	    (g->dev == before ? g->at < behind : !g->dev))
		return wrong(r, why, "an address that is out of order");
	if (!g->count || g->count > RUNS_MAX ||
	    r->length < g->header + g->count * sizeof(g->runs[0]))
		return wrong(r, why, "runs of pages that are none");
	source->read(source->opaque, r->at + g->header, g->runs, g->count * sizeof(g->runs[0]));
	return check_runs(vm, g, r, why);
}

/* What the VM's making left there: little, so that it is worth to look first. */
static void clear(struct vm *vm, gpa_t from, gpa_t to)
{
	for (; from < to; from += PAGE_SIZE) {
		uint8_t *page = guest_memory_ptr(vm->memory, from, PAGE_SIZE);

		if (page && !is_zero(page))
			memset(page, 0, PAGE_SIZE);
		if (from % GUEST_GRANULE == 0)
			task_yield();
	}
}

static int load_granule(struct vm *vm, const struct checkpoint_source *source,
			const struct checkpoint_record *r, const struct granule *g)
{
	uint64_t from = r->at + g->header + g->count * sizeof(g->runs[0]), behind = g->at;

	for (uint32_t i = 0; i < g->count; i++) {
		uint64_t at = g->at + g->runs[i].first * PAGE_SIZE;
		uint64_t end = at + g->runs[i].count * PAGE_SIZE;

		if (!g->dev)
			clear(vm, behind, at);
		for (; at < end; at += PAGE_SIZE, from += PAGE_SIZE) {
			uint8_t *page = page_to_load(vm, g->dev, at);

			if (!page)
				return -ENOMEM;
			source->read(source->opaque, from, page, PAGE_SIZE);
		}
		behind = end;
	}
	if (!g->dev)
		clear(vm, behind, g->at + GUEST_GRANULE);
	return 0;
}

/* @end: of the guest's memory that is done with, which comes first. */
static int load_next(struct vm *vm, const struct checkpoint_source *source,
		     const struct checkpoint_record *r, const struct granule *g, gpa_t *end)
{
	gpa_t all = vm->memory->granule_count * GUEST_GRANULE;

	clear(vm, *end, g->dev ? all : g->at);
	*end = g->dev ? all : g->at + GUEST_GRANULE;
	return load_granule(vm, source, r, g);
}

int checkpoint_read_memory(struct vm *vm, const struct checkpoint_source *source,
			   struct checkpoint_record r, bool check, char *why)
{
	struct granule *g = kzalloc(sizeof(*g));
	bool more = r.kind != CHECKPOINT_END;
	int err = g ? 0 : -ENOMEM;
	gpa_t end = 0;

	for (; more && !err; more = checkpoint_next(source, &r)) {
		err = read_granule(vm, source, &r, g, why);
		if (!err && !check)
			err = load_next(vm, source, &r, g, &end);
		if (!err)
			g->at += GUEST_GRANULE;
		task_yield();
	}
	if (!err && !check)
		clear(vm, end, vm->memory->granule_count * GUEST_GRANULE);
	kfree(g);
	return err;
}
