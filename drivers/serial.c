/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550 UARTs (National Semiconductor PC16550D data sheet) for our own
 * console. Output is polled until there are timers, and in a panic. In between a ring keeps what
 * the transmitter does not take at once, in bursts of what its FIFO holds, and a timer brings the
 * rest: a line takes 9 ms at 115200 baud, and nobody is to wait for it. Who writes into a full ring
 * does wait, for nothing is lost. The timer does what an interrupt would, but works where the line
 * shares an edge with what is not taken of the input. Input comes by interrupt, and while output
 * waits for the line.
 *
 * When more is typed than the shell takes, the other end is told to wait, in both ways that there
 * are: RTS goes off, and XOFF is sent; later RTS on and XON. What it sends all the same stays in
 * the UART while we have no space. What the other end says of the kind is not heard: Ctrl-S and
 * Ctrl-Q are a guest's keys, and a cable without CTS looks like one that says wait.
 *
 * Locks: the console's for output, the ring and its timer; input_lock for input, which comes at
 * interrupt windows of one CPU and, on any, under the console's lock.
 */
#include "drivers/serial.h"
#include "arch/x86_64/io.h"
#include "arch/x86_64/irq.h"
#include "drivers/serial_claim.h"
#include "drivers/serial_regs.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "lib/ring.h"

#include <string.h>

#define UART_MCR_HOLD (UART_MCR_DTR | UART_MCR_OUT2)
#define UART_MCR_GO   (UART_MCR_HOLD | UART_MCR_RTS)

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
#define SERIAL_RING_SIZE 4096 /* a third of a second: an answer should not be later */
#define SERIAL_FIFO_NS	 (UART_FIFO_SIZE * UINT64_C(86806)) /* 10 bits each */

