/* SPDX-License-Identifier: BSD-2-Clause */
/* `info hv`: what this machine's VT-x has, what is used, what follows. */
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_choose.h"
#include "vmm/vmx/vmx_count.h"
#include "vmm/vmx/vmx_cpu.h"

#include <stdio.h>

void vmx_weaknesses(const struct vmx_machine *m, char *names, size_t size)
{
	static const struct {
		uint64_t free;
		const char *name;
	} weaknesses[] = {
		{BIT(0), "L1TF"},
		{BIT(5), "MDS"},
		{BIT(6), "ITLB multihit"},
	};
	size_t at = 0;

	names[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(weaknesses) && at < size; i++)
		if (!(m->arch_capabilities & weaknesses[i].free))
			at += snprintf(names + at, size - at, "%s%s", at ? ", " : "",
				       weaknesses[i].name);
}

static const char *vmx_report_state(const struct vmx_machine *m, const struct vmx_control *c)
{
	enum vmx_use use = vmx_use_of(m, c);

	if (vmx_word_used(m, c->word) & c->bit)
		return "used";
	if (use == VMX_ON_DEMAND || use == VMX_OPTIONAL)
		return "used when needed";
	if (vmx_word_has(m, c->word) & c->bit)
		return "has, not used";
	return use == VMX_WANTED ? "missing" : "no";
}

static void vmx_report_control(hv_print_fn print, const struct vmx_machine *m,
			       const struct vmx_control *c)
{
	bool has = vmx_word_has(m, c->word) & c->bit;
	bool used = vmx_word_used(m, c->word) & c->bit;
	/* What is not used says why, if there is more to it than that nobody needs it yet. */
	enum vmx_use use = vmx_use_of(m, c);
	bool note = c->note && !used && use != VMX_ON_DEMAND && use != VMX_OPTIONAL &&
		    (has || use == VMX_WANTED);

	print("  %-34s %s%s%s\n", c->name, vmx_report_state(m, c), note ? ": " : "",
	      note ? c->note : "");
}

static void vmx_report_machine(hv_print_fn print, const struct vmx_machine *m)
{
	print("VT-x, revision %#x, VMCSs of %u bytes, %u bits of physical addresses\n",
	      VMX_BASIC_REVISION(m->basic), VMX_BASIC_REGION_SIZE(m->basic), m->phys_bits);
	print("IA32_FEATURE_CONTROL %#lx: %s\n", m->feature_control,
	      m->feature_control & VMX_FEATURE_CONTROL_LOCK ? "VT-x on, locked by the firmware"
							    : "left to us by the firmware");
	print("IA32_VMX_BASIC %#lx: exact controls %s, INS and OUTS described %s\n", m->basic,
	      m->basic & VMX_BASIC_TRUE_CONTROLS ? "yes" : "no",
	      m->basic & VMX_BASIC_INS_OUTS ? "yes" : "no");
	print("IA32_VMX_MISC %#lx: preemption timer at TSC/%u, %u CR3 targets, MSR lists to %u\n",
	      m->misc, 1U << VMX_MISC_TIMER_SHIFT(m->misc), VMX_MISC_CR3_TARGETS(m->misc),
	      VMX_MISC_MSR_LIST_MAX(m->misc));
	print("MSR areas:%s", vmx_needs_msr_area(m) ? "" : " not used");
	for (unsigned msr = 0; msr < VMX_SWITCHED_MSRS; msr++)
		if (vmx_in_msr_area(m, msr))
			print(" %s", vmx_switched_msrs[msr].name);
	print("\n");
	print("CR0 must have %#lx, may have %#lx; CR4 %#lx, %#lx\n", m->cr0_fixed0, m->cr0_fixed1,
	      m->cr4_fixed0, m->cr4_fixed1);
}

void vmx_report(hv_print_fn print)
{
	const struct vmx_machine *m = &vmx_machine;

	if (VMX_COUNT)
		vmx_count_report(print);
	vmx_report_machine(print, m);
	for (unsigned word = 0; word < VMX_WORDS; word++) {
		print("%s: the CPU has %#lx, used %#lx\n", vmx_word_names[word],
		      vmx_word_has(m, word), vmx_word_used(m, word));
		for (size_t i = 0; i < vmx_control_count; i++)
			if (vmx_controls[i].word == word)
				vmx_report_control(print, m, &vmx_controls[i]);
	}
}
