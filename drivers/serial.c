/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550 UARTs (National Semiconductor PC16550D data sheet) for our own
 * console. Output is polled, in bursts of what the FIFO holds: a log line
 * must be out when the next instruction crashes. Input comes by interrupt,
 * and while output waits for the line, which at 115200 baud takes long
 * enough for the receive FIFO to overflow.
 *
 * When more is typed than the shell takes, the other end is told to wait, in both ways that there
 * are: RTS goes off, and XOFF is sent; later RTS on and XON. What it sends all the same stays in
 * the UART while we have no space. What the other end says of the kind is not heard: Ctrl-S and
 * Ctrl-Q are a guest's keys, and a cable without CTS looks like one that says wait.
 *
 * Locks: the console's for output; input_lock for input, which comes at
 * interrupt windows of one CPU and, on any, under the console's lock.
 */
#include "drivers/serial.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/irq.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"

#include <string.h>

/* Registers, as offsets of the port; RBR/THR and IER are the divisor's bytes while LCR.DLAB is set.
 */
#define UART_RBR 0
#define UART_THR 0
#define UART_IER 1
#define UART_IIR 2
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_MSR 6

#define UART_IER_ERBFI	   0x01 /* received data available */
#define UART_IIR_FIFOS	   0xc0 /* both set: the FIFOs are there and on */
#define UART_FCR_ENABLE	   0x01
#define UART_FCR_CLEAR	   0x06 /* both FIFOs */
#define UART_FCR_TRIGGER_8 0x80
#define UART_LCR_8N1	   0x03
#define UART_LCR_DLAB	   0x80
#define UART_MCR_DTR	   0x01
#define UART_MCR_RTS	   0x02
#define UART_MCR_OUT2	   0x08 /* lets the interrupt out of a PC's UART */
#define UART_MCR_HOLD	   (UART_MCR_DTR | UART_MCR_OUT2)
#define UART_MCR_GO	   (UART_MCR_HOLD | UART_MCR_RTS)
#define UART_LSR_DR	   0x01
#define UART_LSR_OE	   0x02 /* a received byte was lost */
#define UART_LSR_THRE	   0x20
#define UART_LSR_ABSENT	   0xff /* what a port without a device reads */

#define UART_PORTS	    8
#define UART_DIVISOR_115200 1
#define UART_FIFO_SIZE	    16

#define SERIAL_XON  0x11
#define SERIAL_XOFF 0x13

/*
 * Until output counts as stuck: a FIFO drains in 1.4 ms, and in 133 ms where a
 * service processor carries the line on at 1200 baud. Before the TSC's rate is
 * known, as much as this is for the quickest CPU, and more for others.
 */
#define SERIAL_DRAIN_MS	   500
#define SERIAL_TSC_KHZ_MAX UINT64_C(8000000)
/* Bytes taken in one go: what never ends is a broken UART. */
#define SERIAL_INPUT_MAX 4096

struct serial {
	struct console_sink sink;
	uint16_t port;
	uint8_t isa_irq;
	uint8_t vector;
	uint8_t fifo;		    /* bytes that fit into an empty transmitter; 0: no such UART */
	bool input;		    /* received bytes are wanted */
	struct spinlock input_lock; /* a byte is seen and taken by one CPU */
	bool hold;		    /* the other end was told to wait; under input_lock */
	char flow;    /* XON or XOFF, that goes out before what is written next; 0: none; atomic */
	bool overrun; /* a byte was lost … */
	bool told;    /* … and the log says so */
	bool stuck;   /* the transmitter did not drain: nothing more is sent until it does */
	void (*irq)(void);
};

static void serial_write(struct console_sink *sink, const char *s, size_t len);
static void serial_input_ready(struct console_sink *sink);
static void serial_irq_com1(void);
static void serial_irq_com2(void);

