/* SPDX-License-Identifier: BSD-2-Clause */
/* Broken on purpose: controls, lists, events, the host's state. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "tests/host/vmx/check_rules.h"

#define PIN   VMCS_PIN_CONTROLS
#define PROC  VMCS_PROC_CONTROLS
#define PROC2 VMCS_PROC2_CONTROLS
#define EXIT  VMCS_EXIT_CONTROLS
#define ENTRY VMCS_ENTRY_CONTROLS
#define EVENT VMCS_ENTRY_INTERRUPTION_INFO

#define BEYOND "bits beyond the physical"

/* @on makes @field count. */
#define POINTER(field, low, text, on)                                     \
	do {                                                              \
		GOOD(on; world_set(field, (UINT64_C(1) << 40) - 0x1000)); \
		BROKEN(field, text, on; world_on(field, BIT(low)));       \
		BROKEN(field, BEYOND, on; world_on(field, BIT(40)));      \
	} while (0)
#define PAGE(field, on) POINTER(field, 11, "bits 11:0", on)

static void test_words(void)
{
	BROKEN(PIN, "bits that this CPU wants", world_off(PIN, BIT(1)));
	BROKEN(PIN, "bits that this CPU does not", world_on(PIN, BIT(8)));
	BROKEN(PROC, "bits that this CPU wants", world_off(PROC, BIT(1)));
	BROKEN(PROC, "bits that this CPU does not", world_on(PROC, BIT(0)));
	BROKEN(PROC2, "bits that this CPU wants", world_machine.proc2.allowed0 = BIT(3));
	BROKEN(PROC2, "bits that this CPU does not", world_on(PROC2, BIT(29)));
	BROKEN(EXIT, "bits that this CPU wants", world_off(EXIT, BIT(0)));
	BROKEN(EXIT, "bits that this CPU does not", world_on(EXIT, BIT(31)));
	BROKEN(ENTRY, "bits that this CPU wants", world_off(ENTRY, BIT(0)));
	BROKEN(ENTRY, "bits that this CPU does not", world_on(ENTRY, BIT(31)));
	/* Secondary controls that are not activated do not count. */
	GOOD(world_off(PROC, VMX_PROC_SECONDARY); world_set(PROC2, UINT64_MAX));
	BROKEN(ENTRY, "\"deactivate dual-monitor", world_on(ENTRY, VMX_ENTRY_DEACTIVATE_DUAL));
	AMONG(ENTRY, "\"entry to SMM", world_on(ENTRY, VMX_ENTRY_TO_SMM));
}

static void test_pairs(void)
{
	BROKEN(PROC2, "\"virtualize x2APIC mode\" needs", world_on(PROC2, VMX_PROC2_X2APIC_MODE));
	BROKEN(PROC2, "\"APIC-register", world_on(PROC2, VMX_PROC2_APIC_REGISTERS));
	BROKEN(PROC2, "\"virtual-interrupt delivery\" needs \"use TPR",
	       world_on(PROC2, VMX_PROC2_VIRTUAL_INTERRUPTS);
	       world_on(PIN, VMX_PIN_EXTERNAL_INTERRUPT));
	BROKEN(PIN, "\"virtual NMIs", world_on(PIN, VMX_PIN_VIRTUAL_NMIS));
	BROKEN(PROC, "\"NMI-window", world_on(PROC, VMX_PROC_NMI_WINDOW));
	BROKEN(PROC2, "\"virtualize x2APIC mode\" excludes", world_on(PROC, VMX_PROC_TPR_SHADOW);
	       world_on(PROC2, VMX_PROC2_X2APIC_MODE | VMX_PROC2_APIC_ACCESSES));
	BROKEN(PROC2, "\"virtual-interrupt delivery\" needs \"external",
	       world_on(PROC, VMX_PROC_TPR_SHADOW);
	       world_on(PROC2, VMX_PROC2_VIRTUAL_INTERRUPTS));
	BROKEN(PIN, "\"process posted interrupts\" needs \"virtual",
	       world_on(PIN, VMX_PIN_POSTED_INTERRUPTS);
	       world_on(EXIT, VMX_EXIT_ACK_INTERRUPT));
	BROKEN(PIN, "\"process posted interrupts\" needs \"ack",
	       world_on(PIN, VMX_PIN_POSTED_INTERRUPTS | VMX_PIN_EXTERNAL_INTERRUPT);
	       world_off(EXIT, VMX_EXIT_ACK_INTERRUPT); world_on(PROC, VMX_PROC_TPR_SHADOW);
	       world_on(PROC2, VMX_PROC2_VIRTUAL_INTERRUPTS));
	BROKEN(PROC2, "\"enable PML", world_set(PROC2, VMX_PROC2_PML));
	BROKEN(PROC2, "\"unrestricted", world_set(PROC2, VMX_PROC2_UNRESTRICTED_GUEST));
	BROKEN(PROC2, "\"sub-page", world_set(PROC2, VMX_PROC2_SUB_PAGE_WRITE));
	BROKEN(PROC2, "\"mode-based", world_set(PROC2, VMX_PROC2_MODE_BASED_EXECUTE));
	BROKEN(PROC2, "\"Intel PT uses guest physical addresses\" needs \"enable",
	       world_set(PROC2, VMX_PROC2_PT_GUEST_PHYSICAL);
	       world_on(ENTRY, VMX_ENTRY_LOAD_RTIT_CTL); world_on(EXIT, VMX_EXIT_CLEAR_RTIT_CTL));
	BROKEN(PROC2, "\"Intel PT uses guest physical addresses\" needs \"load",
	       world_on(PROC2, VMX_PROC2_PT_GUEST_PHYSICAL);
	       world_on(EXIT, VMX_EXIT_CLEAR_RTIT_CTL));
	BROKEN(PROC2, "\"Intel PT uses guest physical addresses\" needs \"clear",
	       world_on(PROC2, VMX_PROC2_PT_GUEST_PHYSICAL);
	       world_on(ENTRY, VMX_ENTRY_LOAD_RTIT_CTL));
	BROKEN(EXIT, "\"save VMX-preemption", world_on(EXIT, VMX_EXIT_SAVE_PREEMPTION_TIMER));
}

