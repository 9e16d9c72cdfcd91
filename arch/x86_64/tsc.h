/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast the time-stamp counter runs. */
#ifndef ARCH_X86_64_TSC_H
#define ARCH_X86_64_TSC_H

#include <stdint.h>

/*
 * Measures the TSC, and the local APIC's timer with it, against the best clock
 * of the machine, in about 10 ms. Returns kHz, or 0 when there is no clock to
 * tell by. Boot CPU, once, after acpi_init() and apic_init_cpu().
 */
uint64_t tsc_calibrate(void);
/* What it was measured against, for the log. */
const char *tsc_source(void);

#endif
