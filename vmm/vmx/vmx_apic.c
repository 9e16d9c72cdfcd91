/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_apic.h"
#include "arch/x86_64/paging.h"
#include "vmm/vmx/vmx_choose.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

#define EOI_EXIT_BITMAP(i) (VMCS_EOI_EXIT_BITMAP_0 + 2 * (i))

static bool vmx_apic_shadows(void)
{
	return vmx_uses(&vmx_machine.proc, VMX_PROC_TPR_SHADOW);
}

/*
 * The MSRs' bitmap goes with the controls: without them, the guest's access
 * would be one to the machine's own local APIC.
 */
static void vmx_apic_write_controls(struct vcpu *vcpu, bool on)
{
	const struct vmx_vm *vm = vcpu->vm->hv;
	uint32_t proc2 = vmx_machine.proc2.used;

	vmx_write(VMCS_PROC2_CONTROLS, on ? proc2 | VMX_PROC2_X2APIC : proc2);
	vmx_write(VMCS_MSR_BITMAPS, paging_phys(on ? vm->msr_x2apic : vm->msr));
}

/* A threshold of 0 is never passed. */
void vmx_apic_reset(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	for (unsigned i = 0; i < ARRAY_SIZE(vmx->eoi_exits) && vmx_has_x2apic(&vmx_machine); i++) {
		vmx->eoi_exits[i] = 0;
		vmx_write(EOI_EXIT_BITMAP(i), 0);
	}
	if (vmx_apic_shadows()) {
		vmx_write(VMCS_VIRTUAL_APIC_ADDRESS, paging_phys(vmx->apic));
		vmx_write(VMCS_TPR_THRESHOLD, 0);
	}
	vmx_apic_write_controls(vcpu, false);
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

uint32_t *vmx_virtualize_apic(struct vcpu *vcpu, bool on)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct vmx_loan loan;

	if (!vmx_has_x2apic(&vmx_machine))
		return NULL;
	loan = vmx_vmcs_begin(vcpu);
	vmx_apic_write_controls(vcpu, on);
	vmx_vmcs_end(loan);
	return on ? vmx->apic : NULL;
}

/* RVI and SVI (24.4.2). */
void vmx_update_apic(struct vcpu *vcpu, uint8_t requested, uint8_t in_service,
		     const uint64_t level[4])
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx_write(VMCS_GUEST_INTERRUPT_STATUS, (uint64_t)in_service << 8 | requested);
	for (unsigned i = 0; i < ARRAY_SIZE(vmx->eoi_exits); i++) {
		uint64_t bits = READ_ONCE(level[i]);

		if (vmx->eoi_exits[i] == bits)
			continue;
		vmx->eoi_exits[i] = bits;
		vmx_write(EOI_EXIT_BITMAP(i), bits);
	}
	vmx_vmcs_end(loan);
}
