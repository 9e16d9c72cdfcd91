/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's registers, but for its segments (26.3.1.1, 26.3.1.4, 26.3.1.6). */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "vmm/vmx/vmx_check_rules.h"

#define REGISTERS "26.3.1.1"
#define RIP	  "26.3.1.4"
#define PDPTE	  "26.3.1.6"

#define DEBUGCTL_RESERVED (~UINT64_C(0xffc7)) /* 17.4.1 */
#define LBR_CTL_RESERVED  (~UINT64_C(0x7f000f))
#define RTIT_CTL_RESERVED (~UINT64_C(0x00ff01fffbffffff)) /* table 36-6 */

static void vmx_check_guest_cr(struct vmx_check *c)
{
	/* Not changed by an entry; and what only an unrestricted guest is free in. */
	uint64_t cr0_free = CR0_NW | CR0_CD | (c->unrestricted ? CR0_PE | CR0_PG : 0);

	vmx_rule(c, VMCS_GUEST_CR0, c->m->cr0_fixed0 & ~c->cr0 & ~cr0_free,
		 "bits that VMX operation fixes to 1 must be 1", REGISTERS);
	vmx_rule_zero(c, true, VMCS_GUEST_CR0, ~c->m->cr0_fixed1 & ~cr0_free,
		      "bits that VMX operation fixes to 0 must be 0", REGISTERS);
	vmx_rule(c, VMCS_GUEST_CR0, (c->cr0 & CR0_PG) && !(c->cr0 & CR0_PE),
		 "PG (bit 31) needs PE (bit 0)", REGISTERS);
	vmx_rule(c, VMCS_GUEST_CR4, c->m->cr4_fixed0 & ~c->cr4,
		 "bits that VMX operation fixes to 1 must be 1", REGISTERS);
	vmx_rule_zero(c, true, VMCS_GUEST_CR4, ~c->m->cr4_fixed1,
		      "bits that VMX operation fixes to 0 must be 0", REGISTERS);
	vmx_rule(c, VMCS_GUEST_CR4, (c->cr4 & CR4_CET) && !(c->cr0 & CR0_WP),
		 "CET (bit 23) needs CR0.WP (bit 16)", REGISTERS);
	vmx_rule(c, VMCS_GUEST_CR0, c->ia32e && !(c->cr0 & CR0_PG),
		 "PG (bit 31) must be 1 with \"IA-32e mode guest\"", REGISTERS);
	vmx_rule(c, VMCS_GUEST_CR4, c->ia32e && !(c->cr4 & CR4_PAE),
		 "PAE (bit 5) must be 1 with \"IA-32e mode guest\"", REGISTERS);
	vmx_rule_zero(c, !c->ia32e, VMCS_GUEST_CR4, CR4_PCIDE,
		      "PCIDE (bit 17) needs \"IA-32e mode guest\"", REGISTERS);
	vmx_rule_zero(c, true, VMCS_GUEST_CR3, c->beyond,
		      "bits beyond the physical address width must be 0", REGISTERS);
}

static void vmx_check_guest_efer(struct vmx_check *c)
{
	bool load = vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_EFER);
	uint64_t efer = load ? vmx_check_get(c, VMCS_GUEST_EFER) : 0;

	vmx_rule_zero(c, load, VMCS_GUEST_EFER, ~c->m->efer_valid,
		      "bits that this CPU does not have must be 0", REGISTERS);
	vmx_rule(c, VMCS_GUEST_EFER, load && !(efer & EFER_LMA) == c->ia32e,
		 "LMA (bit 10) must be as \"IA-32e mode guest\"", REGISTERS);
	vmx_rule(c, VMCS_GUEST_EFER,
		 load && (c->cr0 & CR0_PG) && !(efer & EFER_LMA) != !(efer & EFER_LME),
		 "LMA (bit 10) must be as LME (bit 8) while CR0.PG is 1", REGISTERS);
}

