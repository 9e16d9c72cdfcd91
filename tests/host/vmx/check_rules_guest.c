/* SPDX-License-Identifier: BSD-2-Clause */
/* Broken on purpose: the guest's state. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "tests/host/vmx/check_rules.h"
#include "vmm/vmx/vmx_exit_reason.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ENTRY VMCS_ENTRY_CONTROLS
#define EVENT VMCS_ENTRY_INTERRUPTION_INFO
#define INT   VMCS_GUEST_INTERRUPTIBILITY
#define DEBUG VMCS_GUEST_PENDING_DEBUG
#define MSRS  VMCS_ENTRY_MSR_LOAD_ADDRESS

#define CS VMCS_GUEST_CS_ACCESS_RIGHTS
#define SS VMCS_GUEST_SS_ACCESS_RIGHTS
#define DS VMCS_GUEST_DS_ACCESS_RIGHTS

#define restricted() world_off(VMCS_PROC2_CONTROLS, VMX_PROC2_UNRESTRICTED_GUEST)

static void test_guest_cr(void)
{
	/* What an unrestricted guest may have, and what is not checked. */
	GOOD(world_legacy(); world_off(VMCS_GUEST_CR0, CR0_PE | CR0_PG));
	GOOD(world_on(VMCS_GUEST_CR0, CR0_NW | CR0_CD));
	GOOD(restricted());
	BROKEN(VMCS_GUEST_CR0, "bits that VMX operation fixes to 1",
	       world_off(VMCS_GUEST_CR0, CR0_NE));
	BROKEN(VMCS_GUEST_CR0, "bits that VMX operation fixes to 1", restricted(); world_legacy();
	       world_off(VMCS_GUEST_CR0, CR0_PG));
	BROKEN(VMCS_GUEST_CR0, "bits that VMX operation fixes to 0",
	       world_on(VMCS_GUEST_CR0, BIT(32)));
	BROKEN(VMCS_GUEST_CR0, "PG (bit 31) needs", world_off(VMCS_GUEST_CR0, CR0_PE));
	BROKEN(VMCS_GUEST_CR4, "bits that VMX operation fixes to 1",
	       world_off(VMCS_GUEST_CR4, CR4_VMXE));
	BROKEN(VMCS_GUEST_CR4, "bits that VMX operation fixes to 0",
	       world_on(VMCS_GUEST_CR4, CR4_LA57));
	BROKEN(VMCS_GUEST_CR4, "CET", world_on(VMCS_GUEST_CR4, CR4_CET);
	       world_off(VMCS_GUEST_CR0, CR0_WP));
	BROKEN(VMCS_GUEST_CR0, "PG (bit 31) must", world_off(VMCS_GUEST_CR0, CR0_PG));
	BROKEN(VMCS_GUEST_CR4, "PAE", world_off(VMCS_GUEST_CR4, CR4_PAE));
	BROKEN(VMCS_GUEST_CR4, "PCIDE", world_legacy(); world_on(VMCS_GUEST_CR4, CR4_PCIDE));
	BROKEN(VMCS_GUEST_CR3, "bits beyond", world_set(VMCS_GUEST_CR3, BIT(40)));
}

static void test_guest_rip(void)
{
	GOOD(world_set(VMCS_GUEST_RIP, 0xffff800000000000));
	/* Not canonical, but what a RIP becomes that runs over the end of the lower half. */
	GOOD(world_set(VMCS_GUEST_RIP, 0x0000800000000000));
	BROKEN(VMCS_GUEST_RIP, "bits beyond", world_set(VMCS_GUEST_RIP, BIT(48)));
	BROKEN(VMCS_GUEST_RIP, "bits 63:32", world_legacy(); world_set(VMCS_GUEST_RIP, BIT(32)));
	for (unsigned i = 0; i < 64; i++)
		if (~UINT64_C(0x3f7fd7) >> i & 1)
			BROKEN(VMCS_GUEST_RFLAGS, "bits 63:22",
			       world_on(VMCS_GUEST_RFLAGS, BIT(i)));
	BROKEN(VMCS_GUEST_RFLAGS, "bit 1", world_set(VMCS_GUEST_RFLAGS, 0));
	BROKEN(VMCS_GUEST_RFLAGS, "VM", world_v86(); world_off(VMCS_GUEST_CR0, CR0_PE | CR0_PG));
	AMONG(VMCS_GUEST_RFLAGS, "VM", world_on(VMCS_GUEST_RFLAGS, RFLAGS_VM));
	BROKEN(VMCS_GUEST_RFLAGS, "IF", world_set(EVENT, VMX_EVENT_VALID | 0x30));
}

