/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_ept.h"
#include "vmm/vmx/vmx_caps.h"

/*
 * RAM is write-back whatever the guest's PAT says: we have it mapped as well,
 * and one page by two types is undefined (SDM vol. 3A, 11.12.4). A device is
 * uncacheable, as an MTRR would have it: the guest's PAT may make that
 * write-combining, and nothing else (11.5.2.2). Neither the guest's MTRRs nor
 * the machine's have a say (28.2.6.2).
 *
 * Accessed and Dirty are set from the start, so that no walk has to write.
 * Where the CPU does not have the flags it ignores them.
 */
#define EPT_LEAF     (EPT_READ | EPT_ACCESSED | EPT_DIRTY)
#define EPT_RAM	     (EPT_TYPE_WB << EPT_TYPE_SHIFT | EPT_IGNORE_PAT)
#define EPT_UNCACHED (EPT_TYPE_UC << EPT_TYPE_SHIFT)
#define EPT_TABLE    (EPT_RIGHTS | EPT_ACCESSED)

_Static_assert(EPT_RIGHTS < BIT(NESTED_RETIRED_SHIFT), "nested_table.h");

void vmx_ept_format(struct nested_format *format, const struct vmx_machine *m)
{
	*format = (struct nested_format){.present = EPT_RIGHTS,
					 .table = EPT_TABLE,
					 .page_1g = m->ept_vpid & VMX_EPT_PAGE_1G};
	for (unsigned access = 1; access < NESTED_LEAFS; access++)
		format->leaf[access] = EPT_LEAF | (access & ACCESS_WRITE ? EPT_WRITE : 0) |
				       (access & ACCESS_EXEC ? EPT_EXEC : 0) |
				       (access & ACCESS_UNCACHED ? EPT_UNCACHED : EPT_RAM);
}

/*
 * With the flags for accessed and dirty on, the CPU's accesses to the guest's
 * own page tables count as writes (28.2.4): as they always do on AMD (APM vol.
 * 2, 15.25.5), so that a violation means the same on both.
 */
uint64_t vmx_ept_pointer(hpa_t root, const struct vmx_machine *m)
{
	return root | EPTP_TYPE_WB | EPTP_WALK_4 |
	       (m->ept_vpid & VMX_EPT_ACCESSED_DIRTY ? EPTP_ACCESSED_DIRTY : 0);
}
