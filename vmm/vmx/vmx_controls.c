/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every control that we know, and what we do with it. The names are the
 * manual's (SDM vol. 3C, 24.6-24.8; vol. 3D, A.10). What has no line here is
 * left as the CPU demands it.
 */
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_choose.h"

const char *const vmx_word_names[VMX_WORDS] = {
	[VMX_WORD_PIN] = "pin-based controls",
	[VMX_WORD_PROC] = "primary processor-based controls",
	[VMX_WORD_PROC2] = "secondary processor-based controls",
	[VMX_WORD_EXIT] = "VM-exit controls",
	[VMX_WORD_ENTRY] = "VM-entry controls",
	[VMX_WORD_EPT_VPID] = "EPT and VPID capabilities",
};

/* Of what is missing, the first line here is the reason told. */
/* clang-format off */
#define PIN(bit, ...)	{VMX_PIN_##bit, VMX_WORD_PIN, __VA_ARGS__}
#define PROC(bit, ...)	{VMX_PROC_##bit, VMX_WORD_PROC, __VA_ARGS__}
#define PROC2(bit, ...)	{VMX_PROC2_##bit, VMX_WORD_PROC2, __VA_ARGS__}
#define EXIT(bit, ...)	{VMX_EXIT_##bit, VMX_WORD_EXIT, __VA_ARGS__}
#define ENTRY(bit, ...)	{VMX_ENTRY_##bit, VMX_WORD_ENTRY, __VA_ARGS__}
#define EPT(bit, ...)	{VMX_EPT_##bit, VMX_WORD_EPT_VPID, __VA_ARGS__}
#define VPID(bit, ...)	{VMX_VPID_##bit, VMX_WORD_EPT_VPID, __VA_ARGS__}