void test_guest_registers(void **state)
{
	(void)state;
	test_guest_cr();
	test_guest_rip();
	for (unsigned i = 0; i < 4; i++) {
		uint32_t field = VMCS_GUEST_PDPTE0 + 2 * i;

		GOOD(world_set(field, 0x1e7));
		GOOD(world_legacy(); world_set(field, 0x1e6));
		BROKEN(field, "reserved", world_legacy(); world_set(field, 0x21));
		BROKEN(field, "reserved", world_legacy(); world_set(field, BIT(40) | 1));
	}
	/* Without EPT they are in memory. */
	BROKEN(VMCS_GUEST_CR3, "reserved", world_legacy(); world_set(VMCS_PROC2_CONTROLS, 0);
	       world_set(VMCS_GUEST_CR3, WORLD_FREE); world_put(WORLD_FREE + 24, 3));
	GOOD(world_legacy(); world_set(VMCS_PROC2_CONTROLS, 0);
	     world_set(VMCS_GUEST_CR3, WORLD_FREE); world_put(WORLD_FREE + 24, 0x1019));
}

static void test_guest_efer(void)
{
	GOOD(world_off(ENTRY, VMX_ENTRY_LOAD_EFER); world_set(VMCS_GUEST_EFER, UINT64_MAX));
	GOOD(world_legacy(); world_off(VMCS_GUEST_CR0, CR0_PG);
	     world_set(VMCS_GUEST_EFER, EFER_LME));
	BROKEN(VMCS_GUEST_EFER, "bits that", world_on(VMCS_GUEST_EFER, BIT(12)));
	BROKEN(VMCS_GUEST_EFER, "LMA (bit 10) must be as \"", world_legacy();
	       world_set(VMCS_GUEST_EFER, EFER_LMA | EFER_LME));
	BROKEN(VMCS_GUEST_EFER, "LMA (bit 10) must be as LME",
	       world_off(VMCS_GUEST_EFER, EFER_LME));
}

static void test_guest_cet(void)
{
	BROKEN(VMCS_GUEST_S_CET, "must be", world_on(ENTRY, VMX_ENTRY_LOAD_CET);
	       world_set(VMCS_GUEST_S_CET, BIT(50)));
	BROKEN(VMCS_GUEST_S_CET, "bits 9:6", world_on(ENTRY, VMX_ENTRY_LOAD_CET);
	       world_set(VMCS_GUEST_S_CET, BIT(9)));
	BROKEN(VMCS_GUEST_S_CET, "bits 10", world_on(ENTRY, VMX_ENTRY_LOAD_CET);
	       world_set(VMCS_GUEST_S_CET, 0xc00));
	BROKEN(VMCS_GUEST_SSP, "bits 1:0", world_on(ENTRY, VMX_ENTRY_LOAD_CET);
	       world_set(VMCS_GUEST_SSP, 1));
	BROKEN(VMCS_GUEST_SSP, "bits beyond", world_on(ENTRY, VMX_ENTRY_LOAD_CET);
	       world_set(VMCS_GUEST_SSP, BIT(63)));
	BROKEN(VMCS_GUEST_INTERRUPT_SSP_TABLE, "must be", world_on(ENTRY, VMX_ENTRY_LOAD_CET);
	       world_set(VMCS_GUEST_INTERRUPT_SSP_TABLE, BIT(47)));
}