static struct serial serial_ports[] = {
	{
		.sink = {.name = "com1",
			 .write = serial_write,
			 .input_ready = serial_input_ready,
			 .interactive = true},
		.port = 0x3f8,
		.isa_irq = 4,
		.vector = IRQ_VECTOR_COM1,
		.irq = serial_irq_com1,
	},
	{
		.sink = {.name = "com2",
			 .write = serial_write,
			 .input_ready = serial_input_ready,
			 .interactive = true},
		.port = 0x2f8,
		.isa_irq = 3,
		.vector = IRQ_VECTOR_COM2,
		.irq = serial_irq_com2,
	},
};

/* The line's state; an error is shown once. */
static uint8_t serial_lsr(struct serial *serial)
{
	uint8_t lsr = io_in8(serial->port + UART_LSR);

	if (unlikely((lsr & UART_LSR_OE) && lsr != UART_LSR_ABSENT))
		serial->overrun = true;
	return lsr;
}

/* Up to a FIFO full, for which there is space. Under the input's lock. */
static size_t serial_take_burst(struct serial *serial)
{
	char buf[UART_FIFO_SIZE];
	size_t len = 0;

	while (len < sizeof(buf)) {
		uint8_t lsr = serial_lsr(serial);

		if (!(lsr & UART_LSR_DR) || lsr == UART_LSR_ABSENT)
			break;
		buf[len++] = (char)io_in8(serial->port + UART_RBR);
	}
	if (len)
		console_line_input(&serial->sink, buf, len);
	return len;
}

/* Under the input's lock. */
static void serial_take_input(struct serial *serial)
{
	bool hold, framed;

	for (size_t total = 0, n; total < SERIAL_INPUT_MAX; total += n) {
		if (!READ_ONCE(serial->sink.framing) && console_input_space() < UART_FIFO_SIZE)
			break;
		n = serial_take_burst(serial);
		if (n < UART_FIFO_SIZE)
			break;
	}
	framed = READ_ONCE(serial->sink.framing);
	hold = !framed && console_input_full();
	if (likely(hold == serial->hold))
		return;
	serial->hold = hold;
	io_out8(serial->port + UART_MCR, hold ? UART_MCR_HOLD : UART_MCR_GO);
	if (!framed)
		__atomic_store_n(&serial->flow, hold ? SERIAL_XOFF : SERIAL_XON, __ATOMIC_RELEASE);
}

static void serial_input_ready(struct console_sink *sink)
{
	struct serial *serial = container_of(sink, struct serial, sink);

	if (!serial->input)
		return;
	spin_lock(&serial->input_lock);
	serial_take_input(serial);
	spin_unlock(&serial->input_lock);
	serial_write(sink, "", 0);
}

/* Waits for its turn: the line makes no other edge for what is left lying. */
static void serial_irq(struct serial *serial)
{
	spin_lock(&serial->input_lock);
	serial_take_input(serial);
	spin_unlock(&serial->input_lock);
	if (unlikely(READ_ONCE(serial->flow)))
		console_flush(&serial->sink);
	if (unlikely(serial->overrun && !serial->told)) {
		serial->told = true;
		log_warn("%s: what was typed came too fast, some is lost: let the terminal heed "
			 "RTS or XOFF",
			 serial->sink.name);
	}
}

static void serial_irq_com1(void)
{
	serial_irq(&serial_ports[0]);
}

static void serial_irq_com2(void)
{
	serial_irq(&serial_ports[1]);
}

/*
 * Waits until the transmitter is empty; false when it does not get there in time.
 * One that was stuck gets one look, so that the system does not crawl for it.
 */
