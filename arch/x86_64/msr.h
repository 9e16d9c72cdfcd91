/* SPDX-License-Identifier: BSD-2-Clause */
/* Model-specific registers of the machine. */
#ifndef ARCH_X86_64_MSR_H
#define ARCH_X86_64_MSR_H

#include "arch/x86_64/fixup.h"
#include "lib/compiler.h"

#include <errno.h>
#include <stdint.h>

#define MSR_APIC_BASE	 0x1b
#define APIC_BASE_BSP	 BIT(8)
#define APIC_BASE_X2APIC BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define MSR_MCG_CAP	 0x179
#define MSR_MCG_STATUS	 0x17a
#define MSR_PAT		 0x277
#define MSR_MC_STATUS(n) (0x401 + 4 * (n))
#define MSR_MC_ADDR(n)	 (0x402 + 4 * (n))
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC	 0x800 /* first of the local APIC's registers */
#define MSR_EFER	 0xc0000080
#define EFER_SCE	 BIT(0)
#define EFER_LME	 BIT(8)
#define EFER_LMA	 BIT(10)
#define EFER_NXE	 BIT(11)
#define EFER_SVME	 BIT(12)
#define MSR_FS_BASE	 0xc0000100
#define MSR_GS_BASE	 0xc0000101

/* One that the CPU does not have is our own bug: #GP, panic. */
static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void msr_write(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
}

/* One that the CPU may not have: -EIO instead of a panic. Context: any. */
static inline int __must_check msr_read_safe(uint32_t msr, uint64_t *v)
{
	uint32_t lo = 0, hi = 0;
	int err = -EIO;

	__asm__ volatile("1: rdmsr\n\t"
			 "xorl %[err], %[err]\n"
			 "2:\n\t" FIXUP("1b", "2b")
			 : "+a"(lo), "=d"(hi), [err] "+r"(err)
			 : "c"(msr)
			 : "memory");
	*v = (uint64_t)hi << 32 | lo;
	return err;
}

static inline int __must_check msr_write_safe(uint32_t msr, uint64_t v)
{
	int err = -EIO;

	__asm__ volatile("1: wrmsr\n\t"
			 "xorl %[err], %[err]\n"
			 "2:\n\t" FIXUP("1b", "2b")
			 : [err] "+r"(err)
			 : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
	return err;
}

#endif
