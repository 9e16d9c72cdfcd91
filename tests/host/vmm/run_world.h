/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM with one vCPU and no memory, for tests of the run loop. */
#ifndef TESTS_HOST_VMM_RUN_WORLD_H
#define TESTS_HOST_VMM_RUN_WORLD_H

#include "vmm/vcpu.h"
#include "vmm/vm.h"

extern struct vm world_vm;
extern struct vcpu *world_vcpu;
/* Counts the exits of a script (fake_guest); each test begins with 0. */
extern unsigned world_step;
/* How often the vCPU failed. */
extern unsigned world_crashes;
/* What fpu_set_xcr0() says. */
extern int world_xcr0_result;

int world_setup(void **state);
int world_teardown(void **state);
/* Runs the vCPU with that script until it leaves its loop. */
enum sched_result world_go(void (*guest)(struct vcpu *, struct vm_exit *));
/* The end of each script: somebody else wants the CPU. */
void world_resched(struct vm_exit *exit);

#endif
