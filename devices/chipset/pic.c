/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's pair of 8259A interrupt controllers, with the ELCRs of PCI chipsets.
 *
 * Spec: Intel 8259A data sheet (December 1988); ELCR: 82371AB data sheet, 4.1.4.
 * Keys: none.
 * Lock: lock over both; it is taken under a line's lock. The controller of
 * the vCPUs is told of our output under it.
 *
 * An edge request stays when its line falls: devices pulse their lines.
 */
#include "devices/acpi_node.h"
#include "devices/byte_io.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define PIC_MASTER_IO	0x20
#define PIC_SLAVE_IO	0xa0
#define PIC_ELCR_IO	0x4d0
#define PIC_LINES	16
#define PIC_CASCADE	2
#define PIC_SPURIOUS	7
#define PIC_ELCR_MASTER 0xf8 /* timer, keyboard and cascade are edges */
#define PIC_ELCR_SLAVE	0xde /* so are the clock and the coprocessor */

#define PIC_ICW1	0x10
#define PIC_ICW1_IC4	0x01 /* ICW4 follows */
#define PIC_ICW1_SNGL	0x02 /* no ICW3 */
#define PIC_ICW1_LTIM	0x08 /* all level-triggered */
#define PIC_ICW4_AEOI	0x02
#define PIC_ICW4_SFNM	0x10
#define PIC_OCW3	0x08
#define PIC_OCW3_RIS	0x01
#define PIC_OCW3_RR	0x02
#define PIC_OCW3_POLL	0x04
#define PIC_OCW3_SMM	0x20
#define PIC_OCW3_ESMM	0x40
#define PIC_OCW2_LEVEL	0x07
#define PIC_OCW2_EOI	0x01 /* of the command in bits 5-7 */
#define PIC_OCW2_SL	0x02
#define PIC_OCW2_ROTATE 0x04
#define PIC_POLL_IRQ	0x80

enum pic_state { PIC_READY, PIC_WAIT_ICW2, PIC_WAIT_ICW3, PIC_WAIT_ICW4 };

struct pic_chip {
	uint8_t irr;	/* R by OCW3: requests */
	uint8_t isr;	/* R by OCW3: in service */
	uint8_t imr;	/* R/W: masked */
	uint8_t lines;	/* asserted now */
	uint8_t elcr;	/* R/W: level-triggered */
	uint8_t base;	/* W, ICW2: vector of input 0 */
	uint8_t lowest; /* the input that rotation made the last, 7 at first */
	uint8_t state;	/* enum pic_state */
	uint8_t icw1, icw4;
	bool read_isr, poll, special_mask, rotate_aeoi;
};

struct pic {
	struct spinlock lock;
	struct vm *vm;
	struct irq_sink sink;
	struct acpi_node acpi;
	struct pic_chip chips[2]; /* master, slave */
	bool output;		  /* INTR, as the controller was told */
	uint16_t ended;		  /* level-triggered lines whose EOI is to be told */
};

/* How far @mask's most important input is from the top; 8: it has none. */
static unsigned pic_priority(const struct pic_chip *c, uint8_t mask)
{
	unsigned n;

	for (n = 0; n < 8; n++)
		if (mask & 1u << ((c->lowest + 1 + n) & 7))
			return n;
	return 8;
}

static uint8_t pic_levels(const struct pic_chip *c)
{
	return (c->icw1 & PIC_ICW1_LTIM) ? 0xff : c->elcr;
}

/* The input that wants service and may interrupt, or -1. */
static int pic_next(const struct pic_chip *c, bool master)
{
	uint8_t blocking = c->isr;
	unsigned n = pic_priority(c, c->irr & ~c->imr);

	if (n == 8)
		return -1;
	if (c->special_mask)
		blocking &= ~c->imr;
	/* Special fully nested: the slave may interrupt its own service. */
	if (master && (c->icw4 & PIC_ICW4_SFNM))
		blocking &= ~(1u << PIC_CASCADE);
	if (n >= pic_priority(c, blocking))
		return -1;
	return (c->lowest + 1 + n) & 7;
}

/* Carries the slave's output to the master and ours to the CPUs. */
static void pic_update(struct pic *p)
{
	struct pic_chip *m = &p->chips[0];
	bool output;

	m->irr &= ~(1u << PIC_CASCADE);
	if (pic_next(&p->chips[1], false) >= 0)
		m->irr |= 1u << PIC_CASCADE;
	output = pic_next(m, true) >= 0;
	if (output != p->output) {
		p->output = output;
		irq_ext_changed(p->vm, output);
	}
}