void test_guest_msrs(void **state)
{
	(void)state;
	test_guest_efer();
	test_guest_cet();
	BROKEN(VMCS_GUEST_DEBUGCTL, "bits 5:3", world_set(VMCS_GUEST_DEBUGCTL, BIT(3)));
	BROKEN(VMCS_GUEST_DEBUGCTL, "bits 5:3", world_set(VMCS_GUEST_DEBUGCTL, BIT(16)));
	BROKEN(VMCS_GUEST_DR7, "bits 63:32", world_on(VMCS_GUEST_DR7, BIT(32)));
	BROKEN(VMCS_GUEST_SYSENTER_ESP, "must be", world_set(VMCS_GUEST_SYSENTER_ESP, BIT(47)));
	BROKEN(VMCS_GUEST_SYSENTER_EIP, "must be", world_set(VMCS_GUEST_SYSENTER_EIP, BIT(47)));
	BROKEN(VMCS_GUEST_PERF_GLOBAL_CTRL, "bits 63:49",
	       world_on(ENTRY, VMX_ENTRY_LOAD_PERF_GLOBAL);
	       world_set(VMCS_GUEST_PERF_GLOBAL_CTRL, BIT(63)));
	BROKEN(VMCS_GUEST_PAT, "each byte", world_on(ENTRY, VMX_ENTRY_LOAD_PAT);
	       world_set(VMCS_GUEST_PAT, BIT(59)));
	BROKEN(VMCS_GUEST_BNDCFGS, "bits 11:2", world_on(ENTRY, VMX_ENTRY_LOAD_BNDCFGS);
	       world_set(VMCS_GUEST_BNDCFGS, 4));
	BROKEN(VMCS_GUEST_BNDCFGS, "must be", world_on(ENTRY, VMX_ENTRY_LOAD_BNDCFGS);
	       world_set(VMCS_GUEST_BNDCFGS, BIT(47)));
	BROKEN(VMCS_GUEST_RTIT_CTL, "reserved", world_on(ENTRY, VMX_ENTRY_LOAD_RTIT_CTL);
	       world_set(VMCS_GUEST_RTIT_CTL, BIT(63)));
	BROKEN(VMCS_GUEST_LBR_CTL, "bits 15:4", world_on(ENTRY, VMX_ENTRY_LOAD_LBR_CTL);
	       world_set(VMCS_GUEST_LBR_CTL, BIT(4)));
	BROKEN(VMCS_GUEST_PKRS, "bits 63:32", world_on(ENTRY, VMX_ENTRY_LOAD_PKRS);
	       world_set(VMCS_GUEST_PKRS, BIT(32)));
	BROKEN(VMCS_GUEST_UINV, "bits 15:8", world_on(ENTRY, VMX_ENTRY_LOAD_UINV);
	       world_set(VMCS_GUEST_UINV, 0x100));
}

/* What ES to GS have in common. */
static void test_segment(unsigned i)
{
	uint32_t ar = VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i;
	uint32_t base = VMCS_GUEST_ES_BASE + 2 * i;
	uint32_t limit = VMCS_GUEST_ES_LIMIT + 2 * i;

	BROKEN(ar, "S (bit 4)", world_off(ar, BIT(4)));
	BROKEN(ar, "P (bit 7)", world_off(ar, BIT(7)));
	BROKEN(ar, "bits 11:8", world_on(ar, BIT(8)));
	BROKEN(ar, "bits 11:8", world_on(ar, BIT(31)));
	BROKEN(ar, "G (bit 15) must be 0", world_set(limit, 0xffffe));
	BROKEN(ar, "G (bit 15) must be 1", world_set(limit, 0x1fffff); world_off(ar, BIT(15)));
	GOOD(world_set(limit, 0xffffe); world_off(ar, BIT(15)));
	if (ar == CS)
		return;
	GOOD(world_set(ar, 0x10000); world_set(limit, 0xffffe));
	if (base == VMCS_GUEST_FS_BASE || base == VMCS_GUEST_GS_BASE)
		BROKEN(base, "must be a canonical", world_set(base, BIT(47));
		       world_on(ar, BIT(16)));
	else
		BROKEN(base, "bits 63:32", world_set(base, BIT(32)));
	if (ar == SS)
		return;
	BROKEN(ar, "type's bit 0", world_set(ar, 0xc092));
	BROKEN(ar, "type's bit 1", world_set(ar, 0xc099));
	GOOD(world_set(ar, 0xc09b));
	BROKEN(ar, "DPL (bits 6:5)", restricted(); world_set(ar - DS + VMCS_GUEST_DS_SELECTOR, 3));
	GOOD(restricted(); world_set(ar - DS + VMCS_GUEST_DS_SELECTOR, 3); world_set(ar, 0xc09f));
	GOOD(world_set(ar - DS + VMCS_GUEST_DS_SELECTOR, 3));
}

