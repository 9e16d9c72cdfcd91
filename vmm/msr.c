/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSRs of the architecture, both vendors: SDM vol. 4, 2.1; APM vol. 2, appendix A. */
#include "vmm/msr.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "kernel/grace.h"
#include "kernel/time.h"
#include "vmm/cpu_model.h"
#include "vmm/fpu.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

#define MSR_TSC		 0x10
#define MSR_TSC_ADJUST	 0x3b
#define MSR_PATCH_LEVEL	 0x8b
#define MSR_SYSENTER_CS	 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_DEBUGCTL	 0x1d9
#define MSR_STAR	 0xc0000081
#define MSR_LSTAR	 0xc0000082
#define MSR_CSTAR	 0xc0000083
#define MSR_SFMASK	 0xc0000084
#define MSR_FS_BASE	 0xc0000100
#define MSR_GS_BASE	 0xc0000101
#define MSR_KERNEL_GS	 0xc0000102
#define MSR_TSC_AUX	 0xc0000103

/* An entry of the tables. */
struct msr_access {
	uint64_t (*get)(struct vcpu *vcpu, uint64_t arg);
	int (*set)(struct vcpu *vcpu, uint64_t arg, uint64_t value);
	uint64_t arg;
};

static bool canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static uint64_t get_tsc(struct vcpu *vcpu, uint64_t arg __unused)
{
	return time_tsc() + vcpu->tsc_offset;
}

/* Both ways of setting the TSC move the other by the same (SDM vol. 3B, 17.17.3). */
static int move_tsc(struct vcpu *vcpu, uint64_t by)
{
	struct tsc_watch *watch = grace_read(vcpu->vm->tsc_watch);

	WRITE_ONCE(vcpu->tsc_offset, vcpu->tsc_offset + by);
	vcpu->tsc_adjust += by;
	hv_ops->tsc_changed(vcpu);
	vcpu_request(vcpu, VCPU_REQ_TIMER); /* a TSC deadline is another moment now */
	if (watch)
		watch->moved(watch->opaque, vcpu);
	return 0;
}

static int set_tsc(struct vcpu *vcpu, uint64_t arg __unused, uint64_t value)
{
	return move_tsc(vcpu, value - (time_tsc() + vcpu->tsc_offset));
}

static uint64_t get_tsc_adjust(struct vcpu *vcpu, uint64_t arg __unused)
{
	return vcpu->tsc_adjust;
}

static int set_tsc_adjust(struct vcpu *vcpu, uint64_t arg __unused, uint64_t value)
{
	return move_tsc(vcpu, value - vcpu->tsc_adjust);
}

/* The machine's own microcode is what the guest runs on. */
static uint64_t get_patch_level(struct vcpu *vcpu __unused, uint64_t arg __unused)
{
	uint64_t value;

	return msr_read_safe(MSR_PATCH_LEVEL, &value) ? 0 : value;
}

static int set_ignored(struct vcpu *vcpu __unused, uint64_t arg __unused, uint64_t value __unused)
{
	return 0;
}

/* Registers that the vendor keeps: @reg is the enum vcpu_reg. */
static uint64_t get_reg(struct vcpu *vcpu, uint64_t reg)
{
	return hv_ops->get_reg(vcpu, (enum vcpu_reg)reg);
}

static int set_reg(struct vcpu *vcpu, uint64_t reg, uint64_t value)
{
	hv_ops->set_reg(vcpu, (enum vcpu_reg)reg, value);
	return 0;
}

static int set_address(struct vcpu *vcpu, uint64_t reg, uint64_t value)
{
	return canonical(value) ? set_reg(vcpu, reg, value) : -EINVAL;
}

static int set_low(struct vcpu *vcpu, uint64_t reg, uint64_t value)
{
	return set_reg(vcpu, reg, (uint32_t)value);
}

static int set_debugctl(struct vcpu *vcpu, uint64_t reg, uint64_t value)
{
	return value & ~cpu_model_vendor(vcpu->vm)->debugctl ? -EINVAL : set_reg(vcpu, reg, value);
}

/* Eight types: UC, WC, WT, WP, WB, UC- (APM vol. 2, 7.8.1). */
static int set_pat(struct vcpu *vcpu, uint64_t reg, uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		uint8_t type = (uint8_t)(value >> shift);

		if (type > 7 || type == 2 || type == 3)
			return -EINVAL;
	}
	return set_reg(vcpu, reg, value);
}

/* APM vol. 2, 3.1.7: what the CPU model does not have must be 0; LME is fixed under paging. */
static int set_efer(struct vcpu *vcpu, uint64_t reg, uint64_t value)
{
	uint64_t old = get_reg(vcpu, reg);

	value = (value & ~EFER_LMA) | (old & EFER_LMA);
	if (value & ~(cpu_model_efer(vcpu->vm) | EFER_LMA))
		return -EINVAL;
	if (((value ^ old) & EFER_LME) && (hv_ops->get_reg(vcpu, VCPU_CR0) & CR0_PG))
		return -EINVAL;
	return set_reg(vcpu, reg, value);
}

