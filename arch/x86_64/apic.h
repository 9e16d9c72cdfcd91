/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This CPU's local APIC, in x2APIC mode where the CPU has it, else through its
 * page of registers (Intel SDM vol. 3A, chapter 10). The layers above use irq.h.
 */
#ifndef ARCH_X86_64_APIC_H
#define ARCH_X86_64_APIC_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/* Low half of the interrupt command register (10.6.1). */
#define APIC_ICR_NMI	    (4 << 8)
#define APIC_ICR_INIT	    (5 << 8)
#define APIC_ICR_STARTUP    (6 << 8)
#define APIC_ICR_PENDING    (1 << 12)
#define APIC_ICR_ASSERT	    (1 << 14)
#define APIC_ICR_LEVEL	    (1 << 15)
#define APIC_ICR_ALL_OTHERS (3 << 18)

/* Boot CPU, once, before apic_init_cpu(): chooses the mode. @phys: from the MADT, 0 if not told. */
int __must_check apic_init(uint64_t phys);
/* Each CPU: on, all local interrupts masked but the NMI of LINT1. */
void apic_init_cpu(void);

bool apic_is_x2apic(void);
/* Physical id of the calling CPU's. */
uint32_t apic_id(void);
void apic_eoi(void);
/* @command: of the ICR. Waits until it was accepted. Context: any. */
void apic_send(uint32_t apic_id, uint32_t command);

/* The timer as a bare counter that runs down from 2^32 - 1, silent: for calibration. */
void apic_timer_run(void);
uint32_t apic_timer_count(void);
/*
 * Boot CPU, once: makes apic_timer_set() work. @ticks of the counter went by
 * during @tsc_ticks of the TSC. Each CPU then calls apic_timer_init_cpu().
 */
void apic_timer_calibrated(uint32_t ticks, uint64_t tsc_ticks);
void apic_timer_init_cpu(void);
/* IRQ_VECTOR_TIMER at TSC @deadline, see irq_timer_set(). */
void apic_timer_set(uint64_t deadline);
/* "TSC deadline", "one-shot". */
const char *apic_timer_name(void);

#endif
