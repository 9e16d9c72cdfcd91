/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's registers, and the page that shows them in xAPIC mode (SDM
 * vol. 3A, table 11-1). All on the vCPU's own CPU.
 */
#include "devices/chipset/lapic.h"

#include "vmm/hv_ops.h"

#include <errno.h>

/* What can be written of each LVT entry; delivery status and remote IRR read 0. */
static const uint32_t lapic_lvt_masks[LAPIC_LVTS] = {
	[LVT_TIMER] = APIC_VECTOR_MASK | APIC_LVT_MASKED | APIC_LVT_TIMER_MODE_MASK,
	[LVT_THERMAL] = APIC_VECTOR_MASK | APIC_MODE_MASK | APIC_LVT_MASKED,
	[LVT_PERF] = APIC_VECTOR_MASK | APIC_MODE_MASK | APIC_LVT_MASKED,
	[LVT_LINT0] = APIC_VECTOR_MASK | APIC_MODE_MASK | APIC_LVT_POLARITY | APIC_LVT_LEVEL |
		      APIC_LVT_MASKED,
	[LVT_LINT1] = APIC_VECTOR_MASK | APIC_MODE_MASK | APIC_LVT_POLARITY | APIC_LVT_LEVEL |
		      APIC_LVT_MASKED,
	[LVT_ERROR] = APIC_VECTOR_MASK | APIC_LVT_MASKED,
};

/* CR8 is TPR's upper half (11.8.6); the guest writes either. */
uint32_t lapic_tpr(struct lapic *l)
{
	uint32_t cr8 = (uint32_t)hv_ops->get_reg(l->vcpu, VCPU_CR8);

	if (l->tpr >> 4 != cr8)
		l->tpr = cr8 << 4;
	return l->tpr;
}

/* Lower, it may let something pass. Many writes change nothing. */
static __always_inline void lapic_write_tpr(struct lapic *l, uint64_t value)
{
	l->tpr = (uint32_t)value;
	if (likely(hv_ops->get_reg(l->vcpu, VCPU_CR8) == l->tpr >> 4))
		return;
	hv_ops->set_reg(l->vcpu, VCPU_CR8, l->tpr >> 4);
	lapic_look(l);
}

static int lapic_tpr_read(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			  unsigned width __unused, uint64_t *value)
{
	struct lapic *l = vcpu->intc;

	*value = lapic_tpr(l);
	return lapic_x2(l) ? 0 : -EINVAL;
}

static int lapic_tpr_write(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			   unsigned width __unused, uint64_t value)
{
	struct lapic *l = vcpu->intc;

	if (unlikely(!lapic_x2(l) || value > UINT8_MAX))
		return -EINVAL;
	lapic_write_tpr(l, value);
	return 0;
}

const struct hook_ops lapic_tpr_ops = {.read = lapic_tpr_read, .write = lapic_tpr_write};

/* 11.8.3.1. */
static uint32_t lapic_ppr(struct lapic *l)
{
	uint32_t tpr = lapic_tpr(l);
	uint32_t isrv = l->nesting ? (uint32_t)lapic_in_service(l) & 0xf0 : 0;

	return (tpr & 0xf0) >= isrv ? tpr : isrv;
}

static void lapic_write_lvt(struct lapic *l, enum lapic_lvt lvt, uint32_t value)
{
	value &= lapic_lvt_masks[lvt];
	if (!(l->svr & APIC_SVR_ENABLE))
		value |= APIC_LVT_MASKED;
	if (lvt == LVT_TIMER)
		lapic_timer_set_lvt(l, value);
	else
		WRITE_ONCE(l->lvt[lvt], value);
	if (lvt == LVT_LINT0) /* the 8259 may have been waiting for it */
		vcpu_request(l->vcpu, VCPU_REQ_IRQ);
}

/* Software-disabling masks all LVT entries (11.4.7.2). */
static void lapic_write_svr(struct lapic *l, uint32_t value)
{
	unsigned i;

	WRITE_ONCE(l->svr, value & APIC_SVR_MASK);
	for (i = 0; !(value & APIC_SVR_ENABLE) && i < LAPIC_LVTS; i++)
		lapic_write_lvt(l, i, l->lvt[i]);
}

