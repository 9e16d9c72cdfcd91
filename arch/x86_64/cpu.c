/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/cpu.h"

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/paging.h"

/*
 * QEMU 7.2 without XSAVEOPT takes CR4.OSXSAVE for a reserved bit and then hangs
 * in a loop of its own. Real CPUs of that kind do have a use for it.
 */
static bool xsave_works(const struct cpuid *one)
{
	if (!(one->ecx & CPUID_1_ECX_XSAVE))
		return false;
	return !(one->ecx & CPUID_1_ECX_HYPERVISOR) ||
	       cpuid_sub(0xd, 1).eax & CPUID_D_1_EAX_XSAVEOPT;
}

/*
 * OSFXSR, OSXMMEXCPT and OSXSAVE are for the guests' FPU state, which we load
 * and save; our own code has no FPU instruction.
 */
static uint64_t wanted_cr4(void)
{
	struct cpuid one = cpuid(1), seven = cpuid_checked(7);
	uint64_t cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (one.edx & CPUID_1_EDX_MCE)
		cr4 |= CR4_MCE;
	if (one.edx & CPUID_1_EDX_PGE)
		cr4 |= CR4_PGE;
	if (xsave_works(&one))
		cr4 |= CR4_OSXSAVE;
	if (seven.ebx & CPUID_7_EBX_SMEP)
		cr4 |= CR4_SMEP;
	if (seven.ebx & CPUID_7_EBX_SMAP)
		cr4 |= CR4_SMAP;
	if (seven.ecx & CPUID_7_ECX_UMIP)
		cr4 |= CR4_UMIP;
	return cr4;
}

void cpu_init(void)
{
	cpu_write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	cpu_write_cr4(wanted_cr4());
	msr_write(MSR_EFER, EFER_LME | EFER_LMA | EFER_NXE);
	/* Entry 0 is WB before and after: nothing that is mapped now changes its type. */
	msr_write(MSR_PAT, PAGING_PAT);
	__asm__ volatile("fninit");
}
