/* SPDX-License-Identifier: BSD-2-Clause */
/* The real header, with the build machine's CPUID, or that of a test which has one of its own. */
#ifndef FAKE_ARCH_X86_64_CPUID_H
#define FAKE_ARCH_X86_64_CPUID_H

#define cpuid_sub(leaf, subleaf) real_cpuid_sub(leaf, subleaf)
#define cpuid(leaf)		 real_cpuid(leaf)
#define cpuid_checked(leaf)	 real_cpuid_checked(leaf)
#include_next "arch/x86_64/cpuid.h"
#undef cpuid_sub
#undef cpuid
#undef cpuid_checked

struct cpuid fake_cpuid(uint32_t leaf, uint32_t subleaf) __attribute__((weak));

static inline struct cpuid cpuid_sub(uint32_t leaf, uint32_t subleaf)
{
	return fake_cpuid ? fake_cpuid(leaf, subleaf) : real_cpuid_sub(leaf, subleaf);
}

static inline struct cpuid cpuid(uint32_t leaf)
{
	return cpuid_sub(leaf, 0);
}

static inline struct cpuid cpuid_checked(uint32_t leaf)
{
	return cpuid(leaf & 0xf0000000).eax < leaf ? (struct cpuid){0} : cpuid(leaf);
}

#endif
