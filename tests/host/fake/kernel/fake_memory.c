/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/fake/kernel/fake_memory.h"

#include "kernel/page_alloc.h"
#include "kernel/slab.h"

#include <stdlib.h>

uint64_t pages_left = PAGES;
long objects;

void page_owner_register(struct page_owner *owner, const char *name)
{
	owner->name = name;
}

void page_alloc_stats(struct page_stats *stats)
{
	*stats = (struct page_stats){.total = PAGES, .free = pages_left};
}

void *page_alloc(struct page_owner *owner, unsigned order)
{
	if (pages_left < 1u << order)
		return NULL;
	pages_left -= 1u << order;
	owner->pages += 1u << order;
	return malloc(PAGE_SIZE << order);
}

void page_free(struct page_owner *owner, void *pages, unsigned order)
{
	pages_left += 1u << order;
	owner->pages -= 1u << order;
	free(pages);
}

void *kmalloc(size_t size)
{
	objects++;
	return malloc(size);
}

void *kzalloc(size_t size)
{
	objects++;
	return calloc(1, size);
}

void kfree(const void *p)
{
	objects -= p != NULL;
	free((void *)p);
}