static void test_pointers(void)
{
	PAGE(VMCS_IO_BITMAP_A, world_on(PROC, VMX_PROC_IO_BITMAPS));
	PAGE(VMCS_IO_BITMAP_B, world_on(PROC, VMX_PROC_IO_BITMAPS));
	PAGE(VMCS_MSR_BITMAPS, world_on(PROC, VMX_PROC_MSR_BITMAPS));
	PAGE(VMCS_VIRTUAL_APIC_ADDRESS, world_on(PROC, VMX_PROC_TPR_SHADOW));
	PAGE(VMCS_APIC_ACCESS_ADDRESS, world_on(PROC2, VMX_PROC2_APIC_ACCESSES));
	POINTER(VMCS_POSTED_INTERRUPT_DESCRIPTOR, 5, "bits 5:0",
		world_on(PIN, VMX_PIN_POSTED_INTERRUPTS | VMX_PIN_EXTERNAL_INTERRUPT);
		world_on(EXIT, VMX_EXIT_ACK_INTERRUPT); world_on(PROC, VMX_PROC_TPR_SHADOW);
		world_on(PROC2, VMX_PROC2_VIRTUAL_INTERRUPTS));
	PAGE(VMCS_PML_ADDRESS, world_on(PROC2, VMX_PROC2_PML));
	PAGE(VMCS_SPPT_POINTER, world_on(PROC2, VMX_PROC2_SUB_PAGE_WRITE));
	PAGE(VMCS_VMREAD_BITMAP, world_on(PROC2, VMX_PROC2_VMCS_SHADOWING));
	PAGE(VMCS_VMWRITE_BITMAP, world_on(PROC2, VMX_PROC2_VMCS_SHADOWING));
	PAGE(VMCS_VE_INFORMATION_ADDRESS, world_on(PROC2, VMX_PROC2_EPT_VIOLATION_VE));
	PAGE(VMCS_LOW_PASID_DIRECTORY, world_on(PROC2, VMX_PROC2_PASID));
	PAGE(VMCS_HIGH_PASID_DIRECTORY, world_on(PROC2, VMX_PROC2_PASID));
	PAGE(VMCS_EPTP_LIST_ADDRESS, world_on(PROC2, VMX_PROC2_VM_FUNCTIONS);
	     world_set(VMCS_VM_FUNCTION_CONTROLS, 1));
}

