/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-x on the physical CPUs: what the machine has, what of it is used, how it
 * is turned on, and each CPU's part. Spec: SDM vol. 3D, appendix A.
 */
#ifndef VMM_VMX_VMX_CPU_H
#define VMM_VMX_VMX_CPU_H

#include "arch/x86_64/percpu.h"
#include "kernel/page_alloc.h"
#include "vmm/tlb_tag.h"
#include "vmm/hv_ops.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One word of controls: what the CPU allows and what we run with. */
struct vmx_control_word {
	uint32_t allowed0; /* bits that must be 1 */
	uint32_t allowed1; /* bits that may be 1 */
	uint32_t used;	   /* what every vCPU starts with: vmx_controls.c says what and why */
};

/* What CPUID and the capability MSRs say, and what follows; vmx_probe() fills vmx_machine. */
struct vmx_machine {
	bool has_vmx;
	bool no_apicv;		  /* the command line says so */
	bool msr_areas;		  /* the command line wants them for all that they can do */
	bool has_rdtscp;	  /* the instruction, by CPUID */
	uint64_t feature_control; /* IA32_FEATURE_CONTROL */
	uint64_t basic;		  /* IA32_VMX_BASIC: bits 30:0 are a VMCS's revision */
	uint64_t misc;		  /* IA32_VMX_MISC */
	uint64_t ept_vpid;	  /* IA32_VMX_EPT_VPID_CAP; 0 without either */
	uint64_t cr0_fixed0, cr0_fixed1;
	uint64_t cr4_fixed0, cr4_fixed1;
	struct vmx_control_word pin, proc, proc2, exit, entry;
	uint8_t phys_bits;
	uint64_t cr4_valid; /* bits that this CPU's CR4 and EFER have; VMXE included */
	uint64_t efer_valid;
	uint64_t arch_capabilities; /* IA32_ARCH_CAPABILITIES; 0 where the CPU does not have it */
};
extern struct vmx_machine vmx_machine;

/* @bits (VMX_PIN_, VMX_PROC_ …) of a control word are all in use. */
static inline bool vmx_uses(const struct vmx_control_word *word, uint32_t bits)
{
	return (word->used & bits) == bits;
}

/* MSRs that neither entry nor exit switches and that our code does not use. */
enum vmx_world_msr {
	VMX_WORLD_STAR,
	VMX_WORLD_LSTAR,
	VMX_WORLD_CSTAR,
	VMX_WORLD_SFMASK,
	VMX_WORLD_KERNEL_GS, /* SWAPGS exchanges it without an exit */
	VMX_WORLD_MSRS
};

/* this_cpu()->hv. */
struct hv_cpu {
	void *vmxon;	      /* the CPU's own page (24.11.5): not for us to look into */
	struct vmcs *current; /* by VMPTRLD, NULL: none */
	struct tlb_tag_pool vpids;
	/* What the MSRs have, when known; KERNEL_GS_BASE only while no world is loaded. */
	uint64_t msrs[VMX_WORLD_MSRS];
	bool msrs_known;
	uint64_t exits, reads, writes; /* vmx_count.h */
};

extern struct page_owner vmx_owner;

/* What CPUID and the MSRs of the calling CPU say: all but what is used. */
void vmx_read_machine(struct vmx_machine *m);

/*
 * Weaknesses of CPUs that nothing here makes up for (SUPPORT.md), but those that @m's says not to
 * have: names with commas between them, "" if none.
 */
void vmx_weaknesses(const struct vmx_machine *m, char *names, size_t size);

/* hv_ops. */
int vmx_probe(char *reason, size_t size);
int vmx_cpu_enable(void);
void vmx_cpu_disable(void);
void vmx_report(hv_print_fn print);

#endif