void test_segments(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++)
		test_segment(i);
	BROKEN(VMCS_GUEST_GDTR_BASE, "must be", world_set(VMCS_GUEST_GDTR_BASE, BIT(47)));
	BROKEN(VMCS_GUEST_IDTR_BASE, "must be", world_set(VMCS_GUEST_IDTR_BASE, BIT(47)));
	BROKEN(VMCS_GUEST_GDTR_LIMIT, "bits 31:16", world_set(VMCS_GUEST_GDTR_LIMIT, 0x10000));
	BROKEN(VMCS_GUEST_IDTR_LIMIT, "bits 31:16", world_set(VMCS_GUEST_IDTR_LIMIT, 0x10000));
	BROKEN(VMCS_GUEST_CS_BASE, "bits 63:32", world_set(VMCS_GUEST_CS_BASE, BIT(63)));
}

void test_segment_types(void **state)
{
	(void)state;
	GOOD(world_legacy(); world_set(CS, 0xc093));
	GOOD(world_set(CS, 0xa0fb); world_set(SS, 0xc0f3));
	BROKEN(CS, "type (bits 3:0)", world_set(CS, 0xa09a));
	BROKEN(CS, "type (bits 3:0)", restricted(); world_set(CS, 0xa093));
	BROKEN(CS, "DPL (bits 6:5) must be 0", world_set(CS, 0xa0f3));
	BROKEN(CS, "DPL (bits 6:5) must be SS's", world_set(CS, 0xa0fb));
	BROKEN(CS, "DPL (bits 6:5) must not", world_set(CS, 0xa0ff));
	BROKEN(CS, "D (bit 14)", world_on(CS, BIT(14)));
	GOOD(world_legacy(); world_on(CS, BIT(13) | BIT(14)));
	BROKEN(VMCS_GUEST_SS_SELECTOR, "RPL", restricted(); world_set(CS, 0xa09f);
	       world_set(VMCS_GUEST_SS_SELECTOR, 0x1b); world_set(SS, 0xc0f3));
	BROKEN(SS, "type (bits 3:0)", world_set(SS, 0xc09b));
	GOOD(world_set(SS, 0xc097));
	BROKEN(SS, "DPL (bits 6:5) must be the", restricted(); world_set(CS, 0xa0fb);
	       world_set(SS, 0xc0f3));
	BROKEN(SS, "DPL (bits 6:5) must be 0 while", world_legacy(); world_set(CS, 0xc093);
	       world_set(SS, 0xc0f3));
	BROKEN(SS, "DPL (bits 6:5) must be 0 in real", world_legacy();
	       world_off(VMCS_GUEST_CR0, CR0_PE | CR0_PG); world_set(CS, 0xc0fb);
	       world_set(SS, 0xc0f3));
}

