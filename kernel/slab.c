/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects lie on slabs of 16 KiB, aligned to their size, of one size
 * class each. The slab's first bytes say which objects are out: every kfree()
 * is checked against that. An empty slab goes back to the page allocator at
 * once, so that a leak shows in the pages as well.
 */
#include "kernel/slab.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"
#include "lib/list.h"

#include <stdint.h>
#include <string.h>

#define SLAB_ORDER    2
#define SLAB_SIZE     (PAGE_SIZE << SLAB_ORDER)
#define SLAB_MIN_SIZE 16
#define SLAB_MAX_SIZE 2048
#define SLAB_WORDS    (SLAB_SIZE / SLAB_MIN_SIZE / 64)

struct slab_class {
	struct spinlock lock;
	uint16_t size;
	uint16_t first;		  /* offset of the first object in its slab */
	uint16_t count;		  /* objects in a slab */
	struct list_head partial; /* slabs with a free object */
};

struct slab {
	struct slab_class *class;
	uint32_t used;		   /* objects that are out; under the class's lock */
	struct list_head link;	   /* in class->partial while one is free */
	uint64_t free[SLAB_WORDS]; /* a bit an object: 1 = free */
};

/* A power of two is aligned to itself, its half more to 16. */
#define SLAB_FIRST(size) ALIGN_UP(sizeof(struct slab), (size) & ((size)-1) ? 16 : (size))
#define SLAB_CLASS(n, size_)                                        \
	{                                                           \
		.size = (size_), .first = SLAB_FIRST(size_),        \
		.count = (SLAB_SIZE - SLAB_FIRST(size_)) / (size_), \
		.partial = LIST_HEAD_INIT(slab_classes[n].partial), \
	}

static struct slab_class slab_classes[] = {
	SLAB_CLASS(0, 16),    SLAB_CLASS(1, 32),    SLAB_CLASS(2, 48),	 SLAB_CLASS(3, 64),
	SLAB_CLASS(4, 96),    SLAB_CLASS(5, 128),   SLAB_CLASS(6, 192),	 SLAB_CLASS(7, 256),
	SLAB_CLASS(8, 384),   SLAB_CLASS(9, 512),   SLAB_CLASS(10, 768), SLAB_CLASS(11, 1024),
	SLAB_CLASS(12, 1536), SLAB_CLASS(13, 2048),
};

static struct page_owner slab_owner;
static size_t slab_bytes; /* atomic */

void slab_init(void)
{
	page_owner_register(&slab_owner, "slab");
}

size_t slab_in_use(void)
{
	return __atomic_load_n(&slab_bytes, __ATOMIC_RELAXED);
}

static void slab_count(ptrdiff_t bytes)
{
	__atomic_fetch_add(&slab_bytes, bytes, __ATOMIC_RELAXED);
}

static struct slab *slab_create(struct slab_class *class)
{
	struct slab *slab = page_alloc(&slab_owner, SLAB_ORDER);

	if (!slab)
		return NULL;
	slab->class = class;
	slab->used = 0;
	memset(slab->free, 0, sizeof(slab->free));
	for (unsigned i = 0; i < class->count; i++)
		slab->free[i / 64] |= BIT(i % 64);
	return slab;
}

/* One object of a slab that has a free one. Under the class's lock. */
static void *slab_take(struct slab *slab)
{
	struct slab_class *class = slab->class;
	unsigned word = 0, bit;

	while (!slab->free[word])
		word++;
	bit = __builtin_ctzll(slab->free[word]);
	slab->free[word] &= ~BIT(bit);
	if (++slab->used == class->count)
		list_del(&slab->link);
	return (char *)slab + class->first + (word * 64 + bit) * class->size;
}

static void *slab_alloc(struct slab_class *class)
{
	void *p;

	spin_lock(&class->lock);
	if (list_empty(&class->partial)) {
		struct slab *slab;

		/* Two CPUs may do this at once: then there are two new slabs. */
		spin_unlock(&class->lock);
		slab = slab_create(class);
		if (!slab)
			return NULL;
		spin_lock(&class->lock);
		list_add(&slab->link, &class->partial);
	}
	p = slab_take(list_first_entry(&class->partial, struct slab, link));
	spin_unlock(&class->lock);
	slab_count(class->size);
	return p;
}

/* What is beyond the classes: whole pages. */
static void *slab_alloc_pages(size_t size)
{
	unsigned order = 0;
	void *p;

	while (order <= PAGE_ORDER_MAX && PAGE_SIZE << order < size)
		order++;
	p = page_alloc(&slab_owner, order);
	if (p)
		slab_count(PAGE_SIZE << order);
	return p;
}

void *kmalloc(size_t size)
{
	if (!size)
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(slab_classes); i++)
		if (size <= slab_classes[i].size)
			return slab_alloc(&slab_classes[i]);
	return slab_alloc_pages(size);
}

/* Takes the object back; returns the slab when that was its last one. */
static struct slab *slab_put(struct slab *slab, const void *p)
{
	struct slab_class *class = slab->class;
	size_t offset = (uintptr_t)p - (uintptr_t)slab;
	size_t n = (offset - class->first) / class->size;

	BUG_ON(offset < class->first || (offset - class->first) % class->size || n >= class->count);
	BUG_ON(slab->free[n / 64] & BIT(n % 64));
	slab->free[n / 64] |= BIT(n % 64);
	if (slab->used-- == class->count)
		list_add(&slab->link, &class->partial);
	if (slab->used)
		return NULL;
	list_del(&slab->link);
	return slab;
}

void kfree(const void *p)
{
	struct slab *slab = (struct slab *)ALIGN_DOWN((uintptr_t)p, SLAB_SIZE);
	struct slab_class *class;
	struct slab *empty;
	int order;

	if (!p)
		return;
	/* No object starts where its slab does, so what starts a block of pages is one of those. */
	order = IS_ALIGNED((uintptr_t)p, PAGE_SIZE) ? page_alloc_order(&slab_owner, p) : -1;
	if (order >= 0) {
		slab_count(-(ptrdiff_t)(PAGE_SIZE << order));
		page_free(&slab_owner, (void *)p, order);
		return;
	}
	BUG_ON(page_alloc_order(&slab_owner, slab) != SLAB_ORDER);
	class = slab->class;
	BUG_ON(class < slab_classes || class >= slab_classes + ARRAY_SIZE(slab_classes));
	spin_lock(&class->lock);
	empty = slab_put(slab, p);
	spin_unlock(&class->lock);
	slab_count(-(ptrdiff_t) class->size);
	if (empty)
		page_free(&slab_owner, empty, SLAB_ORDER);
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void *kcalloc(size_t n, size_t size)
{
	size_t total;

	return __builtin_mul_overflow(n, size, &total) ? NULL : kzalloc(total);
}

char *kstrdup(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = kmalloc(size);

	if (copy)
		memcpy(copy, s, size);
	return copy;
}
