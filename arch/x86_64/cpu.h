/* SPDX-License-Identifier: BSD-2-Clause */
/* Control registers and the instructions that C cannot say. */
#ifndef ARCH_X86_64_CPU_H
#define ARCH_X86_64_CPU_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/* Intel SDM vol. 3A, 2.5 and AMD APM vol. 2, 3.1. */
#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME	       BIT(0)
#define CR4_PVI	       BIT(1)
#define CR4_TSD	       BIT(2)
#define CR4_DE	       BIT(3)
#define CR4_PSE	       BIT(4)
#define CR4_PAE	       BIT(5)
#define CR4_MCE	       BIT(6)
#define CR4_PGE	       BIT(7)
#define CR4_PCE	       BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_SMXE       BIT(14)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE	       BIT(22)
#define CR4_CET	       BIT(23)
#define CR4_PKS	       BIT(24)

#define RFLAGS_CF    BIT(0)
#define RFLAGS_FIXED BIT(1) /* always one */
#define RFLAGS_PF    BIT(2)
#define RFLAGS_AF    BIT(4)
#define RFLAGS_ZF    BIT(6)
#define RFLAGS_SF    BIT(7)
#define RFLAGS_TF    BIT(8)
#define RFLAGS_IF    BIT(9)
#define RFLAGS_DF    BIT(10)
#define RFLAGS_OF    BIT(11)
#define RFLAGS_IOPL  (BIT(12) | BIT(13))
#define RFLAGS_NT    BIT(14)
#define RFLAGS_RF    BIT(16)
#define RFLAGS_VM    BIT(17)
#define RFLAGS_AC    BIT(18)
#define RFLAGS_VIF   BIT(19)
#define RFLAGS_VIP   BIT(20)
#define RFLAGS_ID    BIT(21)

#define DR6_BS BIT(14) /* a single step */

#define CPU_REGISTER(name)                                                      \
	static inline uint64_t cpu_read_##name(void)                            \
	{                                                                       \
		uint64_t v;                                                     \
                                                                                \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(v) : : "memory"); \
		return v;                                                       \
	}                                                                       \
	static inline void cpu_write_##name(uint64_t v)                         \
	{                                                                       \
		__asm__ volatile("mov %0, %%" #name : : "r"(v) : "memory");     \
	}
CPU_REGISTER(cr0)
CPU_REGISTER(cr2)
CPU_REGISTER(cr3)
CPU_REGISTER(cr4)
CPU_REGISTER(dr0)
CPU_REGISTER(dr1)
CPU_REGISTER(dr2)
CPU_REGISTER(dr3)
CPU_REGISTER(dr6)
CPU_REGISTER(dr7)
#undef CPU_REGISTER

/* Interrupts are off in all our code but at the stated points (kernel/sched.h, irq_window()). */
static inline void cpu_irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/*
 * Takes what is pending and nothing else. STI shadows the next instruction, so
 * that a NOP is needed for the interrupt to be taken at all.
 */
static inline void cpu_irq_window(void)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
}

/*
 * stubs.S: sleeps until the next interrupt and takes it. The shadow of STI closes the gap
 * before HLT, but for an NMI: cpu_idle_hlt is skipped then (exceptions.c).
 */
void cpu_idle(void);

/* For good: nothing is left to be done. NMIs are taken, and it sleeps again. */
static inline __noreturn void cpu_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

/* All that is in the caches goes to memory. */
static inline void cpu_wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

static inline void cpu_pause(void)
{
	__builtin_ia32_pause();
}

static inline uint64_t cpu_rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

/* For where an instruction counts: as the CPU gives it. */
static __always_inline void cpu_rdtsc_halves(uint32_t *low, uint32_t *high)
{
	__asm__ volatile("rdtsc" : "=a"(*low), "=d"(*high));
}

static inline uint64_t cpu_xgetbv(uint32_t index)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
	return (uint64_t)hi << 32 | lo;
}

static inline void cpu_xsetbv(uint32_t index, uint64_t v)
{
	__asm__ volatile("xsetbv" : : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

/*
 * Sets this CPU's control registers, PAT and EFER as our code expects them,
 * with what protection the CPU has (NX, WP, SMEP, SMAP, UMIP). Each CPU, once,
 * first of all.
 */
void cpu_init(void);

/* The bits that this CPU's CR4 and EFER have; of EFER without those that one vendor alone has. */
uint64_t cpu_cr4_valid(void);
uint64_t cpu_efer_valid(void);
/* CR4's bits of a CPU whose CPUID leaves 1 and 7 say so. */
uint64_t cpu_cr4_given(uint32_t leaf_1_ecx, uint32_t leaf_7_ebx, uint32_t leaf_7_ecx);

#endif