void test_v86(void **state)
{
	(void)state;
	GOOD(world_v86());
	GOOD(world_v86(); restricted());
	for (unsigned i = 0; i < 6; i++) {
		uint32_t ar = VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i;
		uint32_t base = VMCS_GUEST_ES_BASE + 2 * i;
		uint32_t limit = VMCS_GUEST_ES_LIMIT + 2 * i;

		BROKEN(base, "must be the selector", world_v86(); world_set(base, 0x12310));
		BROKEN(limit, "must be ffffh", world_v86(); world_set(limit, 0xfffff));
		BROKEN(ar, "must be f3h", world_v86(); world_set(ar, 0xf7));
	}
}

static void test_system_descriptor(uint32_t ar, uint32_t limit)
{
	BROKEN(ar, "S (bit 4)", world_set(VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x82);
	       world_on(ar, BIT(4)));
	BROKEN(ar, "P (bit 7)", world_set(VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x82);
	       world_off(ar, BIT(7)));
	BROKEN(ar, "bits 11:8", world_set(VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x82);
	       world_on(ar, BIT(17)));
	BROKEN(ar, "G (bit 15) must be 0", world_set(VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x82);
	       world_on(ar, BIT(15)));
	BROKEN(ar, "G (bit 15) must be 1", world_set(VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x82);
	       world_set(limit, 0x100000));
}

void test_system_segments(void **state)
{
	const uint32_t ldtr = VMCS_GUEST_LDTR_ACCESS_RIGHTS, tr = VMCS_GUEST_TR_ACCESS_RIGHTS;

	(void)state;
	GOOD(world_set(ldtr, 0x82));
	GOOD(world_legacy(); world_set(tr, 0x83));
	GOOD(world_set(VMCS_GUEST_LDTR_SELECTOR, 4); world_set(VMCS_GUEST_LDTR_BASE, BIT(47)));
	test_system_descriptor(ldtr, VMCS_GUEST_LDTR_LIMIT);
	test_system_descriptor(tr, VMCS_GUEST_TR_LIMIT);
	BROKEN(VMCS_GUEST_TR_SELECTOR, "TI", world_on(VMCS_GUEST_TR_SELECTOR, 4));
	BROKEN(VMCS_GUEST_TR_BASE, "must be", world_set(VMCS_GUEST_TR_BASE, BIT(47)));
	BROKEN(tr, "type (bits 3:0)", world_set(tr, 0x83));
	BROKEN(tr, "type (bits 3:0)", world_set(tr, 0x89));
	BROKEN(tr, "bit 16", world_on(tr, BIT(16)));
	BROKEN(VMCS_GUEST_LDTR_SELECTOR, "TI", world_set(ldtr, 0x82);
	       world_set(VMCS_GUEST_LDTR_SELECTOR, 4));
	BROKEN(VMCS_GUEST_LDTR_BASE, "must be", world_set(ldtr, 0x82);
	       world_set(VMCS_GUEST_LDTR_BASE, BIT(47)));
	BROKEN(ldtr, "type (bits 3:0)", world_set(ldtr, 0x83));
}

static void test_blocking(void)
{
	const uint64_t valid = VMX_EVENT_VALID;

	GOOD(world_on(VMCS_GUEST_RFLAGS, RFLAGS_IF); world_set(INT, 1));
	GOOD(world_set(INT, 2 | 8));
	GOOD(world_set(INT, 8); world_set(EVENT, valid | 0x202));
	BROKEN(INT, "bits 31:5", world_set(INT, BIT(5)));
	BROKEN(INT, "STI and MOV SS (bits", world_on(VMCS_GUEST_RFLAGS, RFLAGS_IF);
	       world_set(INT, 3));
	BROKEN(INT, "STI (bit 0)", world_set(INT, 1));
	BROKEN(INT, "STI and MOV SS must", world_on(VMCS_GUEST_RFLAGS, RFLAGS_IF);
	       world_set(INT, 1); world_set(EVENT, valid | 0x30));
	BROKEN(INT, "MOV SS must not block an NMI", world_set(INT, 2);
	       world_set(EVENT, valid | 0x202));
	BROKEN(INT, "bit 2 (blocking by SMI) is", world_set(INT, 4));
	AMONG(INT, "bit 2 (blocking by SMI) must", world_on(ENTRY, VMX_ENTRY_TO_SMM));
	BROKEN(INT, "an NMI", world_set(INT, 8); world_set(EVENT, valid | 0x202);
	       world_on(VMCS_PIN_CONTROLS, VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS));
	BROKEN(INT, "MOV SS must not block in", world_set(INT, 2 | 16));
}