void test_controls(void **state)
{
	(void)state;
	GOOD();
	test_words();
	test_pairs();
	test_pointers();
	BROKEN(VMCS_CR3_TARGET_COUNT, "must not be", world_set(VMCS_CR3_TARGET_COUNT, 5));
	BROKEN(VMCS_TPR_THRESHOLD, "bits 31:4", world_on(PROC, VMX_PROC_TPR_SHADOW);
	       world_set(VMCS_TPR_THRESHOLD, 0x10));
	GOOD(world_on(PROC, VMX_PROC_TPR_SHADOW); world_set(VMCS_TPR_THRESHOLD, 3);
	     world_put(0x80, 0x30));
	BROKEN(VMCS_TPR_THRESHOLD, "bits 3:0", world_on(PROC, VMX_PROC_TPR_SHADOW);
	       world_set(VMCS_TPR_THRESHOLD, 4); world_put(0x80, 0x3f));
	BROKEN(VMCS_POSTED_INTERRUPT_VECTOR, "bits 15:8",
	       world_on(PIN, VMX_PIN_POSTED_INTERRUPTS | VMX_PIN_EXTERNAL_INTERRUPT);
	       world_on(EXIT, VMX_EXIT_ACK_INTERRUPT); world_on(PROC, VMX_PROC_TPR_SHADOW);
	       world_on(PROC2, VMX_PROC2_VIRTUAL_INTERRUPTS);
	       world_set(VMCS_POSTED_INTERRUPT_VECTOR, 0x100));
	BROKEN(VMCS_VPID, "0 is", world_on(PROC2, VMX_PROC2_VPID); world_set(VMCS_VPID, 0));
	BROKEN(VMCS_EPT_POINTER, "the memory type", world_off(VMCS_EPT_POINTER, 7));
	BROKEN(VMCS_EPT_POINTER, "the page-walk", world_set(VMCS_EPT_POINTER, 4 << 3 | 6));
	GOOD(world_machine.ept_vpid |= VMX_EPT_WALK_5 | VMX_EPT_ACCESSED_DIRTY;
	     world_set(VMCS_EPT_POINTER, BIT(6) | 4 << 3 | 6));
	BROKEN(VMCS_EPT_POINTER, "bit 6", world_on(VMCS_EPT_POINTER, BIT(6)));
	BROKEN(VMCS_EPT_POINTER, "bit 7", world_on(VMCS_EPT_POINTER, BIT(7)));
	BROKEN(VMCS_EPT_POINTER, "bits 11:8", world_on(VMCS_EPT_POINTER, BIT(8)));
	BROKEN(VMCS_EPT_POINTER, "bits 11:8", world_on(VMCS_EPT_POINTER, BIT(63)));
	BROKEN(VMCS_VM_FUNCTION_CONTROLS, "bits 63:1", world_on(PROC2, VMX_PROC2_VM_FUNCTIONS);
	       world_set(VMCS_VM_FUNCTION_CONTROLS, 2));
	BROKEN(VMCS_VM_FUNCTION_CONTROLS, "\"EPTP", world_set(PROC2, VMX_PROC2_VM_FUNCTIONS);
	       world_set(VMCS_VM_FUNCTION_CONTROLS, 1));
}

void test_lists(void **state)
{
	static const uint32_t lists[][2] = {
		{VMCS_EXIT_MSR_STORE_COUNT, VMCS_EXIT_MSR_STORE_ADDRESS},
		{VMCS_EXIT_MSR_LOAD_COUNT, VMCS_EXIT_MSR_LOAD_ADDRESS},
		{VMCS_ENTRY_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_ADDRESS},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
		uint32_t count = lists[i][0], address = lists[i][1];

		GOOD(world_set(address, UINT64_MAX));
		GOOD(world_set(count, 2); world_set(address, BIT(40) - 32));
		BROKEN(address, "bits 3:0", world_set(count, 1); world_set(address, 8));
		BROKEN(address, BEYOND, world_set(count, 1); world_set(address, BIT(40)));
		BROKEN(count, "the list", world_set(count, 2); world_set(address, BIT(40) - 16));
		GOOD(world_set(count, 512); world_set(address, WORLD_LISTS));
		BROKEN(count, "must not be above what", world_set(count, 513);
		       world_set(address, WORLD_LISTS));
		GOOD(world_set(count, 513); world_set(address, WORLD_LISTS);
		     world_machine.misc |= BIT(25));
	}
}

