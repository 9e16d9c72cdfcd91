/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APICs: one for each vCPU, xAPIC and x2APIC; together they are the VM's
 * interrupt controller.
 *
 * Spec: SDM vol. 3A, 11; APM vol. 2, 16.
 * Keys: none. The APIC id is the vCPU's number and cannot be changed.
 * Lock: none; see struct lapic.
 *
 * The page stays at 0xfee00000: a write of IA32_APIC_BASE that moves it is #GP.
 * After reset vCPU 0 is as firmware leaves it, in virtual wire mode (MP
 * specification 1.4, 3.6.2.2): the 8259's interrupts pass through LINT0.
 */
#include "devices/chipset/lapic.h"

#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/hv_ops.h"
#include "vmm/vm_config.h"

#include <errno.h>

void lapic_accept(struct lapic *l, uint8_t vector, bool level)
{
	uint64_t bit = BIT(vector % 64);
	unsigned word = vector / 64;

	/* What EOI has to do is known before the vector can be taken. */
	if (unlikely(level))
		__atomic_fetch_or(&l->tmr[word], bit, __ATOMIC_RELAXED);
	else if (unlikely(READ_ONCE(l->tmr[word]) & bit))
		__atomic_fetch_and(&l->tmr[word], ~bit, __ATOMIC_RELAXED);
	if (!(__atomic_fetch_or(&l->irr[word], bit, __ATOMIC_RELEASE) & bit))
		vcpu_request(l->vcpu, VCPU_REQ_IRQ);
}

void lapic_error(struct lapic *l, uint32_t error)
{
	__atomic_fetch_or(&l->errors, error, __ATOMIC_RELAXED);
	lapic_lvt_fire(l, LVT_ERROR);
}

void lapic_lvt_fire(struct lapic *l, enum lapic_lvt lvt)
{
	uint32_t entry = READ_ONCE(l->lvt[lvt]);
	uint8_t vector = entry & APIC_VECTOR_MASK;

	if (entry & APIC_LVT_MASKED)
		return;
	switch ((entry & APIC_MODE_MASK) >> APIC_MODE_SHIFT) {
	case APIC_FIXED:
		if (vector >= APIC_FIRST_VECTOR)
			lapic_accept(l, vector, false);
		else if (lvt != LVT_ERROR)
			lapic_error(l, APIC_ESR_RECEIVE_VECTOR);
		break;
	case APIC_NMI:
		vcpu_request(l->vcpu, VCPU_REQ_NMI);
		break;
	}
}

/* The 8259's vectors come in by LINT0, or by the CPU's own pin when the APIC is off. */
static bool lapic_takes_ext(const struct lapic *l)
{
	uint32_t lint0 = READ_ONCE(l->lvt[LVT_LINT0]);

	if (!lapic_enabled(l))
		return l->vcpu->index == 0;
	return (lint0 & (APIC_LVT_MASKED | APIC_MODE_MASK)) == APIC_EXTINT << APIC_MODE_SHIFT;
}

int lapic_pending_ext(struct lapic *l)
{
	int vector;

	if (!(READ_ONCE(l->set->ext_level) && lapic_takes_ext(l)) && !READ_ONCE(l->ext_message))
		return -1;
	vector = irq_ext_peek(l->set->vm);
	l->ext_offered = vector >= 0;
	return vector;
}

/* A write of CR8 exits only while something waits for it to be lower. */
__noinline void lapic_hold(struct lapic *l, uint8_t class)
{
	l->held = class;
	hv_ops->set_tpr_threshold(l->vcpu, class);
}

static int lapic_pending(void *opaque __unused, struct vcpu *vcpu)
{
	struct lapic *l = vcpu->intc;
	int vector = lapic_highest(l->irr);
	uint8_t held = 0;

	l->ext_offered = false;
	if (unlikely(l->page))
		return lapic_pending_virtual(l);
	/* Its class must be above that of what is in service and of TPR (11.8.3). */
	if (likely(vector >= 0 && vector >> 4 > lapic_in_service(l) >> 4 && lapic_enabled(l))) {
		if ((uint64_t)vector >> 4 <= hv_ops->get_reg(vcpu, VCPU_CR8)) {
			held = (uint8_t)(vector >> 4);
			vector = -1;
		}
	} else {
		vector = -1;
	}
	if (unlikely(l->held != held))
		lapic_hold(l, held);
	return likely(vector >= 0) ? vector : lapic_pending_ext(l);
}

static void lapic_accepted(void *opaque, struct vcpu *vcpu, uint8_t vector)
{
	struct lapic_set *set = opaque;
	struct lapic *l = vcpu->intc;
	uint64_t bit = BIT(vector % 64);

	if (unlikely(l->ext_offered)) {
		l->ext_offered = false;
		WRITE_ONCE(l->ext_message, 0);
		irq_ext_ack(set->vm, vector);
		/* It leaves nothing in service here: more may follow. */
		vcpu_request(vcpu, VCPU_REQ_IRQ);
		return;
	}
	__atomic_fetch_and(&l->irr[vector / 64], ~bit, __ATOMIC_RELAXED);
	l->isr[vector / 64] |= bit;
	l->in_service[++l->nesting] = vector;
}

void lapic_eoi(struct lapic *l)
{
	unsigned vector = (unsigned)lapic_in_service(l), word = vector / 64;
	uint64_t bit = BIT(vector % 64);

	if (unlikely(!l->nesting))
		return;
	l->nesting--;
	l->isr[word] &= ~bit;
	if (unlikely(READ_ONCE(l->tmr[word]) & bit))
		irq_broadcast_eoi(l->set->vm, (uint8_t)vector);
	lapic_look(l);
}

