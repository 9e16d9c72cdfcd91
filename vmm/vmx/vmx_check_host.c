/* SPDX-License-Identifier: BSD-2-Clause */
/* The host-state area (26.2.2 to 26.2.4). */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "vmm/vmx/vmx_check_rules.h"

#define REGISTERS "26.2.2"
#define SEGMENTS  "26.2.3"
#define SIZE	  "26.2.4"

static void vmx_check_host_registers(struct vmx_check *c)
{
	uint64_t cr0 = vmx_check_get(c, VMCS_HOST_CR0), cr4 = vmx_check_get(c, VMCS_HOST_CR4);

	vmx_rule(c, VMCS_HOST_CR0, c->m->cr0_fixed0 & ~cr0,
		 "bits that VMX operation fixes to 1 must be 1", REGISTERS);
	vmx_rule_zero(c, true, VMCS_HOST_CR0, ~c->m->cr0_fixed1,
		      "bits that VMX operation fixes to 0 must be 0", REGISTERS);
	vmx_rule(c, VMCS_HOST_CR4, c->m->cr4_fixed0 & ~cr4,
		 "bits that VMX operation fixes to 1 must be 1", REGISTERS);
	vmx_rule_zero(c, true, VMCS_HOST_CR4, ~c->m->cr4_fixed1,
		      "bits that VMX operation fixes to 0 must be 0", REGISTERS);
	vmx_rule(c, VMCS_HOST_CR4, (cr4 & CR4_CET) && !(cr0 & CR0_WP),
		 "CET (bit 23) needs CR0.WP (bit 16)", REGISTERS);
	vmx_rule_zero(c, true, VMCS_HOST_CR3, c->beyond,
		      "bits beyond the physical address width must be 0", REGISTERS);
	vmx_rule_canonical(c, true, VMCS_HOST_SYSENTER_ESP, REGISTERS);
	vmx_rule_canonical(c, true, VMCS_HOST_SYSENTER_EIP, REGISTERS);
}

static void vmx_check_host_msrs(struct vmx_check *c)
{
	bool load_efer = vmx_check_on(c, VMX_WORD_EXIT, VMX_EXIT_LOAD_EFER);
	uint64_t efer = load_efer ? vmx_check_get(c, VMCS_HOST_EFER) : 0;

	vmx_rule_zero(c, vmx_check_on(c, VMX_WORD_EXIT, VMX_EXIT_LOAD_PERF_GLOBAL),
		      VMCS_HOST_PERF_GLOBAL_CTRL, VMX_PERF_GLOBAL_RESERVED,
		      "bits 63:49 are reserved and must be 0", REGISTERS);
	vmx_rule_pat(c, vmx_check_on(c, VMX_WORD_EXIT, VMX_EXIT_LOAD_PAT), VMCS_HOST_PAT,
		     REGISTERS);
	vmx_rule_zero(c, load_efer, VMCS_HOST_EFER, ~c->m->efer_valid,
		      "bits that this CPU does not have must be 0", REGISTERS);
	vmx_rule(c, VMCS_HOST_EFER, load_efer && !(efer & EFER_LMA) == c->host64,
		 "LMA (bit 10) must be as \"host address-space size\"", REGISTERS);
	vmx_rule(c, VMCS_HOST_EFER, load_efer && !(efer & EFER_LME) == c->host64,
		 "LME (bit 8) must be as \"host address-space size\"", REGISTERS);
	vmx_rule_cet(c, vmx_check_on(c, VMX_WORD_EXIT, VMX_EXIT_LOAD_CET), VMCS_HOST_S_CET,
		     REGISTERS);
	vmx_rule_zero(c, vmx_check_on(c, VMX_WORD_EXIT, VMX_EXIT_LOAD_PKRS), VMCS_HOST_PKRS,
		      HIGH_HALF, "bits 63:32 must be 0", REGISTERS);
}

static void vmx_check_host_segs(struct vmx_check *c)
{
	static const uint16_t selectors[] = {
		VMCS_HOST_ES_SELECTOR, VMCS_HOST_CS_SELECTOR, VMCS_HOST_SS_SELECTOR,
		VMCS_HOST_DS_SELECTOR, VMCS_HOST_FS_SELECTOR, VMCS_HOST_GS_SELECTOR,
		VMCS_HOST_TR_SELECTOR,
	};
	static const uint16_t bases[] = {
		VMCS_HOST_FS_BASE,   VMCS_HOST_GS_BASE,	  VMCS_HOST_TR_BASE,
		VMCS_HOST_GDTR_BASE, VMCS_HOST_IDTR_BASE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++)
		vmx_rule_zero(c, true, selectors[i], 7, "RPL and TI (bits 2:0) must be 0",
			      SEGMENTS);
	vmx_rule(c, VMCS_HOST_CS_SELECTOR, !vmx_check_get(c, VMCS_HOST_CS_SELECTOR),
		 "must not be 0", SEGMENTS);
	vmx_rule(c, VMCS_HOST_TR_SELECTOR, !vmx_check_get(c, VMCS_HOST_TR_SELECTOR),
		 "must not be 0", SEGMENTS);
	vmx_rule(c, VMCS_HOST_SS_SELECTOR, !c->host64 && !vmx_check_get(c, VMCS_HOST_SS_SELECTOR),
		 "must not be 0 without \"host address-space size\"", SEGMENTS);
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
		vmx_rule_canonical(c, true, bases[i], SEGMENTS);
}

/* We are in IA-32e mode, always. */
static void vmx_check_host_size(struct vmx_check *c)
{
	vmx_rule(c, VMCS_EXIT_CONTROLS, !c->host64,
		 "\"host address-space size\" must be 1 in IA-32e mode", SIZE);
	vmx_rule(c, VMCS_ENTRY_CONTROLS, !c->host64 && c->ia32e,
		 "\"IA-32e mode guest\" needs \"host address-space size\"", SIZE);
	vmx_rule_zero(c, !c->host64, VMCS_HOST_CR4, CR4_PCIDE,
		      "PCIDE (bit 17) needs \"host address-space size\"", SIZE);
	vmx_rule_zero(c, !c->host64, VMCS_HOST_RIP, HIGH_HALF,
		      "bits 63:32 must be 0 without \"host address-space size\"", SIZE);
	vmx_rule(c, VMCS_HOST_CR4, c->host64 && !(vmx_check_get(c, VMCS_HOST_CR4) & CR4_PAE),
		 "PAE (bit 5) must be 1 with \"host address-space size\"", SIZE);
	vmx_rule_canonical(c, c->host64, VMCS_HOST_RIP, SIZE);
}

void vmx_check_host(struct vmx_check *c)
{
	vmx_check_host_registers(c);
	vmx_check_host_msrs(c);
	vmx_check_host_segs(c);
	vmx_check_host_size(c);
}
