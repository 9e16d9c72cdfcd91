/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MTRRs: kept and checked, without an effect, because nested paging says how
 * RAM and devices are cached. They come up as firmware would leave them: RAM
 * is write-back, the VGA window and the hole below 4 GiB are uncached.
 *
 * Spec: SDM vol. 3A, 11.11; APM vol. 2, 7.7. Keys: none.
 * Lock: none, a vCPU touches its own alone; the type is fixed, so that no reset meets one.
 */
#include "kernel/slab.h"
#include "vmm/cpu_model.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/guest_memory.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

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

/* Places among the fixed ones. */
#define FIXED_64K 0
#define FIXED_16K 1
#define FIXED_VGA 2 /* the second of them: 0xA0000-0xBFFFF */
#define FIXED_4K  3

#define MTRR_VARIABLE 8	 /* pairs of base and mask */
#define MTRR_FIXED    11 /* registers */

struct mtrr_cpu {
	uint64_t def_type;
	uint64_t fixed[MTRR_FIXED];
	uint64_t variable[2 * MTRR_VARIABLE]; /* base, mask, base … */
};

/* The fixed ones stand in three places. */
struct mtrr_fixed {
	struct mtrr *mtrr;
	uint64_t place; /* of the range's first */
};

struct mtrr {
	struct mtrr_cpu cpus[VM_MAX_VCPUS];
	struct mtrr_fixed fixed[3];
};

static const struct {
	uint32_t first, count;
	uint64_t place;
} mtrr_fixed_ranges[] = {
	{MSR_MTRR_FIX64K_00000, 1, FIXED_64K},
	{MSR_MTRR_FIX16K_80000, 2, FIXED_16K},
	{MSR_MTRR_FIX4K_C0000, 8, FIXED_4K},
};

static struct mtrr_cpu *mtrr_of(void *opaque, const struct vcpu *vcpu)
{
	struct mtrr *mtrr = opaque;

	return &mtrr->cpus[vcpu->index];
}

/* UC, WC, WT, WP, WB. */
static bool mtrr_type_valid(uint8_t type)
{
	return type <= MTRR_WB && type != 2 && type != 3;
}

static int mtrr_read_cap(void *opaque __unused, struct vcpu *vcpu __unused,
			 uint64_t offset __unused, unsigned width __unused, uint64_t *value)
{
	*value = MTRR_CAP_FIXED | MTRR_CAP_WC | MTRR_VARIABLE;
	return 0;
}

static int mtrr_read_def(void *opaque, struct vcpu *vcpu, uint64_t offset __unused,
			 unsigned width __unused, uint64_t *value)
{
	*value = mtrr_of(opaque, vcpu)->def_type;
	return 0;
}

static int mtrr_write_def(void *opaque, struct vcpu *vcpu, uint64_t offset __unused,
			  unsigned width __unused, uint64_t value)
{
	if ((value & ~MTRR_DEF_KNOWN) || !mtrr_type_valid((uint8_t)value))
		return -EINVAL;
	mtrr_of(opaque, vcpu)->def_type = value;
	return 0;
}

static int mtrr_read_fixed(void *opaque, struct vcpu *vcpu, uint64_t offset,
			   unsigned width __unused, uint64_t *value)
{
	const struct mtrr_fixed *fixed = opaque;

	*value = mtrr_of(fixed->mtrr, vcpu)->fixed[fixed->place + offset];
	return 0;
}

static int mtrr_write_fixed(void *opaque, struct vcpu *vcpu, uint64_t offset,
			    unsigned width __unused, uint64_t value)
{
	const struct mtrr_fixed *fixed = opaque;

	for (unsigned shift = 0; shift < 64; shift += 8) {
		if (!mtrr_type_valid((uint8_t)(value >> shift)))
			return -EINVAL;
	}
	mtrr_of(fixed->mtrr, vcpu)->fixed[fixed->place + offset] = value;
	return 0;
}

static int mtrr_read_variable(void *opaque, struct vcpu *vcpu, uint64_t offset,
			      unsigned width __unused, uint64_t *value)
{
	*value = mtrr_of(opaque, vcpu)->variable[offset];
	return 0;
}

static int mtrr_write_variable(void *opaque, struct vcpu *vcpu, uint64_t offset,
			       unsigned width __unused, uint64_t value)
{
	bool mask = offset % 2;

	if (value >> cpu_model_phys_bits(vcpu->vm) ||
	    (value & (mask ? MTRR_MASK_UNKNOWN : MTRR_BASE_UNKNOWN)) ||
	    (!mask && !mtrr_type_valid((uint8_t)value)))
		return -EINVAL;
	mtrr_of(opaque, vcpu)->variable[offset] = value;
	return 0;
}

