/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 8042 keyboard controller with a PS/2 keyboard and mouse, and port 0x92.
 * Whoever types does it through vmm/keyboard.h.
 *
 * Spec: IBM PS/2 Hardware Interface Technical Reference (1990), "Keyboard and
 * Auxiliary Device Controller"; port 0x92: "System Control Port A".
 * Keys: none.
 * Lock: lock over everything; the lines' come after it.
 *
 * A20 is always open: its bits are kept and change nothing.
 */
#include "devices/chipset/ps2.h"

#include "devices/acpi_node.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/keyboard.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

#define PS2_DATA_IO    0x60
#define PS2_COMMAND_IO 0x64
#define PORT92_IO      0x92
#define PS2_IRQ	       1
#define PS2_MOUSE_IRQ  12

#define PS2_STATUS_FULL	   0x01 /* output buffer */
#define PS2_STATUS_SYSTEM  0x04
#define PS2_STATUS_COMMAND 0x08 /* the last write was to 0x64 */
#define PS2_STATUS_UNLOCK  0x10
#define PS2_STATUS_MOUSE   0x20 /* the byte is the mouse's */

#define PS2_CFG_IRQ	  0x01
#define PS2_CFG_MOUSE_IRQ 0x02
#define PS2_CFG_SYSTEM	  0x04
#define PS2_CFG_OFF	  0x10
#define PS2_CFG_MOUSE_OFF 0x20
#define PS2_CFG_TRANSLATE 0x40
#define PS2_CFG_MASK	  0x77

#define PS2_CMD_READ	    0x20 /* to 0x3f: byte of the controller's memory; 0x20: configuration */
#define PS2_CMD_WRITE	    0x60 /* to 0x7f */
#define PS2_CMD_MOUSE_OFF   0xa7
#define PS2_CMD_MOUSE_ON    0xa8
#define PS2_CMD_MOUSE_TEST  0xa9
#define PS2_CMD_SELFTEST    0xaa
#define PS2_CMD_TEST	    0xab
#define PS2_CMD_OFF	    0xad
#define PS2_CMD_ON	    0xae
#define PS2_CMD_INPUT	    0xc0
#define PS2_CMD_READ_OUT    0xd0
#define PS2_CMD_WRITE_OUT   0xd1
#define PS2_CMD_PUT	    0xd2 /* the next byte as if from the keyboard */
#define PS2_CMD_PUT_MOUSE   0xd3
#define PS2_CMD_MOUSE_WRITE 0xd4
#define PS2_CMD_PULSE	    0xf0 /* to 0xff: bits 0-3 clear: those outputs go low for 6 µs */
#define PS2_SELFTEST_OK	    0x55
#define PS2_OUT_RESET	    0x01 /* low: the machine's reset */
#define PS2_OUT_A20	    0x02
#define PS2_MEMORY	    32
#define PORT92_RESET	    0x01

struct ps2 {
	struct spinlock lock;
	struct vm *vm;
	struct irq_line *irq, *mouse_irq;
	struct acpi_node acpi, mouse_acpi;
	struct ps2_port ports[2];   /* keyboard, mouse */
	struct ps2_queue own;	    /* the controller's answers … */
	bool own_mouse;		    /* … in the mouse's name */
	bool full, from_mouse;	    /* output buffer */
	uint8_t data;		    /* in it, or last in it */
	uint8_t command;	    /* that waits for its argument, 0: none */
	bool last_command;	    /* PS2_STATUS_COMMAND */
	uint8_t memory[PS2_MEMORY]; /* [0]: the configuration byte */
	uint8_t out;		    /* output port */
	uint8_t port92;
	bool release; /* ps2_translate() */
	struct keyboard keyboard;
	bool refused; /* keys were: ready() is due */
	void (*ready)(void *opaque);
	void *ready_opaque;
};

/* The keyboard's next byte for the output buffer; false: it made none of what was sent. */
static bool ps2_take_key(struct ps2 *p)
{
	while (p->ports[0].queue.count) {
		p->data = ps2_queue_get(&p->ports[0].queue);
		if (!(p->memory[0] & PS2_CFG_TRANSLATE) || ps2_translate(&p->release, &p->data))
			return true;
	}
	return false;
}

