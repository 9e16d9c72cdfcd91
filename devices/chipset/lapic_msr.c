/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's MSRs: IA32_APIC_BASE, IA32_TSC_DEADLINE and the registers
 * in x2APIC mode (SDM vol. 3A, 11.4.4, 11.5.4.1, 11.12; table 11-6). All on the
 * vCPU's own CPU; an error is #GP(0).
 */
#include "devices/chipset/lapic.h"

#include "vmm/device.h"

#include <errno.h>

/* Reserved bits of LVT entries, ICR and the like are #GP when set (11.12.1.3). */
static const uint32_t lapic_x2_reserved[APIC_SELF_IPI] = {
	[APIC_SVR] = ~APIC_SVR_MASK,
	[APIC_ESR] = UINT32_MAX,
	[APIC_LVT_TIMER] = ~0x710ffu,
	[APIC_LVT_TIMER + LVT_THERMAL] = ~0x117ffu,
	[APIC_LVT_TIMER + LVT_PERF] = ~0x117ffu,
	[APIC_LVT_TIMER + LVT_LINT0] = ~0x1f7ffu,
	[APIC_LVT_TIMER + LVT_LINT1] = ~0x1f7ffu,
	[APIC_LVT_TIMER + LVT_ERROR] = ~0x110ffu,
	[APIC_TDCR] = ~APIC_TDCR_MASK,
};

/* The logical id is made from the id: cluster and bit (11.12.10.2). */
static uint32_t lapic_x2_ldr(const struct lapic *l)
{
	return l->vcpu->index >> 4 << 16 | 1u << (l->vcpu->index & 0xf);
}

static int lapic_base_read(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			   unsigned width __unused, uint64_t *value)
{
	struct lapic *l = vcpu->intc;

	*value = l->base;
	return 0;
}

/* x2APIC is entered from xAPIC and left by disabling only (11.12.5). */
static int lapic_base_write(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			    unsigned width __unused, uint64_t value)
{
	struct lapic *l = vcpu->intc;
	uint64_t old = l->base, mode = value & (APIC_BASE_EN | APIC_BASE_EXTD);

	if ((value & ~(APIC_BASE_BSP | APIC_BASE_EN | APIC_BASE_EXTD)) != APIC_DEFAULT_BASE ||
	    mode == APIC_BASE_EXTD || ((old & APIC_BASE_EXTD) && mode == APIC_BASE_EN) ||
	    (!(old & APIC_BASE_EN) && (mode & APIC_BASE_EXTD)))
		return -EINVAL;
	WRITE_ONCE(l->base, APIC_DEFAULT_BASE | mode | (old & APIC_BASE_BSP));
	if (!mode) {
		lapic_init(l);
	} else if (mode & ~old & APIC_BASE_EXTD) {
		WRITE_ONCE(l->ldr, lapic_x2_ldr(l));
		lapic_virtualize(l, true);
	}
	vcpu_request(vcpu, VCPU_REQ_IRQ);
	return 0;
}

static const struct hook_ops lapic_base_ops = {.read = lapic_base_read, .write = lapic_base_write};

static int lapic_deadline_read(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			       unsigned width __unused, uint64_t *value)
{
	struct lapic *l = vcpu->intc;

	*value = l->deadline;
	return 0;
}

static int lapic_deadline_write(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
				unsigned width __unused, uint64_t value)
{
	lapic_timer_set_deadline(vcpu->intc, value);
	return 0;
}

static const struct hook_ops lapic_deadline_ops = {
	.read = lapic_deadline_read,
	.write = lapic_deadline_write,
};

/* @opaque: the number of the register that the hooked range begins with. */
static int lapic_x2_read(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width __unused,
			 uint64_t *value)
{
	struct lapic *l = vcpu->intc;
	unsigned reg = (unsigned)((uintptr_t)opaque + offset);
	uint32_t low = 0;
	int err = lapic_x2(l) ? lapic_read_reg(l, reg, &low) : -EINVAL;

	*value = low;
	return err;
}

static int lapic_x2_write(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width __unused,
			  uint64_t value)
{
	struct lapic *l = vcpu->intc;
	unsigned reg = (unsigned)((uintptr_t)opaque + offset);

	if (!lapic_x2(l) || reg >= APIC_SELF_IPI || value > UINT32_MAX ||
	    (value & lapic_x2_reserved[reg]))
		return -EINVAL;
	return lapic_write_reg(l, reg, (uint32_t)value);
}

static const struct hook_ops lapic_x2_ops = {.read = lapic_x2_read, .write = lapic_x2_write};

static int lapic_icr_read(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			  unsigned width __unused, uint64_t *value)
{
	struct lapic *l = vcpu->intc;

	*value = (uint64_t)l->icr2 << 32 | l->icr;
	return lapic_x2(l) ? 0 : -EINVAL;
}

static int lapic_icr_write(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			   unsigned width __unused, uint64_t value)
{
	struct lapic *l = vcpu->intc;

	/* Bit 12, delivery status, is gone in this mode but ignored (11.12.9). */
	if (unlikely(!lapic_x2(l) || ((uint32_t)value & ~(APIC_ICR_MASK | 0x1000))))
		return -EINVAL;
	l->icr = (uint32_t)value & APIC_ICR_MASK;
	l->icr2 = (uint32_t)(value >> 32);
	lapic_send(l, l->icr, l->icr2);
	return 0;
}

static const struct hook_ops lapic_icr_ops = {.read = lapic_icr_read, .write = lapic_icr_write};

/* The most frequent accesses have hooks of their own, which lead straight to them. */
int lapic_hook_msrs(struct device *dev)
{
	static const struct {
		uint32_t first, count;
		const struct hook_ops *ops;
	} ranges[] = {
		{0, APIC_TPR, &lapic_x2_ops},
		{APIC_TPR, 1, &lapic_tpr_ops},
		{APIC_TPR + 1, APIC_EOI - APIC_TPR - 1, &lapic_x2_ops},
		{APIC_EOI, 1, &lapic_eoi_ops},
		{APIC_EOI + 1, APIC_ICR - APIC_EOI - 1, &lapic_x2_ops},
		{APIC_ICR, 1, &lapic_icr_ops},
		{APIC_ICR + 1, APIC_SELF_IPI - APIC_ICR - 1, &lapic_x2_ops},
		{APIC_SELF_IPI, 1, &lapic_self_ops},
		{APIC_SELF_IPI + 1, MSR_GUEST_X2APICS - APIC_SELF_IPI - 1, &lapic_x2_ops},
	};
	int err = device_hook_msr(dev, MSR_GUEST_APIC_BASE, 1, &lapic_base_ops, NULL);
	size_t i;

	if (!err)
		err = device_hook_msr(dev, MSR_GUEST_TSC_DEADLINE, 1, &lapic_deadline_ops, NULL);
	for (i = 0; !err && i < ARRAY_SIZE(ranges); i++)
		err = device_hook_msr(dev, MSR_GUEST_X2APIC + ranges[i].first, ranges[i].count,
				      ranges[i].ops, (void *)(uintptr_t)ranges[i].first);
	return err;
}
