/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/plug_bars.h"

#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "tests/host/devices/plug_world.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BARS 64

static struct mapped_bar {
	uint64_t gpa, size;
	uint8_t *pages;
} bars[BARS];		     /* those that are mapped, one behind the other */
static uint64_t failed;	     /* where one could not be mapped */
static uint8_t *stale[BARS]; /* pages that were taken away since the last flush; ended by NULL */

unsigned plug_flushes;

static unsigned count_bars(void)
{
	unsigned n;

	for (n = 0; n < BARS && bars[n].size; n++)
		;
	return n;
}

int guest_memory_map_data(struct vm *v, gpa_t gpa, void *pages, uint64_t size)
{
	unsigned n = count_bars(), i;

	assert_false(guest_memory_has_ram(v->memory, gpa, size) || (gpa | size) % PAGE_SIZE);
	if (fake_memory_left == 0) {
		failed = gpa;
		return -ENOMEM;
	}
	for (i = 0; i < n; i++)
		assert_true(gpa >= bars[i].gpa + bars[i].size || bars[i].gpa >= gpa + size);
	assert_true(n < BARS);
	bars[n] = (struct mapped_bar){gpa, size, pages};
	return 0;
}

void guest_memory_trim(struct vm *v)
{
	(void)v;
}

static void set_stale(uint8_t *pages)
{
	unsigned n;

	for (n = 0; stale[n] && stale[n] != pages; n++)
		assert_true(n + 1 < BARS);
	stale[n] = pages;
}

/* What was mapped, at once. */
bool plug_bars_unmap(gpa_t gpa, uint64_t size)
{
	unsigned n = count_bars(), i;
	bool was_failed = gpa == failed;

	failed = 0;
	for (i = 0; i < n; i++) {
		if (gpa >= bars[i].gpa + bars[i].size || bars[i].gpa >= gpa + size)
			continue;
		assert_true(gpa == bars[i].gpa && size == bars[i].size);
		set_stale(bars[i].pages);
		bars[i] = bars[n - 1];
		bars[n - 1].size = 0;
		return true;
	}
	return was_failed;
}

void plug_bars_flushed(void)
{
	unsigned n;

	for (n = 0; n < BARS; n++)
		stale[n] = NULL;
}

uint64_t plug_bars_pages(void)
{
	uint64_t pages = 0;
	unsigned n;

	for (n = 0; n < BARS; n++)
		pages += bars[n].size / PAGE_SIZE;
	return pages;
}

uint8_t *plug_bar_at(gpa_t gpa)
{
	unsigned n;

	for (n = 0; n < BARS; n++)
		if (gpa - bars[n].gpa < bars[n].size)
			return bars[n].pages + (gpa - bars[n].gpa);
	return NULL;
}

static bool is_in(const uint8_t *at, const uint8_t *pages, uint64_t size)
{
	return at >= pages && at < pages + size;
}

/* Nobody may reach it any more; of vCPUs that do not run, what they have cached counts not. */
static void check_freed(const uint8_t *pages, uint64_t size)
{
	bool live = plug_vm->hooks && plug_vm->hooks->live;
	unsigned n;

	for (n = 0; n < BARS; n++) {
		assert_false(bars[n].size && is_in(bars[n].pages, pages, size));
		assert_false(live && is_in(stale[n], pages, size));
	}
}

/* Counted, and refused, with the small objects. */
void *page_alloc_zeroed(struct page_owner *owner, unsigned order)
{
	uint8_t *block = kzalloc((PAGE_SIZE << order) + PAGE_SIZE), *pages;

	(void)owner;
	if (!block)
		return NULL;
	pages = (uint8_t *)ALIGN_DOWN((uintptr_t)block + PAGE_SIZE, PAGE_SIZE);
	memcpy(pages - sizeof(block), &block, sizeof(block));
	return pages;
}

void *page_alloc(struct page_owner *owner, unsigned order)
{
	return page_alloc_zeroed(owner, order);
}

void page_free(struct page_owner *owner, void *pages, unsigned order)
{
	void *block;

	(void)owner;
	check_freed(pages, PAGE_SIZE << order);
	memcpy(&block, (uint8_t *)pages - sizeof(block), sizeof(block));
	kfree(block);
}