static void vmx_check_guest_msrs(struct vmx_check *c)
{
	bool debug = vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_DEBUG);
	bool bounds = vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_BNDCFGS);

	vmx_rule_zero(c, debug, VMCS_GUEST_DEBUGCTL, DEBUGCTL_RESERVED,
		      "bits 5:3 and 63:16 are reserved and must be 0", REGISTERS);
	vmx_rule_zero(c, debug, VMCS_GUEST_DR7, HIGH_HALF, "bits 63:32 must be 0", REGISTERS);
	vmx_rule_canonical(c, true, VMCS_GUEST_SYSENTER_ESP, REGISTERS);
	vmx_rule_canonical(c, true, VMCS_GUEST_SYSENTER_EIP, REGISTERS);
	vmx_rule_cet(c, vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_CET), VMCS_GUEST_S_CET,
		     REGISTERS);
	vmx_rule_zero(c, vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_PERF_GLOBAL),
		      VMCS_GUEST_PERF_GLOBAL_CTRL, VMX_PERF_GLOBAL_RESERVED,
		      "bits 63:49 are reserved and must be 0", REGISTERS);
	vmx_rule_pat(c, vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_PAT), VMCS_GUEST_PAT,
		     REGISTERS);
	vmx_check_guest_efer(c);
	vmx_rule_zero(c, bounds, VMCS_GUEST_BNDCFGS, 0xffc, "bits 11:2 are reserved and must be 0",
		      REGISTERS);
	vmx_rule_canonical(c, bounds, VMCS_GUEST_BNDCFGS, REGISTERS);
	vmx_rule_zero(c, vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_RTIT_CTL),
		      VMCS_GUEST_RTIT_CTL, RTIT_CTL_RESERVED, "reserved bits must be 0", REGISTERS);
	vmx_rule_zero(c, vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_LBR_CTL),
		      VMCS_GUEST_LBR_CTL, LBR_CTL_RESERVED,
		      "bits 15:4 and 63:23 are reserved and must be 0", REGISTERS);
	vmx_rule_zero(c, vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_PKRS), VMCS_GUEST_PKRS,
		      HIGH_HALF, "bits 63:32 must be 0", REGISTERS);
	vmx_rule_zero(c, vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_LOAD_UINV), VMCS_GUEST_UINV,
		      0xff00, "bits 15:8 must be 0", REGISTERS);
}

static void vmx_check_rip(struct vmx_check *c)
{
	bool code64 = c->ia32e && (vmx_check_get(c, VMCS_GUEST_CS_ACCESS_RIGHTS) & BIT(13));

	vmx_rule_zero(c, !code64, VMCS_GUEST_RIP, HIGH_HALF,
		      "bits 63:32 must be 0 outside of 64-bit mode", RIP);
	vmx_rule_linear(c, code64, VMCS_GUEST_RIP, RIP);
	vmx_rule_zero(c, true, VMCS_GUEST_RFLAGS, ~UINT64_C(0x3f7fd7),
		      "bits 63:22, 15, 5 and 3 must be 0", RIP);
	vmx_rule(c, VMCS_GUEST_RFLAGS, !(c->rflags & RFLAGS_FIXED), "bit 1 must be 1", RIP);
	vmx_rule_zero(c, c->ia32e || !(c->cr0 & CR0_PE), VMCS_GUEST_RFLAGS, RFLAGS_VM,
		      "VM (bit 17) is for protected mode, and not for IA-32e mode", RIP);
	vmx_rule(c, VMCS_GUEST_RFLAGS,
		 c->event && VMX_EVENT_TYPE(c->event) == VMX_EVENT_EXTERNAL &&
			 !(c->rflags & RFLAGS_IF),
		 "IF (bit 9) must be 1 when an external interrupt is injected", RIP);
}

static void vmx_check_pdptes(struct vmx_check *c)
{
	bool pae = (c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE) && !c->ia32e;
	bool ept = vmx_check_on(c, VMX_WORD_PROC2, VMX_PROC2_EPT);
	/* P set: bits 2:1, 8:5 and what is beyond the physical address width (4.4.1). */
	uint64_t reserved = c->beyond | 0x1e6;
	uint64_t entries[4] = {0};
	bool broken = false;

	for (unsigned i = 0; i < 4; i++) {
		uint32_t field = VMCS_GUEST_PDPTE0 + 2 * i;

		vmx_rule_zero(c, pae && ept && (vmx_check_get(c, field) & BIT(0)), field, reserved,
			      "reserved bits of an entry that is present must be 0", PDPTE);
	}
	if (pae && !ept &&
	    c->in->memory(c->in->opaque, vmx_check_get(c, VMCS_GUEST_CR3) & 0xffffffe0, entries,
			  sizeof(entries)))
		for (unsigned i = 0; i < 4; i++)
			broken |= (entries[i] & BIT(0)) && (entries[i] & reserved);
	vmx_rule(c, VMCS_GUEST_CR3, broken,
		 "reserved bits of the PDPTEs there that are present must be 0", PDPTE);
}

void vmx_check_guest(struct vmx_check *c)
{
	vmx_check_guest_cr(c);
	vmx_check_guest_msrs(c);
	vmx_check_rip(c);
	vmx_check_pdptes(c);
}