/* The next byte goes into the output buffer; each is an edge on its line. */
static void ps2_update(struct ps2 *p)
{
	uint8_t cfg = p->memory[0];

	if (!p->full && p->own.count) {
		p->data = ps2_queue_get(&p->own);
		p->from_mouse = p->own_mouse;
		p->full = true;
	} else if (!p->full && !(cfg & PS2_CFG_OFF) && ps2_take_key(p)) {
		p->from_mouse = false;
		p->full = true;
	} else if (!p->full && p->ports[1].queue.count && !(cfg & PS2_CFG_MOUSE_OFF)) {
		p->data = ps2_queue_get(&p->ports[1].queue);
		p->from_mouse = true;
		p->full = true;
	}
	irq_line_set(p->irq, p->full && !p->from_mouse && (cfg & PS2_CFG_IRQ));
	irq_line_set(p->mouse_irq, p->full && p->from_mouse && (cfg & PS2_CFG_MOUSE_IRQ));
	if (p->refused && !p->ports[0].queue.count) {
		p->refused = false;
		if (p->ready)
			p->ready(p->ready_opaque);
	}
}

static int ps2_keys(void *opaque, const struct key_event *events, unsigned count)
{
	struct ps2 *p = opaque;
	bool taken;

	spin_lock(&p->lock);
	taken = ps2_port_keys(&p->ports[0], events, count);
	p->refused |= !taken;
	ps2_update(p);
	spin_unlock(&p->lock);
	return taken ? 0 : -EAGAIN;
}

static void ps2_listen(void *opaque, void (*ready)(void *opaque), void *ready_opaque)
{
	struct ps2 *p = opaque;

	spin_lock(&p->lock);
	p->ready = ready;
	p->ready_opaque = ready_opaque;
	spin_unlock(&p->lock);
}

/* An answer of the controller itself takes the place of what waits. */
static void ps2_answer_as(struct ps2 *p, uint8_t byte, bool mouse)
{
	p->full = false;
	p->own.count = 0;
	p->own_mouse = mouse;
	ps2_queue_put(&p->own, byte);
}

static void ps2_write_out(struct ps2 *p, uint8_t value)
{
	p->out = value;
	if (!(value & PS2_OUT_RESET))
		vm_request(p->vm, VM_REQUEST_RESET, "keyboard controller");
}

static uint8_t ps2_read_out(const struct ps2 *p)
{
	uint8_t lines = p->full ? (p->from_mouse ? 0x20 : 0x10) : 0;

	return (p->out & 0xcf) | lines;
}

static void ps2_set_cfg(struct ps2 *p, uint8_t set, uint8_t clear)
{
	p->memory[0] = (p->memory[0] & ~clear) | set;
}

static void ps2_run_command(struct ps2 *p, uint8_t command)
{
	switch (command) {
	case PS2_CMD_READ ... PS2_CMD_READ + PS2_MEMORY - 1:
		ps2_answer_as(p, p->memory[command - PS2_CMD_READ], false);
		break;
	case PS2_CMD_MOUSE_OFF:
		ps2_set_cfg(p, PS2_CFG_MOUSE_OFF, 0);
		break;
	case PS2_CMD_MOUSE_ON:
		ps2_set_cfg(p, 0, PS2_CFG_MOUSE_OFF);
		break;
	case PS2_CMD_SELFTEST:
		ps2_set_cfg(p, PS2_CFG_SYSTEM, 0);
		ps2_answer_as(p, PS2_SELFTEST_OK, false);
		break;
	case PS2_CMD_MOUSE_TEST:
	case PS2_CMD_TEST:
	case PS2_CMD_INPUT:
		ps2_answer_as(p, 0, false);
		break;
	case PS2_CMD_OFF:
		ps2_set_cfg(p, PS2_CFG_OFF, 0);
		break;
	case PS2_CMD_ON:
		ps2_set_cfg(p, 0, PS2_CFG_OFF);
		break;
	case PS2_CMD_READ_OUT:
		ps2_answer_as(p, ps2_read_out(p), false);
		break;
	case PS2_CMD_WRITE ... PS2_CMD_WRITE + PS2_MEMORY - 1:
	case PS2_CMD_WRITE_OUT ... PS2_CMD_MOUSE_WRITE:
		p->command = command;
		break;
	case PS2_CMD_PULSE ... PS2_CMD_PULSE + 15:
		if (!(command & PS2_OUT_RESET))
			vm_request(p->vm, VM_REQUEST_RESET, "keyboard controller");
		break;
	}
}

