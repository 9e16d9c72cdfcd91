/* SPDX-License-Identifier: BSD-2-Clause */
/* `info hv`: what this machine's SVM has, what is used, what follows. */
#include "vmm/svm/svm_cpu.h"

/* CPUID 8000_000Ah EDX. @without: what is done on a CPU that lacks it; NULL: we do not use it. */
static const struct {
	uint32_t bit;
	const char *name, *without;
} svm_report_features[] = {
	{SVM_CPUID_NESTED_PAGING, "nested paging", "no VM can run"},
	{SVM_CPUID_LBR_VIRT, "LBR virtualization", "a guest's DEBUGCTL reads what it wrote"},
	{SVM_CPUID_LOCK, "SVM lock", NULL},
	{SVM_CPUID_NEXT_RIP, "next RIP saved", "an instruction's length is found by decoding it"},
	{SVM_CPUID_TSC_RATE, "TSC ratio", NULL},
	{SVM_CPUID_CLEAN_BITS, "VMCB clean bits", "each entry loads all of the VMCB"},
	{SVM_CPUID_FLUSH_BY_ASID, "flush by ASID", "a flush takes a new ASID"},
	{SVM_CPUID_DECODE_ASSIST, "decode assists", "an instruction's bytes come from memory"},
	{SVM_CPUID_PAUSE_FILTER, "pause filter", "a vCPU that spins keeps its CPU for its slice"},
	{SVM_CPUID_PAUSE_THRESHOLD, "pause threshold", "PAUSEs far apart count as one spin"},
	{SVM_CPUID_AVIC, "AVIC", NULL},
	{SVM_CPUID_VIRT_VMSAVE, "virtual VMSAVE and VMLOAD", NULL},
	{SVM_CPUID_VIRT_GIF, "virtual GIF", NULL},
	{SVM_CPUID_GMET, "guest mode execute trap", NULL},
	{SVM_CPUID_VIRT_NMI, "virtual NMI", NULL},
};

static void svm_report_line(hv_print_fn print, const char *name, bool has, const char *without)
{
	if (has)
		print("  %-28s %s\n", name, without ? "used" : "has, not used");
	else
		print("  %-28s %s%s\n", name, without ? "missing: " : "no", without ? without : "");
}

void svm_report(hv_print_fn print)
{
	const struct svm_machine *m = &svm_machine;

	print("SVM, revision %u, %u ASIDs, %u bits of physical addresses\n", m->revision, m->asids,
	      m->phys_bits);
	if (m->has_vm_cr)
		print("VM_CR %#lx: SVM %s\n", m->vm_cr,
		      m->vm_cr & SVM_VM_CR_SVMDIS ? "was off, not locked" : "on");
	print("features (CPUID 8000_000Ah EDX %#x):\n", m->features);
	for (size_t i = 0; i < ARRAY_SIZE(svm_report_features); i++)
		svm_report_line(print, svm_report_features[i].name,
				m->features & svm_report_features[i].bit,
				svm_report_features[i].without);
	svm_report_line(print, "1 GiB pages", m->page_1g, "2 MiB pages at most");
}
