/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the other CPUs (Intel SDM vol. 3A, 8.4). */
#ifndef ARCH_X86_64_SMP_H
#define ARCH_X86_64_SMP_H

#include <stdint.h>

/* What smp_start() needs of RAM below 1 MiB, page-aligned; it is free again afterwards. */
#define SMP_LOW_SIZE (5 * 4096)

/*
 * Starts the CPUs that acpi_info lists until @limit run, this one included.
 * Each calls @entry, on its own stack with everything of its own loaded, and
 * is online by then; @entry does not return. What does not come up within
 * 200 ms is reported and left out. Boot CPU, once, interrupts off.
 */
void smp_start(uint32_t limit, uint64_t low_phys, uint64_t tsc_khz, void (*entry)(void));

#endif
