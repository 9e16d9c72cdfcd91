/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550A serial port: FIFOs, interrupts, modem lines, loopback.
 *
 * Spec: National Semiconductor PC16550D data sheet, June 1995.
 * Keys: io, irq. It is a char frontend (vmm/char_frontend.h).
 * Lock: frontend.base.lock over everything below; the interrupt line's and the
 * backend's locks come after it.
 *
 * The line has no speed. What the guest sends is gathered and goes to the
 * backend at a newline, when the buffer fills, or a moment after its first
 * byte; meanwhile the transmitter says that it is empty. It is busy only
 * while the backend takes nothing and the buffer has no room for a whole FIFO,
 * which a guest fills without asking in between. Input is taken only when it
 * fits, so that nothing overruns.
 */
#include "devices/serial/uart16550.h"

#include "devices/byte_io.h"
#include "devices/serial/uart16550_line.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

static const uint8_t uart_trigger_levels[4] = {1, 4, 8, 14};

/* Table III of the data sheet: highest priority first. */
static uint8_t uart_iir(const struct uart *u)
{
	uint8_t trigger = uart_fifo_on(u) ? uart_trigger_levels[u->fcr >> 6] : 1;

	if ((u->ier & UART_IER_ELSI) && u->lsr_errors)
		return UART_IIR_LINE;
	if ((u->ier & UART_IER_ERBFI) && u->rx_count >= trigger)
		return UART_IIR_DATA;
	/* No more comes within four characters' time: the line has no speed. */
	if ((u->ier & UART_IER_ERBFI) && u->rx_count)
		return UART_IIR_TIMEOUT;
	if ((u->ier & UART_IER_ETBEI) && u->thre_pending)
		return UART_IIR_THRE;
	if ((u->ier & UART_IER_EDSSI) && (u->msr & ~UART_MSR_LINES))
		return UART_IIR_MODEM;
	return UART_IIR_NONE;
}

/*
 * A PC's board gates the line with OUT2. We do not, like most virtual ones:
 * kernels that were only ever run in these (xv6, JOS) leave it low.
 */
void uart_update_irq(struct uart *u)
{
	bool level = !uart_loops(u) && uart_iir(u) != UART_IIR_NONE;

	if (level == u->irq_level)
		return;
	u->irq_level = level;
	irq_line_set(u->irq, level);
}

static uint8_t uart_read_rbr(struct uart *u)
{
	uint8_t byte = u->rx[0];

	if (!u->rx_count)
		return byte; /* the register keeps the last one */
	if (--u->rx_count) {
		memmove(u->rx, u->rx + 1, u->rx_count);
		memmove(u->rx_flags, u->rx_flags + 1, u->rx_count);
		u->lsr_errors |= u->rx_flags[0];
	}
	uart_want_input(u);
	return byte;
}

static uint8_t uart_read_lsr(struct uart *u)
{
	uint8_t lsr = u->lsr_errors, i;

	if (!uart_has_room(u))
		uart_flush(u);
	if (uart_has_room(u))
		lsr |= UART_LSR_THRE | UART_LSR_TEMT;
	if (u->rx_count)
		lsr |= UART_LSR_DR;
	for (i = 0; uart_fifo_on(u) && i < u->rx_count; i++)
		if (u->rx_flags[i])
			lsr |= UART_LSR_FIFOE;
	if (unlikely(u->lsr_errors)) {
		u->lsr_errors = 0;
		if (u->rx_count)
			u->rx_flags[0] = 0;
	}
	return lsr;
}

static uint8_t uart_read_iir(struct uart *u)
{
	uint8_t iir = uart_iir(u);

	if (iir == UART_IIR_THRE)
		u->thre_pending = false;
	return iir | (uart_fifo_on(u) ? UART_IIR_FIFO : 0);
}

static uint8_t uart_read_reg(struct uart *u, unsigned reg)
{
	uint8_t value;

	switch (reg) {
	case UART_RBR:
		return (u->lcr & UART_LCR_DLAB) ? u->dll : uart_read_rbr(u);
	case UART_IER:
		return (u->lcr & UART_LCR_DLAB) ? u->dlm : u->ier;
	case UART_IIR:
		return uart_read_iir(u);
	case UART_LCR:
		return u->lcr;
	case UART_MCR:
		return u->mcr;
	case UART_LSR:
		return uart_read_lsr(u);
	case UART_MSR:
		value = u->msr;
		u->msr &= UART_MSR_LINES;
		return value;
	default:
		return u->scr;
	}
}

