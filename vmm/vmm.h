/* SPDX-License-Identifier: BSD-2-Clause */
/* The vmm's part of the machine's start-up. */
#ifndef VMM_VMM_H
#define VMM_VMM_H

#include <stdbool.h>

/* Before vmm_init(). */
struct vmm_options {
	bool apicv;	/* the CPU delivers virtual interrupts, where it can */
	bool msr_areas; /* it switches MSRs by lists, also where it could otherwise */
};
extern struct vmm_options vmm_options;

/*
 * Boot CPU, once: chooses the vendor, hv_ops. It stays NULL on a machine that
 * cannot run VMs; the log says what is missing, and all but that goes on.
 */
void vmm_init(void);
/* Every CPU, after vmm_init(): turns virtualization on. Where that fails, no CPU runs VMs. */
void vmm_cpu_init(void);

#endif
