/* SPDX-License-Identifier: BSD-2-Clause */
/* Which bits the CPU's control registers have: CPUID alone, so that tests link it. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"

/*
 * CR4's bits, and what gives them (SDM vol. 3A, 2.5, and APM vol. 2, 3.1.3; the
 * CPUID bits: SDM vol. 2A, and APM vol. 3, appendix E). A vendor whose CPUs do
 * not have a bit does not report it.
 */
uint64_t cpu_cr4_given(uint32_t leaf_1_ecx, uint32_t leaf_7_ebx, uint32_t leaf_7_ecx)
{
	const struct {
		uint32_t word;
		uint8_t bit;
		uint64_t cr4;
	} given[] = {
		{leaf_1_ecx, 5, CR4_VMXE},     {leaf_1_ecx, 6, CR4_SMXE},
		{leaf_1_ecx, 17, CR4_PCIDE},   {leaf_1_ecx, 26, CR4_OSXSAVE},
		{leaf_7_ebx, 0, CR4_FSGSBASE}, {leaf_7_ebx, 7, CR4_SMEP},
		{leaf_7_ebx, 20, CR4_SMAP},    {leaf_7_ecx, 2, CR4_UMIP},
		{leaf_7_ecx, 3, CR4_PKE},      {leaf_7_ecx, 7, CR4_CET},
		{leaf_7_ecx, 16, CR4_LA57},    {leaf_7_ecx, 31, CR4_PKS},
	};
	uint64_t valid = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE |
			 CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i].word & BIT(given[i].bit))
			valid |= given[i].cr4;
	return valid;
}

uint64_t cpu_cr4_valid(void)
{
	struct cpuid l7 = cpuid_checked(7);

	return cpu_cr4_given(cpuid_checked(1).ecx, l7.ebx, l7.ecx);
}

uint64_t cpu_efer_valid(void)
{
	/* All of them came with 64-bit mode but NXE, without which we do not start. */
	return EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
}