/* Then tells the ends of level-triggered interrupts, which may come back to us. */
static void pic_unlock(struct pic *p)
{
	uint16_t ended = p->ended;
	unsigned line;

	p->ended = 0;
	spin_unlock(&p->lock);
	for (line = 0; unlikely(ended); line++, ended >>= 1)
		if (ended & 1)
			irq_line_eoi(p->vm, line);
}

static void pic_set(void *opaque, unsigned line, bool level)
{
	struct pic *p = opaque;
	struct pic_chip *c = &p->chips[line / 8 & 1];
	uint8_t bit = 1u << (line & 7);

	if (line >= PIC_LINES || line == PIC_CASCADE)
		return;
	spin_lock(&p->lock);
	if (level && ((pic_levels(c) & bit) || !(c->lines & bit)))
		c->irr |= bit;
	else if (!level && (pic_levels(c) & bit))
		c->irr &= ~bit;
	c->lines = level ? c->lines | bit : c->lines & ~bit;
	pic_update(p);
	spin_unlock(&p->lock);
}

static void pic_end(struct pic *p, struct pic_chip *c, unsigned irq)
{
	if (!(c->isr & 1u << irq))
		return;
	c->isr &= ~(1u << irq);
	if (pic_levels(c) & 1u << irq)
		p->ended |= 1u << (irq + (c == &p->chips[1] ? 8 : 0));
}

/* An interrupt acknowledge cycle (or a poll) that takes input @irq. */
static void pic_take(struct pic *p, struct pic_chip *c, unsigned irq)
{
	c->isr |= 1u << irq;
	if (!(pic_levels(c) & 1u << irq))
		c->irr &= ~(1u << irq);
	if (c->icw4 & PIC_ICW4_AEOI) {
		pic_end(p, c, irq);
		if (c->rotate_aeoi)
			c->lowest = irq;
	}
}

/* What an acknowledge gives: a request that went away in between reads as input 7. */
static uint8_t pic_vector(const struct pic *p, int irq, int slave_irq)
{
	if (irq == PIC_CASCADE)
		return p->chips[1].base + (slave_irq < 0 ? PIC_SPURIOUS : slave_irq);
	return p->chips[0].base + (irq < 0 ? PIC_SPURIOUS : irq);
}

static int pic_peek(void *opaque)
{
	struct pic *p = opaque;
	int vector = -1, irq;

	spin_lock(&p->lock);
	irq = pic_next(&p->chips[0], true);
	if (irq >= 0)
		vector = pic_vector(p, irq, pic_next(&p->chips[1], false));
	spin_unlock(&p->lock);
	return vector;
}

static void pic_ack(void *opaque, uint8_t vector)
{
	struct pic *p = opaque;
	int irq, slave_irq;

	spin_lock(&p->lock);
	irq = pic_next(&p->chips[0], true);
	slave_irq = pic_next(&p->chips[1], false);
	/* Another vCPU may have masked it since: then the guest gets it as a spurious one. */
	if (irq >= 0 && pic_vector(p, irq, slave_irq) == vector) {
		pic_take(p, &p->chips[0], (unsigned)irq);
		if (irq == PIC_CASCADE && slave_irq >= 0)
			pic_take(p, &p->chips[1], (unsigned)slave_irq);
	}
	pic_update(p);
	if (p->output) /* more is waiting */
		irq_ext_changed(p->vm, true);
	pic_unlock(p);
}

static const struct irq_ext_ops pic_ext_ops = {.peek = pic_peek, .ack = pic_ack};

static void pic_write_icw1(struct pic_chip *c, uint8_t value)
{
	c->icw1 = value;
	c->state = PIC_WAIT_ICW2;
	c->imr = c->isr = 0;
	c->irr = c->lines & pic_levels(c); /* the edge detector begins anew */
	c->lowest = 7;
	c->read_isr = c->poll = c->special_mask = c->rotate_aeoi = false;
	if (!(value & PIC_ICW1_IC4))
		c->icw4 = 0;
}

