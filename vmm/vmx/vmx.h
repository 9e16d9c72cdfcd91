/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this folder share: a vCPU's part of VT-x. The rest of the
 * system knows struct hv_ops (vmx.c) only.
 */
#ifndef VMM_VMX_VMX_H
#define VMM_VMX_VMX_H

#include "kernel/page_alloc.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vmx/vmx_cpu.h"
#include "vmm/vmx/vmx_vm.h"
#include "vmm/vmx/vmx_vpid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A VMCS region (24.2). What lies in it is the CPU's secret: VMREAD and VMWRITE get at it. */
struct vmcs {
	uint32_t revision;
	uint32_t abort;
	uint8_t data[PAGE_SIZE - 8];
};
_Static_assert(sizeof(struct vmcs) == PAGE_SIZE, "SDM vol. 3C, 24.2");

/* vcpu->hv. The first members are known to vmx_run.S. */
struct vmx_vcpu {
	uint64_t host_rsp; /* as in the VMCS */
	uint64_t rip;	   /* as in the VMCS */
	/*
	 * The next entry is prepared by vmx_run_prepare(): the world is to be
	 * loaded, or the TLB to be flushed.
	 */
	bool prepare;
	bool launched;	       /* the next entry is by VMRESUME */
	uint32_t *apic;	       /* the virtual-APIC page: vmx_apic.h */
	uint64_t eoi_exits[4]; /* vectors whose EOI exits, as in the VMCS */
	struct vmcs *vmcs;
	const struct vmcs *efer_vmcs; /* vmcs, where that is what EFER is in; or NULL */
	struct vmx_msr_area *area;    /* or NULL: vmx_msr_area.h */
	hpa_t vmcs_phys;
	uint32_t cpu;  /* whose state the VMCS's host fields have; UINT32_MAX: nobody's */
	uint32_t proc; /* primary processor-based controls, as in the VMCS */
	uint64_t cr0;  /* the bits that are ours as the guest sees them; the VMCS's read shadows */
	uint64_t cr4;
	/* While the world is not loaded; but for KERNEL_GS_BASE, the MSRs are always as here. */
	uint64_t cr2, dr6;
	uint64_t msrs[VMX_WORLD_MSRS];
	struct vmx_tlb tlb;
};

static inline struct vmx_vcpu *vmx_of(struct vcpu *vcpu)
{
	return vcpu->hv;
}

/*
 * Exceptions that exit. #UD: the other vendor's hypercall is one. #DB and #AC:
 * their delivery can raise them again, for ever, inside the CPU
 * (CVE-2015-8104, CVE-2015-5307). #MC is the machine's.
 */
#define VMX_EXCEPTIONS (BIT(1) | BIT(6) | BIT(17) | BIT(18))

/* vmx_world.c */
void vmx_world_enter(struct vcpu *vcpu);
void vmx_world_leave(void);
uint64_t vmx_world_get_msr(struct vcpu *vcpu, enum vmx_world_msr msr);
void vmx_world_set_msr(struct vcpu *vcpu, enum vmx_world_msr msr, uint64_t value);

/* Whose VMCS was loaded for a while; NULL: it was the current one already, or stays it. */
struct vmx_loan {
	struct vmx_vcpu *vmx;
};
struct vmx_loan vmx_vmcs_borrow(struct vcpu *vcpu);
void vmx_vmcs_return(struct vmx_vcpu *vmx);

/* Around VMREADs and VMWRITEs of the vCPU's VMCS. Own CPU, or the vCPU does not run. */
static __always_inline struct vmx_loan __must_check vmx_vmcs_begin(struct vcpu *vcpu)
{
	if (likely(this_cpu()->hv->current == vmx_of(vcpu)->vmcs))
		return (struct vmx_loan){NULL};
	return vmx_vmcs_borrow(vcpu);
}

static __always_inline void vmx_vmcs_end(struct vmx_loan loan)
{
	if (unlikely(loan.vmx))
		vmx_vmcs_return(loan.vmx);
}

/* vmx_run.S, vmx_run.c */
void vmx_run(struct vcpu *vcpu, struct vm_exit *exit);
/* vmx_exit.c: after an exit, the VMCS to @exit. */
void vmx_exited(struct vcpu *vcpu, struct vm_exit *exit);

/* vmx_host.c: this CPU's state, for exits to load: fields, and @vmx's area. The VMCS is current. */
void vmx_host_write(struct vmx_vcpu *vmx);

/* vmx_regs.c */
uint64_t vmx_get_reg(struct vcpu *vcpu, enum vcpu_reg reg);
void vmx_set_reg(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value);
/* vmx_segs.c */
void vmx_get_seg(struct vcpu *vcpu, enum vcpu_seg seg, struct vcpu_segment *value);
void vmx_set_seg(struct vcpu *vcpu, enum vcpu_seg seg, const struct vcpu_segment *value);
void vmx_get_mode(struct vcpu *vcpu, struct vcpu_mode *mode);
unsigned vmx_get_cpl(struct vcpu *vcpu);
bool vmx_mode_is(struct vcpu *vcpu, const struct vcpu_mode *mode);

/* vmx_vcpu.c */
int vmx_vcpu_create(struct vcpu *vcpu);
void vmx_vcpu_destroy(struct vcpu *vcpu);
void vmx_vcpu_reset(struct vcpu *vcpu);

/* vmx_dump.c */
void vmx_explain(struct vcpu *vcpu);
void vmx_dump(struct vcpu *vcpu, hv_print_fn print);

#endif
