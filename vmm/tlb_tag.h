/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tags of TLB entries, so that an entry or exit need not flush: address space
 * identifiers (APM vol. 2, 15.16), virtual processor identifiers (SDM vol. 3C,
 * 28.1). Each physical CPU hands out its own; when they run out, all entries
 * are flushed, a new generation begins, and each vCPU takes a new one when it
 * comes next.
 */
#ifndef VMM_TLB_TAG_H
#define VMM_TLB_TAG_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct tlb_tag_pool {
	uint64_t generation; /* from 1 */
	uint32_t next, count;
};

/* A vCPU's. */
struct tlb_tag {
	uint64_t generation; /* 0: needs a new one */
	uint32_t cpu;	     /* whose pool gave it */
	uint32_t value;
};

/* Tags 1 to @count - 1, 0 is the host's; @count is at least 2. */
void tlb_tag_pool_init(struct tlb_tag_pool *pool, uint32_t count);

static inline bool tlb_tag_valid(const struct tlb_tag *tag, const struct tlb_tag_pool *pool,
				 uint32_t cpu)
{
	return tag->generation == pool->generation && tag->cpu == cpu;
}

/* A new one from the pool of @cpu. True: before it is used, the entries of all tags are flushed. */
bool tlb_tag_assign(struct tlb_tag *tag, struct tlb_tag_pool *pool, uint32_t cpu) __must_check;

#endif
