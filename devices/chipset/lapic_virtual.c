/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In x2APIC mode, the local APIC's busiest part may be the CPU's own work
 * (hv_ops->virtualize_apic): TPR, EOI and SELF IPI do not exit, and what is
 * requested is taken when the guest can. Then requests, what is in service,
 * TPR and PPR are in the page that the CPU keeps them in; lapic->irr is where
 * others leave requests until the vCPU's own CPU passes them on, which is
 * between two runs of the guest, so nothing else touches the page then.
 */
#include "devices/chipset/lapic.h"

#include "vmm/hv_ops.h"
#include "vmm/irq.h"

static uint32_t *lapic_word(const struct lapic *l, unsigned reg)
{
	return &l->page[reg * 4];
}

/* The highest of 256 bits from register @first on; 0: none (vectors begin with 16). */
static uint8_t lapic_word_highest(const struct lapic *l, unsigned first)
{
	const uint32_t *word = lapic_word(l, first);

	for (unsigned i = 8; i-- > 0;)
		if (word[i * 4])
			return (uint8_t)(i * 32 + 31 - (unsigned)__builtin_clz(word[i * 4]));
	return 0;
}

static void lapic_word_or(struct lapic *l, unsigned first, unsigned i, uint64_t bits)
{
	*lapic_word(l, first + 2 * i) |= (uint32_t)bits;
	*lapic_word(l, first + 2 * i + 1) |= (uint32_t)(bits >> 32);
}

/* True: there were any. */
static bool lapic_pass_requests(struct lapic *l)
{
	uint64_t bits, any = 0;
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (!READ_ONCE(l->irr[i]))
			continue;
		bits = __atomic_exchange_n(&l->irr[i], 0, __ATOMIC_ACQUIRE);
		lapic_word_or(l, APIC_IRR, i, bits);
		any |= bits;
	}
	return any;
}

void lapic_virtualize(struct lapic *l, bool on)
{
	uint32_t tpr = lapic_tpr(l);
	unsigned i;

	l->page = hv_ops->virtualize_apic(l->vcpu, on);
	if (!l->page)
		return;
	lapic_hold(l, 0);
	*lapic_word(l, APIC_TPR) = tpr;
	for (i = 0; i < 8; i++)
		*lapic_word(l, APIC_IRR + i) = *lapic_word(l, APIC_ISR + i) = 0;
	for (i = 0; i < 4; i++) {
		lapic_word_or(l, APIC_ISR, i, l->isr[i]);
		l->isr[i] = 0;
	}
	l->nesting = 0;
	hv_ops->update_apic(l->vcpu, 0, lapic_word_highest(l, APIC_ISR), l->tmr);
}

int lapic_pending_virtual(struct lapic *l)
{
	bool any = lapic_pass_requests(l), halted = l->vcpu->state == VCPU_HALTED;
	int ext = lapic_pending_ext(l);
	uint8_t requested, busy;

	if (!any && !halted)
		return ext;
	requested = lapic_word_highest(l, APIC_IRR);
	busy = lapic_word_highest(l, APIC_ISR);
	if (any)
		hv_ops->update_apic(l->vcpu, requested, busy, l->tmr);
	if (ext >= 0 || !halted)
		return ext;
	busy = MAX(busy, (uint8_t)*lapic_word(l, APIC_TPR));
	return requested >> 4 > busy >> 4 ? IRQ_BY_CPU : -1;
}

void lapic_take_back(struct lapic *l)
{
	for (unsigned i = 0; i < 4; i++) {
		uint32_t *irr = lapic_word(l, APIC_IRR + 2 * i);
		const uint32_t *isr = lapic_word(l, APIC_ISR + 2 * i);

		__atomic_fetch_or(&l->irr[i], irr[0] | (uint64_t)irr[4] << 32, __ATOMIC_RELAXED);
		irr[0] = irr[4] = 0;
		l->isr[i] = isr[0] | (uint64_t)isr[4] << 32;
	}
	l->tpr = *lapic_word(l, APIC_TPR);
	hv_ops->update_apic(l->vcpu, 0, lapic_word_highest(l, APIC_ISR), l->tmr);
	vcpu_request(l->vcpu, VCPU_REQ_IRQ);
}

/* Of IRR, what others have just left is seen, too: a request to pass it on is under way. */
bool lapic_read_virtual(const struct lapic *l, unsigned reg, uint32_t *value)
{
	switch (reg) {
	case APIC_IRR ... APIC_IRR + 7:
		*value = *lapic_word(l, reg) | lapic_slice(l->irr, reg - APIC_IRR);
		return true;
	case APIC_TPR:
	case APIC_PPR:
	case APIC_ISR ... APIC_ISR + 7:
		*value = *lapic_word(l, reg);
		return true;
	}
	return false;
}

/* EOI of a vector that the hardware knows as level-triggered; SELF IPI of a vector below 16. */
void lapic_wrote(void *opaque, struct vcpu *vcpu, unsigned reg, uint32_t value)
{
	struct lapic_set *set = opaque;
	struct lapic *l = vcpu->intc;
	uint8_t vector = (uint8_t)value;

	if (reg == APIC_SELF_IPI)
		lapic_error(l, APIC_ESR_SEND_VECTOR);
	else if (reg == APIC_EOI && (READ_ONCE(l->tmr[vector / 64]) & BIT(vector % 64)))
		irq_broadcast_eoi(set->vm, vector);
}
