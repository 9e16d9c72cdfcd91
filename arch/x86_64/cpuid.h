/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID of the machine. Features are named CPUID_<leaf>_<register>_<name>, as
 * bits of that register.
 */
#ifndef ARCH_X86_64_CPUID_H
#define ARCH_X86_64_CPUID_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_sub(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline struct cpuid cpuid(uint32_t leaf)
{
	return cpuid_sub(leaf, 0);
}

/*
 * As cpuid(), but all zero for a leaf above the highest of its range: the CPU
 * would answer with another leaf's values (Intel SDM vol. 2A, CPUID).
 */
static inline struct cpuid cpuid_checked(uint32_t leaf)
{
	if (cpuid(leaf & 0xf0000000).eax < leaf)
		return (struct cpuid){0};
	return cpuid(leaf);
}

#define CPUID_1_ECX_X2APIC	     BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE     BIT(24)
#define CPUID_1_ECX_XSAVE	     BIT(26)
#define CPUID_1_ECX_OSXSAVE	     BIT(27) /* CR4.OSXSAVE is set: XGETBV and XSAVE work */
#define CPUID_1_ECX_HYPERVISOR	     BIT(31)
#define CPUID_1_ECX_RDRAND	     BIT(30)
#define CPUID_1_EDX_MCE		     BIT(7)
#define CPUID_1_EDX_PGE		     BIT(13)
#define CPUID_1_EDX_PAT		     BIT(16)
#define CPUID_6_EAX_ARAT	     BIT(2)
#define CPUID_7_EBX_SMEP	     BIT(7)
#define CPUID_7_EBX_RDSEED	     BIT(18)
#define CPUID_7_EBX_SMAP	     BIT(20)
#define CPUID_7_ECX_UMIP	     BIT(2)
#define CPUID_D_1_EAX_XSAVEOPT	     BIT(0)
#define CPUID_80000001_EDX_1G_PAGES  BIT(26)
#define CPUID_80000007_EDX_CONST_TSC BIT(8)

#endif
