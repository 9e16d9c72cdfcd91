/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MTRRs (SDM vol. 3A, 11.11; APM vol. 2, 7.7): kept and checked, without an
 * effect, because nested paging says how RAM and devices are cached. They come
 * up as firmware would leave them: RAM is write-back, the VGA window and the
 * hole below 4 GiB are uncached.
 */
#include "vmm/msr.h"

#include "vmm/cpu_model.h"
#include "vmm/guest_memory.h"
#include "vmm/vcpu.h"

#include <errno.h>

#define MSR_MTRR_CAP	      0xfe
#define MSR_MTRR_PHYS_BASE0   0x200
#define MSR_MTRR_FIX64K_00000 0x250
#define MSR_MTRR_FIX16K_80000 0x258
#define MSR_MTRR_FIX16K_A0000 0x259
#define MSR_MTRR_FIX4K_C0000  0x268
#define MSR_MTRR_FIX4K_F8000  0x26f
#define MSR_MTRR_DEF_TYPE     0x2ff

#define MTRR_CAP_FIXED	  BIT(8)
#define MTRR_CAP_WC	  BIT(10)
#define MTRR_DEF_FIXED	  BIT(10)
#define MTRR_DEF_ENABLE	  BIT(11)
#define MTRR_DEF_KNOWN	  (MTRR_DEF_ENABLE | MTRR_DEF_FIXED | UINT64_C(0xff))
#define MTRR_MASK_VALID	  BIT(11)
#define MTRR_MASK_UNKNOWN UINT64_C(0x7ff)
#define MTRR_BASE_UNKNOWN UINT64_C(0xf00)
#define MTRR_UC		  0u
#define MTRR_WB		  6u
#define MTRR_ALL_WB	  UINT64_C(0x0606060606060606)

/* Places in mtrr_fixed. */
#define FIXED_64K 0
#define FIXED_16K 1
#define FIXED_VGA 2 /* the second of them: 0xA0000-0xBFFFF */
#define FIXED_4K  3

/* UC, WC, WT, WP, WB. */
static bool type_valid(uint8_t type)
{
	return type <= MTRR_WB && type != 2 && type != 3;
}

static uint64_t get_def_type(struct vcpu *vcpu, uint64_t arg __unused)
{
	return vcpu->msrs->mtrr_def_type;
}

static int set_def_type(struct vcpu *vcpu, uint64_t arg __unused, uint64_t value)
{
	if ((value & ~MTRR_DEF_KNOWN) || !type_valid((uint8_t)value))
		return -EINVAL;
	vcpu->msrs->mtrr_def_type = value;
	return 0;
}

static uint64_t get_fixed(struct vcpu *vcpu, uint64_t place)
{
	return vcpu->msrs->mtrr_fixed[place];
}

static int set_fixed(struct vcpu *vcpu, uint64_t place, uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		if (!type_valid((uint8_t)(value >> shift)))
			return -EINVAL;
	}
	vcpu->msrs->mtrr_fixed[place] = value;
	return 0;
}

static uint64_t get_variable(struct vcpu *vcpu, uint64_t place)
{
	return vcpu->msrs->mtrr_variable[place];
}

static int set_variable(struct vcpu *vcpu, uint64_t place, uint64_t value)
{
	bool mask = place % 2;

	if (value >> cpu_model_phys_bits() ||
	    (value & (mask ? MTRR_MASK_UNKNOWN : MTRR_BASE_UNKNOWN)) ||
	    (!mask && !type_valid((uint8_t)value)))
		return -EINVAL;
	vcpu->msrs->mtrr_variable[place] = value;
	return 0;
}

void msr_mtrr_reset(struct vcpu_msrs *msrs)
{
	uint64_t address_mask = BIT(cpu_model_phys_bits()) - 1;

	for (unsigned i = 0; i < MTRR_FIXED; i++)
		msrs->mtrr_fixed[i] = MTRR_ALL_WB;
	msrs->mtrr_fixed[FIXED_VGA] = MTRR_UC;
	msrs->mtrr_variable[0] = GUEST_LOW_LIMIT | MTRR_UC;
	msrs->mtrr_variable[1] =
		(~(GUEST_HIGH_BASE - GUEST_LOW_LIMIT - 1) & address_mask) | MTRR_MASK_VALID;
	msrs->mtrr_def_type = MTRR_DEF_ENABLE | MTRR_DEF_FIXED | MTRR_WB;
}

const struct hook msr_mtrr_table[] = {
	MSR(MSR_MTRR_CAP, msr_get_constant, NULL, MTRR_CAP_FIXED | MTRR_CAP_WC | MTRR_VARIABLE),
	MSR_RANGE(MSR_MTRR_PHYS_BASE0, MSR_MTRR_PHYS_BASE0 + 2 * MTRR_VARIABLE - 1, get_variable,
		  set_variable, 0),
	MSR(MSR_MTRR_FIX64K_00000, get_fixed, set_fixed, FIXED_64K),
	MSR_RANGE(MSR_MTRR_FIX16K_80000, MSR_MTRR_FIX16K_A0000, get_fixed, set_fixed, FIXED_16K),
	MSR_RANGE(MSR_MTRR_FIX4K_C0000, MSR_MTRR_FIX4K_F8000, get_fixed, set_fixed, FIXED_4K),
	MSR(MSR_MTRR_DEF_TYPE, get_def_type, set_def_type, 0),
	{0},
};