static void pic_write_ocw2(struct pic *p, struct pic_chip *c, uint8_t value)
{
	uint8_t command = value >> 5, irq = value & PIC_OCW2_LEVEL;
	unsigned n;

	if (!(command & PIC_OCW2_EOI)) {
		if (!(command & PIC_OCW2_SL))
			c->rotate_aeoi = command & PIC_OCW2_ROTATE;
		else if (command & PIC_OCW2_ROTATE)
			c->lowest = irq;
		return;
	}
	if (!(command & PIC_OCW2_SL)) { /* non-specific: the most important one in service */
		n = pic_priority(c, c->special_mask ? c->isr & ~c->imr : c->isr);
		if (n == 8)
			return;
		irq = (c->lowest + 1 + n) & 7;
	}
	pic_end(p, c, irq);
	if (command & PIC_OCW2_ROTATE)
		c->lowest = irq;
}

static void pic_write_ocw3(struct pic_chip *c, uint8_t value)
{
	if (value & PIC_OCW3_ESMM)
		c->special_mask = value & PIC_OCW3_SMM;
	if (value & PIC_OCW3_POLL)
		c->poll = true;
	else if (value & PIC_OCW3_RR)
		c->read_isr = value & PIC_OCW3_RIS;
}

static void pic_write_data(struct pic_chip *c, uint8_t value)
{
	uint8_t last = (c->icw1 & PIC_ICW1_IC4) ? PIC_WAIT_ICW4 : PIC_READY;

	switch (c->state) {
	case PIC_READY:
		c->imr = value;
		break;
	case PIC_WAIT_ICW2:
		c->base = value & 0xf8;
		c->state = (c->icw1 & PIC_ICW1_SNGL) ? last : PIC_WAIT_ICW3;
		break;
	case PIC_WAIT_ICW3: /* how they are cascaded is soldered */
		c->state = last;
		break;
	case PIC_WAIT_ICW4:
		c->icw4 = value;
		c->state = PIC_READY;
		break;
	}
}

static void pic_write_chip(struct pic *p, unsigned chip, unsigned port, uint8_t value)
{
	struct pic_chip *c = &p->chips[chip];

	spin_lock(&p->lock);
	if (port)
		pic_write_data(c, value);
	else if (value & PIC_ICW1)
		pic_write_icw1(c, value);
	else if (value & PIC_OCW3)
		pic_write_ocw3(c, value);
	else
		pic_write_ocw2(p, c, value);
	pic_update(p);
	pic_unlock(p);
}

static uint8_t pic_read_poll(struct pic *p, struct pic_chip *c)
{
	int irq = pic_next(c, c == &p->chips[0]);

	c->poll = false;
	if (irq < 0)
		return 0;
	pic_take(p, c, (unsigned)irq);
	pic_update(p);
	return PIC_POLL_IRQ | (uint8_t)irq;
}

static uint8_t pic_read_chip(struct pic *p, unsigned chip, unsigned port)
{
	struct pic_chip *c = &p->chips[chip];
	uint8_t value;

	spin_lock(&p->lock);
	if (c->poll)
		value = pic_read_poll(p, c);
	else if (port)
		value = c->imr;
	else
		value = c->read_isr ? c->isr : c->irr;
	pic_unlock(p);
	return value;
}

static uint8_t pic_read_master(void *opaque, unsigned port)
{
	return pic_read_chip(opaque, 0, port);
}

static uint8_t pic_read_slave(void *opaque, unsigned port)
{
	return pic_read_chip(opaque, 1, port);
}

static void pic_write_master(void *opaque, unsigned port, uint8_t value)
{
	pic_write_chip(opaque, 0, port, value);
}

static void pic_write_slave(void *opaque, unsigned port, uint8_t value)
{
	pic_write_chip(opaque, 1, port, value);
}

static uint8_t pic_read_elcr(void *opaque, unsigned chip)
{
	struct pic *p = opaque;

	return p->chips[chip].elcr;
}

static void pic_write_elcr(void *opaque, unsigned chip, uint8_t value)
{
	struct pic *p = opaque;
	struct pic_chip *c = &p->chips[chip];

	spin_lock(&p->lock);
	c->elcr = value & (chip ? PIC_ELCR_SLAVE : PIC_ELCR_MASTER);
	c->irr = (c->irr & ~c->elcr) | (c->lines & c->elcr);
	pic_update(p);
	spin_unlock(&p->lock);
}

