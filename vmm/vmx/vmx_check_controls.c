/* SPDX-License-Identifier: BSD-2-Clause */
/* The VMX controls (26.2.1). */
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_check_rules.h"

#define EXECUTION "26.2.1.1"
#define EXIT	  "26.2.1.2"
#define ENTRY	  "26.2.1.3"

static const struct {
	uint16_t field;
	const char *section;
} words[VMX_CONTROL_WORDS] = {
	[VMX_WORD_PIN] = {VMCS_PIN_CONTROLS, EXECUTION},
	[VMX_WORD_PROC] = {VMCS_PROC_CONTROLS, EXECUTION},
	[VMX_WORD_PROC2] = {VMCS_PROC2_CONTROLS, EXECUTION},
	[VMX_WORD_EXIT] = {VMCS_EXIT_CONTROLS, EXIT},
	[VMX_WORD_ENTRY] = {VMCS_ENTRY_CONTROLS, ENTRY},
};

#define PIN(bit)    VMX_WORD_PIN, VMX_PIN_##bit
#define PROC(bit)   VMX_WORD_PROC, VMX_PROC_##bit
#define PROC2(bit)  VMX_WORD_PROC2, VMX_PROC2_##bit
#define EXIT_(bit)  VMX_WORD_EXIT, VMX_EXIT_##bit
#define ENTRY_(bit) VMX_WORD_ENTRY, VMX_ENTRY_##bit

/* A control that is 1 wants another one to be 1 (or 0). */
static const struct {
	enum vmx_word word;
	uint32_t bit;
	enum vmx_word other_word;
	uint32_t other;
	bool on;
	const char *text;
} pairs[] = {
	{PROC2(X2APIC_MODE), PROC(TPR_SHADOW), true,
	 "\"virtualize x2APIC mode\" needs \"use TPR shadow\""},
	{PROC2(APIC_REGISTERS), PROC(TPR_SHADOW), true,
	 "\"APIC-register virtualization\" needs \"use TPR shadow\""},
	{PROC2(VIRTUAL_INTERRUPTS), PROC(TPR_SHADOW), true,
	 "\"virtual-interrupt delivery\" needs \"use TPR shadow\""},
	{PIN(VIRTUAL_NMIS), PIN(NMI), true, "\"virtual NMIs\" needs \"NMI exiting\""},
	{PROC(NMI_WINDOW), PIN(VIRTUAL_NMIS), true,
	 "\"NMI-window exiting\" needs \"virtual NMIs\""},
	{PROC2(X2APIC_MODE), PROC2(APIC_ACCESSES), false,
	 "\"virtualize x2APIC mode\" excludes \"virtualize APIC accesses\""},
	{PROC2(VIRTUAL_INTERRUPTS), PIN(EXTERNAL_INTERRUPT), true,
	 "\"virtual-interrupt delivery\" needs \"external-interrupt exiting\""},
	{PIN(POSTED_INTERRUPTS), PROC2(VIRTUAL_INTERRUPTS), true,
	 "\"process posted interrupts\" needs \"virtual-interrupt delivery\""},
	{PIN(POSTED_INTERRUPTS), EXIT_(ACK_INTERRUPT), true,
	 "\"process posted interrupts\" needs \"acknowledge interrupt on exit\""},
	{PROC2(PML), PROC2(EPT), true, "\"enable PML\" needs \"enable EPT\""},
	{PROC2(UNRESTRICTED_GUEST), PROC2(EPT), true,
	 "\"unrestricted guest\" needs \"enable EPT\""},
	{PROC2(SUB_PAGE_WRITE), PROC2(EPT), true,
	 "\"sub-page write permissions for EPT\" needs \"enable EPT\""},
	{PROC2(MODE_BASED_EXECUTE), PROC2(EPT), true,
	 "\"mode-based execute control for EPT\" needs \"enable EPT\""},
	{PROC2(PT_GUEST_PHYSICAL), PROC2(EPT), true,
	 "\"Intel PT uses guest physical addresses\" needs \"enable EPT\""},
	{PROC2(PT_GUEST_PHYSICAL), ENTRY_(LOAD_RTIT_CTL), true,
	 "\"Intel PT uses guest physical addresses\" needs \"load IA32_RTIT_CTL\""},
	{PROC2(PT_GUEST_PHYSICAL), EXIT_(CLEAR_RTIT_CTL), true,
	 "\"Intel PT uses guest physical addresses\" needs \"clear IA32_RTIT_CTL\""},
	{EXIT_(SAVE_PREEMPTION_TIMER), PIN(PREEMPTION_TIMER), true,
	 "\"save VMX-preemption timer value\" needs \"activate VMX-preemption timer\""},
};

