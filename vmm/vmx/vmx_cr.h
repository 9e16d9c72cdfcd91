/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control registers and EFER. Most bits of CR0 and CR4 are the guest's own: it
 * changes them without an exit, paging and long mode included, which is what
 * "unrestricted guest" and nested paging allow. The others are ours, by the
 * guest/host masks (24.6.6): the guest reads what it wrote from the read
 * shadows, and a write that would change one of them exits.
 */
#ifndef VMM_VMX_VMX_CR_H
#define VMM_VMX_VMX_CR_H

#include "arch/x86_64/cpu.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <stdint.h>

/*
 * NE must be set while VT-x is on (23.8). CD and NW would be the machine's: the
 * entry does not load them, but a guest's own MOV would change them (26.3.2.1).
 */
#define VMX_CR0_OURS (CR0_NE | CR0_NW | CR0_CD)
/* MCE, without which a machine check shuts the machine down, VMXE, and what CPUID hides. */
static inline uint64_t vmx_cr4_ours(const struct vcpu *vcpu)
{
	return ~vcpu->vm->cr4_allowed | CR4_MCE | CR4_VMXE;
}

/* VCPU_CR0, VCPU_CR3, VCPU_CR4, VCPU_EFER, as the guest sees them. The VMCS is current. */
uint64_t vmx_cr_get(struct vcpu *vcpu, enum vcpu_reg reg);
void vmx_cr_set(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value);

#endif
