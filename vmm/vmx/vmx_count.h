/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many VMREADs and VMWRITEs there were, and exits: each CPU counts its own.
 * Each costs a real CPU 20 to 50 cycles, which emulators do not show. In builds
 * with CONFIG_VMX_COUNT `info hv` prints them; in all others this is nothing.
 */
#ifndef VMM_VMX_VMX_COUNT_H
#define VMM_VMX_VMX_COUNT_H

#include "arch/x86_64/percpu.h"
#include "vmm/hv_ops.h"
#include "vmm/vmx/vmx_cpu.h"

/* vmm/vmx/build.mk. */
#ifndef VMX_COUNT
#define VMX_COUNT 0
#endif

/* Called where VMX_COUNT is 1 only. */
void vmx_count_report(hv_print_fn print);

static __always_inline void vmx_count_exit(void)
{
	if (VMX_COUNT)
		this_cpu()->hv->exits++;
}

static __always_inline void vmx_count_read(void)
{
	if (VMX_COUNT)
		this_cpu()->hv->reads++;
}

static __always_inline void vmx_count_write(void)
{
	if (VMX_COUNT)
		this_cpu()->hv->writes++;
}

#endif