/* Addresses that count while a control is 1. */
static const struct {
	uint16_t field;
	uint8_t align; /* bits */
	enum vmx_word word;
	uint32_t bit;
} pointers[] = {
	{VMCS_IO_BITMAP_A, 12, PROC(IO_BITMAPS)},
	{VMCS_IO_BITMAP_B, 12, PROC(IO_BITMAPS)},
	{VMCS_MSR_BITMAPS, 12, PROC(MSR_BITMAPS)},
	{VMCS_VIRTUAL_APIC_ADDRESS, 12, PROC(TPR_SHADOW)},
	{VMCS_APIC_ACCESS_ADDRESS, 12, PROC2(APIC_ACCESSES)},
	{VMCS_POSTED_INTERRUPT_DESCRIPTOR, 6, PIN(POSTED_INTERRUPTS)},
	{VMCS_PML_ADDRESS, 12, PROC2(PML)},
	{VMCS_SPPT_POINTER, 12, PROC2(SUB_PAGE_WRITE)},
	{VMCS_VMREAD_BITMAP, 12, PROC2(VMCS_SHADOWING)},
	{VMCS_VMWRITE_BITMAP, 12, PROC2(VMCS_SHADOWING)},
	{VMCS_VE_INFORMATION_ADDRESS, 12, PROC2(EPT_VIOLATION_VE)},
	{VMCS_LOW_PASID_DIRECTORY, 12, PROC2(PASID)},
	{VMCS_HIGH_PASID_DIRECTORY, 12, PROC2(PASID)},
};

static void vmx_check_words(struct vmx_check *c)
{
	const struct vmx_control_word *const allowed[] = {
		[VMX_WORD_PIN] = &c->m->pin,	 [VMX_WORD_PROC] = &c->m->proc,
		[VMX_WORD_PROC2] = &c->m->proc2, [VMX_WORD_EXIT] = &c->m->exit,
		[VMX_WORD_ENTRY] = &c->m->entry,
	};

	for (unsigned i = 0; i < VMX_CONTROL_WORDS; i++) {
		bool when =
			i != VMX_WORD_PROC2 || vmx_check_on(c, VMX_WORD_PROC, VMX_PROC_SECONDARY);

		vmx_rule(c, words[i].field, when && (allowed[i]->allowed0 & ~c->words[i]),
			 "bits that this CPU wants to be 1 must be 1", words[i].section);
		vmx_rule_zero(c, when, words[i].field, ~allowed[i]->allowed1,
			      "bits that this CPU does not have must be 0", words[i].section);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		vmx_rule(c, words[pairs[i].word].field,
			 vmx_check_on(c, pairs[i].word, pairs[i].bit) &&
				 vmx_check_on(c, pairs[i].other_word, pairs[i].other) !=
					 pairs[i].on,
			 pairs[i].text, words[pairs[i].word].section);
	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++)
		vmx_rule_phys(c, vmx_check_on(c, pointers[i].word, pointers[i].bit),
			      pointers[i].field, pointers[i].align, EXECUTION);
}

static void vmx_check_tpr(struct vmx_check *c)
{
	bool tpr = vmx_check_on(c, PROC(TPR_SHADOW)) && !vmx_check_on(c, PROC2(VIRTUAL_INTERRUPTS));
	uint32_t vtpr = 0xff;

	vmx_rule_zero(c, tpr, VMCS_TPR_THRESHOLD, 0xfffffff0, "bits 31:4 must be 0", EXECUTION);
	/* VTPR is at offset 80h of the virtual-APIC page (29.1.1). */
	tpr = tpr && !vmx_check_on(c, PROC2(APIC_ACCESSES)) &&
	      c->in->memory(c->in->opaque, vmx_check_get(c, VMCS_VIRTUAL_APIC_ADDRESS) + 0x80,
			    &vtpr, sizeof(vtpr));
	vmx_rule(c, VMCS_TPR_THRESHOLD,
		 tpr && (vmx_check_get(c, VMCS_TPR_THRESHOLD) & 0xf) > (vtpr >> 4 & 0xf),
		 "bits 3:0 must not be above VTPR's bits 7:4", EXECUTION);
}