int lapic_read_reg(struct lapic *l, unsigned reg, uint32_t *value)
{
	if (unlikely(l->page) && lapic_read_virtual(l, reg, value))
		return 0;
	switch (reg) {
	case APIC_ID:
		*value = lapic_x2(l) ? l->vcpu->index : l->vcpu->index << 24;
		return 0;
	case APIC_VERSION:
		*value = APIC_VERSION_VALUE;
		return 0;
	case APIC_TPR:
		*value = lapic_tpr(l);
		return 0;
	case APIC_PPR:
		*value = lapic_ppr(l);
		return 0;
	case APIC_LDR:
		*value = l->ldr;
		return 0;
	case APIC_SVR:
		*value = l->svr;
		return 0;
	case APIC_ISR ... APIC_ISR + 7:
		*value = lapic_slice(l->isr, reg - APIC_ISR);
		return 0;
	case APIC_TMR ... APIC_TMR + 7:
		*value = lapic_slice(l->tmr, reg - APIC_TMR);
		return 0;
	case APIC_IRR ... APIC_IRR + 7:
		*value = lapic_slice(l->irr, reg - APIC_IRR);
		return 0;
	case APIC_ESR:
		*value = l->esr;
		return 0;
	case APIC_ICR:
		*value = l->icr;
		return 0;
	case APIC_LVT_TIMER ... APIC_LVT_LAST:
		*value = l->lvt[reg - APIC_LVT_TIMER];
		return 0;
	case APIC_TMICT:
		*value = l->tmict;
		return 0;
	case APIC_TMCCT:
		*value = lapic_timer_current(l);
		return 0;
	case APIC_TDCR:
		*value = l->tdcr;
		return 0;
	}
	return -ENOENT;
}

int lapic_write_reg(struct lapic *l, unsigned reg, uint32_t value)
{
	switch (reg) {
	case APIC_TPR:
		lapic_write_tpr(l, (uint8_t)value);
		return 0;
	case APIC_EOI:
		lapic_eoi(l);
		return 0;
	case APIC_SVR:
		lapic_write_svr(l, value);
		return 0;
	case APIC_ESR:
		l->esr = __atomic_exchange_n(&l->errors, 0, __ATOMIC_RELAXED);
		return 0;
	case APIC_LVT_TIMER ... APIC_LVT_LAST:
		lapic_write_lvt(l, reg - APIC_LVT_TIMER, value);
		return 0;
	case APIC_TMICT:
		lapic_timer_set_count(l, value);
		return 0;
	case APIC_TDCR:
		lapic_timer_set_divide(l, value);
		return 0;
	}
	return -ENOENT;
}

/* Some are written in xAPIC mode only; writes of those that are read-only go nowhere. */
static int lapic_write_xapic(struct lapic *l, unsigned reg, uint32_t value)
{
	switch (reg) {
	case APIC_ICR:
		l->icr = value & APIC_ICR_MASK;
		lapic_send(l, l->icr, l->icr2 >> 24);
		return 0;
	case APIC_ICR2:
		l->icr2 = value & 0xff000000;
		return 0;
	case APIC_LDR:
		WRITE_ONCE(l->ldr, value & 0xff000000);
		return 0;
	case APIC_DFR:
		WRITE_ONCE(l->dfr, value | 0x0fffffff);
		return 0;
	case APIC_ID ... APIC_VERSION:
	case APIC_APR ... APIC_PPR:
	case APIC_RRD:
	case APIC_ISR ... APIC_IRR + 7:
	case APIC_TMCCT:
		return 0;
	}
	return lapic_write_reg(l, reg, value);
}

static int lapic_read_xapic(struct lapic *l, unsigned reg, uint32_t *value)
{
	switch (reg) {
	case APIC_DFR:
		*value = l->dfr;
		return 0;
	case APIC_ICR2:
		*value = l->icr2;
		return 0;
	case APIC_APR:
	case APIC_EOI:
	case APIC_RRD:
		*value = 0;
		return 0;
	}
	return lapic_read_reg(l, reg, value);
}

/* Whole registers are what is defined (11.4.1); a part of one reads as memory would. */
static int lapic_mmio_read(void *opaque __unused, struct vcpu *vcpu, uint64_t offset,
			   unsigned width, uint64_t *value)
{
	struct lapic *l = vcpu->intc;
	unsigned byte = offset & 15;
	uint32_t reg = 0;

	*value = UINT64_MAX;
	if (!lapic_enabled(l) || lapic_x2(l))
		return 0;
	*value = 0;
	if (byte >= 4 || (byte && byte + width > 4))
		return 0;
	if (lapic_read_xapic(l, (unsigned)(offset >> 4), &reg))
		lapic_error(l, APIC_ESR_REGISTER);
	*value = reg >> (8 * byte);
	return 0;
}

static int lapic_mmio_write(void *opaque __unused, struct vcpu *vcpu, uint64_t offset,
			    unsigned width, uint64_t value)
{
	struct lapic *l = vcpu->intc;

	if (unlikely(!lapic_enabled(l) || lapic_x2(l) || (offset & 15) || width < 4))
		return 0;
	if (offset >> 4 == APIC_EOI)
		lapic_eoi(l);
	else if (lapic_write_xapic(l, (unsigned)(offset >> 4), (uint32_t)value))
		lapic_error(l, APIC_ESR_REGISTER);
	return 0;
}

const struct hook_ops lapic_mmio_ops = {.read = lapic_mmio_read, .write = lapic_mmio_write};
