/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_cr.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/paging.h"
#include "vmm/guest_memory.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"
#include "vmm/vmx/vmx_msr_area.h"

#define PDPTES	       4
#define PDPTE_TABLE    (~UINT64_C(0x1f)) /* the part of CR3 that is their address */
#define PDPTE_RESERVED UINT64_C(0x1e6)

uint64_t vmx_cr_get(struct vcpu *vcpu, enum vcpu_reg reg)
{
	const struct vmx_vcpu *vmx = vmx_of(vcpu);

	switch (reg) {
	case VCPU_CR0:
		return (vmx_read(VMCS_GUEST_CR0) & ~VMX_CR0_OURS) | vmx->cr0;
	case VCPU_CR3:
		return vmx_read(VMCS_GUEST_CR3);
	case VCPU_CR4:
		return (vmx_read(VMCS_GUEST_CR4) & ~vmx_cr4_ours(vcpu)) | vmx->cr4;
	default:
		return vmx_msr_get(vmx, VMX_SWITCHED_EFER);
	}
}

/* The entry takes LMA as it is and wants its own control to agree (26.3.1.1). */
static bool vmx_cr_update_lma(struct vmx_vcpu *vmx, uint64_t cr0)
{
	uint64_t efer = vmx_msr_get(vmx, VMX_SWITCHED_EFER);
	bool lma = (efer & EFER_LME) && (cr0 & CR0_PG);
	uint64_t entry = vmx_read(VMCS_ENTRY_CONTROLS);

	efer = lma ? efer | EFER_LMA : efer & ~EFER_LMA;
	entry = lma ? entry | VMX_ENTRY_IA32E_GUEST : entry & ~VMX_ENTRY_IA32E_GUEST;
	vmx_msr_set(vmx, VMX_SWITCHED_EFER, efer);
	vmx_write(VMCS_ENTRY_CONTROLS, entry);
	return lma;
}

/*
 * In PAE paging the entry loads them from the VMCS instead of memory (26.3.2.4).
 * One that a MOV to CR3 would have refused is taken as not present.
 */
static void vmx_cr_load_pdptes(struct vcpu *vcpu, uint64_t cr3)
{
	uint64_t pdpte[PDPTES] = {0};
	uint64_t reserved = PDPTE_RESERVED | ~(BIT(vmx_machine.phys_bits) - 1);

	if (guest_read(vcpu->vm, (uint32_t)(cr3 & PDPTE_TABLE), pdpte, sizeof(pdpte)))
		pdpte[0] = 0;
	for (unsigned i = 0; i < PDPTES; i++) {
		if ((pdpte[i] & PTE_P) && (pdpte[i] & reserved))
			pdpte[i] = 0;
		vmx_write(VMCS_GUEST_PDPTE0 + 2 * i, pdpte[i]);
	}
}

static void vmx_cr_set_cr0(struct vmx_vcpu *vmx, uint64_t value)
{
	vmx->cr0 = value & VMX_CR0_OURS;
	vmx_write(VMCS_CR0_SHADOW, vmx->cr0);
	vmx_write(VMCS_GUEST_CR0, (value & ~VMX_CR0_OURS) | CR0_NE);
}

static void vmx_cr_set_cr4(struct vcpu *vcpu, uint64_t value)
{
	uint64_t ours = vmx_cr4_ours(vcpu);

	vmx_of(vcpu)->cr4 = value & ours;
	vmx_write(VMCS_CR4_SHADOW, value & ours);
	vmx_write(VMCS_GUEST_CR4, (value & ~ours) | CR4_VMXE | (cpu_read_cr4() & CR4_MCE));
}

void vmx_cr_set(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	bool was_lma = vmx_msr_get(vmx, VMX_SWITCHED_EFER) & EFER_LMA;
	uint64_t cr0;
	bool lma;

	if (reg == VCPU_CR0)
		vmx_cr_set_cr0(vmx, value);
	else if (reg == VCPU_CR3)
		vmx_write(VMCS_GUEST_CR3, value);
	else if (reg == VCPU_CR4)
		vmx_cr_set_cr4(vcpu, value);
	else
		vmx_msr_set(vmx, VMX_SWITCHED_EFER, value);
	cr0 = vmx_read(VMCS_GUEST_CR0);
	lma = vmx_cr_update_lma(vmx, cr0);
	/* NXE alone leaves them as they are, whatever memory has by now (vol. 3A, 4.4.1). */
	if ((reg != VCPU_EFER || was_lma) && (cr0 & CR0_PG) && !lma &&
	    (vmx_read(VMCS_GUEST_CR4) & CR4_PAE))
		vmx_cr_load_pdptes(vcpu, vmx_read(VMCS_GUEST_CR3));
	vmx_vpid_flush(vcpu);
}