static void vmx_check_ept(struct vmx_check *c)
{
	bool ept = vmx_check_on(c, PROC2(EPT));
	uint64_t caps = c->m->ept_vpid, eptp = ept ? vmx_check_get(c, VMCS_EPT_POINTER) : 0;
	uint64_t type = eptp & 7, walk = eptp >> 3 & 7;

	vmx_rule(c, VMCS_EPT_POINTER,
		 ept && !(type == 0 && (caps & VMX_EPT_TYPE_UC)) &&
			 !(type == 6 && (caps & VMX_EPT_TYPE_WB)),
		 "the memory type (bits 2:0) must be one that this CPU has", EXECUTION);
	vmx_rule(c, VMCS_EPT_POINTER,
		 ept && !(walk == 3 && (caps & VMX_EPT_WALK_4)) &&
			 !(walk == 4 && (caps & VMX_EPT_WALK_5)),
		 "the page-walk length (bits 5:3) must be one that this CPU has", EXECUTION);
	vmx_rule_zero(c, ept && !(caps & VMX_EPT_ACCESSED_DIRTY), VMCS_EPT_POINTER, BIT(6),
		      "bit 6 must be 0 on a CPU without accessed and dirty flags", EXECUTION);
	vmx_rule_zero(c, ept && !(caps & VMX_EPT_SHADOW_STACK), VMCS_EPT_POINTER, BIT(7),
		      "bit 7 must be 0 on a CPU without supervisor shadow-stack control",
		      EXECUTION);
	vmx_rule_zero(c, ept, VMCS_EPT_POINTER, c->beyond | 0xf00,
		      "bits 11:8 and those beyond the physical address width must be 0", EXECUTION);
}

static void vmx_check_execution(struct vmx_check *c)
{
	bool functions = vmx_check_on(c, PROC2(VM_FUNCTIONS));
	bool switching = functions && (vmx_check_get(c, VMCS_VM_FUNCTION_CONTROLS) & BIT(0));

	vmx_rule(c, VMCS_CR3_TARGET_COUNT,
		 vmx_check_get(c, VMCS_CR3_TARGET_COUNT) > VMX_MISC_CR3_TARGETS(c->m->misc),
		 "must not be above IA32_VMX_MISC's bits 24:16", EXECUTION);
	vmx_check_tpr(c);
	vmx_rule_zero(c, vmx_check_on(c, PIN(POSTED_INTERRUPTS)), VMCS_POSTED_INTERRUPT_VECTOR,
		      0xff00, "bits 15:8 must be 0", EXECUTION);
	vmx_rule(c, VMCS_VPID, vmx_check_on(c, PROC2(VPID)) && !vmx_check_get(c, VMCS_VPID),
		 "0 is the host's", EXECUTION);
	vmx_check_ept(c);
	vmx_rule_zero(c, functions, VMCS_VM_FUNCTION_CONTROLS, ~BIT(0), "bits 63:1 must be 0",
		      EXECUTION);
	vmx_rule(c, VMCS_VM_FUNCTION_CONTROLS, switching && !vmx_check_on(c, PROC2(EPT)),
		 "\"EPTP switching\" (bit 0) needs \"enable EPT\"", EXECUTION);
	vmx_rule_phys(c, switching, VMCS_EPTP_LIST_ADDRESS, 12, EXECUTION);
}

/* A list of MSRs: 16 bytes each. */
static void vmx_check_list(struct vmx_check *c, uint32_t count_field, uint32_t field,
			   const char *section)
{
	uint64_t count = vmx_check_get(c, count_field);
	uint64_t first = count ? vmx_check_get(c, field) : 0;
	uint64_t last = count ? first + count * 16 - 1 : 0;

	vmx_rule_phys(c, count, field, 4, section);
	vmx_rule(c, count_field, count > VMX_MISC_MSR_LIST_MAX(c->m->misc),
		 "must not be above what IA32_VMX_MISC's bits 27:25 allow",
		 count_field == VMCS_ENTRY_MSR_LOAD_COUNT ? "24.8.2" : "24.7.2");
	vmx_rule(c, count_field, !(first & c->beyond) && (last & c->beyond),
		 "the list must end below the physical address width", section);
}

