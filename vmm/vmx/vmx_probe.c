/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "kernel/log.h"
#include "vmm/hv_ops.h"
#include "vmm/vmm.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_choose.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_cpu.h"

#include <stdio.h>

#define CPUID_1_ECX_VMX		  BIT(5)
#define CPUID_7_EDX_ARCH_CAPS	  BIT(29)
#define MSR_ARCH_CAPABILITIES	  0x10a /* SDM vol. 4, table 2-2 */
#define CPUID_80000001_EDX_RDTSCP BIT(27)

struct vmx_machine vmx_machine;

/* A.2: bits that must be 1 in the low half, bits that may be 1 in the high one. */
static void vmx_read_word(struct vmx_control_word *word, uint32_t msr)
{
	uint64_t value = msr_read(msr);

	*word = (struct vmx_control_word){.allowed0 = value, .allowed1 = value >> 32};
}

/* Which register is there is said by those before it (A.1-A.10). */
static void vmx_read_capabilities(struct vmx_machine *m)
{
	bool exact;

	m->basic = msr_read(VMX_MSR_BASIC);
	m->misc = msr_read(VMX_MSR_MISC);
	m->cr0_fixed0 = msr_read(VMX_MSR_CR0_FIXED0);
	m->cr0_fixed1 = msr_read(VMX_MSR_CR0_FIXED1);
	m->cr4_fixed0 = msr_read(VMX_MSR_CR4_FIXED0);
	m->cr4_fixed1 = msr_read(VMX_MSR_CR4_FIXED1);
	exact = m->basic & VMX_BASIC_TRUE_CONTROLS;
	vmx_read_word(&m->pin, exact ? VMX_MSR_TRUE_PIN : VMX_MSR_PIN);
	vmx_read_word(&m->proc, exact ? VMX_MSR_TRUE_PROC : VMX_MSR_PROC);
	vmx_read_word(&m->exit, exact ? VMX_MSR_TRUE_EXIT : VMX_MSR_EXIT);
	vmx_read_word(&m->entry, exact ? VMX_MSR_TRUE_ENTRY : VMX_MSR_ENTRY);
	if (m->proc.allowed1 & VMX_PROC_SECONDARY)
		vmx_read_word(&m->proc2, VMX_MSR_PROC2);
	if (m->proc2.allowed1 & (VMX_PROC2_EPT | VMX_PROC2_VPID))
		m->ept_vpid = msr_read(VMX_MSR_EPT_VPID_CAP);
}

void vmx_read_machine(struct vmx_machine *m)
{
	*m = (struct vmx_machine){
		.no_apicv = !vmm_options.apicv,
		.msr_areas = vmm_options.msr_areas,
		.has_vmx = cpuid(1).ecx & CPUID_1_ECX_VMX,
		.has_rdtscp = cpuid_checked(0x80000001).edx & CPUID_80000001_EDX_RDTSCP,
		.phys_bits = cpuid_checked(0x80000008).eax & 0xff,
		.cr4_valid = cpu_cr4_valid(),
		.efer_valid = cpu_efer_valid(),
	};
	if (!m->has_vmx)
		return;
	if (cpuid_checked(7).edx & CPUID_7_EDX_ARCH_CAPS)
		m->arch_capabilities = msr_read(MSR_ARCH_CAPABILITIES);
	m->feature_control = msr_read(VMX_MSR_FEATURE_CONTROL);
	vmx_read_capabilities(m);
}

/* In one line what a machine does without; `info hv` says what follows. */
static void vmx_tell_missing(const struct vmx_machine *m)
{
	char text[200] = "";
	size_t at = 0;

	for (size_t i = 0; i < vmx_control_count && at < sizeof(text); i++) {
		const struct vmx_control *c = &vmx_controls[i];

		if (vmx_use_of(m, c) == VMX_WANTED && !(vmx_word_used(m, c->word) & c->bit))
			at += snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "",
				       c->name);
	}
	if (at)
		log_info("vmx: without %s: `info hv` says what follows", text);
}

int vmx_probe(char *reason, size_t size)
{
	struct vmx_machine *m = &vmx_machine;
	char weaknesses[64];
	int err;

	vmx_read_machine(m);
	err = vmx_choose(m, reason, size);
	if (err)
		return err;
	page_owner_register(&vmx_owner, "vmx");
	log_info("vmx: revision %#x, EPT%s%s%s%s%s%s", VMX_BASIC_REVISION(m->basic),
		 m->ept_vpid & VMX_EPT_PAGE_1G ? ", 1G pages" : "",
		 m->ept_vpid & VMX_EPT_ACCESSED_DIRTY ? ", accessed and dirty flags" : "",
		 vmx_uses(&m->proc2, VMX_PROC2_VPID) ? ", VPID" : "",
		 vmx_uses(&m->pin, VMX_PIN_PREEMPTION_TIMER) ? ", preemption timer" : "",
		 vmx_uses(&m->proc2, VMX_PROC2_PAUSE_LOOP) ? ", PAUSE-loop exits" : "",
		 vmx_needs_msr_area(m) ? ", MSR areas" : "");
	vmx_tell_missing(m);
	vmx_weaknesses(m, weaknesses, sizeof(weaknesses));
	if (weaknesses[0])
		log_info("vmx: the CPU does not say that it is free of %s: trust the guests",
			 weaknesses);
	return 0;
}
