/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_npt.h"
#include "arch/x86_64/paging.h"

/*
 * Nested walks are user accesses (15.25.5). Accessed and Dirty are set from the
 * start, so that no walk has to write.
 */
#define NPT_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A)
#define NPT_LEAF  (PTE_P | PTE_US | PTE_A | PTE_D)
/*
 * The type of a nested page is looked up in our PAT, which stays loaded while a guest runs
 * (15.25.8), and combined with the guest's and the machine's MTRRs: a device is uncacheable, or
 * write-combining where guest's and machine's tables say so, and never cached.
 */
#define NPT_UNCACHED (PTE_PCD | PTE_PWT)

_Static_assert(NESTED_ENTRY_LARGE == PTE_PS && NESTED_ENTRY_ADDR == PTE_ADDR, "5.3");
_Static_assert((PAGING_PAT >> 24 & 0xff) == 0, "PCD and PWT: entry 3, uncacheable (7.8.1)");
_Static_assert(PTE_P < BIT(NESTED_RETIRED_SHIFT), "nested_table.h");

void svm_npt_format(struct nested_format *format, bool page_1g)
{
	*format = (struct nested_format){.present = PTE_P, .table = NPT_TABLE, .page_1g = page_1g};
	for (unsigned access = 1; access < NESTED_LEAFS; access++)
		format->leaf[access] = NPT_LEAF | (access & ACCESS_WRITE ? PTE_RW : 0) |
				       (access & ACCESS_EXEC ? 0 : PTE_NX) |
				       (access & ACCESS_UNCACHED ? NPT_UNCACHED : 0);
}