static void test_pending(void)
{
	GOOD(world_set(DEBUG, 0x580f));
	GOOD(world_set(DEBUG, BIT(16) | BIT(12)));
	GOOD(world_set(INT, 2); world_on(VMCS_GUEST_RFLAGS, RFLAGS_TF); world_set(DEBUG, BIT(14)));
	BROKEN(DEBUG, "bits 10:4", world_set(DEBUG, BIT(4)));
	BROKEN(DEBUG, "bits 10:4", world_set(DEBUG, BIT(63)));
	BROKEN(DEBUG, "BS (bit 14) must be 1", world_on(VMCS_GUEST_RFLAGS, RFLAGS_TF);
	       world_set(INT, 2));
	BROKEN(DEBUG, "BS (bit 14) must be 0", world_set(VMCS_GUEST_ACTIVITY, 1);
	       world_set(DEBUG, BIT(14)));
	BROKEN(DEBUG, "BS (bit 14) must be 0", world_on(VMCS_GUEST_RFLAGS, RFLAGS_TF);
	       world_set(VMCS_GUEST_DEBUGCTL, 2); world_set(INT, 2); world_set(DEBUG, BIT(14)));
	BROKEN(DEBUG, "with RTM (bit 16), bits 11", world_set(DEBUG, BIT(16) | BIT(12) | 1));
	BROKEN(DEBUG, "with RTM (bit 16), bit 12", world_set(DEBUG, BIT(16)));
	BROKEN(DEBUG, "with RTM (bit 16), MOV SS", world_set(DEBUG, BIT(16) | BIT(12));
	       world_set(INT, 2));
}

void test_activity(void **state)
{
	const uint32_t activity = VMCS_GUEST_ACTIVITY;
	const uint64_t valid = VMX_EVENT_VALID;

	(void)state;
	GOOD(world_set(activity, 1));
	GOOD(world_set(activity, 3));
	GOOD(world_set(activity, 1); world_set(EVENT, valid | 0x301));
	GOOD(world_set(activity, 2); world_set(EVENT, valid | 0x202));
	BROKEN(activity, "must be one of", world_set(activity, 4));
	BROKEN(activity, "must be one of", world_set(activity, 0xffffffff));
	BROKEN(activity, "must be one of", world_set(activity, 2);
	       world_machine.misc &= ~VMX_MISC_ACTIVITY_SHUTDOWN);
	BROKEN(activity, "HLT", world_set(activity, 1); world_set(CS, 0xa0fb);
	       world_set(SS, 0xc0f3));
	BROKEN(activity, "must be active", world_set(activity, 2); world_set(INT, 2));
	BROKEN(activity, "must be one that", world_set(activity, 1);
	       world_set(EVENT, valid | 0x306));
	BROKEN(activity, "must be one that", world_set(activity, 2);
	       world_set(EVENT, valid | 0x700));
	BROKEN(activity, "must be one that", world_set(activity, 3);
	       world_set(EVENT, valid | 0x202));
	AMONG(activity, "must not be wait", world_set(activity, 3);
	      world_on(ENTRY, VMX_ENTRY_TO_SMM));
	test_blocking();
	test_pending();
}

static void list(uint64_t index, uint64_t value)
{
	world_set(VMCS_ENTRY_MSR_LOAD_COUNT, 2);
	world_set(MSRS, WORLD_FREE);
	world_put(WORLD_FREE, MSR_PAT);
	world_put(WORLD_FREE + 16, index);
	world_put(WORLD_FREE + 24, value);
}

