/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's virtual-APIC page (29.1), of which the CPU uses TPR alone: CR8 is
 * the guest's own ("use TPR shadow"), and lowering it exits only below the
 * threshold. A CPU without the shadow exits for each access of CR8; its value
 * is kept in the same place.
 */
#ifndef VMM_VMX_VMX_APIC_H
#define VMM_VMX_VMX_APIC_H

#include "vmm/vmx/vmx.h"

#define VMX_APIC_TPR 0x80 /* VTPR (29.1.1): CR8 is its bits 7:4 */

static inline uint64_t vmx_apic_cr8(const struct vmx_vcpu *vmx)
{
	return READ_ONCE(vmx->apic[VMX_APIC_TPR]) >> 4;
}

static inline void vmx_apic_set_cr8(struct vmx_vcpu *vmx, uint64_t value)
{
	WRITE_ONCE(vmx->apic[VMX_APIC_TPR], (uint8_t)(value << 4));
}

/* The fields that lead to the page; the VMCS is current. */
void vmx_apic_reset(const struct vmx_vcpu *vmx);
/* hv_ops. */
void vmx_set_tpr_threshold(struct vcpu *vcpu, unsigned priority);

#endif
