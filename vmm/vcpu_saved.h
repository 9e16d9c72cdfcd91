/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that a vCPU is, for a guest and for whoever keeps or moves it: in numbers
 * that mean the same with either vendor, and on CPUs that lay out their XSAVE
 * areas differently. The local APIC is a device and not in here.
 */
#ifndef VMM_VCPU_SAVED_H
#define VMM_VCPU_SAVED_H

#include "lib/compiler.h"
#include "vmm/fpu_state.h"
#include "vmm/vcpu.h"

#include <stddef.h>
#include <stdint.h>

/* What a guest, or a device, asked of a vCPU, and not we. */
#define VCPU_SAVED_REQUESTS \
	(VCPU_REQ_NMI | VCPU_REQ_HALT | VCPU_REQ_RESET | VCPU_REQ_SIPI | VCPU_REQ_TIMER)

struct vcpu_saved {
	uint64_t gpr[16]; /* RSP as well */
	uint64_t rip;
	uint64_t regs[VCPU_REGS];
	struct vcpu_segment segs[VCPU_SEGS];
	/* What an exit cut short or a fault put off, and what has come and was not taken. */
	struct vcpu_event event, deferred;
	bool nmi_pending;
	uint8_t sipi_vector;
	uint32_t requests; /* of VCPU_SAVED_REQUESTS: what has come and was not looked at yet */
	enum vcpu_state state;
	uint64_t tsc_ahead; /* of its VM's clock */
	uint64_t tsc_adjust, tsc_aux;
	uint64_t dr[4];
	struct fpu_state fpu;
};

/* For people. */
extern const char *const vcpu_reg_names[VCPU_REGS];
extern const char *const vcpu_seg_names[VCPU_SEGS];

/* Get and set: the vCPU stands still, all of it in memory (paused, or not started yet). */
void vcpu_saved_get(struct vcpu *vcpu, struct vcpu_saved *saved);
/*
 * -EINVAL: the state is none that this VM's CPU model allows, or this machine
 * takes; @why (@size bytes) names what and its value. What only an entry would
 * refuse is for the entry to refuse, and stops that VM.
 */
int vcpu_saved_check(const struct vcpu *vcpu, const struct vcpu_saved *saved, char *why,
		     size_t size) __must_check;
/* -EINVAL: as vcpu_saved_check(), and the vCPU is as before. */
int vcpu_saved_set(struct vcpu *vcpu, const struct vcpu_saved *saved, char *why,
		   size_t size) __must_check;

#endif