/* Without the lock, because it changes nothing: the LSR of a port that only sends, and scratch. */
static int uart_peek(const struct uart *u, unsigned reg)
{
	if (reg == UART_LSR && !READ_ONCE(u->lsr_errors) && !READ_ONCE(u->rx_count) &&
	    uart_has_room(u))
		return UART_LSR_THRE | UART_LSR_TEMT;
	return reg == UART_SCR ? READ_ONCE(u->scr) : -1;
}

static uint8_t uart_read8(void *opaque, unsigned reg)
{
	struct uart *u = opaque;
	int known = uart_peek(u, reg);
	uint8_t value;

	if (likely(known >= 0))
		return (uint8_t)known;
	spin_lock(&u->frontend.base.lock);
	value = uart_read_reg(u, reg);
	uart_update_irq(u);
	spin_unlock(&u->frontend.base.lock);
	return value;
}

static void uart_clear_rx(struct uart *u)
{
	u->rx_count = 0;
	u->lsr_errors &= UART_LSR_OE;
	uart_want_input(u);
}

static void uart_write_fcr(struct uart *u, uint8_t value)
{
	bool toggled = (value ^ u->fcr) & UART_FCR_ENABLE;

	/* The other bits are taken only together with the enable bit (data sheet, 8.4). */
	u->fcr = (value & UART_FCR_ENABLE)
			 ? value & (UART_FCR_ENABLE | UART_FCR_DMA | UART_FCR_TRIGGER)
			 : 0;
	if (toggled || ((value & UART_FCR_ENABLE) && (value & UART_FCR_CLEAR_RX)))
		uart_clear_rx(u);
	/* What is in our buffer left the guest's FIFO long ago: nothing to clear there. */
	if (toggled || (value & UART_FCR_CLEAR_TX))
		u->thre_pending = uart_has_room(u);
}

static void uart_write_lcr(struct uart *u, uint8_t value)
{
	const struct char_backend_ops *backend = char_backend(&u->frontend);
	uint8_t changed = u->lcr ^ value;

	u->lcr = value;
	if ((changed & UART_LCR_BREAK) && backend && !uart_loops(u)) {
		uart_flush(u);
		backend->set_break(u->frontend.base.backend_opaque, value & UART_LCR_BREAK);
	}
}

static void uart_write_ier(struct uart *u, uint8_t value)
{
	/* Enabling it with the transmitter empty interrupts at once (8.6). */
	if ((value & UART_IER_ETBEI) && !(u->ier & UART_IER_ETBEI) && uart_has_room(u))
		u->thre_pending = true;
	u->ier = value & UART_IER_MASK;
}

static void uart_write_reg(struct uart *u, unsigned reg, uint8_t value)
{
	switch (reg) {
	case UART_THR:
		u->dll = value; /* DLAB is set: see uart_write8 */
		break;
	case UART_IER:
		if (u->lcr & UART_LCR_DLAB)
			u->dlm = value;
		else
			uart_write_ier(u, value);
		break;
	case UART_FCR:
		uart_write_fcr(u, value);
		break;
	case UART_LCR:
		uart_write_lcr(u, value);
		break;
	case UART_MCR:
		u->mcr = value & UART_MCR_MASK;
		uart_update_modem(u);
		uart_want_input(u);
		break;
	}
}

static void uart_write8(void *opaque, unsigned reg, uint8_t value)
{
	struct uart *u = opaque;

	if (reg == UART_SCR) {
		WRITE_ONCE(u->scr, value);
		return;
	}
	spin_lock(&u->frontend.base.lock);
	if (likely(reg == UART_THR && !(u->lcr & UART_LCR_DLAB))) {
		uart_transmit(u, value);
	} else {
		uart_write_reg(u, reg, value);
		uart_update_irq(u);
	}
	spin_unlock(&u->frontend.base.lock);
}

static int uart_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		     uint64_t *value)
{
	return byte_io_read(uart_read8, opaque, offset, width, value);
}

static int uart_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		      uint64_t value)
{
	return byte_io_write(uart_write8, opaque, offset, width, value);
}

static const struct hook_ops uart_ops = {.read = uart_read, .write = uart_write};

