/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended page tables: what stands in nested tables for VT-x (SDM vol. 3C, 28.2). */
#ifndef VMM_VMX_VMX_EPT_H
#define VMM_VMX_VMX_EPT_H

#include "vmm/nested_table.h"
#include "vmm/vmx/vmx_cpu.h"

/* Entries (28.2.2). Presence is any of the first three. */
#define EPT_READ       BIT(0)
#define EPT_WRITE      BIT(1) /* without EPT_READ: a misconfiguration (28.2.3.1) */
#define EPT_EXEC       BIT(2)
#define EPT_RIGHTS     (EPT_READ | EPT_WRITE | EPT_EXEC)
#define EPT_TYPE_SHIFT 3 /* bits 5:3 of an entry for a page */
#define EPT_TYPE_UC    UINT64_C(0)
#define EPT_TYPE_WB    UINT64_C(6)
#define EPT_IGNORE_PAT BIT(6)
#define EPT_ACCESSED   BIT(8)
#define EPT_DIRTY      BIT(9)

/* The EPT pointer (24.6.11). */
#define EPTP_TYPE_WB	    UINT64_C(6)	       /* bits 2:0: of the tables themselves */
#define EPTP_WALK_4	    (UINT64_C(3) << 3) /* bits 5:3: levels - 1 */
#define EPTP_ACCESSED_DIRTY BIT(6)

/* As svm_npt_format(): all that is mapped can be read. */
void vmx_ept_format(struct nested_format *format, const struct vmx_machine *m);

/* What the VMCS, and INVEPT, take for tables with @root. */
uint64_t vmx_ept_pointer(hpa_t root, const struct vmx_machine *m);

#endif
