/* SPDX-License-Identifier: BSD-2-Clause */
/* Making CPUs' own data, stacks and page tables: for start-up only. */
#ifndef ARCH_X86_64_PERCPU_INIT_H
#define ARCH_X86_64_PERCPU_INIT_H

#include "arch/x86_64/percpu.h"

/* The boot CPU's, from the image itself; loads its GDT, TSS and the IDT. Nothing before may fault.
 */
void percpu_init_boot(void);
/* Each CPU: its GDT, TSS and the IDT, once it sees its own data. */
void percpu_load(void);
/*
 * Another CPU's, with the next index and not yet in cpu_table. NULL: no memory.
 * Boot CPU, after the direct map is complete.
 */
struct cpu *percpu_create(uint32_t apic_id) __must_check;

/* @page of the image's data is to stay unmapped: it lies under a stack. */
bool percpu_is_guard(const uint8_t *page);

#endif