void test_entry_event(void **state)
{
	const uint64_t valid = VMX_EVENT_VALID, error = VMX_EVENT_HAS_ERROR;
	const uint32_t length = VMCS_ENTRY_INSTRUCTION_LENGTH;

	(void)state;
	GOOD(world_set(EVENT, 0x1ff));
	GOOD(world_set(EVENT, valid | 0x202));
	GOOD(world_set(EVENT, valid | error | 0x30e));
	GOOD(world_set(EVENT, valid | 0x700));
	GOOD(world_set(EVENT, valid | 0x480); world_set(length, 15));
	/* No error code in real mode, nor where the CPU takes any. */
	GOOD(world_legacy(); world_off(VMCS_GUEST_CR0, CR0_PE | CR0_PG);
	     world_set(EVENT, valid | 0x30d));
	GOOD(world_machine.basic |= VMX_BASIC_ANY_ERROR_CODE; world_set(EVENT, valid | 0x30e));
	GOOD(world_machine.basic |= VMX_BASIC_ANY_ERROR_CODE;
	     world_set(EVENT, valid | error | 0x306));
	BROKEN(EVENT, "type (bits 10:8) 1", world_set(EVENT, valid | 0x120));
	BROKEN(EVENT, "type (bits 10:8) 7", world_set(EVENT, valid | 0x700);
	       world_machine.proc.allowed1 &= ~VMX_PROC_MONITOR_TRAP_FLAG);
	BROKEN(EVENT, "an NMI's vector", world_set(EVENT, valid | 0x203));
	BROKEN(EVENT, "a hardware exception's vector", world_set(EVENT, valid | 0x320));
	BROKEN(EVENT, "type 7's", world_set(EVENT, valid | 0x701));
	BROKEN(EVENT, "this event has no", world_set(EVENT, valid | error | 0x306));
	BROKEN(EVENT, "this event has no", world_set(EVENT, valid | error | 0x60d));
	BROKEN(EVENT, "this exception has an", world_set(EVENT, valid | 0x30e));
	BROKEN(EVENT, "bits 30:12", world_set(EVENT, valid | BIT(12) | 0x306));
	BROKEN(VMCS_ENTRY_EXCEPTION_ERROR_CODE, "bits 31:16",
	       world_set(EVENT, valid | error | 0x30e);
	       world_set(VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0x10000));
	BROKEN(length, "a software event's must be", world_set(EVENT, valid | 0x480);
	       world_set(length, 16));
	BROKEN(length, "a software event's must not", world_set(EVENT, valid | 0x603);
	       world_set(length, 0));
	GOOD(world_machine.misc |= VMX_MISC_LENGTH_0; world_set(EVENT, valid | 0x603);
	     world_set(length, 0));
}

static void test_host_msrs(void)
{
	BROKEN(VMCS_HOST_PERF_GLOBAL_CTRL, "bits 63:49", world_on(EXIT, VMX_EXIT_LOAD_PERF_GLOBAL);
	       world_set(VMCS_HOST_PERF_GLOBAL_CTRL, BIT(49)));
	BROKEN(VMCS_HOST_PAT, "each byte", world_on(EXIT, VMX_EXIT_LOAD_PAT);
	       world_set(VMCS_HOST_PAT, 2));
	BROKEN(VMCS_HOST_EFER, "bits that", world_on(EXIT, VMX_EXIT_LOAD_EFER);
	       world_on(VMCS_HOST_EFER, BIT(12)));
	BROKEN(VMCS_HOST_EFER, "LMA", world_on(EXIT, VMX_EXIT_LOAD_EFER);
	       world_off(VMCS_HOST_EFER, EFER_LMA));
	BROKEN(VMCS_HOST_EFER, "LME", world_on(EXIT, VMX_EXIT_LOAD_EFER);
	       world_off(VMCS_HOST_EFER, EFER_LME));
	BROKEN(VMCS_HOST_S_CET, "must be", world_on(EXIT, VMX_EXIT_LOAD_CET);
	       world_set(VMCS_HOST_S_CET, BIT(50)));
	BROKEN(VMCS_HOST_S_CET, "bits 9:6", world_on(EXIT, VMX_EXIT_LOAD_CET);
	       world_set(VMCS_HOST_S_CET, BIT(6)));
	BROKEN(VMCS_HOST_S_CET, "bits 10", world_on(EXIT, VMX_EXIT_LOAD_CET);
	       world_set(VMCS_HOST_S_CET, 0xc00));
	BROKEN(VMCS_HOST_SSP, "bits 1:0", world_on(EXIT, VMX_EXIT_LOAD_CET);
	       world_set(VMCS_HOST_SSP, 2));
	BROKEN(VMCS_HOST_SSP, "bits beyond", world_on(EXIT, VMX_EXIT_LOAD_CET);
	       world_set(VMCS_HOST_SSP, BIT(48)));
	BROKEN(VMCS_HOST_INTERRUPT_SSP_TABLE, "must be", world_on(EXIT, VMX_EXIT_LOAD_CET);
	       world_set(VMCS_HOST_INTERRUPT_SSP_TABLE, BIT(47)));
	BROKEN(VMCS_HOST_PKRS, "bits 63:32", world_on(EXIT, VMX_EXIT_LOAD_PKRS);
	       world_set(VMCS_HOST_PKRS, BIT(32)));
}

