/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_choose.h"
#include "arch/x86_64/msr.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_controls.h"

#include <errno.h>
#include <stdio.h>

/* Without one of these, translations of a VPID could not be taken back. */
#define VPID_NEEDS (VMX_VPID_INVVPID | VMX_VPID_INVVPID_SINGLE | VMX_VPID_INVVPID_ALL)

/* With a TPR shadow CR8 is the guest's own. */
#define CR8_EXITS (VMX_PROC_CR8_LOAD | VMX_PROC_CR8_STORE)

const struct vmx_switched vmx_switched_msrs[VMX_SWITCHED_MSRS] = {
	[VMX_SWITCHED_EFER] = {"IA32_EFER", MSR_EFER, VMX_EXIT_SAVE_EFER | VMX_EXIT_LOAD_EFER,
			       VMX_ENTRY_LOAD_EFER},
	[VMX_SWITCHED_PAT] = {"IA32_PAT", MSR_PAT, VMX_EXIT_SAVE_PAT | VMX_EXIT_LOAD_PAT,
			      VMX_ENTRY_LOAD_PAT},
};

static const struct vmx_control_word *vmx_word(const struct vmx_machine *m, enum vmx_word word)
{
	switch (word) {
	case VMX_WORD_PIN:
		return &m->pin;
	case VMX_WORD_PROC:
		return &m->proc;
	case VMX_WORD_PROC2:
		return &m->proc2;
	case VMX_WORD_EXIT:
		return &m->exit;
	case VMX_WORD_ENTRY:
		return &m->entry;
	default:
		return NULL;
	}
}

uint64_t vmx_word_has(const struct vmx_machine *m, enum vmx_word word)
{
	return word == VMX_WORD_EPT_VPID ? m->ept_vpid : vmx_word(m, word)->allowed1;
}

uint64_t vmx_word_used(const struct vmx_machine *m, enum vmx_word word)
{
	uint64_t used = 0;

	if (word != VMX_WORD_EPT_VPID)
		return vmx_word(m, word)->used;
	/* Not a word that is written: what is there and wanted is used by our code. */
	for (size_t i = 0; i < vmx_control_count; i++)
		if (vmx_controls[i].word == word && vmx_controls[i].use != VMX_NOT_USED)
			used |= vmx_controls[i].bit & m->ept_vpid;
	return used;
}

bool vmx_has_x2apic(const struct vmx_machine *m)
{
	return !m->no_apicv && (m->proc.allowed1 & VMX_PROC_TPR_SHADOW) &&
	       (m->proc2.allowed1 & VMX_PROC2_X2APIC) == VMX_PROC2_X2APIC;
}

/* @control is one of those that switch an MSR by fields, and the lists do it. */
static bool vmx_is_left_to_area(const struct vmx_machine *m, const struct vmx_control *control)
{
	for (size_t i = 0; i < VMX_SWITCHED_MSRS; i++) {
		const struct vmx_switched *s = &vmx_switched_msrs[i];
		uint32_t own = control->word == VMX_WORD_EXIT	 ? s->exit
			       : control->word == VMX_WORD_ENTRY ? s->entry
								 : 0;

		if (control->bit & own)
			return m->msr_areas || (s->exit & ~m->exit.allowed1) ||
			       (s->entry & ~m->entry.allowed1);
	}
	return false;
}

bool vmx_in_msr_area(const struct vmx_machine *m, enum vmx_switched_msr msr)
{
	return !vmx_uses(&m->entry, vmx_switched_msrs[msr].entry);
}

bool vmx_needs_msr_area(const struct vmx_machine *m)
{
	for (unsigned msr = 0; msr < VMX_SWITCHED_MSRS; msr++)
		if (vmx_in_msr_area(m, msr))
			return true;
	return false;
}

enum vmx_use vmx_use_of(const struct vmx_machine *m, const struct vmx_control *control)
{
	if (control->word == VMX_WORD_PROC2 && control->bit == VMX_PROC2_RDTSCP && !m->has_rdtscp)
		return VMX_NOT_USED;
	/* A CPU that cannot exit for it does not have the instruction (A.3.3). */
	if (control->word == VMX_WORD_PROC2 && control->bit == VMX_PROC2_ENCLS &&
	    !(m->proc2.allowed1 & VMX_PROC2_ENCLS))
		return VMX_NOT_USED;
	if (control->word == VMX_WORD_PROC && (control->bit & CR8_EXITS) &&
	    (m->proc.allowed1 & VMX_PROC_TPR_SHADOW))
		return VMX_NOT_USED;
	if (control->use == VMX_OPTIONAL && !vmx_has_x2apic(m))
		return VMX_NOT_USED;
	/* One that the CPU has is of no use without the others. */
	if ((vmx_word_has(m, control->word) & control->bit) && vmx_is_left_to_area(m, control))
		return VMX_NOT_USED;
	return control->use;
}

/* Bits outside the table are as the CPU has them, or as they were before it could be asked. */
static void vmx_choose_word(const struct vmx_machine *m, enum vmx_word word,
			    struct vmx_control_word *w, uint32_t default1)
{
	uint32_t known = 0, on = 0;

	for (size_t i = 0; i < vmx_control_count; i++) {
		const struct vmx_control *c = &vmx_controls[i];
		enum vmx_use use = vmx_use_of(m, c);

		if (c->word != word)
			continue;
		known |= c->bit;
		if (use == VMX_REQUIRED || use == VMX_WANTED)
			on |= c->bit;
	}
	w->used = (w->allowed0 | on | (default1 & ~known)) & w->allowed1;
}

