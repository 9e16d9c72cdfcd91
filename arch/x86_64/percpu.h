/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU data at one fixed virtual address.
 *
 * Each CPU runs on page tables of its own that differ from the others' in
 * one PML4 slot: CPU_LOCAL_BASE shows that CPU its own struct cpu. So
 * this_cpu() is a constant, costs nothing, and does not use GS: after an
 * exit the guest's FS, GS, TR, LDTR and syscall MSRs stay live in the
 * hardware until we leave the guest's world (see vmm/hv_ops.h), and
 * hypervisor code must run with them. All other PML4 slots that we use
 * are filled before the first CPU copies them, so that a later mapping is
 * seen by every CPU.
 */
#ifndef ARCH_X86_64_PERCPU_H
#define ARCH_X86_64_PERCPU_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define CPU_MAX	       64
#define CPU_LOCAL_BASE UINT64_C(0xffffff0000000000)

struct sched_queue;
struct task;
struct timer_queue;
struct vcpu;
struct hv_cpu;

struct cpu {
	struct cpu *self;	     /* this structure by an address that every CPU sees */
	uint32_t index;		     /* 0 = boot CPU; dense */
	uint32_t apic_id;	     /* physical APIC id (32 bits with x2APIC) */
	bool online;		     /* set once by the CPU itself */
	volatile bool need_resched;  /* the run loop and tasks give the CPU back soon */
	volatile uint64_t quiescent; /* counts passes of a point where no published map is held */
	volatile bool idle;	     /* halted in idle: quiescent by definition */
	volatile uint32_t nmis;	     /* of the hardware; counted by the handler (kernel/nmi.h) */
	uint32_t nmis_told;	     /* of them in the log */
	uint32_t strays;	     /* interrupts without a handler */
	struct vcpu *world;	     /* the vCPU whose VMLOAD and MSR state is live here, or NULL */
	struct vcpu *fpu_owner;	    /* the vCPU whose FPU state is live here, or NULL (vmm/fpu.h) */
	struct task *task;	    /* whose stack this is, or NULL: the CPU's own */
	struct sched_queue *sched;  /* kernel/sched.c */
	struct timer_queue *timers; /* kernel/timer.c */
	struct hv_cpu *hv;	    /* the vendor's per-CPU part (host save area …) */
	uint64_t pml4_phys;	    /* this CPU's own page tables */
	uint8_t *stack_top;	    /* of the CPU's one stack */
};

/* All CPUs that were found, by index; [0, cpu_count) are valid, online or not. */
extern struct cpu *cpu_table[CPU_MAX];
extern uint32_t cpu_count;

/* The CPU that executes this. Any context. */
static __always_inline struct cpu *this_cpu(void)
{
	return (struct cpu *)CPU_LOCAL_BASE;
}

#define for_each_cpu(cpu_, i_)                           \
	for (uint32_t i_ = 0; i_ < cpu_count; i_++)      \
		if (!((cpu_) = cpu_table[i_])->online) { \
		} else

#endif
