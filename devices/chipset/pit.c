/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's 8254 timer: three counters of 1.193182 MHz. Counter 0 interrupts
 * (ISA IRQ 0), 2 sounds the speaker and is gated by port 0x61.
 *
 * Spec: Intel 82C54 data sheet (October 1994); port 0x61: IBM PC/AT Technical
 * Reference, system board, 1-11.
 * Keys: none.
 * Lock: lock over everything; the line's comes after it.
 *
 * Nothing counts: a read computes the count from the guest's clock. A timer
 * runs only while counter 0 has an edge to come. A count takes effect when it
 * is written, not at the end of the running period.
 *
 * Ticks that a vCPU had no time for are one: those that pass while the timer
 * is late, and those that pass while IRQ 0 still waits, as on a real machine.
 * They are not replayed: that would mean waiting for each EOI, which an
 * edge-triggered pin of the I/O APIC never hears of, and bursts after each
 * wait. The counters tell the true time, and the next tick comes in phase. A
 * guest that counts ticks alone falls behind when its CPU is shared.
 */
#include "devices/acpi_node.h"
#include "devices/byte_io.h"
#include "devices/ticks.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>

#define PIT_HZ	     1193182
#define PIT_IO	     0x40
#define PIT_CONTROL  3
#define PIT_IRQ	     0
#define PIT_CHANNELS 3

#define PIT_CTL_BCD	 0x01
#define PIT_CTL_MODE	 0x0e
#define PIT_CTL_RW	 0x30 /* 0: latch, 1: low byte, 2: high byte, 3: both */
#define PIT_CTL_CHANNEL	 0xc0 /* 3: read-back */
#define PIT_BACK_NOCOUNT 0x20
#define PIT_BACK_NOSTAT	 0x10
#define PIT_STATUS_OUT	 0x80
#define PIT_STATUS_NULL	 0x40 /* no count has been loaded since the control word */

#define PORT61_IO      0x61
#define PORT61_GATE2   0x01
#define PORT61_KEPT    0x0f
#define PORT61_REFRESH 0x10 /* toggles with each refresh of memory, every 15 µs */
#define PORT61_OUT2    0x20
#define REFRESH_TICKS  18

/* A faster guest gets this many ns between interrupts: it cannot keep the host from its work. */
#define PIT_MIN_NS UINT64_C(50000)

static const struct tick_rate pit_rate = TICK_RATE(PIT_HZ);

struct pit_channel {
	uint8_t control; /* BCD, mode, RW of the control word */
	uint32_t count;	 /* initial count, 1-65536; 0: none was loaded */
	bool gate;
	bool running;	/* counts since tick start; else stopped after `held` ticks */
	uint64_t start; /* tick at which the count was loaded or triggered */
	uint64_t held;
	uint8_t low;	 /* of a count whose high byte is to come */
	bool write_high; /* RW 3: which byte comes next */
	bool read_high;
	uint8_t latched; /* bytes of `latch` that are still to be read */
	uint16_t latch;
	bool status_latched;
	uint8_t status;
};

struct pit {
	struct spinlock lock;
	struct vm *vm;
	struct irq_line *irq;
	struct device_timer *timer;
	struct acpi_node acpi;
	uint8_t port61;
	struct pit_channel channels[PIT_CHANNELS];
};

static uint64_t pit_now(const struct pit *p)
{
	return ticks_from_ns(&pit_rate, vm_time_ns(p->vm));
}

/* Modes 6 and 7 are 2 and 3. */
static unsigned pit_mode(const struct pit_channel *c)
{
	unsigned mode = (c->control & PIT_CTL_MODE) >> 1;

	return mode > 5 ? mode - 4 : mode;
}

static unsigned pit_rw(const struct pit_channel *c)
{
	return (c->control & PIT_CTL_RW) >> 4;
}

static uint64_t pit_elapsed(const struct pit_channel *c, uint64_t now)
{
	return c->running ? now - c->start : c->held;
}

