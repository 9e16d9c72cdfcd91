/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts inside a VM. Devices raise lines (GSIs) or send messages; the
 * chips that a VM has (8259 pair, I/O APIC) register as sinks of the lines,
 * and one controller (the local APICs, or the 8259 alone) answers what a
 * vCPU should take. Lines are wire-ORed: high while any user asserts.
 */
#ifndef VMM_IRQ_H
#define VMM_IRQ_H

#include "kernel/spinlock.h"
#include "lib/compiler.h"
#include "lib/list.h"

#include <stdbool.h>
#include <stdint.h>

#define IRQ_LINES	   24 /* GSIs 0-23 */
#define IRQ_LINE_USERS_MAX 32
#define IRQ_SINKS_MAX	   4

struct vcpu;
struct vm;

/*
 * A chip that sees the level of lines. Devices raise ISA IRQ n as line n, IRQ
 * 0 too: the I/O APIC itself has line 0 on its pin 2.
 */
struct irq_sink {
	/* Under the line's lock; takes the chip's own lock. */
	void (*set)(void *opaque, unsigned line, bool level);
	/* The guest ended level-triggered vector @vector at a local APIC. No lock held. NULL: the
	 * chip has its own way. */
	void (*eoi)(void *opaque, uint8_t vector);
	void *opaque;
};

/* irq_pending(): the hardware delivers it as soon as the guest runs (hv_ops->virtualize_apic). */
#define IRQ_BY_CPU (-2)

/* The interrupt controller of vCPUs: exactly one per VM. */
struct irq_controller_ops {
	/*
	 * The vector that @vcpu should take now (priority and TPR considered), or -1; IRQ_BY_CPU
	 * when it is halted and has one to take that is not for us to deliver. Own CPU.
	 * One that CR8 holds back is told to hv_ops->set_tpr_threshold(): when the guest lowers
	 * CR8, this is asked again.
	 */
	int (*pending)(void *opaque, struct vcpu *vcpu);
	/* VM_EXIT_APIC. Own CPU. */
	void (*wrote)(void *opaque, struct vcpu *vcpu, unsigned reg, uint32_t value);
	/* @vector is being delivered. Own CPU. */
	void (*accept)(void *opaque, struct vcpu *vcpu, uint8_t vector);
	/* A message-signalled interrupt (APM vol. 2, 16.11; SDM vol. 3A, 11.11). Any CPU. */
	void (*message)(void *opaque, uint64_t address, uint32_t data);
	/* VCPU_REQ_TIMER was seen. Own CPU. */
	void (*timer)(void *opaque, struct vcpu *vcpu);
	/* The vCPU goes to the reset state (INIT). Own CPU or vCPU not runnable. */
	void (*reset)(void *opaque, struct vcpu *vcpu);
	/* The 8259 pair's output changed (ExtINT). Any CPU, the chip's lock is held. */
	void (*ext)(void *opaque, bool level);
};

/*
 * The 8259 pair as a source of vectors. Where there is a controller, it asks
 * for them (ExtINT); without one, vCPU 0 takes them as they come.
 */
struct irq_ext_ops {
	/* The vector that an acknowledge would give now, or -1 with the output low. Any CPU. */
	int (*peek)(void *opaque);
	/* The CPU acknowledges and takes @vector, which peek() gave. */
	void (*ack)(void *opaque, uint8_t vector);
};

/* One user of a line; embedded in a device's resource. */
struct irq_line {
	struct vm *vm;
	unsigned gsi;
	bool level;		   /* what this user asserts; under the line's lock */
	bool attached;		   /* under the line's lock */
	void (*eoi)(void *opaque); /* or NULL: called after the guest's EOI of a level interrupt */
	void *opaque;
	struct list_head link;
};

/* vm->irq. */
int irq_create(struct vm *vm) __must_check;
void irq_destroy(struct vm *vm);

/* Chips: -EBUSY when there is a controller already. */
int irq_set_controller(struct vm *vm, const struct irq_controller_ops *ops,
		       void *opaque) __must_check;
void irq_clear_controller(struct vm *vm);
/* The sink hears at once of the lines that are high. -ENOSPC: IRQ_SINKS_MAX. */
int irq_add_sink(struct vm *vm, struct irq_sink *sink) __must_check;
/* The sink stays until a grace period has passed. */
void irq_remove_sink(struct vm *vm, struct irq_sink *sink);
/* A chip, with none of its locks held, tells that the guest ended a level-triggered interrupt of
 * @line. */
void irq_line_eoi(struct vm *vm, unsigned line);
/* A local APIC tells all sinks of the end of a level-triggered vector. No lock held. */
void irq_broadcast_eoi(struct vm *vm, uint8_t vector);

/* The 8259 pair. -EBUSY: there is one already. */
int irq_set_ext(struct vm *vm, const struct irq_ext_ops *ops, void *opaque) __must_check;
void irq_clear_ext(struct vm *vm);
/* Its output changed: to the controller, or VCPU_REQ_IRQ for vCPU 0. */
void irq_ext_changed(struct vm *vm, bool level);
/* Controllers: what the 8259 pair offers (-1: nothing), and taking it. */
int irq_ext_peek(struct vm *vm);
void irq_ext_ack(struct vm *vm, uint8_t vector);

/* Devices (through device_irq()): 0, or -EINVAL (no such line), -ENOSPC (IRQ_LINE_USERS_MAX). */
int irq_line_attach(struct vm *vm, struct irq_line *line, unsigned gsi) __must_check;
/* Lowers it for good: a handler that is still on its way with it changes nothing any more. */
void irq_line_detach(struct irq_line *line);
/* Any CPU; device locks may be held. Nothing happens when the level is the same. */
void irq_line_set(struct irq_line *line, bool level);
/* Of a VM that is being restored: no chip is told until irq_lines_tell(). */
void irq_line_restore(struct irq_line *line, bool level);
/* The chips hear of no line any more: when it returns, they are told nothing. Task. */
void irq_lines_freeze(struct vm *vm);
/* They hear of all, frozen or not: levels as they are, and edges that they have missed. Task. */
void irq_lines_tell(struct vm *vm);
/* Edge: up and down. */
void irq_line_pulse(struct irq_line *line);
void irq_message(struct vm *vm, uint64_t address, uint32_t data);

/* For a person: how many use line @gsi; *@asserting: how many of them hold it high. */
unsigned irq_line_users(struct vm *vm, unsigned gsi, unsigned *asserting);

/* Run loop: see vmm/run.c. */
int irq_pending(struct vcpu *vcpu);
void irq_accept(struct vcpu *vcpu, uint8_t vector);
void irq_wrote(struct vcpu *vcpu, unsigned reg, uint32_t value); /* VM_EXIT_APIC */
void irq_timer(struct vcpu *vcpu);				 /* VCPU_REQ_TIMER */
void irq_reset(struct vcpu *vcpu);				 /* VCPU_REQ_RESET */

#endif