static void ps2_write_data(struct ps2 *p, uint8_t value)
{
	uint8_t command = p->command;

	p->command = 0;
	switch (command) {
	case 0: /* the keyboard's, and its line opens */
		ps2_set_cfg(p, 0, PS2_CFG_OFF);
		ps2_port_write(&p->ports[0], value);
		break;
	case PS2_CMD_WRITE:
		p->memory[0] = value & PS2_CFG_MASK;
		break;
	case PS2_CMD_WRITE_OUT:
		ps2_write_out(p, value);
		break;
	case PS2_CMD_PUT:
	case PS2_CMD_PUT_MOUSE:
		ps2_answer_as(p, value, command == PS2_CMD_PUT_MOUSE);
		break;
	case PS2_CMD_MOUSE_WRITE:
		ps2_set_cfg(p, 0, PS2_CFG_MOUSE_OFF);
		ps2_port_write(&p->ports[1], value);
		break;
	default:
		p->memory[command % PS2_MEMORY] = value;
		break;
	}
}

static int ps2_read_data(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			 unsigned width __unused, uint64_t *value)
{
	struct ps2 *p = opaque;

	spin_lock(&p->lock);
	*value = p->data;
	p->full = false;
	irq_line_set(p->irq, false);
	irq_line_set(p->mouse_irq, false);
	ps2_update(p);
	spin_unlock(&p->lock);
	return 0;
}

static int ps2_hook_write_data(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			       unsigned width __unused, uint64_t value)
{
	struct ps2 *p = opaque;

	spin_lock(&p->lock);
	p->last_command = false;
	ps2_write_data(p, (uint8_t)value);
	ps2_update(p);
	spin_unlock(&p->lock);
	return 0;
}

static int ps2_read_status(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			   unsigned width __unused, uint64_t *value)
{
	struct ps2 *p = opaque;

	spin_lock(&p->lock);
	*value = PS2_STATUS_UNLOCK | (p->memory[0] & PS2_CFG_SYSTEM) |
		 (p->last_command ? PS2_STATUS_COMMAND : 0);
	if (p->full)
		*value |= PS2_STATUS_FULL | (p->from_mouse ? PS2_STATUS_MOUSE : 0);
	spin_unlock(&p->lock);
	return 0;
}

static int ps2_write_command(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			     unsigned width __unused, uint64_t value)
{
	struct ps2 *p = opaque;

	spin_lock(&p->lock);
	p->last_command = true;
	p->command = 0;
	ps2_run_command(p, (uint8_t)value);
	ps2_update(p);
	spin_unlock(&p->lock);
	return 0;
}

static int port92_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
		       unsigned width __unused, uint64_t *value)
{
	struct ps2 *p = opaque;

	*value = p->port92;
	return 0;
}

static int port92_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset __unused,
			unsigned width __unused, uint64_t value)
{
	struct ps2 *p = opaque;
	bool rising;

	spin_lock(&p->lock);
	rising = value & ~p->port92 & PORT92_RESET;
	p->port92 = (uint8_t)value;
	spin_unlock(&p->lock);
	if (rising)
		vm_request(p->vm, VM_REQUEST_RESET, "port 0x92");
	return 0;
}

static const struct hook_ops ps2_data_ops = {.read = ps2_read_data, .write = ps2_hook_write_data};
static const struct hook_ops ps2_command_ops = {.read = ps2_read_status,
						.write = ps2_write_command};
static const struct hook_ops port92_ops = {.read = port92_read, .write = port92_write};

static void ps2_reset(struct device *dev)
{
	struct ps2 *p = dev->state;

	spin_lock(&p->lock);
	ps2_port_reset(&p->ports[0]);
	ps2_port_reset(&p->ports[1]);
	p->own.count = 0;
	p->full = p->last_command = p->release = false;
	p->command = p->data = 0;
	memset(p->memory, 0, sizeof(p->memory));
	p->memory[0] = PS2_CFG_SYSTEM | PS2_CFG_TRANSLATE | PS2_CFG_MOUSE_OFF;
	p->out = PS2_OUT_RESET | PS2_OUT_A20;
	p->port92 = PS2_OUT_A20;
	ps2_update(p);
	spin_unlock(&p->lock);
}

static const struct device_field ps2_queue_fields[] = {
	DEVICE_FIELD(struct ps2_queue, bytes),
	DEVICE_FIELD(struct ps2_queue, count, .max = PS2_QUEUE),
	{},
};

