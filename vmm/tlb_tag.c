/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/tlb_tag.h"

void tlb_tag_pool_init(struct tlb_tag_pool *pool, uint32_t count)
{
	/* The first vCPU begins a generation: what was in the TLB before us goes. */
	*pool = (struct tlb_tag_pool){.generation = 1, .next = count, .count = count};
}

bool tlb_tag_assign(struct tlb_tag *tag, struct tlb_tag_pool *pool, uint32_t cpu)
{
	bool flush = pool->next >= pool->count;

	if (flush) {
		pool->generation++;
		pool->next = 1;
	}
	*tag = (struct tlb_tag){.generation = pool->generation, .cpu = cpu, .value = pool->next++};
	return flush;
}
