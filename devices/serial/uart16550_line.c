/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550A's line: towards the backend, and from it. */
#include "devices/serial/uart16550_line.h"

#include "vmm/device.h"
#include "vmm/vm.h"

#include <string.h>

/* How long a byte may wait for others; nobody who types sees it. */
#define UART_TX_DELAY_NS UINT64_C(500000)

void uart_flush(struct uart *u)
{
	const struct char_backend_ops *backend = char_backend(&u->frontend);
	void *opaque = u->frontend.base.backend_opaque;
	bool had_room = uart_has_room(u);
	size_t taken = u->tx_count;

	if (!taken)
		return;
	if (backend)
		taken = MIN(backend->output(opaque, u->tx, u->tx_count), taken);
	u->tx_count -= taken;
	memmove(u->tx, u->tx + taken, u->tx_count);
	if (!had_room && uart_has_room(u))
		u->thre_pending = true;
}

/* What waits is taken now. A timer that still runs is moved by the next byte. */
static void uart_output_ready(void *opaque)
{
	struct uart *u = opaque;

	spin_lock(&u->frontend.base.lock);
	u->tx_armed = false;
	uart_flush(u);
	uart_update_irq(u);
	spin_unlock(&u->frontend.base.lock);
}

static void uart_tx_timer(struct timer *timer)
{
	uart_output_ready(container_of(timer, struct uart, tx_timer));
}

static void uart_arm(struct uart *u)
{
	struct vm *vm = u->dev->vm;

	u->tx_armed = true;
	timer_arm(&u->tx_timer, vm_time_to_tsc(vm, vm_time_ns(vm) + UART_TX_DELAY_NS));
}

/* Puts a character into the receiver. Its errors show in LSR when it is the next to be read. */
static void uart_receive(struct uart *u, uint8_t byte, uint8_t flags)
{
	if (uart_rx_full(u)) {
		u->lsr_errors |= UART_LSR_OE;
		return;
	}
	u->rx[u->rx_count] = byte;
	u->rx_flags[u->rx_count] = flags;
	if (!u->rx_count++)
		u->lsr_errors |= flags;
}

/*
 * A write of THR takes the THRE interrupt back, and the register's becoming
 * empty brings it again (data sheet, 8.10 B). In between the line is
 * low: an edge-triggered input hears of it also where the guest's handler only
 * writes and never reads IIR.
 */
static void uart_thre_again(struct uart *u)
{
	if (u->irq_level) {
		u->thre_pending = false;
		uart_update_irq(u);
	}
	u->thre_pending = uart_has_room(u);
	if (u->ier & (UART_IER_ETBEI | UART_IER_ERBFI | UART_IER_ELSI))
		uart_update_irq(u);
}

void uart_transmit(struct uart *u, uint8_t byte)
{
	if (unlikely(uart_loops(u))) {
		uart_receive(u, byte, 0);
	} else if (u->tx_count < UART_TX_BUFFER) {
		u->tx[u->tx_count++] = byte;
		if (byte == '\n' || !uart_has_room(u))
			uart_flush(u);
		else if (!u->tx_armed)
			uart_arm(u);
	}
	uart_thre_again(u);
}

void uart_want_input(struct uart *u)
{
	const struct char_backend_ops *backend = char_backend(&u->frontend);

	if (!u->input_wanted || uart_rx_full(u) || uart_loops(u))
		return;
	u->input_wanted = false;
	if (backend)
		backend->input_ready(u->frontend.base.backend_opaque);
}

static size_t uart_input(void *opaque, const uint8_t *data, size_t len)
{
	struct uart *u = opaque;
	size_t taken = 0;

	spin_lock(&u->frontend.base.lock);
	while (taken < len && !uart_rx_full(u) && !uart_loops(u))
		uart_receive(u, data[taken++], 0);
	if (taken < len)
		u->input_wanted = true;
	uart_update_irq(u);
	spin_unlock(&u->frontend.base.lock);
	return taken;
}

static void uart_input_break(void *opaque)
{
	struct uart *u = opaque;

	spin_lock(&u->frontend.base.lock);
	if (!uart_loops(u))
		uart_receive(u, 0, UART_LSR_BI | UART_LSR_FE);
	uart_update_irq(u);
	spin_unlock(&u->frontend.base.lock);
}

/* Tells the backend which of DTR and RTS are on; in loopback none is (data sheet, 8.7). */
static void uart_drive_modem(struct uart *u, bool known)
{
	const struct char_backend_ops *backend = char_backend(&u->frontend);
	uint8_t driven = uart_loops(u) ? 0 : u->mcr & (UART_MCR_DTR | UART_MCR_RTS);

	if (known && driven == u->driven)
		return;
	u->driven = driven;
	if (backend && backend->modem)
		backend->modem(u->frontend.base.backend_opaque, driven & UART_MCR_DTR,
			       driven & UART_MCR_RTS);
}

/* What comes in by the cable, or MCR's own bits in loopback. */
void uart_update_modem(struct uart *u)
{
	uint8_t lines = u->cable, changed;

	if (uart_loops(u))
		lines = ((u->mcr & UART_MCR_RTS) ? UART_MSR_CTS : 0) |
			((u->mcr & UART_MCR_DTR) ? UART_MSR_DSR : 0) |
			((u->mcr & UART_MCR_OUT1) ? UART_MSR_RI : 0) |
			((u->mcr & UART_MCR_OUT2) ? UART_MSR_DCD : 0);
	changed = (u->msr ^ lines) & UART_MSR_LINES;
	if (lines & UART_MSR_RI)
		changed &= ~UART_MSR_RI; /* only its trailing edge counts */
	u->msr = lines | (u->msr & ~UART_MSR_LINES) | (changed >> 4);
	uart_drive_modem(u, true);
}

static void uart_input_modem(void *opaque, bool ready, bool clear)
{
	struct uart *u = opaque;

	spin_lock(&u->frontend.base.lock);
	u->cable = (ready ? UART_MSR_DSR | UART_MSR_DCD : 0) | (clear ? UART_MSR_CTS : 0);
	uart_update_modem(u);
	uart_update_irq(u);
	spin_unlock(&u->frontend.base.lock);
}

/* A backend that has come knows nothing yet. */
static void uart_attached(struct frontend *base)
{
	struct uart *u = container_of(base, struct uart, frontend.base);

	spin_lock(&base->lock);
	uart_drive_modem(u, false);
	spin_unlock(&base->lock);
}

const char *uart_post_load(void *state)
{
	struct uart *u = state;

	spin_lock(&u->frontend.base.lock);
	uart_drive_modem(u, false);
	uart_update_modem(u);
	uart_flush(u);
	u->input_wanted = true; /* whatever this one was refused before */
	uart_want_input(u);
	uart_update_irq(u);
	spin_unlock(&u->frontend.base.lock);
	return NULL;
}

void uart_line_init(struct uart *u)
{
	/* A cable that is always plugged in, for backends that know of none. */
	u->cable = UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;
	timer_init(&u->tx_timer, uart_tx_timer);
	char_frontend_init(&u->frontend);
	u->frontend.input = uart_input;
	u->frontend.output_ready = uart_output_ready;
	u->frontend.input_break = uart_input_break;
	u->frontend.input_modem = uart_input_modem;
	u->frontend.base.attached = uart_attached;
	u->frontend.opaque = u;
}
