/* SPDX-License-Identifier: BSD-2-Clause */
/* The vmm's part of the machine's start-up. */
#ifndef VMM_VMM_H
#define VMM_VMM_H

#include "lib/compiler.h"

/*
 * Boot CPU, once: chooses the vendor, hv_ops. -ENODEV, logged with what is
 * missing: this machine can run no VM, and the rest of us goes on without.
 */
int vmm_init(void) __must_check;
/* Every CPU, after a vmm_init() that went well: turns virtualization on. Logged. */
int vmm_cpu_init(void) __must_check;

#endif