static void test_host_segments(void)
{
	static const uint32_t bases[] = {VMCS_HOST_FS_BASE, VMCS_HOST_GS_BASE, VMCS_HOST_TR_BASE,
					 VMCS_HOST_GDTR_BASE, VMCS_HOST_IDTR_BASE};

	for (uint32_t field = VMCS_HOST_ES_SELECTOR; field <= VMCS_HOST_TR_SELECTOR; field += 2) {
		BROKEN(field, "RPL and TI", world_on(field, 1));
		BROKEN(field, "RPL and TI", world_on(field, 4));
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		GOOD(world_set(bases[i], 0xffff800000000000));
		BROKEN(bases[i], "must be", world_set(bases[i], 0x0000800000000000));
	}
	BROKEN(VMCS_HOST_CS_SELECTOR, "must not", world_set(VMCS_HOST_CS_SELECTOR, 0));
	BROKEN(VMCS_HOST_TR_SELECTOR, "must not", world_set(VMCS_HOST_TR_SELECTOR, 0));
	GOOD(world_set(VMCS_HOST_SS_SELECTOR, 0));
	AMONG(VMCS_HOST_SS_SELECTOR, "must not", world_set(VMCS_HOST_SS_SELECTOR, 0);
	      world_off(EXIT, VMX_EXIT_HOST_64));
}

void test_host(void **state)
{
	(void)state;
	BROKEN(VMCS_HOST_CR0, "bits that VMX operation fixes to 1",
	       world_off(VMCS_HOST_CR0, CR0_NE));
	BROKEN(VMCS_HOST_CR0, "bits that VMX operation fixes to 0",
	       world_on(VMCS_HOST_CR0, BIT(32)));
	BROKEN(VMCS_HOST_CR4, "bits that VMX operation fixes to 1",
	       world_off(VMCS_HOST_CR4, CR4_VMXE));
	BROKEN(VMCS_HOST_CR4, "bits that VMX operation fixes to 0",
	       world_on(VMCS_HOST_CR4, CR4_LA57));
	BROKEN(VMCS_HOST_CR4, "CET", world_on(VMCS_HOST_CR4, CR4_CET);
	       world_off(VMCS_HOST_CR0, CR0_WP));
	BROKEN(VMCS_HOST_CR3, BEYOND, world_set(VMCS_HOST_CR3, BIT(40)));
	BROKEN(VMCS_HOST_SYSENTER_ESP, "must be", world_set(VMCS_HOST_SYSENTER_ESP, BIT(47)));
	BROKEN(VMCS_HOST_SYSENTER_EIP, "must be", world_set(VMCS_HOST_SYSENTER_EIP, BIT(47)));
	test_host_msrs();
	test_host_segments();
	BROKEN(EXIT, "\"host address-space", world_legacy(); world_off(EXIT, VMX_EXIT_HOST_64));
	AMONG(ENTRY, "\"IA-32e mode guest", world_off(EXIT, VMX_EXIT_HOST_64));
	AMONG(VMCS_HOST_CR4, "PCIDE", world_off(EXIT, VMX_EXIT_HOST_64);
	      world_on(VMCS_HOST_CR4, CR4_PCIDE));
	AMONG(VMCS_HOST_RIP, "bits 63:32", world_off(EXIT, VMX_EXIT_HOST_64);
	      world_on(VMCS_HOST_RIP, BIT(32)));
	BROKEN(VMCS_HOST_CR4, "PAE", world_off(VMCS_HOST_CR4, CR4_PAE));
	BROKEN(VMCS_HOST_RIP, "must be", world_set(VMCS_HOST_RIP, BIT(47)));
}
