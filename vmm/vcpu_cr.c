/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vcpu_cr.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

/* Others of CR0's lower half are 0 whatever is written; ET is 1. */
#define CR0_KNOWN                                                                                  \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | \
	 CR0_PG)

#define TSS_32_BIT 0x8u /* or of 64 */

/* Of a TSS's types, 1 and 3 are those of 16 bits, busy or not (SDM vol. 3A, table 3-2). */
static bool has_16_bit_tss(struct vcpu *vcpu)
{
	struct vcpu_segment tr;

	hv_ops->get_seg(vcpu, SEG_TR, &tr);
	return !(tr.attrib & TSS_32_BIT);
}

/* Switching paging on and off with long mode enabled or active (SDM vol. 3A, 9.8.5). */
static int check_paging(struct vcpu *vcpu, const struct vcpu_mode *mode, uint64_t cr0)
{
	bool on = cr0 & ~mode->cr0 & CR0_PG, off = ~cr0 & mode->cr0 & CR0_PG;

	if (on && (mode->efer & EFER_LME) &&
	    (!(mode->cr4 & CR4_PAE) || (mode->cs.attrib & SEG_ATTR_L) || has_16_bit_tss(vcpu)))
		return -EINVAL;
	if (off && (mode->efer & EFER_LMA) && (mode->cs.attrib & SEG_ATTR_L))
		return -EINVAL;
	return 0;
}

static int write_cr0(struct vcpu *vcpu, const struct vcpu_mode *mode, uint64_t value)
{
	if (value > UINT32_MAX || ((value & CR0_PG) && !(value & CR0_PE)) ||
	    ((value & CR0_NW) && !(value & CR0_CD)) || check_paging(vcpu, mode, value))
		return -EINVAL;
	hv_ops->set_reg(vcpu, VCPU_CR0, (value & CR0_KNOWN) | CR0_ET);
	return 0;
}

/* PCIDE and LA57, which have more rules, no guest has. */
static int write_cr4(struct vcpu *vcpu, const struct vcpu_mode *mode, uint64_t value)
{
	if ((value & ~vcpu->vm->cr4_allowed) || ((mode->efer & EFER_LMA) && !(value & CR4_PAE)))
		return -EINVAL;
	hv_ops->set_reg(vcpu, VCPU_CR4, value);
	return 0;
}

static int write_cr8(struct vcpu *vcpu, uint64_t value)
{
	if (value > 0xf)
		return -EINVAL;
	hv_ops->set_reg(vcpu, VCPU_CR8, value);
	vcpu_request(vcpu, VCPU_REQ_IRQ);
	return 0;
}

int vcpu_cr_write(struct vcpu *vcpu, unsigned cr, unsigned gpr)
{
	uint64_t value = vcpu_gpr(vcpu, gpr);
	struct vcpu_mode mode;

	hv_ops->get_mode(vcpu, &mode);
	/* Outside of 64-bit mode a MOV has 32 bits; the upper ones of a register are undefined. */
	if (!(mode.efer & EFER_LMA) || !(mode.cs.attrib & SEG_ATTR_L))
		value = (uint32_t)value;
	if (cr == 8)
		return write_cr8(vcpu, value);
	return cr == 0 ? write_cr0(vcpu, &mode, value) : write_cr4(vcpu, &mode, value);
}
