/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address space identifiers: they tag a guest's TLB entries, so that an entry
 * or exit need not flush (APM vol. 2, 15.16). Each physical CPU hands out its
 * own; when they run out, all entries are flushed, a new generation begins,
 * and each vCPU takes a new one when it comes next.
 */
#ifndef VMM_SVM_SVM_ASID_H
#define VMM_SVM_SVM_ASID_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct svm_asid_pool {
	uint64_t generation; /* from 1 */
	uint32_t next, count;
};

/* A vCPU's. */
struct svm_asid {
	uint64_t generation; /* 0: needs a new one */
	uint32_t cpu;	     /* whose pool gave it */
	uint32_t value;
};

/* ASIDs 1 to @count - 1; @count is at least 2. */
void svm_asid_pool_init(struct svm_asid_pool *pool, uint32_t count);

static inline bool svm_asid_valid(const struct svm_asid *asid, const struct svm_asid_pool *pool,
				  uint32_t cpu)
{
	return asid->generation == pool->generation && asid->cpu == cpu;
}

/* A new one from the pool of @cpu. Returns what the next VMRUN has in TLB_CONTROL. */
uint8_t svm_asid_assign(struct svm_asid *asid, struct svm_asid_pool *pool,
			uint32_t cpu) __must_check;

#endif