static const struct hook_ops mtrr_cap = {.read = mtrr_read_cap};
static const struct hook_ops mtrr_def = {mtrr_read_def, mtrr_write_def};
static const struct hook_ops mtrr_fixed_ops = {mtrr_read_fixed, mtrr_write_fixed};
static const struct hook_ops mtrr_variable = {mtrr_read_variable, mtrr_write_variable};

static const struct {
	uint32_t first, count;
	const struct hook_ops *ops;
} mtrr_hooks[] = {
	{MSR_MTRR_CAP, 1, &mtrr_cap},
	{MSR_MTRR_PHYS_BASE0, 2 * MTRR_VARIABLE, &mtrr_variable},
	{MSR_MTRR_DEF_TYPE, 1, &mtrr_def},
};

static void mtrr_reset_cpu(const struct vm *vm, struct mtrr_cpu *cpu)
{
	uint64_t address_mask = BIT(cpu_model_phys_bits(vm)) - 1;

	*cpu = (struct mtrr_cpu){.def_type = MTRR_DEF_ENABLE | MTRR_DEF_FIXED | MTRR_WB};
	for (unsigned i = 0; i < MTRR_FIXED; i++)
		cpu->fixed[i] = MTRR_ALL_WB;
	cpu->fixed[FIXED_VGA] = MTRR_UC;
	cpu->variable[0] = GUEST_LOW_LIMIT | MTRR_UC;
	cpu->variable[1] =
		(~(GUEST_HIGH_BASE - GUEST_LOW_LIMIT - 1) & address_mask) | MTRR_MASK_VALID;
}

static void mtrr_reset(struct device *dev)
{
	struct mtrr *mtrr = dev->state;

	for (unsigned i = 0; i < VM_MAX_VCPUS; i++)
		mtrr_reset_cpu(dev->vm, &mtrr->cpus[i]);
}

static const struct device_field mtrr_cpu_fields[] = {
	DEVICE_FIELD(struct mtrr_cpu, def_type, .max = MTRR_DEF_KNOWN),
	DEVICE_FIELD(struct mtrr_cpu, fixed),
	DEVICE_FIELD(struct mtrr_cpu, variable),
	{},
};

static const struct device_state mtrr_cpu_saved = {
	.name = "mtrr-cpu",
	.version = 1,
	.size = sizeof(struct mtrr_cpu),
	.fields = mtrr_cpu_fields,
};

static const struct device_field mtrr_fields[] = {
	DEVICE_FIELD_STRUCTS(struct mtrr, cpus, &mtrr_cpu_saved),
	{},
};

static const struct device_state mtrr_saved = {
	.name = "mtrr",
	.version = 1,
	.size = sizeof(struct mtrr),
	.fields = mtrr_fields,
};

static void mtrr_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int mtrr_hook_fixed(struct device *dev)
{
	struct mtrr *mtrr = dev->state;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mtrr_fixed_ranges) && !err; i++) {
		mtrr->fixed[i] = (struct mtrr_fixed){mtrr, mtrr_fixed_ranges[i].place};
		err = device_hook_msr(dev, mtrr_fixed_ranges[i].first, mtrr_fixed_ranges[i].count,
				      &mtrr_fixed_ops, &mtrr->fixed[i]);
	}
	return err;
}

static int mtrr_create(struct device *dev, const struct device_config *config __unused)
{
	int err = 0;

	dev->state = kzalloc(sizeof(struct mtrr));
	if (!dev->state)
		return -ENOMEM;
	mtrr_reset(dev);
	for (size_t i = 0; i < ARRAY_SIZE(mtrr_hooks) && !err; i++)
		err = device_hook_msr(dev, mtrr_hooks[i].first, mtrr_hooks[i].count,
				      mtrr_hooks[i].ops, dev->state);
	return err ? err : mtrr_hook_fixed(dev);
}

MACHINE_PART(mtrr_pc, .machine = "pc", .text = "[device \"mtrr0\"]\ntype = mtrr\n");
MACHINE_PART(mtrr_none, .machine = "none", .text = "[device \"mtrr0\"]\ntype = mtrr\n");

DEVICE_TYPE(mtrr_type, .name = "mtrr", .help = "the processors' memory type range registers",
	    .fixed = true, .create = mtrr_create, .destroy = mtrr_destroy, .reset = mtrr_reset,
	    .saved = &mtrr_saved);