void test_link_and_msrs(void **state)
{
	const uint32_t link = VMCS_LINK_POINTER;

	(void)state;
	GOOD(world_set(link, WORLD_FREE); world_put(WORLD_FREE, 0x12));
	GOOD(world_set(link, WORLD_FREE); world_put(WORLD_FREE, 0x80000012);
	     world_on(VMCS_PROC2_CONTROLS, VMX_PROC2_VMCS_SHADOWING));
	BROKEN(link, "bits 11:0", world_set(link, WORLD_FREE + 8));
	BROKEN(link, "bits beyond", world_set(link, BIT(40)));
	BROKEN(link, "the VMCS there must be of", world_set(link, WORLD_FREE));
	BROKEN(link, "the VMCS there must be a", world_set(link, WORLD_FREE);
	       world_put(WORLD_FREE, 0x80000012));
	BROKEN(link, "must not be", world_set(link, WORLD_VMCS));
	GOOD(list(MSR_EFER, EFER_LME | EFER_LMA | EFER_NXE));
	GOOD(world_legacy(); list(MSR_EFER, EFER_NXE));
	GOOD(world_legacy(); world_off(VMCS_GUEST_CR0, CR0_PG); list(MSR_EFER, EFER_LME));
	GOOD(list(MSR_X2APIC, 0));
	BROKEN(MSRS, "bits 63:32", list(BIT(32) | MSR_PAT, 0));
	BROKEN(MSRS, "IA32_FS_BASE", list(MSR_GS_BASE, 0));
	BROKEN(MSRS, "800h", list(MSR_X2APIC + 8, 0); world_input.x2apic = true);
	BROKEN(MSRS, "IA32_SMM", list(0x9b, 0));
	BROKEN(MSRS, "a value for IA32_EFER must not", list(MSR_EFER, EFER_LME | BIT(12)));
	BROKEN(MSRS, "a value for IA32_EFER must have LME", list(MSR_EFER, EFER_NXE));
	BROKEN(MSRS, "a value for IA32_EFER must have LME", world_legacy();
	       list(MSR_EFER, EFER_LME));
	GOOD(list(MSR_PAT, 0x0007040600070406));
	BROKEN(MSRS, "each byte of a value for IA32_PAT", list(MSR_PAT, 0x0307040600070406));
}

/* By its number in the list, when the last entry ended there and at no other time. */
void test_refused_msr(void **state)
{
	struct vmx_refused_msr msr = {0};

	(void)state;
	world_valid();
	list(MSR_EFER, BIT(12));
	world_put(WORLD_FREE + 8, 3);
	world_set(VMCS_EXIT_REASON, VMX_REASON_FAILED | VMX_REASON_MSR_LOADING);
	world_set(VMCS_EXIT_QUALIFICATION, 1);
	assert_true(vmx_check_refused_msr(&world_input, &msr));
	assert_int_equal(msr.number, 1);
	assert_string_equal(vmx_check_msr_name(msr.index), "IA32_PAT");
	assert_int_equal(msr.value, 3);
	world_set(VMCS_EXIT_QUALIFICATION, 2);
	assert_true(vmx_check_refused_msr(&world_input, &msr));
	assert_int_equal(msr.number, 2);
	assert_string_equal(vmx_check_msr_name(msr.index), "IA32_EFER");
	assert_int_equal(msr.value, BIT(12));
	for (uint64_t number = 0; number <= 3; number += 3) {
		world_set(VMCS_EXIT_QUALIFICATION, number);
		assert_false(vmx_check_refused_msr(&world_input, &msr));
	}
	world_set(VMCS_EXIT_QUALIFICATION, 1);
	world_set(VMCS_EXIT_REASON, VMX_REASON_FAILED | VMX_REASON_GUEST_STATE);
	assert_false(vmx_check_refused_msr(&world_input, &msr));
	world_set(VMCS_EXIT_REASON, VMX_REASON_FAILED | VMX_REASON_MSR_LOADING);
	world_set(VMCS_ENTRY_MSR_LOAD_ADDRESS, sizeof(world_memory));
	assert_false(vmx_check_refused_msr(&world_input, &msr));
}
