/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of a vCPU that can not go on. */
#ifndef VMM_POST_MORTEM_H
#define VMM_POST_MORTEM_H

#include "lib/compiler.h"

struct vcpu;
struct vm;

/* Logs @why, registers, and the instruction's bytes. Own CPU, or the vCPU does not run. */
void post_mortem(struct vcpu *vcpu, const char *why);

/*
 * What else is told of a VM that has crashed, by who can print it (admin/): a waiter calls it when
 * all of the VM stands still, and its life is the waiter's.
 */
typedef void (*crash_report_fn)(struct vm *vm);
#define CRASH_REPORT(fn_) TABLE_ENTRY(crash_reports, crash_report_fn, crash_report_##fn_) = fn_
void post_mortem_vm(struct vm *vm);

#endif
