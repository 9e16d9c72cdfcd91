/* SPDX-License-Identifier: BSD-2-Clause */
/* MSRs that an entry loads from a list (26.4). */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_check_rules.h"
#include "vmm/vmx/vmx_exit_reason.h"
#include "vmm/vmx/vmx_msr_area.h"

#define MSRS "26.4"

#define MSR_SMM_MONITOR_CTL 0x9b

enum {
	LIST_RESERVED,
	LIST_BASES,
	LIST_IN_X2APIC,
	LIST_SMM,
	LIST_EFER_BITS,
	LIST_EFER_LME,
	LIST_PAT,
	LIST_RULES
};

static bool vmx_check_msr_broken(const struct vmx_check *c, const struct vmx_msr_entry *msr,
				 unsigned rule)
{
	bool efer = msr->index == MSR_EFER;

	switch (rule) {
	case LIST_RESERVED:
		return msr->reserved;
	case LIST_BASES:
		return msr->index == MSR_FS_BASE || msr->index == MSR_GS_BASE;
	case LIST_IN_X2APIC:
		return c->in->x2apic && msr->index >> 8 == MSR_X2APIC >> 8;
	case LIST_SMM:
		return msr->index == MSR_SMM_MONITOR_CTL;
	case LIST_EFER_BITS:
		return efer && (msr->value & ~c->m->efer_valid);
	case LIST_EFER_LME:
		return efer && (c->cr0 & CR0_PG) && !(msr->value & EFER_LME) == c->ia32e;
	default:
		return msr->index == MSR_PAT && !vmx_pat_valid(msr->value);
	}
}

/* Beyond that, what happens is not defined (A.6). */
static uint64_t vmx_check_list_count(const struct vmx_check_input *in)
{
	uint64_t count = in->read(in->opaque, VMCS_ENTRY_MSR_LOAD_COUNT);

	return MIN(count, (uint64_t)VMX_MISC_MSR_LIST_MAX(in->machine->misc));
}

void vmx_check_msrs(struct vmx_check *c)
{
	static const char *const texts[LIST_RULES] = {
		[LIST_RESERVED] = "bits 63:32 of an entry must be 0",
		[LIST_BASES] = "IA32_FS_BASE and IA32_GS_BASE must not be in the list",
		[LIST_IN_X2APIC] = "800h to 8ffh must not be in the list in x2APIC mode",
		[LIST_SMM] = "IA32_SMM_MONITOR_CTL must not be in the list",
		[LIST_EFER_BITS] =
			"a value for IA32_EFER must not have bits that this CPU does not have",
		[LIST_EFER_LME] =
			"a value for IA32_EFER must have LME as the guest's mode while CR0.PG is 1",
		[LIST_PAT] = "each byte of a value for IA32_PAT must be 0, 1, 4, 5, 6 or 7",
	};
	uint64_t count = vmx_check_list_count(c->in);
	uint64_t at = count ? vmx_check_get(c, VMCS_ENTRY_MSR_LOAD_ADDRESS) : 0;
	bool broken[LIST_RULES] = {false};
	struct vmx_msr_entry msr;

	for (; count && c->in->memory(c->in->opaque, at, &msr, sizeof(msr));
	     count--, at += sizeof(msr))
		for (unsigned i = 0; i < LIST_RULES; i++)
			broken[i] |= vmx_check_msr_broken(c, &msr, i);
	for (unsigned i = 0; i < LIST_RULES; i++)
		vmx_rule(c, VMCS_ENTRY_MSR_LOAD_ADDRESS, broken[i], texts[i], MSRS);
}

bool vmx_check_refused_msr(const struct vmx_check_input *in, struct vmx_refused_msr *msr)
{
	uint64_t number = in->read(in->opaque, VMCS_EXIT_QUALIFICATION);
	struct vmx_msr_entry entry;
	uint64_t at;

	if (in->read(in->opaque, VMCS_EXIT_REASON) !=
		    (VMX_REASON_FAILED | VMX_REASON_MSR_LOADING) ||
	    !number || number > vmx_check_list_count(in))
		return false;
	at = in->read(in->opaque, VMCS_ENTRY_MSR_LOAD_ADDRESS) + (number - 1) * sizeof(entry);
	if (!in->memory(in->opaque, at, &entry, sizeof(entry)))
		return false;
	*msr = (struct vmx_refused_msr){number, entry.index, entry.value};
	return true;
}

const char *vmx_check_msr_name(uint32_t index)
{
	switch (index) {
	case MSR_EFER:
		return "IA32_EFER";
	case MSR_PAT:
		return "IA32_PAT";
	case MSR_FS_BASE:
		return "IA32_FS_BASE";
	case MSR_GS_BASE:
		return "IA32_GS_BASE";
	case MSR_SMM_MONITOR_CTL:
		return "IA32_SMM_MONITOR_CTL";
	default:
		return "MSR";
	}
}
