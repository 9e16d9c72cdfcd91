/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages are memory as all else is: counted, and refused. */
#include "kernel/page_alloc.h"
#include "kernel/slab.h"

void *page_alloc_zeroed(struct page_owner *owner, unsigned order)
{
	(void)owner;
	return kzalloc(PAGE_SIZE << order);
}

void page_free(struct page_owner *owner, void *pages, unsigned order)
{
	(void)owner;
	(void)order;
	kfree(pages);
}