void vmx_check_controls(struct vmx_check *c)
{
	vmx_check_words(c);
	vmx_check_execution(c);
	vmx_check_list(c, VMCS_EXIT_MSR_STORE_COUNT, VMCS_EXIT_MSR_STORE_ADDRESS, EXIT);
	vmx_check_list(c, VMCS_EXIT_MSR_LOAD_COUNT, VMCS_EXIT_MSR_LOAD_ADDRESS, EXIT);
	vmx_check_list(c, VMCS_ENTRY_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_ADDRESS, ENTRY);
	vmx_rule_zero(c, true, VMCS_ENTRY_CONTROLS, VMX_ENTRY_TO_SMM,
		      "\"entry to SMM\" is for a CPU in SMM", ENTRY);
	vmx_rule_zero(c, true, VMCS_ENTRY_CONTROLS, VMX_ENTRY_DEACTIVATE_DUAL,
		      "\"deactivate dual-monitor treatment\" is for a CPU in SMM", ENTRY);
}

/* Hardware exceptions that bring an error code; @pe: not in real mode. */
static bool vmx_event_has_error(const struct vmx_check *c, bool pe)
{
	/* #DF, #TS, #NP, #SS, #GP, #PF, #AC. */
	const uint32_t vectors = BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17);

	return VMX_EVENT_TYPE(c->event) == VMX_EVENT_EXCEPTION && pe &&
	       (vectors >> (c->event & 31) & 1);
}

static void vmx_check_error_code(struct vmx_check *c)
{
	bool pe = !c->unrestricted || (c->cr0 & BIT(0));
	bool given = c->event & VMX_EVENT_HAS_ERROR, due = vmx_event_has_error(c, pe);
	/* Then the vector does not matter. */
	bool any = c->m->basic & VMX_BASIC_ANY_ERROR_CODE;

	if (any && VMX_EVENT_TYPE(c->event) == VMX_EVENT_EXCEPTION && pe)
		due = given;
	vmx_rule(c, VMCS_ENTRY_INTERRUPTION_INFO, c->event && given && !due,
		 "this event has no error code: bit 11 must be 0", ENTRY);
	vmx_rule(c, VMCS_ENTRY_INTERRUPTION_INFO, c->event && !given && due,
		 "this exception has an error code: bit 11 must be 1", ENTRY);
	vmx_rule_zero(c, given, VMCS_ENTRY_EXCEPTION_ERROR_CODE, 0xffff0000, "bits 31:16 must be 0",
		      ENTRY);
}

void vmx_check_entry_event(struct vmx_check *c)
{
	unsigned type = VMX_EVENT_TYPE(c->event), vector = c->event & VMX_EVENT_VECTOR;
	bool soft = c->event && type >= VMX_EVENT_SOFTWARE && type < VMX_EVENT_OTHER;
	uint64_t length = soft ? vmx_check_get(c, VMCS_ENTRY_INSTRUCTION_LENGTH) : 1;

	vmx_rule(c, VMCS_ENTRY_INTERRUPTION_INFO, c->event && type == 1,
		 "type (bits 10:8) 1 is reserved", ENTRY);
	vmx_rule(c, VMCS_ENTRY_INTERRUPTION_INFO,
		 type == VMX_EVENT_OTHER && !(c->m->proc.allowed1 & VMX_PROC_MONITOR_TRAP_FLAG),
		 "type (bits 10:8) 7 is for CPUs with \"monitor trap flag\"", ENTRY);
	vmx_rule(c, VMCS_ENTRY_INTERRUPTION_INFO, type == VMX_EVENT_NMI && vector != 2,
		 "an NMI's vector must be 2", ENTRY);
	vmx_rule(c, VMCS_ENTRY_INTERRUPTION_INFO, type == VMX_EVENT_EXCEPTION && vector > 31,
		 "a hardware exception's vector must be at most 31", ENTRY);
	vmx_rule(c, VMCS_ENTRY_INTERRUPTION_INFO, type == VMX_EVENT_OTHER && vector,
		 "type 7's vector must be 0", ENTRY);
	vmx_check_error_code(c);
	vmx_rule_zero(c, c->event, VMCS_ENTRY_INTERRUPTION_INFO, VMX_EVENT_RESERVED,
		      "bits 30:12 must be 0", ENTRY);
	vmx_rule(c, VMCS_ENTRY_INSTRUCTION_LENGTH, length > 15,
		 "a software event's must be at most 15", ENTRY);
	vmx_rule(c, VMCS_ENTRY_INSTRUCTION_LENGTH, !length && !(c->m->misc & VMX_MISC_LENGTH_0),
		 "a software event's must not be 0 on this CPU", ENTRY);
}