/* Level of the output (data sheet, "mode definitions"). */
static bool pit_out(const struct pit_channel *c, uint64_t now)
{
	uint64_t d = pit_elapsed(c, now);

	if (!c->count) /* set by the control word */
		return pit_mode(c) != 0;
	switch (pit_mode(c)) {
	case 0:
		return d >= c->count;
	case 1:
		return !c->running || d >= c->count;
	case 2:
		return !c->gate || d % c->count != c->count - 1;
	case 3:
		return !c->gate || d % c->count < (c->count + 1) / 2;
	default:
		return d != c->count;
	}
}

static uint16_t pit_to_bcd(unsigned v)
{
	return (uint16_t)(v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12);
}

static unsigned pit_from_bcd(unsigned v)
{
	return (v & 0xf) + (v >> 4 & 0xf) * 10 + (v >> 8 & 0xf) * 100 + (v >> 12) * 1000;
}

static uint16_t pit_value(const struct pit_channel *c, uint64_t now)
{
	unsigned modulus = (c->control & PIT_CTL_BCD) ? 10000 : 65536, value;
	uint64_t d = pit_elapsed(c, now);

	if (!c->count)
		return 0;
	switch (pit_mode(c)) {
	case 2:
		value = c->count - (unsigned)(d % c->count);
		break;
	case 3: /* by two: once down for each half */
		value = (c->count - (unsigned)(2 * d % c->count)) & ~1u;
		break;
	default: /* goes on below zero */
		value = (unsigned)(c->count + modulus - d % modulus);
		break;
	}
	value %= modulus;
	return (c->control & PIT_CTL_BCD) ? pit_to_bcd(value) : (uint16_t)value;
}

/* The next tick after @now at which counter 0's output rises; 0: none. */
static uint64_t pit_next_edge(const struct pit_channel *c, uint64_t now)
{
	uint64_t end = c->start + c->count;

	if (!c->count || !c->running)
		return 0;
	switch (pit_mode(c)) {
	case 0:
		return now < end ? end : 0;
	case 2:
	case 3:
		return now + c->count - (now - c->start) % c->count;
	case 4:
		return now <= end ? end + 1 : 0;
	default:
		return 0;
	}
}

static void pit_arm(struct pit *p, uint64_t earliest)
{
	uint64_t edge = pit_next_edge(&p->channels[0], pit_now(p));

	if (edge)
		device_timer_arm(p->timer, MAX(ticks_to_ns(&pit_rate, edge), earliest));
	else
		device_timer_cancel(p->timer);
}

static void pit_timer(void *opaque)
{
	struct pit *p = opaque;

	spin_lock(&p->lock);
	irq_line_pulse(p->irq);
	pit_arm(p, vm_time_ns(p->vm) + PIT_MIN_NS);
	spin_unlock(&p->lock);
}

static void pit_load(struct pit *p, struct pit_channel *c, unsigned value)
{
	unsigned mode = pit_mode(c);

	if (c->control & PIT_CTL_BCD)
		c->count = value ? pit_from_bcd(value) : 10000;
	else
		c->count = value ? value : 65536;
	/* Modes 1 and 5 wait for the gate; the others start, or wait for it to open. */
	if (mode != 1 && mode != 5) {
		c->start = pit_now(p);
		c->held = 0;
		c->running = c->gate;
	}
	if (c == &p->channels[0])
		pit_arm(p, 0);
}

static void pit_write_count(struct pit *p, struct pit_channel *c, uint8_t value)
{
	switch (pit_rw(c)) {
	case 1:
		pit_load(p, c, value);
		break;
	case 2:
		pit_load(p, c, value << 8);
		break;
	case 3:
		if (c->write_high)
			pit_load(p, c, value << 8 | c->low);
		else
			c->low = value;
		c->write_high = !c->write_high;
		break;
	}
}

static void pit_latch_count(struct pit *p, struct pit_channel *c)
{
	if (c->latched) /* the first latch counts until it is read */
		return;
	c->latch = pit_value(c, pit_now(p));
	c->latched = pit_rw(c) == 3 ? 2 : 1;
}

