/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines and messages between devices and interrupt chips.
 *
 * Locks: each line has one; it is taken with a device's lock held, and a
 * chip's lock is taken under it. What chips are there changes only where
 * devices are made and go; the exit path reads it without a lock.
 */
#include "vmm/irq.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>

struct irq_line_state {
	struct spinlock lock;
	struct list_head users; /* struct irq_line */
	unsigned count;		/* of users */
	unsigned asserting;	/* users whose level is high */
	bool frozen;		/* the chips are told nothing … */
	bool rose;		/* … though it has become high since */
};

struct vm_irq {
	struct irq_line_state lines[IRQ_LINES];
	struct irq_sink *sinks[IRQ_SINKS_MAX]; /* NULL: free */
	/* ops is published last and cleared first: with it comes its opaque. */
	const struct irq_controller_ops *controller;
	void *controller_opaque;
	const struct irq_ext_ops *ext;
	void *ext_opaque;
};

int irq_create(struct vm *vm)
{
	struct vm_irq *irq = kzalloc(sizeof(*irq));
	unsigned i;

	if (!irq)
		return -ENOMEM;
	for (i = 0; i < IRQ_LINES; i++)
		list_init(&irq->lines[i].users);
	vm->irq = irq;
	return 0;
}

void irq_destroy(struct vm *vm)
{
	kfree(vm->irq);
	vm->irq = NULL;
}

int irq_set_controller(struct vm *vm, const struct irq_controller_ops *ops, void *opaque)
{
	struct vm_irq *irq = vm->irq;

	if (irq->controller)
		return -EBUSY;
	irq->controller_opaque = opaque;
	grace_publish(irq->controller, ops);
	return 0;
}

void irq_clear_controller(struct vm *vm)
{
	grace_publish(vm->irq->controller, NULL);
}

int irq_set_ext(struct vm *vm, const struct irq_ext_ops *ops, void *opaque)
{
	struct vm_irq *irq = vm->irq;

	if (irq->ext)
		return -EBUSY;
	irq->ext_opaque = opaque;
	grace_publish(irq->ext, ops);
	return 0;
}

void irq_clear_ext(struct vm *vm)
{
	grace_publish(vm->irq->ext, NULL);
}

int irq_add_sink(struct vm *vm, struct irq_sink *sink)
{
	struct vm_irq *irq = vm->irq;
	struct irq_line_state *state;
	unsigned slot, line;

	for (slot = 0; slot < IRQ_SINKS_MAX && irq->sinks[slot]; slot++)
		;
	if (slot == IRQ_SINKS_MAX)
		return -ENOSPC;
	grace_publish(irq->sinks[slot], sink);
	for (line = 0; line < IRQ_LINES; line++) {
		state = &irq->lines[line];
		spin_lock(&state->lock);
		if (state->asserting)
			sink->set(sink->opaque, line, true);
		spin_unlock(&state->lock);
	}
	return 0;
}

void irq_remove_sink(struct vm *vm, struct irq_sink *sink)
{
	unsigned slot;

	for (slot = 0; slot < IRQ_SINKS_MAX; slot++)
		if (vm->irq->sinks[slot] == sink)
			grace_publish(vm->irq->sinks[slot], NULL);
}

/* Under the line's lock. */
static void irq_tell_sinks(struct vm_irq *irq, unsigned line, bool level)
{
	struct irq_sink *sink;
	unsigned slot;

	for (slot = 0; slot < IRQ_SINKS_MAX; slot++) {
		sink = grace_read(irq->sinks[slot]);
		if (sink)
			sink->set(sink->opaque, line, level);
	}
}

int irq_line_attach(struct vm *vm, struct irq_line *line, unsigned gsi)
{
	struct irq_line_state *state;
	int err = -ENOSPC;

	if (gsi >= IRQ_LINES)
		return -EINVAL;
	line->vm = vm;
	line->gsi = gsi;
	line->level = false;
	state = &vm->irq->lines[gsi];
	spin_lock(&state->lock);
	if (state->count < IRQ_LINE_USERS_MAX) {
		state->count++;
		line->attached = true;
		list_add_tail(&line->link, &state->users);
		err = 0;
	}
	spin_unlock(&state->lock);
	return err;
}

/* Under the line's lock. */
static void irq_line_change(struct irq_line *line, struct irq_line_state *state, bool level)
{
	line->level = level;
	if (level ? state->asserting++ != 0 : --state->asserting != 0)
		return;
	if (state->frozen)
		state->rose |= level;
	else
		irq_tell_sinks(line->vm->irq, line->gsi, level);
}

void irq_line_detach(struct irq_line *line)
{
	struct irq_line_state *state = &line->vm->irq->lines[line->gsi];

	spin_lock(&state->lock);
	if (line->level)
		irq_line_change(line, state, false);
	line->attached = false;
	list_del(&line->link);
	state->count--;
	spin_unlock(&state->lock);
}

void irq_line_set(struct irq_line *line, bool level)
{
	struct irq_line_state *state = &line->vm->irq->lines[line->gsi];

	/* The user's own lock keeps its calls apart; most of them change nothing. */
	if (READ_ONCE(line->level) == level)
		return;
	spin_lock(&state->lock);
	if (line->level != level && line->attached)
		irq_line_change(line, state, level);
	spin_unlock(&state->lock);
}