static bool serial_wait_empty(struct serial *serial)
{
	uint64_t khz = time_scale.tsc_khz ? time_scale.tsc_khz : SERIAL_TSC_KHZ_MAX;
	uint64_t start = time_tsc();

	do {
		uint8_t lsr = serial_lsr(serial);

		/* In a panic, whoever holds the lock may be stopped. */
		if (serial->input && (lsr & UART_LSR_DR) && lsr != UART_LSR_ABSENT &&
		    spin_trylock(&serial->input_lock)) {
			serial_take_input(serial);
			spin_unlock(&serial->input_lock);
		}
		if (lsr & UART_LSR_THRE) {
			serial->stuck = false;
			return true;
		}
	} while (!serial->stuck && time_tsc() - start < SERIAL_DRAIN_MS * khz);
	serial->sink.lost |= !serial->stuck;
	serial->stuck = true;
	return false;
}

static void serial_write(struct console_sink *sink, const char *s, size_t len)
{
	struct serial *serial = container_of(sink, struct serial, sink);
	static const char note[] = "\n-- output was lost here: `dmesg` has the log --\n";
	const char *end = s + len;
	bool in_newline = false; /* the \r of *s is out, its \n is not */

	if (serial->stuck && serial_wait_empty(serial) && !sink->framing)
		serial_write(sink, note, sizeof(note) - 1);
	while (s < end || READ_ONCE(serial->flow)) {
		char burst[UART_FIFO_SIZE];
		char flow = __atomic_exchange_n(&serial->flow, 0, __ATOMIC_ACQ_REL);
		size_t n = 0;

		if (unlikely(flow))
			burst[n++] = flow;
		while (n < serial->fifo && s < end) {
			if (*s == '\n' && !in_newline && !sink->framing) {
				burst[n++] = '\r';
				in_newline = true;
				continue;
			}
			burst[n++] = *s++;
			in_newline = false;
		}
		if (!serial_wait_empty(serial)) {
			serial->flow = flow;
			return;
		}
		io_out8_many(serial->port + UART_THR, burst, n);
	}
}

bool serial_console_init(const char *name)
{
	struct serial *serial = serial_ports;
	uint16_t port;

	while (strcmp(serial->sink.name, name))
		if (++serial == serial_ports + ARRAY_SIZE(serial_ports))
			return false;
	port = serial->port;
	if (io_in8(port + UART_LSR) == UART_LSR_ABSENT)
		return false;
	io_out8(port + UART_IER, 0);
	io_out8(port + UART_LCR, UART_LCR_DLAB | UART_LCR_8N1);
	io_out8(port + UART_RBR, UART_DIVISOR_115200);
	io_out8(port + UART_IER, 0);
	io_out8(port + UART_LCR, UART_LCR_8N1);
	io_out8(port + UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR | UART_FCR_TRIGGER_8);
	io_out8(port + UART_MCR, UART_MCR_GO);
	/* An 8250 or a 16550 with the broken FIFO says so here. */
	serial->fifo =
		(io_in8(port + UART_IIR) & UART_IIR_FIFOS) == UART_IIR_FIFOS ? UART_FIFO_SIZE : 1;
	console_register(&serial->sink);
	return true;
}

bool serial_console_has(uint16_t first, uint32_t count)
{
	for (size_t i = 0; i < ARRAY_SIZE(serial_ports); i++) {
		const struct serial *serial = &serial_ports[i];

		if (serial->fifo && first < serial->port + UART_PORTS &&
		    first + count > serial->port)
			return true;
	}
	return false;
}

void serial_input_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(serial_ports); i++) {
		struct serial *serial = &serial_ports[i];
		int err;

		/* What comes on a line that has the log alone is of nobody. */
		if (!serial->fifo || !serial->sink.interactive)
			continue;
		irq_register(serial->vector, serial->irq);
		err = irq_route_isa(serial->isa_irq, serial->vector);
		if (err) {
			log_error("%s: no interrupt (error %d): no input from it",
				  serial->sink.name, err);
			continue;
		}
		serial->input = true;
		/* What came before counts as well, and the line must be low for an edge. */
		serial_irq(serial);
		io_out8(serial->port + UART_IER, UART_IER_ERBFI);
	}
}
