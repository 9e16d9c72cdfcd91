/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's MOV to a control register that exits: what the CPU would check and do. */
#ifndef VMM_VCPU_CR_H
#define VMM_VCPU_CR_H

#include "lib/compiler.h"

#include <stdbool.h>

struct vcpu;

/* CR0, CR4, CR8: MOVs to others do not exit. */
static inline bool vcpu_cr_serves(unsigned cr)
{
	return cr == 0 || cr == 4 || cr == 8;
}

/*
 * Control register @cr, which vcpu_cr_serves(), becomes what general register
 * @gpr has. -EINVAL: the CPU would raise #GP. SDM vol. 3A, 2.5, and vol. 2B,
 * MOV to control registers; APM vol. 3, MOV CRn. Own CPU.
 */
int vcpu_cr_write(struct vcpu *vcpu, unsigned cr, unsigned gpr) __must_check;

#endif