void irq_line_restore(struct irq_line *line, bool level)
{
	struct irq_line_state *state = &line->vm->irq->lines[line->gsi];

	spin_lock(&state->lock);
	state->asserting += level - line->level;
	line->level = level;
	spin_unlock(&state->lock);
}

void irq_lines_freeze(struct vm *vm)
{
	struct irq_line_state *state;

	for (unsigned line = 0; line < IRQ_LINES; line++) {
		state = &vm->irq->lines[line];
		spin_lock(&state->lock);
		state->frozen = true;
		spin_unlock(&state->lock);
	}
}

void irq_lines_tell(struct vm *vm)
{
	struct irq_line_state *state;

	for (unsigned line = 0; line < IRQ_LINES; line++) {
		state = &vm->irq->lines[line];
		spin_lock(&state->lock);
		/* An edge is one also where the line was high before, or is low again. */
		if (state->rose) {
			irq_tell_sinks(vm->irq, line, false);
			irq_tell_sinks(vm->irq, line, true);
		}
		irq_tell_sinks(vm->irq, line, state->asserting);
		state->frozen = state->rose = false;
		spin_unlock(&state->lock);
	}
}

void irq_line_pulse(struct irq_line *line)
{
	irq_line_set(line, true);
	irq_line_set(line, false);
}

/*
 * The callbacks take their devices' locks, which come before the line's: they
 * are gathered under the lock and called without. One whose user is detached
 * meanwhile still finds its device, which stays for a grace period.
 */
void irq_line_eoi(struct vm *vm, unsigned line)
{
	struct {
		void (*eoi)(void *opaque);
		void *opaque;
	} calls[IRQ_LINE_USERS_MAX];
	struct irq_line_state *state = &vm->irq->lines[line];
	struct irq_line *user;
	unsigned i, n = 0;

	spin_lock(&state->lock);
	list_for_each_entry (user, &state->users, link) {
		if (user->eoi) {
			calls[n].eoi = user->eoi;
			calls[n++].opaque = user->opaque;
		}
	}
	spin_unlock(&state->lock);
	for (i = 0; i < n; i++)
		calls[i].eoi(calls[i].opaque);
}

void irq_broadcast_eoi(struct vm *vm, uint8_t vector)
{
	struct irq_sink *sink;
	unsigned slot;

	for (slot = 0; slot < IRQ_SINKS_MAX; slot++) {
		sink = grace_read(vm->irq->sinks[slot]);
		if (sink && sink->eoi)
			sink->eoi(sink->opaque, vector);
	}
}

void irq_message(struct vm *vm, uint64_t address, uint32_t data)
{
	const struct irq_controller_ops *ops = grace_read(vm->irq->controller);

	/* Without a controller a message is a write that nobody answers. */
	if (ops)
		ops->message(vm->irq->controller_opaque, address, data);
}

void irq_ext_changed(struct vm *vm, bool level)
{
	const struct irq_controller_ops *ops = grace_read(vm->irq->controller);

	if (ops)
		ops->ext(vm->irq->controller_opaque, level);
	else if (level && vm->vcpus[0])
		vcpu_request(vm->vcpus[0], VCPU_REQ_IRQ);
}

int irq_ext_peek(struct vm *vm)
{
	const struct irq_ext_ops *ops = grace_read(vm->irq->ext);

	return ops ? ops->peek(vm->irq->ext_opaque) : -1;
}

void irq_ext_ack(struct vm *vm, uint8_t vector)
{
	const struct irq_ext_ops *ops = grace_read(vm->irq->ext);

	if (ops)
		ops->ack(vm->irq->ext_opaque, vector);
}

int irq_pending(struct vcpu *vcpu)
{
	struct vm_irq *irq = vcpu->vm->irq;
	const struct irq_controller_ops *ops = grace_read(irq->controller);

	if (likely(ops))
		return ops->pending(irq->controller_opaque, vcpu);
	return vcpu->index == 0 ? irq_ext_peek(vcpu->vm) : -1;
}

void irq_accept(struct vcpu *vcpu, uint8_t vector)
{
	struct vm_irq *irq = vcpu->vm->irq;
	const struct irq_controller_ops *ops = grace_read(irq->controller);

	if (likely(ops))
		ops->accept(irq->controller_opaque, vcpu, vector);
	else
		irq_ext_ack(vcpu->vm, vector);
}

void irq_wrote(struct vcpu *vcpu, unsigned reg, uint32_t value)
{
	struct vm_irq *irq = vcpu->vm->irq;
	const struct irq_controller_ops *ops = grace_read(irq->controller);

	if (ops)
		ops->wrote(irq->controller_opaque, vcpu, reg, value);
}

void irq_timer(struct vcpu *vcpu)
{
	struct vm_irq *irq = vcpu->vm->irq;
	const struct irq_controller_ops *ops = grace_read(irq->controller);

	if (ops)
		ops->timer(irq->controller_opaque, vcpu);
}

void irq_reset(struct vcpu *vcpu)
{
	struct vm_irq *irq = vcpu->vm->irq;
	const struct irq_controller_ops *ops = grace_read(irq->controller);

	if (ops)
		ops->reset(irq->controller_opaque, vcpu);
}

unsigned irq_line_users(struct vm *vm, unsigned gsi, unsigned *asserting)
{
	struct irq_line_state *line = &vm->irq->lines[gsi];
	unsigned count;

	spin_lock(&line->lock);
	*asserting = line->asserting;
	count = line->count;
	spin_unlock(&line->lock);
	return count;
}
