/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_msr_area.h"
#include "arch/x86_64/paging.h"
#include "kernel/slab.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

#include <errno.h>

/* By the least that IA32_VMX_MISC can say. */
_Static_assert(VMX_SWITCHED_MSRS <= VMX_MISC_MSR_LIST_MAX(0), "SDM vol. 3D, A.6");

static const uint16_t vmx_msr_fields[VMX_SWITCHED_MSRS] = {
	[VMX_SWITCHED_EFER] = VMCS_GUEST_EFER,
	[VMX_SWITCHED_PAT] = VMCS_GUEST_PAT,
};

/* Slabs lie in the direct map, so an area has one physical address, and they align it to 16. */
int vmx_msr_area_create(struct vmx_vcpu *vmx)
{
	struct vmx_msr_area *area;

	if (!vmx_needs_msr_area(&vmx_machine))
		return 0;
	area = kzalloc(sizeof(*area));
	if (!area)
		return -ENOMEM;
	for (unsigned msr = 0; msr < VMX_SWITCHED_MSRS; msr++) {
		if (!vmx_in_msr_area(&vmx_machine, msr))
			continue;
		area->guest[area->count].index = vmx_switched_msrs[msr].index;
		area->host[area->count].index = vmx_switched_msrs[msr].index;
		area->at[msr] = &area->guest[area->count].value;
		area->count++;
	}
	vmx->area = area;
	return 0;
}

void vmx_msr_area_destroy(struct vmx_vcpu *vmx)
{
	kfree(vmx->area);
}

void vmx_msr_area_write(const struct vmx_vcpu *vmx)
{
	const struct vmx_msr_area *area = vmx->area;
	uint32_t count = area ? area->count : 0;

	vmx_write(VMCS_EXIT_MSR_STORE_COUNT, count);
	vmx_write(VMCS_EXIT_MSR_LOAD_COUNT, count);
	vmx_write(VMCS_ENTRY_MSR_LOAD_COUNT, count);
	if (!count)
		return;
	vmx_write(VMCS_EXIT_MSR_STORE_ADDRESS, paging_phys(area->guest));
	vmx_write(VMCS_EXIT_MSR_LOAD_ADDRESS, paging_phys(area->host));
	vmx_write(VMCS_ENTRY_MSR_LOAD_ADDRESS, paging_phys(area->guest));
}

uint64_t vmx_msr_get(const struct vmx_vcpu *vmx, enum vmx_switched_msr msr)
{
	if (unlikely(vmx->area && vmx->area->at[msr]))
		return *vmx->area->at[msr];
	return vmx_read(vmx_msr_fields[msr]);
}

void vmx_msr_set(struct vmx_vcpu *vmx, enum vmx_switched_msr msr, uint64_t value)
{
	if (unlikely(vmx->area && vmx->area->at[msr]))
		*vmx->area->at[msr] = value;
	else
		vmx_write(vmx_msr_fields[msr], value);
}