/* @seg is the enum vcpu_seg. */
static uint64_t get_base(struct vcpu *vcpu, uint64_t seg)
{
	struct vcpu_segment s;

	hv_ops->get_seg(vcpu, (enum vcpu_seg)seg, &s);
	return s.base;
}

static int set_base(struct vcpu *vcpu, uint64_t seg, uint64_t value)
{
	struct vcpu_segment s;

	if (!canonical(value))
		return -EINVAL;
	hv_ops->get_seg(vcpu, (enum vcpu_seg)seg, &s);
	s.base = value;
	hv_ops->set_seg(vcpu, (enum vcpu_seg)seg, &s);
	return 0;
}

static uint64_t get_tsc_aux(struct vcpu *vcpu, uint64_t arg __unused)
{
	return vcpu->tsc_aux;
}

static int set_tsc_aux(struct vcpu *vcpu, uint64_t arg __unused, uint64_t value)
{
	if (value > UINT32_MAX)
		return -EINVAL;
	fpu_set_tsc_aux(vcpu, (uint32_t)value);
	return 0;
}

static int hook_read(void *opaque, struct vcpu *vcpu, uint64_t offset __unused,
		     unsigned width __unused, uint64_t *value)
{
	const struct msr_access *access = opaque;

	*value = access->get(vcpu, access->arg);
	return 0;
}

static int hook_write(void *opaque, struct vcpu *vcpu, uint64_t offset __unused,
		      unsigned width __unused, uint64_t value)
{
	const struct msr_access *access = opaque;

	return access->set(vcpu, access->arg, value);
}

static const struct hook_ops msr_ops = {.read = hook_read, .write = hook_write};

#define MSR(index_, get_, set_, arg_)                                           \
	{                                                                       \
		.first = (index_), .last = (index_), .ops = &msr_ops,           \
		.opaque = (void *)&(const struct msr_access){get_, set_, arg_}, \
		.owner = "processor"                                            \
	}

/* Ended by an owner of NULL. */
static const struct hook core_table[] = {
	MSR(MSR_TSC, get_tsc, set_tsc, 0),
	MSR(MSR_TSC_ADJUST, get_tsc_adjust, set_tsc_adjust, 0),
	/* Intel's CPUs have it written before it is read. */
	MSR(MSR_PATCH_LEVEL, get_patch_level, set_ignored, 0),
	MSR(MSR_SYSENTER_CS, get_reg, set_low, VCPU_SYSENTER_CS),
	MSR(MSR_SYSENTER_ESP, get_reg, set_address, VCPU_SYSENTER_ESP),
	MSR(MSR_SYSENTER_EIP, get_reg, set_address, VCPU_SYSENTER_EIP),
	MSR(MSR_DEBUGCTL, get_reg, set_debugctl, VCPU_DEBUGCTL),
	MSR(MSR_PAT, get_reg, set_pat, VCPU_PAT),
	MSR(MSR_EFER, get_reg, set_efer, VCPU_EFER),
	MSR(MSR_STAR, get_reg, set_reg, VCPU_STAR),
	MSR(MSR_LSTAR, get_reg, set_address, VCPU_LSTAR),
	MSR(MSR_CSTAR, get_reg, set_address, VCPU_CSTAR),
	MSR(MSR_SFMASK, get_reg, set_low, VCPU_SFMASK),
	MSR(MSR_FS_BASE, get_base, set_base, SEG_FS),
	MSR(MSR_GS_BASE, get_base, set_base, SEG_GS),
	MSR(MSR_KERNEL_GS, get_reg, set_address, VCPU_KERNEL_GS_BASE),
	{0},
};

static const struct hook tsc_aux_table[] = {
	MSR(MSR_TSC_AUX, get_tsc_aux, set_tsc_aux, 0),
	{0},
};

/* The tables of this machine's guests by number, NULL behind the last. */
static const struct hook *table(unsigned n)
{
	const struct hook *const tables[] = {
		core_table,
		fpu_has_tsc_aux() ? tsc_aux_table : NULL,
		NULL,
	};

	return tables[n];
}

int msr_create(struct vm *vm)
{
	const struct hook *hook;

	for (unsigned n = 0; (hook = table(n)); n++) {
		for (; hook->owner; hook++) {
			int err = hook_msr_add(vm, hook);

			if (err)
				return err;
		}
	}
	return 0;
}

void msr_destroy(struct vm *vm)
{
	const struct hook *hook;

	for (unsigned n = 0; vm->hooks && (hook = table(n)); n++) {
		for (; hook->owner; hook++)
			hook_msr_remove(vm, hook);
	}
}

void msr_reset(struct vcpu *vcpu)
{
	vcpu->tsc_adjust = 0;
	vcpu->tsc_offset = vcpu->vm->tsc_offset;
}
