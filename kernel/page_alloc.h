/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical pages: a buddy allocator over all RAM that boot hands over
 * (beyond 4 GiB as well), 4 KiB to 1 GiB, accounted per owner. Thread-safe
 * (one lock); not for the exit path.
 */
#ifndef KERNEL_PAGE_ALLOC_H
#define KERNEL_PAGE_ALLOC_H

#include "lib/compiler.h"

#include <stdint.h>

#define PAGE_SHIFT     12
#define PAGE_SIZE      UINT64_C(4096)
#define PAGE_ORDER_4K  0
#define PAGE_ORDER_2M  9
#define PAGE_ORDER_1G  18
#define PAGE_ORDER_MAX 18

/* Physical address of the host's RAM, in bytes. */
typedef uint64_t hpa_t;

/* Who a page is charged to; embed one per VM, or use a static one per subsystem. */
struct page_owner {
	const char *name;	 /* shown by `info memory`; outlives the owner's pages */
	uint64_t pages;		 /* 4 KiB pages held now; under the allocator's lock */
	struct page_owner *next; /* registry, for `info memory` */
	uint8_t tag; /* set by page_owner_register; what each of its blocks is marked with */
};

/* @name is kept by pointer. page_owner_unregister: BUG_ON pages are still held. */
void page_owner_register(struct page_owner *owner, const char *name);
void page_owner_unregister(struct page_owner *owner);

/* Boot only: gives [@start, @end) (bytes, any alignment: shrunk to pages) to the allocator. */
void page_alloc_add(hpa_t start, hpa_t end);

/*
 * 2^@order pages, naturally aligned, not zeroed, charged to @owner. Returns
 * the direct-map address, or NULL when there is none (not logged: the caller
 * knows what it was for).
 */
void *page_alloc(struct page_owner *owner, unsigned order) __must_check;
void *page_alloc_zeroed(struct page_owner *owner, unsigned order) __must_check;
/* Gives back what page_alloc(@owner, @order) returned. A double free, another owner
 * or another order panics. */
void page_free(struct page_owner *owner, void *pages, unsigned order);

/* The order of the block that starts at @p and is charged to @owner, or -ENOENT when none does. */
int page_alloc_order(const struct page_owner *owner, const void *p) __must_check;

struct page_stats {
	uint64_t total; /* 4 KiB pages managed */
	uint64_t free;
	uint64_t free_by_order[PAGE_ORDER_MAX + 1]; /* blocks */
};
void page_alloc_stats(struct page_stats *stats);
void page_owner_for_each(void (*fn)(void *opaque, const char *name, uint64_t pages), void *opaque);

#endif