/* Power-on (data sheet, table I). What was sent stays sent. */
static void uart_reset(struct device *dev)
{
	struct uart *u = dev->state;

	spin_lock(&u->frontend.base.lock);
	uart_flush(u);
	uart_write_lcr(u, 0); /* the line does not stay in a break */
	u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->dlm = 0;
	u->dll = 12; /* 9600 baud: what firmware would leave */
	u->lsr_errors = 0;
	u->thre_pending = false;
	u->rx_count = 0;
	uart_update_modem(u);
	u->msr &= UART_MSR_LINES;
	uart_update_irq(u);
	uart_want_input(u);
	spin_unlock(&u->frontend.base.lock);
}

/* A resource of its own, so that it ends before the interrupt line that it raises goes. */
static void uart_stop_timer(void *opaque)
{
	timer_cancel_sync(&((struct uart *)opaque)->tx_timer);
}

/* What the other end of the cable drives is told by the backend of the new one. */
static const struct device_field uart_fields[] = {
	DEVICE_FIELD(struct uart, irq_level),
	DEVICE_FIELD_LINE(struct uart, irq),
	DEVICE_FIELD(struct uart, thre_pending),
	DEVICE_FIELD(struct uart, ier, .max = UART_IER_MASK),
	DEVICE_FIELD(struct uart, fcr),
	DEVICE_FIELD(struct uart, lcr),
	DEVICE_FIELD(struct uart, mcr, .max = UART_MCR_MASK),
	DEVICE_FIELD(struct uart, scr),
	DEVICE_FIELD(struct uart, dll),
	DEVICE_FIELD(struct uart, dlm),
	DEVICE_FIELD(struct uart, lsr_errors),
	DEVICE_FIELD(struct uart, msr),
	DEVICE_FIELD(struct uart, rx_count, .max = UART_FIFO),
	DEVICE_FIELD(struct uart, rx),
	DEVICE_FIELD(struct uart, rx_flags),
	DEVICE_FIELD(struct uart, tx_count, .max = UART_TX_BUFFER),
	DEVICE_FIELD(struct uart, tx),
	{},
};

/* What was sent is the backend's that was there, as far as it takes it: it is not said twice. */
static void uart_pre_save(void *state)
{
	struct uart *u = state;

	spin_lock(&u->frontend.base.lock);
	uart_flush(u);
	uart_update_irq(u);
	spin_unlock(&u->frontend.base.lock);
}

static const struct device_state uart_saved = {
	.name = "uart16550",
	.version = 1,
	.size = sizeof(struct uart),
	.lock = DEVICE_STATE_LOCK(struct uart, frontend.base.lock),
	.fields = uart_fields,
	.pre_save = uart_pre_save,
	.post_load = uart_post_load,
};

static void uart_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int uart_create(struct device *dev, const struct device_config *config)
{
	uint16_t io = (uint16_t)device_config_uint(config, "io");
	unsigned irq = (unsigned)device_config_uint(config, "irq");
	struct uart *u = kzalloc(sizeof(*u));
	int err;

	if (!u)
		return -ENOMEM;
	dev->state = u;
	u->dev = dev;
	u->acpi = (struct acpi_node){
		.hid = ACPI_HID_UART, .io = {{io, UART_PORTS}}, .irqs = (uint16_t)BIT(irq)};
	uart_line_init(u);
	/* As COM1 and COM3 do by tradition; their drivers know. */
	err = device_irq(dev, irq, "UARTs", &u->irq);
	if (err)
		return err;
	uart_reset(dev);
	err = device_own(dev, uart_stop_timer, u);
	if (!err)
		err = device_provide_frontend(dev, &u->frontend.base);
	if (!err)
		err = device_provide(dev, ACPI_NODE_KIND, &u->acpi);
	if (!err)
		err = device_hook_io(dev, io, UART_PORTS, &uart_ops, u);
	return err;
}

static const struct device_key uart_keys[] = {
	{.name = "io",
	 .kind = KEY_UINT,
	 .def = "0x3f8",
	 .max = 0x10000 - UART_PORTS,
	 .help = "first I/O port"},
	{.name = "irq", .kind = KEY_UINT, .def = "4", .max = 15, .help = "ISA IRQ"},
	{},
};

MACHINE_PART(uart_com1, .machine = "pc", .text = "[device \"com1\"]\ntype = uart16550\n");

DEVICE_TYPE(uart_type, .name = "uart16550", .help = "16550A serial port", .keys = uart_keys,
	    .create = uart_create, .destroy = uart_destroy, .reset = uart_reset,
	    .saved = &uart_saved);
