/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the local APIC, by SDM vol. 3A, 11 (APM vol. 2, 16): a number
 * here is the MMIO offset / 16, and the MSR less 0x800.
 */
#ifndef DEVICES_CHIPSET_LAPIC_REGS_H
#define DEVICES_CHIPSET_LAPIC_REGS_H

#include "lib/compiler.h"

#include <stdint.h>

#define APIC_DEFAULT_BASE UINT64_C(0xfee00000)
#define APIC_MMIO_SIZE	  UINT64_C(0x1000)

#define APIC_ID	       0x02
#define APIC_VERSION   0x03
#define APIC_TPR       0x08
#define APIC_APR       0x09 /* arbitration priority */
#define APIC_PPR       0x0a
#define APIC_EOI       0x0b
#define APIC_RRD       0x0c /* remote read */
#define APIC_LDR       0x0d
#define APIC_DFR       0x0e
#define APIC_SVR       0x0f
#define APIC_ISR       0x10 /* eight of each */
#define APIC_TMR       0x18
#define APIC_IRR       0x20
#define APIC_ESR       0x28
#define APIC_ICR       0x30
#define APIC_ICR2      0x31 /* xAPIC: the destination */
#define APIC_LVT_TIMER 0x32
#define APIC_LVT_LAST  0x37 /* timer, thermal, performance, LINT0, LINT1, error */
#define APIC_TMICT     0x38 /* initial count */
#define APIC_TMCCT     0x39 /* current count */
#define APIC_TDCR      0x3e /* divide configuration */
#define APIC_SELF_IPI  0x3f /* x2APIC */

#define MSR_GUEST_APIC_BASE    0x1b
#define APIC_BASE_BSP	       BIT(8)
#define APIC_BASE_EXTD	       BIT(10) /* x2APIC */
#define APIC_BASE_EN	       BIT(11)
#define MSR_GUEST_X2APIC       0x800 /* register 0 */
#define MSR_GUEST_X2APICS      0x100
#define MSR_GUEST_TSC_DEADLINE 0x6e0

/* Version 0x14, six LVT entries, no directed EOI. */
#define APIC_VERSION_VALUE 0x00050014u

#define APIC_SVR_ENABLE 0x100u
#define APIC_SVR_MASK	0x1ffu /* vector and enable; no focus check, no directed EOI */

#define APIC_VECTOR_MASK	 0xffu
#define APIC_MODE_SHIFT		 8 /* delivery mode, of the ICR and of LVT entries */
#define APIC_MODE_MASK		 0x700u
#define APIC_LVT_POLARITY	 0x2000u
#define APIC_LVT_LEVEL		 0x8000u
#define APIC_LVT_MASKED		 0x10000u
#define APIC_LVT_TIMER_MODE_MASK 0x60000u
#define APIC_LVT_ONESHOT	 0x00000u
#define APIC_LVT_PERIODIC	 0x20000u
#define APIC_LVT_DEADLINE	 0x40000u

#define APIC_ICR_LOGICAL	 0x0800u
#define APIC_ICR_ASSERT		 0x4000u
#define APIC_ICR_LEVEL		 0x8000u /* trigger mode */
#define APIC_ICR_SHORTHAND_SHIFT 18
#define APIC_ICR_MASK		 0x000ccfffu
#define APIC_SHORTHAND_NONE	 0
#define APIC_SHORTHAND_SELF	 1
#define APIC_SHORTHAND_ALL	 2
#define APIC_SHORTHAND_OTHERS	 3

#define APIC_ESR_SEND_VECTOR	0x20u
#define APIC_ESR_RECEIVE_VECTOR 0x40u
#define APIC_ESR_REGISTER	0x80u

#define APIC_TDCR_MASK 0x0bu

/* Below 16, a vector is illegal (SDM vol. 3A, 11.5.2). */
#define APIC_FIRST_VECTOR 16

enum apic_delivery {
	APIC_FIXED,
	APIC_LOWEST,
	APIC_SMI,
	APIC_RESERVED,
	APIC_NMI,
	APIC_INIT,
	APIC_SIPI,
	APIC_EXTINT,
};

/* Message-signalled interrupts (SDM vol. 3A, 11.11). */
#define MSI_ADDR_BASE	    UINT64_C(0xfee00000)
#define MSI_ADDR_MASK	    UINT64_C(0xfff00000)
#define MSI_ADDR_DEST_SHIFT 12
#define MSI_ADDR_LOWEST	    0x8u /* redirection hint */
#define MSI_ADDR_LOGICAL    0x4u
#define MSI_DATA_ASSERT	    0x4000u
#define MSI_DATA_LEVEL	    0x8000u

#endif
