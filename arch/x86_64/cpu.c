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

/*
 * CR4's bits, and what gives them (SDM vol. 3A, 2.5, and APM vol. 2, 3.1.3; the
 * CPUID bits: SDM vol. 2A, and APM vol. 3, appendix E). A vendor whose CPUs do
 * not have a bit does not report it.
 */
uint64_t cpu_cr4_valid(void)
{
	struct cpuid l1 = cpuid_checked(1), l7 = cpuid_checked(7);
	const struct {
		uint32_t word;
		uint8_t bit;
		uint64_t cr4;
	} given[] = {
		{l1.ecx, 5, CR4_VMXE},	   {l1.ecx, 6, CR4_SMXE},     {l1.ecx, 17, CR4_PCIDE},
		{l1.ecx, 27, CR4_OSXSAVE}, {l7.ebx, 0, CR4_FSGSBASE}, {l7.ebx, 7, CR4_SMEP},
		{l7.ebx, 20, CR4_SMAP},	   {l7.ecx, 2, CR4_UMIP},     {l7.ecx, 3, CR4_PKE},
		{l7.ecx, 7, CR4_CET},	   {l7.ecx, 16, CR4_LA57},    {l7.ecx, 31, CR4_PKS},
	};
	uint64_t valid = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE |
			 CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i].word & BIT(given[i].bit))
			valid |= given[i].cr4;
	return valid;
}

uint64_t cpu_efer_valid(void)
{
	/* All of them came with 64-bit mode but NXE, without which we do not start. */
	return EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
}
