/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record of memory is what 2 MiB of it have that is not zero: where they
 * begin, how many runs of pages follow, the runs, and then their pages. 2 MiB
 * of zeroes have no record.
 */
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "vmm/checkpoint/state.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGES	 (GUEST_GRANULE / PAGE_SIZE)
#define RUNS_MAX (PAGES / 2)

struct run {
	uint32_t first, count; /* pages from the granule's first */
};

struct granule_header {
	uint64_t gpa;
	uint32_t runs;
};
#define HEADER_SIZE 12u

struct granule {
	struct granule_header h;
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

/* Returns how many pages the runs have. */
static uint32_t find_runs(struct vm *vm, struct granule *g, gpa_t gpa)
{
	uint32_t pages = 0;
	bool in_run = false;

	g->h = (struct granule_header){.gpa = gpa};
	for (uint32_t i = 0; i < PAGES; i++) {
		const uint8_t *page = guest_memory_ptr(vm->memory, gpa + i * PAGE_SIZE, PAGE_SIZE);
		bool kept = page && !is_zero(page);

		if (kept && !in_run)
			g->runs[g->h.runs++] = (struct run){.first = i};
		if (kept)
			g->runs[g->h.runs - 1].count++;
		pages += kept;
		in_run = kept;
	}
	return pages;
}

static int write_pages(struct vm *vm, const struct granule *g, struct checkpoint_writer *w)
{
	int err = 0;

	for (uint32_t r = 0; r < g->h.runs && !err; r++) {
		gpa_t gpa = g->h.gpa + g->runs[r].first * PAGE_SIZE;
		uint64_t size = g->runs[r].count * PAGE_SIZE;

		err = checkpoint_put(w, guest_memory_ptr(vm->memory, gpa, size), size);
	}
	return err;
}

static int write_granule(struct vm *vm, struct granule *g, gpa_t gpa, struct checkpoint_writer *w)
{
	uint32_t pages = find_runs(vm, g, gpa);
	size_t runs_size = g->h.runs * sizeof(g->runs[0]);
	int err;

	if (!pages)
		return 0;
	err = checkpoint_record_begin(w, CHECKPOINT_MEMORY,
				      HEADER_SIZE + runs_size + pages * PAGE_SIZE);
	if (!err)
		err = checkpoint_put(w, &g->h, HEADER_SIZE);
	if (!err)
		err = checkpoint_put(w, g->runs, runs_size);
	if (!err)
		err = write_pages(vm, g, w);
	return err ? err : checkpoint_record_end(w);
}

int checkpoint_write_memory(struct vm *vm, struct checkpoint_writer *w)
{
	struct granule *g = kmalloc(sizeof(*g));
	int err = g ? 0 : -ENOMEM;

	for (uint64_t i = 0; i < vm->memory->granule_count && !err; i++) {
		if (!vm->memory->granules[i])
			continue;
		err = write_granule(vm, g, i * GUEST_GRANULE, w);
		task_yield();
	}
	kfree(g);
	return err;
}

static int wrong(const struct checkpoint_record *r, char *why, const char *what)
{
	snprintf(why, CHECKPOINT_WHY_MAX, "record %u (memory): %s", r->number, what);
	return -EINVAL;
}

/* The runs come in order, and their pages are as many as the record has. */
static int check_runs(struct vm *vm, const struct granule *g, const struct checkpoint_record *r,
		      char *why)
{
	uint64_t pages = 0, behind = 0;

	for (uint32_t i = 0; i < g->h.runs; i++) {
		const struct run *run = &g->runs[i];

		if (run->first < behind || !run->count || run->count > PAGES ||
		    run->first > PAGES - run->count)
			return wrong(r, why, "runs of pages that are none");
		if (!guest_memory_ptr(vm->memory, g->h.gpa + run->first * PAGE_SIZE,
				      run->count * PAGE_SIZE))
			return wrong(r, why, "pages that are no memory of this VM");
		behind = run->first + run->count;
		pages += run->count;
	}
	if (r->length != HEADER_SIZE + g->h.runs * sizeof(g->runs[0]) + pages * PAGE_SIZE)
		return wrong(r, why, "not as long as its pages");
	return 0;
}

/* @behind: the end of what was before it. */
static int read_granule(struct vm *vm, const struct checkpoint_source *source,
			const struct checkpoint_record *r, struct granule *g, gpa_t behind,
			char *why)
{
	if (r->kind != CHECKPOINT_MEMORY || r->length < HEADER_SIZE)
		return wrong(r, why, "not a record of memory");
	source->read(source->opaque, r->at, &g->h, HEADER_SIZE);
	if (g->h.gpa % GUEST_GRANULE || g->h.gpa < behind)
		return wrong(r, why, "an address that is out of order");
	if (!g->h.runs || g->h.runs > RUNS_MAX ||
	    r->length < HEADER_SIZE + g->h.runs * sizeof(g->runs[0]))
		return wrong(r, why, "runs of pages that are none");
	source->read(source->opaque, r->at + HEADER_SIZE, g->runs, g->h.runs * sizeof(g->runs[0]));
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

static void load_granule(struct vm *vm, const struct checkpoint_source *source,
			 const struct checkpoint_record *r, const struct granule *g)
{
	uint64_t at = r->at + HEADER_SIZE + g->h.runs * sizeof(g->runs[0]);
	gpa_t behind = g->h.gpa;

	for (uint32_t i = 0; i < g->h.runs; i++) {
		gpa_t gpa = g->h.gpa + g->runs[i].first * PAGE_SIZE;
		uint64_t size = g->runs[i].count * PAGE_SIZE;

		clear(vm, behind, gpa);
		source->read(source->opaque, at, guest_memory_ptr(vm->memory, gpa, size), size);
		behind = gpa + size;
		at += size;
	}
	clear(vm, behind, g->h.gpa + GUEST_GRANULE);
}

int checkpoint_read_memory(struct vm *vm, const struct checkpoint_source *source,
			   struct checkpoint_record r, bool check, char *why)
{
	struct granule *g = kmalloc(sizeof(*g));
	gpa_t end = vm->memory->granule_count * GUEST_GRANULE, behind = 0;
	int err = g ? 0 : -ENOMEM;
	bool more = r.kind != CHECKPOINT_END;

	for (; more && !err; more = checkpoint_next(source, &r)) {
		err = read_granule(vm, source, &r, g, behind, why);
		if (err)
			break;
		if (!check) {
			clear(vm, behind, g->h.gpa);
			load_granule(vm, source, &r, g);
		}
		behind = g->h.gpa + GUEST_GRANULE;
		task_yield();
	}
	if (!err && !check)
		clear(vm, behind, end);
	kfree(g);
	return err;
}
