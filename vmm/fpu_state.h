/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's FPU, SSE, AVX and AVX-512 state by what it is, not by where a CPU's
 * XSAVE puts it: AMD's and Intel's have AVX-512 at different offsets.
 */
#ifndef VMM_FPU_STATE_H
#define VMM_FPU_STATE_H

#include "lib/compiler.h"

#include <stdint.h>

struct vcpu;

#define FPU_LEGACY 512u /* FXSAVE's region, in its 64-bit form (SDM vol. 1, 10.5.1) */

struct fpu_state {
	uint64_t xcr0;
	uint64_t used; /* XSTATE_BV: what of it is not as after a reset (13.4.2) */
	uint8_t legacy[FPU_LEGACY];
	uint8_t ymm_high[256];
	uint8_t opmask[64], zmm_high[512], zmm_16_31[1024];
};

/* Both: the state is not live (fpu_save()). */
void fpu_state_get(const struct vcpu *vcpu, struct fpu_state *state);
/* -EINVAL: XRSTOR or XSETBV would refuse it, or it has what this machine has not. */
int fpu_state_check(const struct fpu_state *state) __must_check;
/* After the check. */
void fpu_state_set(struct vcpu *vcpu, const struct fpu_state *state);

#endif
