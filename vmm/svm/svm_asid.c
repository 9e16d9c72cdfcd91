/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_asid.h"
#include "vmm/svm/svm_vmcb.h"

void svm_asid_pool_init(struct svm_asid_pool *pool, uint32_t count)
{
	/* The first vCPU begins a generation: what was in the TLB before us goes. */
	*pool = (struct svm_asid_pool){.generation = 1, .next = count, .count = count};
}

uint8_t svm_asid_assign(struct svm_asid *asid, struct svm_asid_pool *pool, uint32_t cpu)
{
	uint8_t tlb_control = VMCB_TLB_KEEP;

	if (pool->next >= pool->count) {
		pool->generation++;
		pool->next = 1;
		tlb_control = VMCB_TLB_FLUSH_ALL;
	}
	*asid = (struct svm_asid){
		.generation = pool->generation, .cpu = cpu, .value = pool->next++};
	return tlb_control;
}
