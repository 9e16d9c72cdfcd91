/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPU's sources of random numbers (Intel SDM vol. 1, 7.3.17; AMD APM vol. 3, RDRAND, RDSEED).
 */
#ifndef ARCH_X86_64_ENTROPY_H
#define ARCH_X86_64_ENTROPY_H

#include "arch/x86_64/cpuid.h"

#include <stdbool.h>
#include <stdint.h>

struct entropy_source {
	bool rdseed, rdrand;
};

static inline struct entropy_source entropy_source(void)
{
	return (struct entropy_source){
		.rdseed = cpuid_checked(7).ebx & CPUID_7_EBX_RDSEED,
		.rdrand = cpuid(1).ecx & CPUID_1_ECX_RDRAND,
	};
}

/* False: there is none at the moment. */
static inline bool entropy_rdseed(uint64_t *value)
{
	bool ok;

	__asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

static inline bool entropy_rdrand(uint64_t *value)
{
	bool ok;

	__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}

#endif
