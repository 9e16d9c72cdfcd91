/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSRs of the processor itself, hooked for every VM: those that the vendor
 * keeps, those that are only stored, and those that Linux and others read
 * because the CPU's family has them. What is in no table is #GP.
 */
#ifndef VMM_MSR_H
#define VMM_MSR_H

#include "lib/compiler.h"
#include "vmm/hook/hook.h"

#include <stdint.h>

struct vcpu;
struct vm;

#define MTRR_VARIABLE 8	 /* pairs of base and mask */
#define MTRR_FIXED    11 /* registers */

/* MSRs that only keep what is written to them. */
enum msr_stored {
	MSR_STORED_MISC_ENABLE,
	MSR_STORED_HWCR,
	MSR_STORED_SYSCFG,
	MSR_STORED_NB_CFG,
	MSR_STORED_MMIO_CONF,
	MSR_STORED_COUNT
};

/* The values that a vCPU's MSRs have beyond what the vendor keeps. */
struct vcpu_msrs {
	uint64_t tsc_adjust;
	uint64_t mcg_status;
	uint64_t stored[MSR_STORED_COUNT];
	uint64_t mtrr_def_type;
	uint64_t mtrr_fixed[MTRR_FIXED];
	uint64_t mtrr_variable[2 * MTRR_VARIABLE]; /* base, mask, base … */
};

/* Hooks them all. -ENOMEM or -EBUSY, logged. */
int msr_create(struct vm *vm) __must_check;
void msr_destroy(struct vm *vm);

/* vcpu->msrs. */
int msr_vcpu_create(struct vcpu *vcpu) __must_check;
void msr_vcpu_destroy(struct vcpu *vcpu);
/* Power-on values, but those that firmware leaves, because a kernel may be loaded without one. */
void msr_reset(struct vcpu *vcpu);

/*
 * For the tables, msr_*.c. @arg is the entry's own number plus the MSR's place
 * in the entry's range. NULL set: writing is #GP.
 */
struct msr_access {
	uint64_t (*get)(struct vcpu *vcpu, uint64_t arg);
	int (*set)(struct vcpu *vcpu, uint64_t arg, uint64_t value);
	uint64_t arg;
};

extern const struct hook_ops msr_hook_ops;

#define MSR_RANGE(first_, last_, get_, set_, arg_)                              \
	{                                                                       \
		.first = (first_), .last = (last_), .ops = &msr_hook_ops,       \
		.opaque = (void *)&(const struct msr_access){get_, set_, arg_}, \
		.owner = "processor"                                            \
	}
#define MSR(index_, get_, set_, arg_) MSR_RANGE(index_, index_, get_, set_, arg_)

/* Ended by an owner of NULL. */
extern const struct hook msr_core_table[];
extern const struct hook msr_tsc_aux_table[];
extern const struct hook msr_mtrr_table[];
extern const struct hook msr_amd_table[];
extern const struct hook msr_intel_table[];

/* The value @arg itself; what was stored as @arg (enum msr_stored); a write without effect. */
uint64_t msr_get_constant(struct vcpu *vcpu, uint64_t arg);
uint64_t msr_get_stored(struct vcpu *vcpu, uint64_t arg);
int msr_set_stored(struct vcpu *vcpu, uint64_t arg, uint64_t value) __must_check;
int msr_set_ignored(struct vcpu *vcpu, uint64_t arg, uint64_t value) __must_check;

void msr_mtrr_reset(struct vcpu_msrs *msrs);
void msr_vendor_reset(struct vcpu_msrs *msrs);

#endif
