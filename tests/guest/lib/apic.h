/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC as a guest uses it (APM vol. 2, chapter 16), in xAPIC or x2APIC mode. */
#ifndef TESTS_GUEST_LIB_APIC_H
#define TESTS_GUEST_LIB_APIC_H

#include "tests/guest/lib/guest.h"

#define APIC_BASE     0xfee00000ul
#define APIC_BASE_MSR 0x1b
#define APIC_BASE_X2  0x400
#define X2APIC_MSR    0x800

/* Register offsets of the memory-mapped form; >> 4 gives the MSR's offset. */
#define APIC_ID		   0x020
#define APIC_VERSION	   0x030
#define APIC_TPR	   0x080
#define APIC_EOI	   0x0b0
#define APIC_LDR	   0x0d0
#define APIC_SVR	   0x0f0
#define APIC_ISR	   0x100
#define APIC_IRR	   0x200
#define APIC_ESR	   0x280
#define APIC_ICR	   0x300
#define APIC_ICR_HIGH	   0x310
#define APIC_LVT_TIMER	   0x320
#define APIC_LVT_LINT0	   0x350
#define APIC_TIMER_INIT	   0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3e0
#define APIC_SELF_IPI	   0x3f0 /* x2APIC only */

#define APIC_ICR_NMI	  0x00000400
#define APIC_ICR_INIT	  0x00000500
#define APIC_ICR_SIPI	  0x00000600
#define APIC_ICR_SELF	  0x00040000
#define APIC_ICR_OTHERS	  0x000c0000
#define APIC_LVT_MASKED	  0x00010000
#define APIC_LVT_PERIODIC 0x00020000
#define APIC_LVT_DEADLINE 0x00040000
#define TSC_DEADLINE_MSR  0x6e0

static inline bool apic_is_x2(void)
{
	return rdmsr(APIC_BASE_MSR) & APIC_BASE_X2;
}
static inline uint32_t apic_read(uint32_t reg)
{
	return apic_is_x2() ? (uint32_t)rdmsr(X2APIC_MSR + (reg >> 4)) : mmio_read(APIC_BASE + reg);
}
static inline void apic_write(uint32_t reg, uint32_t v)
{
	if (apic_is_x2())
		wrmsr(X2APIC_MSR + (reg >> 4), v);
	else
		mmio_write(APIC_BASE + reg, v);
}
static inline void apic_ipi(uint32_t apic_id, uint32_t command)
{
	if (apic_is_x2()) {
		wrmsr(X2APIC_MSR + (APIC_ICR >> 4), (uint64_t)apic_id << 32 | command);
		return;
	}
	mmio_write(APIC_BASE + APIC_ICR_HIGH, apic_id << 24);
	mmio_write(APIC_BASE + APIC_ICR, command);
}
static inline void apic_enable(void)
{
	apic_write(APIC_SVR, 0x1ff);
	apic_write(APIC_TPR, 0);
}
static inline void apic_enter_x2(void)
{
	wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | APIC_BASE_X2);
}
static inline void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

#define APIC_IO_BASE   0xfec00000ul
#define APIC_IO_LEVEL  0x0000a000u /* and active low, as PCI's lines are */
#define APIC_IO_MASKED 0x00010000u

/* Pin @pin to the boot CPU: a vector and the bits above. */
static inline void apic_io_route(unsigned pin, uint32_t value)
{
	mmio_write(APIC_IO_BASE, 0x10 + 2 * pin + 1);
	mmio_write(APIC_IO_BASE + 0x10, 0);
	mmio_write(APIC_IO_BASE, 0x10 + 2 * pin);
	mmio_write(APIC_IO_BASE + 0x10, value);
}

#endif
