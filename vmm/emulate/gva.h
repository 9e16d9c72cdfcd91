/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From guest-virtual (linear) to guest-physical addresses by the guest's own
 * page tables: none, 32-bit with PSE and PSE-36, PAE, and 4-level long mode.
 */
#ifndef VMM_EMULATE_GVA_H
#define VMM_EMULATE_GVA_H

#include "vmm/emulate/emulate.h"

#define GVA_MAX_LEVELS 4

/* What the access is; reads are the absence of the others. */
#define GVA_READ   0U
#define GVA_WRITE  1U
#define GVA_FETCH  2U
#define GVA_SYSTEM 4U /* the CPU's own access to its tables, supervisor at any CPL */

struct gva_walk {
	uint64_t gpa;
	unsigned int nr_entries;
	/*
	 * Per level from the root: the aligned eight bytes of RAM which hold the
	 * entry, and what they held when the walk used them. NULL: not in RAM.
	 */
	const uint64_t *where[GVA_MAX_LEVELS];
	uint64_t seen[GVA_MAX_LEVELS];
};

/*
 * Translates one linear address, sets accessed and dirty bits as a CPU does.
 *
 * Returns 0; -EFAULT with the page fault in ctx->fault; -EAGAIN when other vCPUs
 * keep changing the entries, and the guest should run on and retry.
 */
int __must_check gva_translate(struct emulate_ctx *ctx, uint64_t gva, unsigned int access,
			       struct gva_walk *walk);

#endif