#define PIC_HOOKS(name_)                                                                   \
	static int pic_hook_read_##name_(void *opaque, struct vcpu *vcpu __unused,         \
					 uint64_t offset, unsigned width, uint64_t *value) \
	{                                                                                  \
		return byte_io_read(pic_read_##name_, opaque, offset, width, value);       \
	}                                                                                  \
	static int pic_hook_write_##name_(void *opaque, struct vcpu *vcpu __unused,        \
					  uint64_t offset, unsigned width, uint64_t value) \
	{                                                                                  \
		return byte_io_write(pic_write_##name_, opaque, offset, width, value);     \
	}                                                                                  \
	static const struct hook_ops pic_##name_##_ops = {.read = pic_hook_read_##name_,   \
							  .write = pic_hook_write_##name_}

PIC_HOOKS(master);
PIC_HOOKS(slave);
PIC_HOOKS(elcr);

static void pic_reset(struct device *dev)
{
	struct pic *p = dev->state;
	const struct acpi_pci *pci = device_iface(dev->vm, NULL, ACPI_PCI_KIND);
	unsigned chip, i, levels = 0;

	/* Firmware makes levels of the inputs that PCI has. */
	for (i = 0; pci && i < ACPI_PCI_LINES; i++)
		levels |= 1u << pci->isa[i];
	spin_lock(&p->lock);
	for (chip = 0; chip < 2; chip++)
		p->chips[chip] = (struct pic_chip){
			.lines = p->chips[chip].lines,
			.imr = 0xff, /* as firmware leaves it; after ICW1 all are on */
			.lowest = 7,
			.elcr = (uint8_t)(levels >> (8 * chip)),
			.base = chip ? 0x70 : 0x08,
		};
	pic_update(p);
	spin_unlock(&p->lock);
}

static const struct device_field pic_chip_fields[] = {
	DEVICE_FIELD(struct pic_chip, irr),
	DEVICE_FIELD(struct pic_chip, isr),
	DEVICE_FIELD(struct pic_chip, imr),
	DEVICE_FIELD(struct pic_chip, lines),
	DEVICE_FIELD(struct pic_chip, elcr),
	DEVICE_FIELD(struct pic_chip, base),
	DEVICE_FIELD(struct pic_chip, lowest, .max = 7),
	DEVICE_FIELD(struct pic_chip, state, .max = PIC_WAIT_ICW4),
	DEVICE_FIELD(struct pic_chip, icw1),
	DEVICE_FIELD(struct pic_chip, icw4),
	DEVICE_FIELD(struct pic_chip, read_isr),
	DEVICE_FIELD(struct pic_chip, poll),
	DEVICE_FIELD(struct pic_chip, special_mask),
	DEVICE_FIELD(struct pic_chip, rotate_aeoi),
	{},
};

static const struct device_state pic_chip_saved = {
	.name = "pic-chip",
	.version = 1,
	.size = sizeof(struct pic_chip),
	.fields = pic_chip_fields,
};

/* The controller of the vCPUs has the output's level in its own state; `ended` lives as long as the
 * lock is held. */
static const struct device_field pic_fields[] = {
	DEVICE_FIELD_STRUCTS(struct pic, chips, &pic_chip_saved),
	DEVICE_FIELD(struct pic, output),
	{},
};

static const struct device_state pic_saved = {
	.name = "pic",
	.version = 1,
	.size = sizeof(struct pic),
	.lock = DEVICE_STATE_LOCK(struct pic, lock),
	.fields = pic_fields,
};

static void pic_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int pic_create(struct device *dev, const struct device_config *config __unused)
{
	struct pic *p = kzalloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	dev->state = p;
	p->vm = dev->vm;
	p->sink.set = pic_set;
	p->sink.opaque = p;
	p->acpi = (struct acpi_node){
		.hid = ACPI_HID_PIC,
		.io = {{PIC_MASTER_IO, 2}, {PIC_SLAVE_IO, 2}, {PIC_ELCR_IO, 2}},
		.irqs = 1u << PIC_CASCADE,
	};
	pic_reset(dev);
	err = device_provide(dev, ACPI_NODE_KIND, &p->acpi);
	if (!err)
		err = device_irq_ext(dev, &pic_ext_ops, p);
	if (!err)
		err = device_irq_sink(dev, &p->sink);
	if (!err)
		err = device_hook_io(dev, PIC_MASTER_IO, 2, &pic_master_ops, p);
	if (!err)
		err = device_hook_io(dev, PIC_SLAVE_IO, 2, &pic_slave_ops, p);
	if (!err)
		err = device_hook_io(dev, PIC_ELCR_IO, 2, &pic_elcr_ops, p);
	return err;
}

MACHINE_PART(pic_part, .machine = "pc", .text = "[device \"pic\"]\ntype = pic\n");

DEVICE_TYPE(pic_type, .name = "pic", .help = "pair of 8259A interrupt controllers",
	    .create = pic_create, .destroy = pic_destroy, .reset = pic_reset, .saved = &pic_saved);
