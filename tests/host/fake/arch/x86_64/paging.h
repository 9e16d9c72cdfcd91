/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real header, but for the direct map: physical memory is one block of the
 * host's, with gaps where the test wants them. Set it before anything else.
 */
#ifndef FAKE_ARCH_X86_64_PAGING_H
#define FAKE_ARCH_X86_64_PAGING_H

#define paging_direct	 real_paging_direct
#define paging_phys	 real_paging_phys
#define paging_map_stack real_paging_map_stack
#include_next "arch/x86_64/paging.h"
#undef paging_direct
#undef paging_phys
#undef paging_map_stack

#include <stddef.h>
#include <stdint.h>

/* Where physical address 0 would be; what is there in truth is the test's business. */
extern char *fake_direct_base;

static inline void *paging_direct(uint64_t phys)
{
	return fake_direct_base + phys;
}

static inline uint64_t paging_phys(const void *p)
{
	return (uint64_t)((const char *)p - fake_direct_base);
}

/* As the real one, without a guard page. */
static inline void *paging_map_stack(void *pages, size_t size)
{
	(void)size;
	return pages;
}

#endif
