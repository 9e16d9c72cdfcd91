/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's virtual-APIC page (29.1). Of it the CPU always uses TPR: CR8 is
 * the guest's own ("use TPR shadow"), and lowering it exits only below the
 * threshold. A CPU without the shadow exits for each access of CR8; its value
 * is kept in the same place.
 *
 * While the guest is in x2APIC mode, a CPU with virtual-interrupt delivery
 * does its TPR, EOI and SELF IPI, too, and takes what is requested (29.2, 29.5).
 */
#ifndef VMM_VMX_VMX_APIC_H
#define VMM_VMX_VMX_APIC_H

#include "vmm/vmx/vmx.h"

#define VMX_APIC_TPR 0x80 /* VTPR (29.1.1): CR8 is its bits 7:4 */
#define VMX_APIC_EOI 0xb0

static inline uint64_t vmx_apic_cr8(const struct vmx_vcpu *vmx)
{
	return vmx->apic[VMX_APIC_TPR / 4] >> 4;
}

static inline void vmx_apic_set_cr8(struct vmx_vcpu *vmx, uint64_t value)
{
	vmx->apic[VMX_APIC_TPR / 4] = value << 4 & 0xf0;
}

/* The fields that lead to the page; the CPU does no more than TPR. The VMCS is current. */
void vmx_apic_reset(struct vcpu *vcpu);
/* hv_ops. */
void vmx_set_tpr_threshold(struct vcpu *vcpu, unsigned priority);
uint32_t *vmx_virtualize_apic(struct vcpu *vcpu, bool on);
void vmx_update_apic(struct vcpu *vcpu, uint8_t requested, uint8_t in_service,
		     const uint64_t level[4]);

#endif