/* CPUID, the firmware's switch and the form of the VMCS. */
static int vmx_check_machine(const struct vmx_machine *m, char *reason, size_t size)
{
	if (!m->has_vmx) {
		snprintf(reason, size,
			 "the CPU does not report Intel VT-x (CPUID 1 ECX bit 5); in a virtual "
			 "machine, turn nested virtualization on");
		return -ENODEV;
	}
	if ((m->feature_control & VMX_FEATURE_CONTROL_LOCK) &&
	    !(m->feature_control & VMX_FEATURE_CONTROL_VMXON)) {
		snprintf(reason, size,
			 "the firmware has switched Intel VT-x off and locked it "
			 "(IA32_FEATURE_CONTROL %#lx); turn on \"Intel Virtualization "
			 "Technology\" or \"VT-x\" in the firmware's setup, and switch the "
			 "machine off and on again",
			 m->feature_control);
		return -ENODEV;
	}
	if (VMX_BASIC_MEMORY_TYPE(m->basic) != VMX_BASIC_TYPE_WB ||
	    (m->basic & VMX_BASIC_32BIT_ADDRESSES)) {
		snprintf(reason, size,
			 "the CPU wants VMCSs in memory of type %u%s (IA32_VMX_BASIC %#lx); "
			 "write-back anywhere is needed",
			 VMX_BASIC_MEMORY_TYPE(m->basic),
			 m->basic & VMX_BASIC_32BIT_ADDRESSES ? " below 4 GiB" : "", m->basic);
		return -ENODEV;
	}
	return 0;
}

/* What came when: what to look for in a CPU. */
static const char *vmx_advice(const struct vmx_control *c)
{
	if (c->word == VMX_WORD_PROC2 && c->bit == VMX_PROC2_EPT)
		return ": use a CPU of 2010 or later (Westmere; Bochs: corei7_sandy_bridge_2600k)";
	if (c->word == VMX_WORD_PROC2 && c->bit == VMX_PROC2_UNRESTRICTED_GUEST)
		return ": use a CPU of 2010 or later (Westmere; Bochs: corei7_sandy_bridge_2600k)";
	return "";
}

static int vmx_check_control(const struct vmx_machine *m, const struct vmx_control *c, char *reason,
			     size_t size)
{
	const struct vmx_control_word *w = vmx_word(m, c->word);
	enum vmx_use use = vmx_use_of(m, c);
	bool has = vmx_word_has(m, c->word) & c->bit;
	int bit = __builtin_ctzll(c->bit);

	if (!has && (use == VMX_REQUIRED || use == VMX_ON_DEMAND)) {
		snprintf(reason, size, "the CPU has Intel VT-x without \"%s\" (%s, bit %d): %s%s",
			 c->name, vmx_word_names[c->word], bit, c->note, vmx_advice(c));
		return -ENODEV;
	}
	if (w && (w->allowed0 & c->bit) &&
	    (use == VMX_NOT_USED || use == VMX_ON_DEMAND || use == VMX_OPTIONAL)) {
		snprintf(reason, size,
			 "the CPU cannot switch \"%s\" off (%s, bit %d), which is not used here",
			 c->name, vmx_word_names[c->word], bit);
		return -ENODEV;
	}
	return 0;
}

int vmx_choose(struct vmx_machine *m, char *reason, size_t size)
{
	int err = vmx_check_machine(m, reason, size);

	for (size_t i = 0; i < vmx_control_count && !err; i++)
		err = vmx_check_control(m, &vmx_controls[i], reason, size);
	if (err)
		return err;
	vmx_choose_word(m, VMX_WORD_PIN, &m->pin, VMX_PIN_DEFAULT1);
	vmx_choose_word(m, VMX_WORD_PROC, &m->proc, VMX_PROC_DEFAULT1);
	vmx_choose_word(m, VMX_WORD_PROC2, &m->proc2, 0);
	vmx_choose_word(m, VMX_WORD_EXIT, &m->exit, VMX_EXIT_DEFAULT1);
	vmx_choose_word(m, VMX_WORD_ENTRY, &m->entry, VMX_ENTRY_DEFAULT1);
	if ((m->ept_vpid & VPID_NEEDS) != VPID_NEEDS)
		m->proc2.used &= ~VMX_PROC2_VPID;
	return 0;
}

static const char *vmx_difference_of_words(const struct vmx_machine *a, const struct vmx_machine *b)
{
	for (unsigned i = 0; i < VMX_CONTROL_WORDS; i++) {
		const struct vmx_control_word *v = vmx_word(a, i), *w = vmx_word(b, i);

		if (v->allowed0 != w->allowed0 || v->allowed1 != w->allowed1)
			return vmx_word_names[i];
	}
	return NULL;
}

/* Not the firmware's switch: that is each CPU's own. */
const char *vmx_difference(const struct vmx_machine *a, const struct vmx_machine *b)
{
	if (a->has_vmx != b->has_vmx)
		return "VT-x as such";
	if (a->basic != b->basic)
		return "IA32_VMX_BASIC";
	if (a->misc != b->misc)
		return "IA32_VMX_MISC";
	if (a->ept_vpid != b->ept_vpid)
		return vmx_word_names[VMX_WORD_EPT_VPID];
	if (a->cr0_fixed0 != b->cr0_fixed0 || a->cr0_fixed1 != b->cr0_fixed1)
		return "CR0's fixed bits";
	if (a->cr4_fixed0 != b->cr4_fixed0 || a->cr4_fixed1 != b->cr4_fixed1)
		return "CR4's fixed bits";
	if (a->phys_bits != b->phys_bits || a->has_rdtscp != b->has_rdtscp ||
	    a->cr4_valid != b->cr4_valid || a->efer_valid != b->efer_valid)
		return "CPUID";
	return vmx_difference_of_words(a, b);
}
