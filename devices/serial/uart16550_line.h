/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 16550A between its files: uart16550.c, what the guest sees, and
 * uart16550_line.c, what goes to the backend and comes from it.
 */
#ifndef DEVICES_SERIAL_UART16550_LINE_H
#define DEVICES_SERIAL_UART16550_LINE_H

#include "devices/acpi_node.h"
#include "devices/serial/uart16550.h"
#include "kernel/timer.h"
#include "vmm/char_frontend.h"

#include <stdbool.h>
#include <stdint.h>

struct device;
struct irq_line;

#define UART_FIFO      16
#define UART_TX_BUFFER 256

struct uart {
	struct char_frontend frontend;
	struct device *dev;
	struct irq_line *irq;
	struct timer tx_timer;
	struct acpi_node acpi;
	bool irq_level;	   /* what we told the line */
	bool thre_pending; /* the THRE interrupt, until IIR tells it or THR is written */
	bool tx_armed;	   /* tx_timer runs */
	bool input_wanted; /* the backend was refused something */
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t lsr_errors; /* LSR bits 1-4 of what was received, until LSR is read */
	uint8_t msr;
	uint8_t cable;	/* the MSR lines that the other end drives */
	uint8_t driven; /* the MCR lines that the backend knows */
	uint8_t rx_count;
	uint8_t rx[UART_FIFO];	     /* oldest first */
	uint8_t rx_flags[UART_FIFO]; /* LSR error bits of that character */
	uint16_t tx_count;
	uint8_t tx[UART_TX_BUFFER]; /* not yet taken by the backend */
};

static inline bool uart_fifo_on(const struct uart *u)
{
	return u->fcr & UART_FCR_ENABLE;
}

static inline bool uart_loops(const struct uart *u)
{
	return u->mcr & UART_MCR_LOOP;
}

static inline bool uart_rx_full(const struct uart *u)
{
	return u->rx_count >= (uart_fifo_on(u) ? UART_FIFO : 1);
}

/* What "the transmitter FIFO is empty" promises. */
static inline bool uart_has_room(const struct uart *u)
{
	return READ_ONCE(u->tx_count) <= UART_TX_BUFFER - UART_FIFO;
}

/* uart16550.c: tells the interrupt line what IIR says. All here: under frontend.lock. */
void uart_update_irq(struct uart *u);

/* Gives the backend what it takes; without one it falls off the open end of the cable. */
void uart_flush(struct uart *u);
/* A byte that the guest wrote to THR. */
void uart_transmit(struct uart *u, uint8_t byte);
/* The receiver has room again, perhaps: asks for what was refused. */
void uart_want_input(struct uart *u);

/* MCR has changed, or what comes in by the cable. */
void uart_update_modem(struct uart *u);

/* Without the lock, of a state that was restored: the backend and the receiver find each other. */
const char *uart_post_load(void *state);

/* Without the lock: sets the frontend up. Its timer is the caller's to stop. */
void uart_line_init(struct uart *u);

#endif
