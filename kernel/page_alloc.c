/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buddy allocator. Each range of RAM that boot gives is a zone with two bytes
 * about every page of it, kept in the zone itself; free blocks are linked
 * through their own first bytes. Blocks are aligned to their size in physical
 * addresses, so a block's buddy is found by flipping one bit of its page
 * number, and merging stops at the zone's ends.
 */
#include "kernel/page_alloc.h"
#include "arch/x86_64/paging.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"
#include "lib/list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ZONE_MAX 256

/* struct page.state: the kind, and the block's order in the low five bits. */
#define PAGE_INSIDE    0x00 /* not the first page of a block, or not handed out at all */
#define PAGE_FREE      0x40
#define PAGE_ALLOCATED 0x80

struct page {
	uint8_t state;
	uint8_t tag; /* of the owner, while allocated */
};

struct zone {
	uint64_t start, end; /* page numbers, [start, end), without the pages of @pages */
	struct page *pages;  /* by page number - start */
};

static struct {
	struct spinlock lock; /* over all below, owners' counts and their list */
	struct zone zones[ZONE_MAX];
	unsigned zone_count;
	struct list_head free[PAGE_ORDER_MAX + 1];
	struct page_stats stats;
	struct page_owner *owners;
	uint8_t last_tag;
} allocator;

void page_owner_register(struct page_owner *owner, const char *name)
{
	spin_lock(&allocator.lock);
	owner->name = name;
	owner->pages = 0;
	/* With more than 255 owners two share a tag, and one check gets weaker. */
	if (!++allocator.last_tag)
		allocator.last_tag = 1;
	owner->tag = allocator.last_tag;
	owner->next = allocator.owners;
	allocator.owners = owner;
	spin_unlock(&allocator.lock);
}

void page_owner_unregister(struct page_owner *owner)
{
	struct page_owner **at = &allocator.owners;

	BUG_ON(owner->pages);
	spin_lock(&allocator.lock);
	while (*at != owner)
		at = &(*at)->next;
	*at = owner->next;
	spin_unlock(&allocator.lock);
}

static struct zone *page_zone(uint64_t number)
{
	for (unsigned i = 0; i < allocator.zone_count; i++) {
		struct zone *zone = &allocator.zones[i];

		if (number >= zone->start && number < zone->end)
			return zone;
	}
	return NULL;
}

static struct list_head *page_link(uint64_t number)
{
	return paging_direct(number << PAGE_SHIFT);
}

static void page_put_free(struct zone *zone, uint64_t number, unsigned order)
{
	zone->pages[number - zone->start].state = PAGE_FREE | order;
	list_add(page_link(number), &allocator.free[order]);
	allocator.stats.free_by_order[order]++;
}

static void page_take_free(struct zone *zone, uint64_t number, unsigned order)
{
	zone->pages[number - zone->start].state = PAGE_INSIDE;
	list_del(page_link(number));
	allocator.stats.free_by_order[order]--;
}

/*
 * Takes the pages for zone->pages from that end of the zone which is less
 * aligned: it would not have made a large block anyway.
 */
static void zone_place_pages(struct zone *zone)
{
	uint64_t bytes = (zone->end - zone->start) * sizeof(struct page);
	uint64_t count = ALIGN_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT;
	uint64_t at;

	if (__builtin_ctzll(zone->start) > __builtin_ctzll(zone->end)) {
		zone->end -= count;
		at = zone->end;
	} else {
		at = zone->start;
		zone->start += count;
	}
	zone->pages = paging_direct(at << PAGE_SHIFT);
	memset(zone->pages, 0, bytes);
}