static int lapic_eoi_write(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			   unsigned width __unused, uint64_t value)
{
	struct lapic *l = vcpu->intc;

	if (unlikely(!lapic_x2(l) || value))
		return -EINVAL;
	lapic_eoi(l);
	return 0;
}

const struct hook_ops lapic_eoi_ops = {.write = lapic_eoi_write};

static int lapic_self_write(void *opaque __unused, struct vcpu *vcpu, uint64_t offset __unused,
			    unsigned width __unused, uint64_t value)
{
	struct lapic *l = vcpu->intc;

	if (unlikely(!lapic_x2(l) || value > UINT8_MAX))
		return -EINVAL;
	if (unlikely(value < APIC_FIRST_VECTOR))
		lapic_error(l, APIC_ESR_SEND_VECTOR);
	else if (l->svr & APIC_SVR_ENABLE)
		lapic_accept(l, (uint8_t)value, false);
	return 0;
}

const struct hook_ops lapic_self_ops = {.write = lapic_self_write};

/* SDM vol. 3A, 11.4.7.1 and 11.4.7.3. */
void lapic_init(struct lapic *l)
{
	unsigned i;

	lapic_timer_stop(l);
	for (i = 0; i < 4; i++) {
		WRITE_ONCE(l->irr[i], 0);
		WRITE_ONCE(l->tmr[i], 0);
		l->isr[i] = 0;
	}
	for (i = 0; i < LAPIC_LVTS; i++)
		l->lvt[i] = APIC_LVT_MASKED;
	if (l->vcpu->index == 0)
		l->lvt[LVT_LINT0] = APIC_EXTINT << APIC_MODE_SHIFT;
	l->in_service[0] = -1;
	l->nesting = 0;
	l->svr = APIC_VECTOR_MASK;
	l->dfr = UINT32_MAX;
	if (!lapic_x2(l))
		l->ldr = 0;
	l->esr = l->errors = l->icr = l->icr2 = l->tdcr = 0;
	l->ext_offered = false;
	l->ext_message = 0;
	l->tpr = 0;
	lapic_hold(l, 0);
	hv_ops->set_reg(l->vcpu, VCPU_CR8, 0);
	lapic_virtualize(l, lapic_x2(l));
}

static void lapic_timer_due(void *opaque __unused, struct vcpu *vcpu)
{
	lapic_timer_check(vcpu->intc);
}

static void lapic_vcpu_reset(void *opaque __unused, struct vcpu *vcpu)
{
	lapic_init(vcpu->intc);
}

static void lapic_ext(void *opaque, bool level)
{
	struct lapic_set *set = opaque;
	bool rising = level && !set->ext_level;
	uint32_t i;

	WRITE_ONCE(set->ext_level, level);
	for (i = 0; rising && i < set->count; i++) {
		if (lapic_takes_ext(&set->apics[i]))
			vcpu_request(set->apics[i].vcpu, VCPU_REQ_IRQ);
		else if (lapic_enabled(&set->apics[i]))
			lapic_lvt_fire(&set->apics[i], LVT_LINT0);
	}
}

static const struct irq_controller_ops lapic_controller = {
	.pending = lapic_pending,
	.wrote = lapic_wrote,
	.accept = lapic_accepted,
	.message = lapic_msi,
	.timer = lapic_timer_due,
	.reset = lapic_vcpu_reset,
	.ext = lapic_ext,
};

static void lapic_reset(struct device *dev)
{
	struct lapic_set *set = dev->state;
	uint32_t i;

	for (i = 0; i < set->count; i++) {
		set->apics[i].base = APIC_DEFAULT_BASE | APIC_BASE_EN | (i ? 0 : APIC_BASE_BSP);
		lapic_init(&set->apics[i]);
	}
}

static void lapic_destroy(struct device *dev)
{
	struct lapic_set *set = dev->state;
	uint32_t i;

	for (i = 0; i < set->count; i++) {
		timer_cancel_sync(&set->apics[i].timer);
		set->apics[i].vcpu->intc = NULL;
	}
	kfree(set);
}

static int lapic_create(struct device *dev, const struct device_config *config __unused)
{
	struct vm *vm = dev->vm;
	struct lapic_set *set = kzalloc(sizeof(*set) + vm->vcpu_count * sizeof(set->apics[0]));
	uint32_t i;
	int err;

	if (!set)
		return -ENOMEM;
	dev->state = set;
	set->vm = vm;
	set->count = vm->vcpu_count;
	for (i = 0; i < set->count; i++) {
		set->apics[i].vcpu = vm->vcpus[i];
		set->apics[i].set = set;
		lapic_timer_init(&set->apics[i]);
		vm->vcpus[i]->intc = &set->apics[i];
	}
	lapic_reset(dev);
	set->acpi.address = (uint32_t)APIC_DEFAULT_BASE;
	err = device_provide(dev, ACPI_LAPIC_KIND, &set->acpi);
	if (!err)
		err = device_hook_memory(dev, APIC_DEFAULT_BASE, APIC_MMIO_SIZE, HOOK_MEMORY_FULL,
					 &lapic_mmio_ops, set);
	if (!err)
		err = lapic_hook_msrs(dev);
	if (!err)
		err = device_irq_controller(dev, &lapic_controller, set);
	return err;
}

MACHINE_PART(lapic_part, .machine = "pc", .text = "[device \"lapic\"]\ntype = lapic\n");

DEVICE_TYPE(lapic_type, .name = "lapic", .help = "local APICs, one for each vCPU", .fixed = true,
	    .create = lapic_create, .destroy = lapic_destroy, .reset = lapic_reset,
	    .saved = &lapic_saved);
