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

/* MSRs that neither entry nor exit switches and that our code does not use. */
enum vmx_msr {
	VMX_MSR_STAR,
	VMX_MSR_LSTAR,
	VMX_MSR_CSTAR,
	VMX_MSR_SFMASK,
	VMX_MSR_KERNEL_GS, /* SWAPGS changes it: read back when the world is left */
	VMX_MSRS
};

/* vcpu->hv. The first members are known to vmx_run.S. */
struct vmx_vcpu {
	uint64_t host_rsp; /* as in the VMCS */
	uint64_t rip;	   /* as in the VMCS: what the last exit left or the last entry wrote */
	/*
	 * The next entry goes by vmx_run_prepared(): the world is to be loaded, or
	 * something that is done before an entry alone is to be done.
	 */
	bool prepare;
	bool launched; /* the next entry is by VMRESUME */
	bool failed;   /* VMLAUNCH or VMRESUME ended without an exit (30.2) */
	uint8_t cr8;
	struct vmcs *vmcs;
	hpa_t vmcs_phys;
	uint32_t cpu;  /* whose state the VMCS's host fields have; UINT32_MAX: nobody's */
	uint32_t proc; /* primary processor-based controls, as in the VMCS */
	uint64_t cr0;  /* the guest's view of the bits that are ours, as the shadows in the VMCS */
	uint64_t cr4;
	/* The guest's while its world is not loaded. */
	uint64_t cr2, dr6;
	uint64_t msrs[VMX_MSRS]; /* but for VMX_MSR_KERNEL_GS: always */
	struct vmx_tlb tlb;
};

static inline struct vmx_vcpu *vmx_of(struct vcpu *vcpu)
{
	return vcpu->hv;
}

#endif
