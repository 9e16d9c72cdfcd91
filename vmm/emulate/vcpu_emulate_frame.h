/* SPDX-License-Identifier: BSD-2-Clause */
/* Into the emulator for a vCPU, and out again: what its entries share. */
#ifndef VMM_EMULATE_VCPU_EMULATE_FRAME_H
#define VMM_EMULATE_VCPU_EMULATE_FRAME_H

#include "vmm/emulate/emulate.h"
#include "vmm/exit.h"
#include "vmm/vcpu.h"

/* Fills @ctx for the instruction at RIP, and @mode with what it was filled from. */
void vcpu_emulate_enter(struct vcpu *vcpu, struct emulate_ctx *ctx, struct vcpu_mode *mode);

/* Writes registers back, injects the fault, or refuses the instruction, as @result says. */
enum exit_action vcpu_emulate_result(struct vcpu *vcpu, const struct emulate_ctx *ctx,
				     const struct vcpu_mode *mode, enum emulate_result result);

/* Injects what the emulator raised. */
void vcpu_emulate_inject(struct vcpu *vcpu, const struct emulate_fault *fault);

#endif
