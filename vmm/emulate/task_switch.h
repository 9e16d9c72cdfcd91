/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware task switches, for CPUs that leave them to us (SDM vol. 3A, 7.2 and 7.3). */
#ifndef VMM_EMULATE_TASK_SWITCH_H
#define VMM_EMULATE_TASK_SWITCH_H

#include "vmm/exit.h"

struct vcpu;

/*
 * VM_EXIT_TASK_SWITCH, whose privileges the CPU has checked: done, or the fault
 * is injected, in the old task or, where the manual says so, in the new one.
 * EXIT_STOP: descriptors or a TSS are not in RAM; the VM has failed. Own CPU.
 */
enum exit_action task_switch(struct vcpu *vcpu, const struct vm_exit *exit);

#endif
