/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of a vCPU that can not go on. */
#ifndef VMM_POST_MORTEM_H
#define VMM_POST_MORTEM_H

struct vcpu;

/* Logs @why, registers, and the instruction's bytes. Own CPU, or the vCPU does not run. */
void post_mortem(struct vcpu *vcpu, const char *why);

#endif
