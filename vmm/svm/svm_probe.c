/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_cpu.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "kernel/log.h"
#include "vmm/hv_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CPUID_HYPERVISOR_LEAF  0x40000000
#define CPUID_80000001_ECX_SVM BIT(2)

struct svm_machine svm_machine;

/* With AMD's own bits of EFER (APM vol. 2, 3.1.7). */
static uint64_t svm_efer_valid(void)
{
	struct cpuid l1 = cpuid_checked(0x80000001), l8 = cpuid_checked(0x80000008);
	uint64_t valid = cpu_efer_valid() | EFER_SVME;

	if (!(l8.ebx & BIT(20)))
		valid |= BIT(13); /* LMSLE, unless EferLmsleUnsupported */
	if (l1.edx & BIT(25))
		valid |= BIT(14); /* FFXSR */
	if (l1.ecx & BIT(17))
		valid |= BIT(15); /* TCE */
	if (l8.ebx & BIT(8))
		valid |= BIT(17); /* MCOMMIT */
	if (l8.ebx & BIT(13))
		valid |= BIT(18); /* INTWB */
	if (cpuid_checked(0x80000021).eax & BIT(7))
		valid |= BIT(20); /* UAIE */
	if (cpuid_checked(0x80000021).eax & BIT(8))
		valid |= BIT(21); /* AIBRSE */
	return valid;
}

/* TCG, not KVM: it says so itself (target/i386/cpu.c, leaf 4000_0000h). */
static bool svm_is_qemu(void)
{
	struct cpuid leaf = cpuid(CPUID_HYPERVISOR_LEAF);
	uint32_t name[] = {leaf.ebx, leaf.ecx, leaf.edx};

	return (cpuid_checked(1).ecx & CPUID_1_ECX_HYPERVISOR) &&
	       memcmp(name, "TCGTCGTCGTCG", sizeof(name)) == 0;
}

static void svm_read_machine(struct svm_machine *m)
{
	struct cpuid l1 = cpuid_checked(0x80000001);
	struct cpuid svm = cpuid_checked(0x8000000a);

	*m = (struct svm_machine){
		.has_svm = l1.ecx & CPUID_80000001_ECX_SVM,
		.revision = svm.eax & 0xff,
		.features = svm.edx,
		.asids = svm.ebx,
		.phys_bits = cpuid_checked(0x80000008).eax & 0xff,
		.page_1g = l1.edx & CPUID_80000001_EDX_1G_PAGES,
		.cr4_valid = cpu_cr4_valid(),
		.efer_valid = svm_efer_valid(),
		.is_qemu = svm_is_qemu(),
	};
	/* Only with SVM is this register there at all; QEMU does not have it. */
	if (m->has_svm)
		m->has_vm_cr = msr_read_safe(SVM_MSR_VM_CR, &m->vm_cr) == 0;
}

/* The order of the questions is that of APM vol. 2, 15.4. */
int svm_probe_check(const struct svm_machine *m, char *reason, size_t size)
{
	if (!m->has_svm) {
		snprintf(reason, size,
			 "the CPU does not report AMD SVM (CPUID 8000_0001h ECX bit 2); in a "
			 "virtual machine, turn nested virtualization on (QEMU: -cpu max,+svm)");
		return -ENODEV;
	}
	if (m->has_vm_cr && (m->vm_cr & SVM_VM_CR_SVMDIS) && (m->vm_cr & SVM_VM_CR_LOCK)) {
		snprintf(reason, size,
			 "the firmware has switched AMD SVM off and locked it (VM_CR %#lx); "
			 "turn on \"SVM mode\" or \"AMD-V\" in the firmware's setup%s, and "
			 "switch the machine off and on again",
			 m->vm_cr, m->features & SVM_CPUID_LOCK ? " (it may ask for a key)" : "");
		return -ENODEV;
	}
	if (!(m->features & SVM_CPUID_NESTED_PAGING) || m->asids < 2) {
		snprintf(reason, size,
			 "the CPU has AMD SVM but no nested paging (CPUID 8000_000Ah EDX bit 0), "
			 "which is needed: use a CPU of 2008 or later (QEMU: -cpu max,+svm or "
			 "-cpu EPYC)");
		return -ENODEV;
	}
	return 0;
}

static const char *svm_yes(uint32_t feature, const char *name)
{
	return svm_has(feature) ? name : "";
}

int svm_probe(char *reason, size_t size)
{
	int err;

	svm_read_machine(&svm_machine);
	err = svm_probe_check(&svm_machine, reason, size);
	if (err)
		return err;
	page_owner_register(&svm_owner, "svm");
	log_info("svm: revision %u, %u ASIDs, nested paging%s%s%s%s%s%s%s", svm_machine.revision,
		 svm_machine.asids, svm_machine.page_1g ? ", 1G pages" : "",
		 svm_yes(SVM_CPUID_NEXT_RIP, ", next RIP"),
		 svm_yes(SVM_CPUID_CLEAN_BITS, ", clean bits"),
		 svm_yes(SVM_CPUID_FLUSH_BY_ASID, ", flush by ASID"),
		 svm_yes(SVM_CPUID_DECODE_ASSIST, ", decode assists"),
		 svm_yes(SVM_CPUID_PAUSE_FILTER, ", pause filter"),
		 svm_yes(SVM_CPUID_TSC_RATE, ", TSC ratio"));
	return 0;
}
