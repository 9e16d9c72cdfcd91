/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NMIs that are not a panic's: the hardware reports a fault, or somebody pressed
 * a button. The handler may touch nothing that is locked, so it counts; what it
 * counted is told where interrupts are taken.
 */
#ifndef KERNEL_NMI_H
#define KERNEL_NMI_H

#include "arch/x86_64/percpu.h"

/* The handler, when no CPU panics. */
static inline void nmi_count(void)
{
	this_cpu()->nmis++;
}

/* Logs what this CPU counted, once a second at most. */
void nmi_tell(void);

static inline void nmi_serve(void)
{
	const struct cpu *cpu = this_cpu();

	if (unlikely(cpu->nmis != cpu->nmis_told))
		nmi_tell();
}

#endif
