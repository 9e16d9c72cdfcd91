/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_apic.h"
#include "arch/x86_64/paging.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

static bool vmx_apic_shadows(void)
{
	return vmx_uses(&vmx_machine.proc, VMX_PROC_TPR_SHADOW);
}

/* A threshold of 0 is never passed. */
void vmx_apic_reset(const struct vmx_vcpu *vmx)
{
	if (!vmx_apic_shadows())
		return;
	vmx_write(VMCS_VIRTUAL_APIC_ADDRESS, paging_phys(vmx->apic));
	vmx_write(VMCS_TPR_THRESHOLD, 0);
}

/* CR8 is not below it now, or the entry would be refused (26.2.1.1). */
void vmx_set_tpr_threshold(struct vcpu *vcpu, unsigned priority)
{
	struct vmx_loan loan;

	if (!vmx_apic_shadows())
		return;
	loan = vmx_vmcs_begin(vcpu);
	vmx_write(VMCS_TPR_THRESHOLD, priority);
	vmx_vmcs_end(loan);
}