static const struct device_state ps2_queue_saved = {
	.name = "ps2-queue",
	.version = 1,
	.size = sizeof(struct ps2_queue),
	.fields = ps2_queue_fields,
};

static const struct device_field ps2_port_fields[] = {
	DEVICE_FIELD_STRUCT(struct ps2_port, queue, &ps2_queue_saved),
	DEVICE_FIELD(struct ps2_port, command),
	DEVICE_FIELD(struct ps2_port, last),
	DEVICE_FIELD(struct ps2_port, set),
	DEVICE_FIELD(struct ps2_port, disabled),
	DEVICE_FIELD(struct ps2_port, status),
	DEVICE_FIELD(struct ps2_port, rate),
	DEVICE_FIELD(struct ps2_port, resolution),
	{},
};

static const struct device_state ps2_port_saved = {
	.name = "ps2-port",
	.version = 1,
	.size = sizeof(struct ps2_port),
	.fields = ps2_port_fields,
};

/* Who types is another VM's affair. */
static const struct device_field ps2_fields[] = {
	DEVICE_FIELD_STRUCTS(struct ps2, ports, &ps2_port_saved),
	DEVICE_FIELD_STRUCT(struct ps2, own, &ps2_queue_saved),
	DEVICE_FIELD(struct ps2, own_mouse),
	DEVICE_FIELD(struct ps2, full),
	DEVICE_FIELD(struct ps2, from_mouse),
	DEVICE_FIELD(struct ps2, data),
	DEVICE_FIELD(struct ps2, command),
	DEVICE_FIELD(struct ps2, last_command),
	DEVICE_FIELD(struct ps2, memory),
	DEVICE_FIELD(struct ps2, out),
	DEVICE_FIELD(struct ps2, port92),
	DEVICE_FIELD(struct ps2, release),
	DEVICE_FIELD_LINE(struct ps2, irq),
	DEVICE_FIELD_LINE(struct ps2, mouse_irq),
	{},
};

static const struct device_state ps2_saved = {
	.name = "ps2",
	.version = 1,
	.size = sizeof(struct ps2),
	.lock = DEVICE_STATE_LOCK(struct ps2, lock),
	.fields = ps2_fields,
};

static void ps2_destroy(struct device *dev)
{
	kfree(dev->state);
}

static void ps2_describe(struct ps2 *p)
{
	p->acpi = (struct acpi_node){
		.hid = ACPI_HID_KEYBOARD,
		.io = {{PS2_DATA_IO, 1}, {PS2_COMMAND_IO, 1}},
		.irqs = 1u << PS2_IRQ,
		.next = &p->mouse_acpi,
	};
	p->mouse_acpi = (struct acpi_node){.hid = ACPI_HID_MOUSE, .irqs = 1u << PS2_MOUSE_IRQ};
}

static int ps2_create(struct device *dev, const struct device_config *config __unused)
{
	struct ps2 *p = kzalloc(sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	dev->state = p;
	p->vm = dev->vm;
	p->ports[1].mouse = true;
	p->keyboard = (struct keyboard){ps2_keys, ps2_listen, p};
	ps2_describe(p);
	err = device_irq(dev, PS2_IRQ, NULL, &p->irq);
	if (!err)
		err = device_irq(dev, PS2_MOUSE_IRQ, NULL, &p->mouse_irq);
	if (err)
		return err;
	ps2_reset(dev);
	err = device_provide(dev, ACPI_NODE_KIND, &p->acpi);
	if (!err)
		err = device_provide(dev, KEYBOARD_KIND, &p->keyboard);
	if (!err)
		err = device_hook_io(dev, PS2_DATA_IO, 1, &ps2_data_ops, p);
	if (!err)
		err = device_hook_io(dev, PS2_COMMAND_IO, 1, &ps2_command_ops, p);
	if (!err)
		err = device_hook_io(dev, PORT92_IO, 1, &port92_ops, p);
	return err;
}

MACHINE_PART(ps2_part, .machine = "pc", .text = "[device \"ps2\"]\ntype = ps2\n");

DEVICE_TYPE(ps2_type, .name = "ps2", .help = "8042 with PS/2 keyboard and mouse, port 0x92",
	    .create = ps2_create, .destroy = ps2_destroy, .reset = ps2_reset, .saved = &ps2_saved);
