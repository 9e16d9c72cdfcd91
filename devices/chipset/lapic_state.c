/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a checkpoint has of local APICs. Where the CPU keeps a part of one
 * (lapic_virtual.c), it is brought back here first, because the next machine
 * may not do that.
 */
#include "devices/chipset/lapic.h"

#include "vmm/device_state.h"

static const struct device_field lapic_fields[] = {
	DEVICE_FIELD(struct lapic, irr),
	DEVICE_FIELD(struct lapic, isr),
	DEVICE_FIELD(struct lapic, tmr),
	DEVICE_FIELD(struct lapic, base),
	DEVICE_FIELD(struct lapic, tpr, .max = UINT8_MAX),
	DEVICE_FIELD(struct lapic, svr, .max = APIC_SVR_MASK),
	DEVICE_FIELD(struct lapic, ldr),
	DEVICE_FIELD(struct lapic, dfr),
	DEVICE_FIELD(struct lapic, esr),
	DEVICE_FIELD(struct lapic, errors),
	DEVICE_FIELD(struct lapic, icr),
	DEVICE_FIELD(struct lapic, icr2),
	DEVICE_FIELD(struct lapic, lvt),
	DEVICE_FIELD(struct lapic, ext_message),
	DEVICE_FIELD(struct lapic, counting),
	DEVICE_FIELD(struct lapic, tmict),
	DEVICE_FIELD(struct lapic, tdcr, .max = APIC_TDCR_MASK),
	DEVICE_FIELD(struct lapic, next_ns),
	DEVICE_FIELD(struct lapic, deadline),
	{},
};

static void lapic_pre_save(void *state)
{
	struct lapic *l = state;

	l->tpr = lapic_tpr(l);
	if (l->page)
		lapic_take_back(l);
}

/* One vector of a class is in service at most: the next one waits for its end (11.8.3). */
static bool lapic_isr_valid(const struct lapic *l)
{
	for (unsigned class = 0; class <= LAPIC_NESTING; class ++) {
		uint64_t bits = l->isr[class / 4] >> class % 4 * 16 & 0xffff;

		if ((bits & (bits - 1)) || (bits && !class))
			return false;
	}
	return true;
}

static const char *lapic_check(const void *state)
{
	const struct lapic *l = state;
	uint64_t mode = l->base & (APIC_BASE_EN | APIC_BASE_EXTD);

	if ((l->base & ~(APIC_BASE_EN | APIC_BASE_EXTD)) !=
		    (APIC_DEFAULT_BASE | (l->vcpu->index ? 0 : APIC_BASE_BSP)) ||
	    mode == APIC_BASE_EXTD)
		return "base";
	if (l->irr[0] & 0xffff)
		return "irr";
	return lapic_isr_valid(l) ? NULL : "isr";
}

/* The vCPU has its CR8 already. Its timer is armed, and what waits is looked at, when it runs. */
static const char *lapic_post_load(void *state)
{
	struct lapic *l = state;

	l->nesting = 0;
	for (int vector = APIC_FIRST_VECTOR; vector <= UINT8_MAX; vector++)
		if (l->isr[vector / 64] & BIT(vector % 64))
			l->in_service[++l->nesting] = (int16_t)vector;
	l->ext_offered = false;
	lapic_hold(l, 0);
	lapic_virtualize(l, lapic_x2(l));
	vcpu_request(l->vcpu, VCPU_REQ_TIMER | VCPU_REQ_IRQ);
	return NULL;
}

static const struct device_state lapic_one_saved = {
	.name = "lapic-one",
	.version = 1,
	.size = sizeof(struct lapic),
	.fields = lapic_fields,
	.pre_save = lapic_pre_save,
	.check = lapic_check,
	.post_load = lapic_post_load,
};

static size_t lapic_set_count(const void *state)
{
	return ((const struct lapic_set *)state)->count;
}

static const struct device_ref lapic_set_apics = {
	.type = &lapic_one_saved,
	.count = lapic_set_count,
};

static const struct device_field lapic_set_fields[] = {
	DEVICE_FIELD(struct lapic_set, ext_level),
	DEVICE_FIELD(struct lapic_set, arbiter),
	DEVICE_FIELD_TAIL(struct lapic_set, apics, &lapic_set_apics),
	{},
};

const struct device_state lapic_saved = {
	.name = "lapic",
	.version = 1,
	.size = sizeof(struct lapic_set),
	.fields = lapic_set_fields,
};