static void pit_latch_status(struct pit *p, struct pit_channel *c)
{
	if (c->status_latched)
		return;
	c->status_latched = true;
	c->status = c->control | (pit_out(c, pit_now(p)) ? PIT_STATUS_OUT : 0) |
		    (c->count ? 0 : PIT_STATUS_NULL);
}

static void pit_read_back(struct pit *p, uint8_t value)
{
	unsigned i;

	for (i = 0; i < PIT_CHANNELS; i++) {
		if (!(value & 2u << i))
			continue;
		if (!(value & PIT_BACK_NOCOUNT))
			pit_latch_count(p, &p->channels[i]);
		if (!(value & PIT_BACK_NOSTAT))
			pit_latch_status(p, &p->channels[i]);
	}
}

static void pit_write_control(struct pit *p, uint8_t value)
{
	unsigned channel = (value & PIT_CTL_CHANNEL) >> 6;
	struct pit_channel *c = &p->channels[channel % PIT_CHANNELS];

	if (channel == PIT_CHANNELS) {
		pit_read_back(p, value);
	} else if (!(value & PIT_CTL_RW)) {
		pit_latch_count(p, c);
	} else {
		*c = (struct pit_channel){
			.control = value & (PIT_CTL_BCD | PIT_CTL_MODE | PIT_CTL_RW),
			.gate = c->gate,
		};
		if (channel == 0)
			device_timer_cancel(p->timer);
	}
}

/* What the gate does depends on the mode (data sheet, figure 21). */
static void pit_set_gate(struct pit *p, struct pit_channel *c, bool gate)
{
	unsigned mode = pit_mode(c);
	uint64_t now = pit_now(p);

	if (gate == c->gate)
		return;
	c->gate = gate;
	if (!c->count)
		return;
	if (gate && (mode == 0 || mode == 4)) { /* goes on */
		c->start = now - c->held;
		c->running = true;
	} else if (gate) { /* triggered, reloaded */
		c->start = now;
		c->running = true;
	} else if (mode != 1 && mode != 5) {
		c->held = pit_elapsed(c, now);
		c->running = false;
	}
}

static uint8_t pit_read_count(struct pit *p, struct pit_channel *c)
{
	bool high = pit_rw(c) == 2 || (pit_rw(c) == 3 && c->read_high);
	uint16_t value;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	value = c->latched ? c->latch : pit_value(c, pit_now(p));
	if (c->latched)
		c->latched--;
	if (pit_rw(c) == 3)
		c->read_high = !c->read_high;
	return (uint8_t)(high ? value >> 8 : value);
}

static uint8_t pit_read8(void *opaque, unsigned port)
{
	struct pit *p = opaque;
	uint8_t value = 0;

	spin_lock(&p->lock);
	if (port < PIT_CHANNELS)
		value = pit_read_count(p, &p->channels[port]);
	spin_unlock(&p->lock);
	return value;
}

static void pit_write8(void *opaque, unsigned port, uint8_t value)
{
	struct pit *p = opaque;

	spin_lock(&p->lock);
	if (port < PIT_CHANNELS)
		pit_write_count(p, &p->channels[port], value);
	else
		pit_write_control(p, value);
	spin_unlock(&p->lock);
}

static int pit_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		    uint64_t *value)
{
	return byte_io_read(pit_read8, opaque, offset, width, value);
}

static int pit_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		     uint64_t value)
{
	return byte_io_write(pit_write8, opaque, offset, width, value);
}

static const struct hook_ops pit_ops = {.read = pit_read, .write = pit_write};

static int port61_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
		       unsigned width __unused, uint64_t *value)
{
	struct pit *p = opaque;
	uint64_t now;

	spin_lock(&p->lock);
	now = pit_now(p);
	*value = p->port61 | (now / REFRESH_TICKS % 2 ? PORT61_REFRESH : 0) |
		 (pit_out(&p->channels[2], now) ? PORT61_OUT2 : 0);
	spin_unlock(&p->lock);
	return 0;
}

