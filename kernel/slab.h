/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects: size classes of powers of two and their halves from 16 B to
 * 2 KiB on slabs of pages; larger sizes go to the page allocator. Charged to
 * the owner "slab" as pages and counted in bytes. Any CPU; not for the exit
 * path. Memory from kmalloc is at least 16-byte aligned (and a power-of-two
 * size is aligned to itself up to a page).
 */
#ifndef KERNEL_SLAB_H
#define KERNEL_SLAB_H

#include "lib/compiler.h"

#include <stddef.h>

/* Boot, once, after the first page_alloc_add(). */
void slab_init(void);

/* NULL when there is no memory or @size is 0. */
void *kmalloc(size_t size) __must_check;
void *kzalloc(size_t size) __must_check;
/* @n elements of @size, zeroed; an overflowing product is NULL. */
void *kcalloc(size_t n, size_t size) __must_check;
char *kstrdup(const char *s) __must_check;
/* NULL is fine. What is no live object panics. */
void kfree(const void *p);
/* Bytes handed out now, for leak tests and `info memory`. */
size_t slab_in_use(void);

#endif