struct serial {
	struct console_sink sink;
	uint16_t port;
	uint8_t isa_irq;
	uint8_t vector;
	uint8_t fifo;		    /* bytes that fit into an empty transmitter; 0: no console */
	bool input;		    /* received bytes are wanted */
	struct spinlock input_lock; /* a byte is seen and taken by one CPU */
	bool hold;		    /* the other end was told to wait; under input_lock */
	char flow;    /* XON or XOFF, that goes out before what is written next; 0: none; atomic */
	bool overrun; /* a byte was lost … */
	bool told;    /* … and the log says so */
	bool stuck;   /* the transmitter did not drain: nothing more is sent until it does */
	char last;    /* what was written before */
	struct ring out; /* no bytes: everything is written at once */
	struct timer timer;
	uint64_t moved; /* TSC when the transmitter last took something */
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
	/* A line that has become framed meanwhile gets the XON that it waits for, among the frames
	 * if need be, but no XOFF. */
	if (!framed || __atomic_exchange_n(&serial->flow, 0, __ATOMIC_ACQ_REL) != SERIAL_XOFF)
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

/* One look at the line: takes what has come; whether the transmitter is empty. */
static bool serial_look(struct serial *serial)
{
	uint8_t lsr = serial_lsr(serial);

	/* In a panic, whoever holds a lock may be stopped, the console's own too. */
	if (serial->input && !serial->sink.now && (lsr & UART_LSR_DR) && lsr != UART_LSR_ABSENT &&
	    spin_trylock(&serial->input_lock)) {
		serial_take_input(serial);
		spin_unlock(&serial->input_lock);
	}
	return lsr & UART_LSR_THRE;
}

/* What is known of it after it was looked at, since TSC @since in vain. */
static bool serial_is_empty(struct serial *serial, bool empty, uint64_t since)
{
	uint64_t khz = time_scale.tsc_khz ? time_scale.tsc_khz : SERIAL_TSC_KHZ_MAX;

	if (empty) {
		serial->stuck = false;
	} else if (!serial->stuck && time_tsc() - since >= SERIAL_DRAIN_MS * khz) {
		serial->sink.lost = true;
		serial->sink.losses++;
		serial->stuck = true;
	}
	return empty;
}

/*
 * Waits until the transmitter is empty; false when it does not get there in time.
 * One that was stuck gets one look, so that the system does not crawl for it.
 */
static bool serial_wait_empty(struct serial *serial)
{
	uint64_t start = time_tsc();

	while (!serial_is_empty(serial, serial_look(serial), start))
		if (serial->stuck)
			return false;
	return true;
}

/* Writes up to a FIFO full into the empty transmitter: what the other end is told of its own
 * sending first. */
static void serial_burst(struct serial *serial, const char *s, size_t len)
{
	io_out8_many(serial->port + UART_THR, s, len);
	serial->moved = time_tsc();
}

static size_t serial_take_flow(struct serial *serial, char *burst)
{
	*burst = __atomic_exchange_n(&serial->flow, 0, __ATOMIC_ACQ_REL);
	return *burst != 0;
}

/* From the ring, until no more than @left bytes are in it; more, as long as the transmitter is
 * empty anyhow. What stands still too long loses all. */
static void serial_push(struct serial *serial, size_t left)
{
	while (ring_used(&serial->out) || READ_ONCE(serial->flow)) {
		char burst[UART_FIFO_SIZE];
		bool wait = ring_used(&serial->out) > left;
		size_t n;

		if (wait ? !serial_wait_empty(serial)
			 : !serial_is_empty(serial, serial_look(serial), serial->moved))
			break;
		n = serial_take_flow(serial, burst);
		n += ring_get(&serial->out, burst + n, serial->fifo - n);
		serial_burst(serial, burst, n);
	}
	if (serial->stuck)
		serial->out.tail = serial->out.head;
	serial->sink.backlog = ring_used(&serial->out);
	if ((serial->sink.backlog || (READ_ONCE(serial->flow) && !serial->stuck)) &&
	    !serial->timer.armed && !serial->sink.now)
		timer_arm(&serial->timer, time_tsc() + time_ns_to_tsc(SERIAL_FIFO_NS));
}

static void serial_timer(struct timer *timer)
{
	console_flush(&container_of(timer, struct serial, timer)->sink);
}

/* Until all of it is in the transmitter. */
static void serial_write_now(struct serial *serial, const char *s, size_t len)
{
	while (len || READ_ONCE(serial->flow)) {
		char burst[UART_FIFO_SIZE];
		size_t n;

		if (!serial_wait_empty(serial))
			return;
		n = serial_take_flow(serial, burst);
		while (n < serial->fifo && len) {
			burst[n++] = *s++;
			len--;
		}
		serial_burst(serial, burst, n);
	}
}

static void serial_send(struct serial *serial, const char *s, size_t len)
{
	if (!serial->out.size || serial->sink.now) {
		if (ring_used(&serial->out))
			serial_push(serial, 0);
		serial_write_now(serial, s, len);
		return;
	}
	if (!ring_used(&serial->out))
		serial->moved = time_tsc();
	while (len && !serial->stuck) {
		size_t n = ring_put(&serial->out, s, len);

		s += n;
		len -= n;
		serial_push(serial, len ? SERIAL_RING_SIZE - UART_FIFO_SIZE : SERIAL_RING_SIZE);
	}
	if (!len)
		serial_push(serial, SERIAL_RING_SIZE);
}

static void serial_write(struct console_sink *sink, const char *s, size_t len)
{
	struct serial *serial = container_of(sink, struct serial, sink);
	static const char note[] = "\r\n-- output was lost here: `dmesg` has the log --\r\n";
	const char *end;

	/* What is no text has its own way to tell; a line of it that was cut ends here. */
	if (serial->stuck && serial_wait_empty(serial) && !sink->framing)
		serial_send(serial, note, console_is_muted() ? 2 : sizeof(note) - 1);
	/* Lines end in \r\n on a terminal; those of a guest's do already. */
	while (!sink->framing && (end = memchr(s, '\n', len))) {
		char before = end > s ? end[-1] : serial->last;

		serial_send(serial, s, (size_t)(end - s));
		if (before == '\r')
			serial_send(serial, "\n", 1);
		else
			serial_send(serial, "\r\n", 2);
		serial->last = '\n';
		len -= (size_t)(end + 1 - s);
		s = end + 1;
	}
	if (len)
		serial->last = s[len - 1];
	serial_send(serial, s, len);
}

bool serial_console_init(const char *name)
{
	struct serial *serial = serial_ports;
	uint16_t port;

	while (strcmp(serial->sink.name, name))
		if (++serial == serial_ports + ARRAY_SIZE(serial_ports))
			return false;
	port = serial->port;
	if (io_in8(port + UART_LSR) == UART_LSR_ABSENT ||
	    serial_claim(port, UART_PORTS, serial, "the serial console"))
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

void serial_output_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(serial_ports); i++) {
		struct serial *serial = &serial_ports[i];
		void *data;

		/* Without a FIFO the timer would come for each byte. */
		if (serial->fifo <= 1)
			continue;
		data = kmalloc(SERIAL_RING_SIZE);
		if (!data)
			continue;
		timer_init(&serial->timer, serial_timer);
		ring_init(&serial->out, data, SERIAL_RING_SIZE);
	}
}