const struct vmx_control vmx_controls[] = {
	PROC(SECONDARY, VMX_REQUIRED, "activate secondary controls", "nested paging is among them"),
	PROC2(EPT, VMX_REQUIRED, "enable EPT", "it gives guests their memory"),
	PROC2(UNRESTRICTED_GUEST, VMX_REQUIRED, "unrestricted guest", "guests start in real mode"),
	EPT(WALK_4, VMX_REQUIRED, "page-walk length of 4", "it is the form of our tables"),
	EPT(TYPE_WB, VMX_REQUIRED, "write-back paging structures", "our memory is cached"),
	EPT(PAGE_2M, VMX_REQUIRED, "2 MiB pages", "guests' memory is mapped by them"),
	EPT(INVEPT, VMX_REQUIRED, "INVEPT", "mappings are taken away"),
	EPT(INVEPT_SINGLE, VMX_REQUIRED, "INVEPT, single context", "mappings are taken away"),
	EPT(INVEPT_ALL, VMX_REQUIRED, "INVEPT, all contexts", "it ends what was cached before us"),

	PIN(EXTERNAL_INTERRUPT, VMX_REQUIRED, "external-interrupt exiting",
	    "the machine's interrupts are ours"),
	PIN(NMI, VMX_REQUIRED, "NMI exiting", "the machine's NMIs are ours"),
	PIN(VIRTUAL_NMIS, VMX_REQUIRED, "virtual NMIs", "guests block NMIs of their own"),
	PIN(PREEMPTION_TIMER, VMX_WANTED, "activate VMX-preemption timer",
	    "only interrupts end a guest's run"),
	PIN(POSTED_INTERRUPTS, VMX_NOT_USED, "process posted interrupts", NULL),

	PROC(INTERRUPT_WINDOW, VMX_ON_DEMAND, "interrupt-window exiting",
	     "interrupts wait for the guest"),
	PROC(TSC_OFFSETTING, VMX_REQUIRED, "use TSC offsetting",
	     "a guest's time begins at its start"),
	PROC(HLT, VMX_REQUIRED, "HLT exiting", "a waiting guest gives its CPU back"),
	PROC(INVLPG, VMX_NOT_USED, "INVLPG exiting", NULL),
	PROC(MWAIT, VMX_REQUIRED, "MWAIT exiting", "guests must not stop our CPU"),
	PROC(RDPMC, VMX_REQUIRED, "RDPMC exiting", "the counters are the machine's"),
	PROC(RDTSC, VMX_NOT_USED, "RDTSC exiting", NULL),
	PROC(CR3_LOAD, VMX_NOT_USED, "CR3-load exiting", NULL),
	PROC(CR3_STORE, VMX_NOT_USED, "CR3-store exiting", NULL),
	PROC(TERTIARY, VMX_NOT_USED, "activate tertiary controls", NULL),
	PROC(TPR_SHADOW, VMX_WANTED, "use TPR shadow", "each access of CR8 exits"),
	PROC(CR8_LOAD, VMX_REQUIRED, "CR8-load exiting", "only a TPR shadow makes CR8 the guest's own"),
	PROC(CR8_STORE, VMX_REQUIRED, "CR8-store exiting", "only a TPR shadow makes CR8 the guest's own"),
	PROC(NMI_WINDOW, VMX_ON_DEMAND, "NMI-window exiting", "NMIs wait for the guest"),
	PROC(MOV_DR, VMX_NOT_USED, "MOV-DR exiting", NULL),
	PROC(UNCONDITIONAL_IO, VMX_NOT_USED, "unconditional I/O exiting", NULL),
	PROC(IO_BITMAPS, VMX_REQUIRED, "use I/O bitmaps", "no port reaches hardware unasked"),
	PROC(MONITOR_TRAP_FLAG, VMX_NOT_USED, "monitor trap flag", NULL),
	PROC(MSR_BITMAPS, VMX_REQUIRED, "use MSR bitmaps", "some MSRs are the guest's own"),
	PROC(MONITOR, VMX_REQUIRED, "MONITOR exiting", "guests must not stop our CPU"),
	PROC(PAUSE, VMX_NOT_USED, "PAUSE exiting", NULL),

	PROC2(APIC_ACCESSES, VMX_NOT_USED, "virtualize APIC accesses", "guests that interrupts are dear to use x2APIC mode"),
	PROC2(DESCRIPTOR_TABLE, VMX_NOT_USED, "descriptor-table exiting", NULL),
	PROC2(RDTSCP, VMX_REQUIRED, "enable RDTSCP", "CPUID offers it to guests"),
	PROC2(X2APIC_MODE, VMX_OPTIONAL, "virtualize x2APIC mode", "it goes with virtual-interrupt delivery"),
	PROC2(VPID, VMX_WANTED, "enable VPID", "each entry and exit empties the TLB"),
	PROC2(WBINVD, VMX_WANTED, "WBINVD exiting",
	      "a guest's WBINVD empties the machine's caches"),
	PROC2(APIC_REGISTERS, VMX_NOT_USED, "APIC-register virtualization", "guests seldom read registers"),
	PROC2(VIRTUAL_INTERRUPTS, VMX_OPTIONAL, "virtual-interrupt delivery", "it goes with a TPR shadow and x2APIC mode"),
	PROC2(PAUSE_LOOP, VMX_WANTED, "PAUSE-loop exiting",
	      "a vCPU that spins keeps its CPU for its slice"),
	PROC2(RDRAND, VMX_NOT_USED, "RDRAND exiting", NULL),
	PROC2(INVPCID, VMX_NOT_USED, "enable INVPCID", "CPUID does not offer it to guests"),
	PROC2(VM_FUNCTIONS, VMX_NOT_USED, "enable VM functions", NULL),
	PROC2(VMCS_SHADOWING, VMX_NOT_USED, "VMCS shadowing", NULL),
	PROC2(ENCLS, VMX_WANTED, "enable ENCLS exiting", "CPUID does not offer it to guests"),
	PROC2(RDSEED, VMX_NOT_USED, "RDSEED exiting", NULL),
	PROC2(PML, VMX_NOT_USED, "enable PML", NULL),
	PROC2(EPT_VIOLATION_VE, VMX_NOT_USED, "EPT-violation #VE", NULL),
	PROC2(CONCEAL_FROM_PT, VMX_NOT_USED, "conceal VMX from PT", NULL),
	PROC2(XSAVES, VMX_NOT_USED, "enable XSAVES/XRSTORS", "CPUID does not offer it to guests"),
	PROC2(PASID, VMX_NOT_USED, "PASID translation", NULL),
	PROC2(MODE_BASED_EXECUTE, VMX_NOT_USED, "mode-based execute control", NULL),
	PROC2(SUB_PAGE_WRITE, VMX_NOT_USED, "sub-page write permissions", NULL),
	PROC2(PT_GUEST_PHYSICAL, VMX_NOT_USED, "PT uses guest physical addresses", NULL),
	PROC2(TSC_SCALING, VMX_NOT_USED, "use TSC scaling", NULL),
	PROC2(USER_WAIT, VMX_NOT_USED, "enable user wait and pause", NULL),
	PROC2(PCONFIG, VMX_NOT_USED, "enable PCONFIG", NULL),
	PROC2(ENCLV, VMX_NOT_USED, "enable ENCLV exiting", NULL),
	PROC2(BUS_LOCK, VMX_NOT_USED, "VMM bus-lock detection", NULL),
	PROC2(INSTRUCTION_TIMEOUT, VMX_NOT_USED, "instruction timeout", NULL),

	EXIT(SAVE_DEBUG, VMX_REQUIRED, "save debug controls", "DR7 is the guest's own"),
	EXIT(HOST_64, VMX_REQUIRED, "host address-space size", "we run in 64-bit mode"),
	EXIT(LOAD_PERF_GLOBAL, VMX_NOT_USED, "load IA32_PERF_GLOBAL_CTRL", NULL),
	EXIT(ACK_INTERRUPT, VMX_NOT_USED, "acknowledge interrupt on exit",
	     "it is taken at a stated point"),
	EXIT(SAVE_PAT, VMX_WANTED, "save IA32_PAT", "an MSR area does it"),
	EXIT(LOAD_PAT, VMX_WANTED, "load IA32_PAT", "an MSR area does it"),
	EXIT(SAVE_EFER, VMX_WANTED, "save IA32_EFER", "an MSR area does it"),
	EXIT(LOAD_EFER, VMX_WANTED, "load IA32_EFER", "an MSR area does it"),
	EXIT(SAVE_PREEMPTION_TIMER, VMX_NOT_USED, "save VMX-preemption timer value", NULL),
	EXIT(CLEAR_BNDCFGS, VMX_NOT_USED, "clear IA32_BNDCFGS", NULL),
	EXIT(CONCEAL_FROM_PT, VMX_NOT_USED, "conceal VMX from PT", NULL),
	EXIT(CLEAR_RTIT_CTL, VMX_NOT_USED, "clear IA32_RTIT_CTL", NULL),
	EXIT(CLEAR_LBR_CTL, VMX_NOT_USED, "clear IA32_LBR_CTL", NULL),
	EXIT(CLEAR_UINV, VMX_NOT_USED, "clear UINV", NULL),
	EXIT(LOAD_CET, VMX_NOT_USED, "load CET state", NULL),
	EXIT(LOAD_PKRS, VMX_NOT_USED, "load PKRS", NULL),
	EXIT(SAVE_PERF_GLOBAL, VMX_NOT_USED, "save IA32_PERF_GLOBAL_CTRL", NULL),
	EXIT(SECONDARY, VMX_NOT_USED, "activate secondary controls", NULL),

	ENTRY(LOAD_DEBUG, VMX_REQUIRED, "load debug controls", "DR7 is the guest's own"),
	ENTRY(IA32E_GUEST, VMX_ON_DEMAND, "IA-32e mode guest", "guests run in 64-bit mode"),
	ENTRY(TO_SMM, VMX_NOT_USED, "entry to SMM", NULL),
	ENTRY(DEACTIVATE_DUAL, VMX_NOT_USED, "deactivate dual-monitor treatment", NULL),
	ENTRY(LOAD_PERF_GLOBAL, VMX_NOT_USED, "load IA32_PERF_GLOBAL_CTRL", NULL),
	ENTRY(LOAD_PAT, VMX_WANTED, "load IA32_PAT", "an MSR area does it"),
	ENTRY(LOAD_EFER, VMX_WANTED, "load IA32_EFER", "an MSR area does it"),
	ENTRY(LOAD_BNDCFGS, VMX_NOT_USED, "load IA32_BNDCFGS", NULL),
	ENTRY(CONCEAL_FROM_PT, VMX_NOT_USED, "conceal VMX from PT", NULL),
	ENTRY(LOAD_RTIT_CTL, VMX_NOT_USED, "load IA32_RTIT_CTL", NULL),
	ENTRY(LOAD_UINV, VMX_NOT_USED, "load UINV", NULL),
	ENTRY(LOAD_CET, VMX_NOT_USED, "load CET state", NULL),
	ENTRY(LOAD_LBR_CTL, VMX_NOT_USED, "load guest IA32_LBR_CTL", NULL),
	ENTRY(LOAD_PKRS, VMX_NOT_USED, "load PKRS", NULL),

	EPT(PAGE_1G, VMX_WANTED, "1 GiB pages", "2 MiB pages at most"),
	EPT(ACCESSED_DIRTY, VMX_WANTED, "accessed and dirty flags",
	    "what a guest wrote is found by write protection"),
	EPT(EXECUTE_ONLY, VMX_NOT_USED, "execute-only pages", NULL),
	EPT(WALK_5, VMX_NOT_USED, "page-walk length of 5", NULL),
	EPT(TYPE_UC, VMX_NOT_USED, "uncacheable paging structures", NULL),
	EPT(ADVANCED_EXIT, VMX_NOT_USED, "advanced exit information", NULL),
	VPID(INVVPID, VMX_WANTED, "INVVPID", "VPID is not used either"),
	VPID(INVVPID_SINGLE, VMX_WANTED, "INVVPID, single context", "VPID is not used either"),
	VPID(INVVPID_ALL, VMX_WANTED, "INVVPID, all contexts", "VPID is not used either"),
	VPID(INVVPID_ADDRESS, VMX_NOT_USED, "INVVPID, single address", NULL),
	VPID(INVVPID_SINGLE_LOCALS, VMX_NOT_USED, "INVVPID, all but global pages", NULL),
};
/* clang-format on */

const size_t vmx_control_count = ARRAY_SIZE(vmx_controls);
