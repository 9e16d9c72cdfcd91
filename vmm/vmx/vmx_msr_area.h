/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EFER and PAT, of which a guest and we have different values: fields of the VMCS, which entries
 * and exits switch by controls; where a CPU has not all of an MSR's controls, entries of lists
 * that it goes through at each entry and exit (SDM vol. 3C, 24.7.2, 24.8.2, 26.4, 27.4, 27.6). A
 * vCPU has nothing in a list that a field does.
 */
#ifndef VMM_VMX_VMX_MSR_AREA_H
#define VMM_VMX_VMX_MSR_AREA_H

#include "lib/compiler.h"
#include "vmm/vmx/vmx_choose.h"
#include "vmm/vmx/vmx_cpu.h"

#include <stddef.h>
#include <stdint.h>

struct vmx_vcpu;

/* An entry of a list (tables 24-12, 24-13 and 24-15). */
struct vmx_msr_entry {
	uint32_t index;
	uint32_t reserved;
	uint64_t value;
};
_Static_assert(offsetof(struct vmx_msr_entry, value) == 8, "SDM vol. 3C, table 24-12");
_Static_assert(sizeof(struct vmx_msr_entry) == 16, "SDM vol. 3C, table 24-12");

/* What a vCPU's VMCS points to. Exits store the guest's values where the next entry loads them. */
struct vmx_msr_area {
	struct vmx_msr_entry guest[VMX_SWITCHED_MSRS];
	struct vmx_msr_entry host[VMX_SWITCHED_MSRS];
	uint64_t *at[VMX_SWITCHED_MSRS]; /* in guest[], or NULL: a field has it */
	uint32_t count;
};

/* The area of a new vCPU, none where all is in fields. 0 or -ENOMEM. Tasks. */
int vmx_msr_area_create(struct vmx_vcpu *vmx) __must_check;
void vmx_msr_area_destroy(struct vmx_vcpu *vmx);
/* Its VMCS's addresses and counts of the lists. The VMCS is current. */
void vmx_msr_area_write(const struct vmx_vcpu *vmx);

/*
 * The guest's value of @msr, wherever it is. The VMCS is current; own CPU, or the vCPU does not
 * run.
 */
uint64_t vmx_msr_get(const struct vmx_vcpu *vmx, enum vmx_switched_msr msr);
void vmx_msr_set(struct vmx_vcpu *vmx, enum vmx_switched_msr msr, uint64_t value);

#endif