static int port61_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			unsigned width __unused, uint64_t value)
{
	struct pit *p = opaque;

	spin_lock(&p->lock);
	p->port61 = value & PORT61_KEPT;
	pit_set_gate(p, &p->channels[2], value & PORT61_GATE2);
	spin_unlock(&p->lock);
	return 0;
}

static const struct hook_ops port61_ops = {.read = port61_read, .write = port61_write};

static void pit_reset(struct device *dev)
{
	struct pit *p = dev->state;
	unsigned i;

	spin_lock(&p->lock);
	device_timer_cancel(p->timer);
	p->port61 = 0;
	for (i = 0; i < PIT_CHANNELS; i++)
		p->channels[i] = (struct pit_channel){.control = 0x36, .gate = i != 2};
	spin_unlock(&p->lock);
}

static const struct device_field pit_channel_fields[] = {
	DEVICE_FIELD(struct pit_channel, control, .max = PIT_CTL_BCD | PIT_CTL_MODE | PIT_CTL_RW),
	DEVICE_FIELD(struct pit_channel, count, .max = 65536),
	DEVICE_FIELD(struct pit_channel, gate),
	DEVICE_FIELD(struct pit_channel, running),
	DEVICE_FIELD(struct pit_channel, start),
	DEVICE_FIELD(struct pit_channel, held),
	DEVICE_FIELD(struct pit_channel, low),
	DEVICE_FIELD(struct pit_channel, write_high),
	DEVICE_FIELD(struct pit_channel, read_high),
	DEVICE_FIELD(struct pit_channel, latched, .max = 2),
	DEVICE_FIELD(struct pit_channel, latch),
	DEVICE_FIELD(struct pit_channel, status_latched),
	DEVICE_FIELD(struct pit_channel, status),
	{},
};

static const struct device_state pit_channel_saved = {
	.name = "pit-channel",
	.version = 1,
	.size = sizeof(struct pit_channel),
	.fields = pit_channel_fields,
};

static const struct device_field pit_fields[] = {
	DEVICE_FIELD(struct pit, port61, .max = PORT61_KEPT),
	DEVICE_FIELD_STRUCTS(struct pit, channels, &pit_channel_saved),
	DEVICE_FIELD_TIMER(struct pit, timer),
	DEVICE_FIELD_LINE(struct pit, irq),
	{},
};

/* Nothing began in the future, or the next edge might be beyond what ticks can count. */
static const char *pit_check(const void *state)
{
	const struct pit *p = state;
	uint64_t now = pit_now(p);
	unsigned i;

	for (i = 0; i < PIT_CHANNELS; i++)
		if (p->channels[i].start > now || p->channels[i].held > now)
			return "channels.start";
	return NULL;
}

static const struct device_state pit_saved = {
	.name = "pit",
	.version = 1,
	.size = sizeof(struct pit),
	.lock = DEVICE_STATE_LOCK(struct pit, lock),
	.fields = pit_fields,
	.check = pit_check,
};

static void pit_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int pit_create(struct device *dev, const struct device_config *config __unused)
{
	struct pit *p = kzalloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	dev->state = p;
	p->vm = dev->vm;
	p->acpi = (struct acpi_node){
		.hid = ACPI_HID_PIT,
		.io = {{PIT_IO, 4}},
		.irqs = 1u << PIT_IRQ,
	};
	err = device_timer(dev, pit_timer, p, &p->timer);
	if (!err)
		err = device_irq(dev, PIT_IRQ, NULL, &p->irq);
	if (err)
		return err;
	pit_reset(dev);
	err = device_provide(dev, ACPI_NODE_KIND, &p->acpi);
	if (!err)
		err = device_hook_io(dev, PIT_IO, 4, &pit_ops, p);
	if (!err)
		err = device_hook_io(dev, PORT61_IO, 1, &port61_ops, p);
	return err;
}

MACHINE_PART(pit_part, .machine = "pc", .text = "[device \"pit\"]\ntype = pit\n");

DEVICE_TYPE(pit_type, .name = "pit", .help = "8254 timer and port 0x61", .create = pit_create,
	    .destroy = pit_destroy, .reset = pit_reset, .saved = &pit_saved);
