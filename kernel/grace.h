/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grace periods for maps that are read without locks. A reader is a CPU
 * between two quiescent points (top of the vCPU run loop, the scheduler's
 * loop, idle). A writer publishes the new map with grace_publish(), then
 * waits or defers the free of the old one until every CPU has passed one.
 */
#ifndef KERNEL_GRACE_H
#define KERNEL_GRACE_H

#include "arch/x86_64/percpu.h"
#include "lib/compiler.h"

#define grace_publish(ptr, value) __atomic_store_n(&(ptr), (value), __ATOMIC_RELEASE)
#define grace_read(ptr)		  __atomic_load_n(&(ptr), __ATOMIC_CONSUME)

/* @cpu, the calling one, holds no pointer into a published map. One instruction, which compilers do
 * not make of a volatile counter. */
static __always_inline void grace_quiescent_here(struct cpu *cpu)
{
	__asm__ volatile("addq $1, %0" : "+m"(cpu->quiescent) : : "cc");
}

static __always_inline void grace_quiescent(void)
{
	grace_quiescent_here(this_cpu());
}

/*
 * Returns when no CPU can still see what was unpublished before the call.
 * From a task: yields. From the boot CPU's start-up or another stated point
 * outside a task: spins with kicks. Never with a lock held, nor on the exit path.
 */
void grace_synchronize(void);

#endif
