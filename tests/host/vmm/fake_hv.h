/* SPDX-License-Identifier: BSD-2-Clause */
/* A vendor whose CPU does what the test says, and what a vCPU needs beside it. */
#ifndef TESTS_HOST_VMM_FAKE_HV_H
#define TESTS_HOST_VMM_FAKE_HV_H

#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"

#include <stdbool.h>
#include <stdint.h>

/* One vCPU's registers that the vendor keeps; all vCPUs share them. */
extern uint64_t fake_regs[VCPU_REGS];
extern struct vcpu_segment fake_segs[VCPU_SEGS];

/* What the guest does when it is entered: fills the exit. */
extern void (*fake_guest)(struct vcpu *vcpu, struct vm_exit *exit);
/* One whose entries end at once, as if the slice were over; one that ends in a triple fault. */
void fake_guest_spin(struct vcpu *vcpu, struct vm_exit *exit);
void fake_guest_crash(struct vcpu *vcpu, struct vm_exit *exit);
extern unsigned fake_entries;
/* What was injected at entries, in order: "X13/5 I32 N2 "; and other events of the vendor. */
extern char fake_story[1024];

extern bool fake_irq_allowed, fake_nmi_allowed;
extern unsigned fake_insn_length; /* 0: cannot be read, a fault is injected */
extern const char *fake_code;	  /* bytes at RIP */
extern size_t fake_code_len;

/* The interrupt controller: the vector that is pending, or -1. */
extern int fake_pending;
/* What irq_timer() requests of its vCPU. */
extern uint32_t fake_timer_requests;

/* vcpu_fail() and devices ask for this. */
extern unsigned fake_vm_requests;

/* sched_wake() calls of vCPUs. */
extern unsigned fake_wakes;

extern const struct hv_ops fake_hv_ops;

void fake_hv_reset(void);

#endif