void page_alloc_add(hpa_t start, hpa_t end)
{
	struct zone *zone = &allocator.zones[allocator.zone_count];
	uint64_t number;

	/* Page 0 is the firmware's; number 0 says "none" below. */
	start = MAX(ALIGN_UP(start, PAGE_SIZE), PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	/* One page would only hold what is said about it. */
	if (end <= start || end - start < 2 * PAGE_SIZE || allocator.zone_count == ZONE_MAX)
		return;
	spin_lock(&allocator.lock);
	if (!allocator.zone_count++)
		for (unsigned i = 0; i <= PAGE_ORDER_MAX; i++)
			list_init(&allocator.free[i]);
	zone->start = start >> PAGE_SHIFT;
	zone->end = end >> PAGE_SHIFT;
	zone_place_pages(zone);
	allocator.stats.total += zone->end - zone->start;
	allocator.stats.free += zone->end - zone->start;
	number = zone->start;
	while (number < zone->end) {
		unsigned order = MIN(__builtin_ctzll(number), PAGE_ORDER_MAX);

		while (number + BIT(order) > zone->end)
			order--;
		page_put_free(zone, number, order);
		number += BIT(order);
	}
	spin_unlock(&allocator.lock);
}

/* The page number of a new block, or 0 when there is none. */
static uint64_t page_take(unsigned order)
{
	struct zone *zone;
	uint64_t number;
	unsigned from = order;

	while (list_empty(&allocator.free[from]))
		if (++from > PAGE_ORDER_MAX)
			return 0;
	number = paging_phys(allocator.free[from].next) >> PAGE_SHIFT;
	zone = page_zone(number);
	page_take_free(zone, number, from);
	while (from > order) {
		from--;
		page_put_free(zone, number + BIT(from), from);
	}
	return number;
}

void *page_alloc(struct page_owner *owner, unsigned order)
{
	uint64_t number = 0;

	BUG_ON(!owner->tag);
	if (order > PAGE_ORDER_MAX)
		return NULL;
	spin_lock(&allocator.lock);
	if (allocator.zone_count)
		number = page_take(order);
	if (number) {
		struct zone *zone = page_zone(number);

		zone->pages[number - zone->start].state = PAGE_ALLOCATED | order;
		zone->pages[number - zone->start].tag = owner->tag;
		allocator.stats.free -= BIT(order);
		owner->pages += BIT(order);
	}
	spin_unlock(&allocator.lock);
	return number ? paging_direct(number << PAGE_SHIFT) : NULL;
}

void *page_alloc_zeroed(struct page_owner *owner, unsigned order)
{
	void *pages = page_alloc(owner, order);

	if (pages)
		memset(pages, 0, PAGE_SIZE << order);
	return pages;
}

/* What is said about the page at @p when a block of @owner starts there, otherwise NULL. */
static struct page *page_owned(const struct page_owner *owner, const void *p, struct zone **zone)
{
	uint64_t phys = paging_phys(p);
	struct page *page;

	*zone = page_zone(phys >> PAGE_SHIFT);
	if (!*zone || !IS_ALIGNED(phys, PAGE_SIZE))
		return NULL;
	page = &(*zone)->pages[(phys >> PAGE_SHIFT) - (*zone)->start];
	return (page->state & PAGE_ALLOCATED) && page->tag == owner->tag ? page : NULL;
}

int page_alloc_order(const struct page_owner *owner, const void *p)
{
	struct zone *zone;
	struct page *page;
	int order;

	spin_lock(&allocator.lock);
	page = page_owned(owner, p, &zone);
	order = page ? page->state & ~PAGE_ALLOCATED : -ENOENT;
	spin_unlock(&allocator.lock);
	return order;
}

/* Joins the block with its free buddies and puts the whole on its list. */
static void page_merge(struct zone *zone, uint64_t number, unsigned order)
{
	while (order < PAGE_ORDER_MAX) {
		uint64_t buddy = number ^ BIT(order);

		if (buddy < zone->start || buddy >= zone->end ||
		    zone->pages[buddy - zone->start].state != (PAGE_FREE | order))
			break;
		page_take_free(zone, buddy, order);
		number &= ~BIT(order);
		order++;
	}
	page_put_free(zone, number, order);
}

void page_free(struct page_owner *owner, void *pages, unsigned order)
{
	struct zone *zone;
	struct page *page;

	spin_lock(&allocator.lock);
	page = page_owned(owner, pages, &zone);
	if (!page || page->state != (PAGE_ALLOCATED | order))
		panic("page_free: %p is no block of order %u of %s", pages, order, owner->name);
	page->state = PAGE_INSIDE;
	owner->pages -= BIT(order);
	allocator.stats.free += BIT(order);
	page_merge(zone, (uint64_t)(page - zone->pages) + zone->start, order);
	spin_unlock(&allocator.lock);
}

void page_alloc_stats(struct page_stats *stats)
{
	spin_lock(&allocator.lock);
	*stats = allocator.stats;
	spin_unlock(&allocator.lock);
}

/* Copies owner number @index; false when there are not so many. */
static bool page_owner_get(unsigned index, char *name, size_t size, uint64_t *pages)
{
	const struct page_owner *owner;

	spin_lock(&allocator.lock);
	owner = allocator.owners;
	while (owner && index--)
		owner = owner->next;
	if (owner) {
		snprintf(name, size, "%s", owner->name);
		*pages = owner->pages;
	}
	spin_unlock(&allocator.lock);
	return owner;
}

void page_owner_for_each(void (*fn)(void *opaque, const char *name, uint64_t pages), void *opaque)
{
	char name[64];
	uint64_t pages;

	/* @fn may take long and may allocate, and owners come and go meanwhile: copies. */
	for (unsigned i = 0; page_owner_get(i, name, sizeof(name), &pages); i++)
		fn(opaque, name, pages);
}
