/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest state that no entry switches and our code does not use: FPU, SSE and
 * AVX registers, XCR0, DR0-DR3 and TSC_AUX. It stays live on a CPU, through
 * exits, tasks and idle, until another vCPU comes there: this_cpu()->fpu_owner
 * is whose it is.
 */
#ifndef VMM_FPU_H
#define VMM_FPU_H

#include "arch/x86_64/percpu.h"
#include "lib/compiler.h"
#include "vmm/vcpu.h"

#include <stdbool.h>
#include <stdint.h>

/* XCR0 (SDM vol. 1, 13.3). */
#define XCR0_X87       BIT(0)
#define XCR0_SSE       BIT(1)
#define XCR0_AVX       BIT(2)
#define XCR0_OPMASK    BIT(5)
#define XCR0_ZMM_HI256 BIT(6)
#define XCR0_HI16_ZMM  BIT(7)
#define XCR0_AVX512    (XCR0_OPMASK | XCR0_ZMM_HI256 | XCR0_HI16_ZMM)

/* Boot CPU, once: what this machine has. */
void fpu_init(void);
/* Every CPU, after fpu_init(): lets our code save and load it all. */
void fpu_cpu_init(void);

/* The XCR0 bits that guests may set; 0: no XSAVE. */
uint64_t fpu_xcr0_mask(void);
/* Bytes of the standard XSAVE area with @xcr0 (SDM vol. 1, 13.4). */
uint32_t fpu_xsave_size(uint64_t xcr0);
/* As above, in the compacted format (13.4.3). */
uint32_t fpu_xsavec_size(uint64_t xcr0);
/* -EINVAL: XSETBV would raise #GP (SDM vol. 1, 13.3). */
int fpu_xcr0_check(uint64_t xcr0) __must_check;
/* Bits of MXCSR that may be set. */
uint32_t fpu_mxcsr_mask(void);
/* The guest's XCR0, live or not. Own CPU. */
uint64_t fpu_xcr0(struct vcpu *vcpu);
bool fpu_has_tsc_aux(void);

/* vcpu->fpu. 0 or -ENOMEM. */
int fpu_create(struct vcpu *vcpu) __must_check;
void fpu_destroy(struct vcpu *vcpu);
/* To the state after a reset (APM vol. 2, 14.1.3). The vCPU does not run. */
void fpu_reset(struct vcpu *vcpu);

/*
 * Makes @vcpu's state the live one here; use fpu_load(). Where the last one may
 * have been of another VM, branch predictions are forgotten (IBPB), if the CPU can.
 */
void fpu_switch(struct vcpu *vcpu);
static inline void fpu_load(struct vcpu *vcpu)
{
	if (unlikely(this_cpu()->fpu_owner != vcpu))
		fpu_switch(vcpu);
}
/* Nothing of @vcpu is live here after this; what was is in the vCPU. Own CPU. */
void fpu_save(struct vcpu *vcpu);

/* While @vcpu's state is live here. -EINVAL: the CPU would raise #GP (SDM vol. 1, 13.3). */
int fpu_set_xcr0(struct vcpu *vcpu, uint64_t value) __must_check;
void fpu_set_tsc_aux(struct vcpu *vcpu, uint32_t value);

#endif
