/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest writes waits in a ring, from which a timer feeds the transmitter as long as there is
 * something (drivers/serial.c tells why no interrupt does); a full ring takes no more. Input comes
 * by interrupt. When the user does not take all of it the rest stays in the UART, RTS goes off and
 * the interrupt, too, so that a line that is level-triggered is quiet.
 *
 * Lock: a port's, over all of it. It is taken with a frontend's held, so the user is called
 * without: whoever finds something to do takes a turn, one at a time, and leaves to who has it what
 * comes meanwhile. A turn is between two quiescent points of its CPU, which is what close waits
 * for.
 */
#include "drivers/serial_port.h"

#include "arch/x86_64/io.h"
#include "arch/x86_64/irq.h"
#include "drivers/serial_claim.h"
#include "drivers/serial_regs.h"
#include "kernel/grace.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "lib/ring.h"

#include <errno.h>
#include <string.h>

#define SERIAL_PORT_RING     4096
#define SERIAL_PORT_TURNS    64 /* before others get the CPU */
#define SERIAL_PORT_DRAIN_NS (500 * NSEC_PER_MSEC)

struct serial_port {
	const char *name;
	uint16_t port;
	uint8_t isa_irq, vector;
	void (*irq)(void);

	struct spinlock lock;
	bool routed;		    /* its interrupt is */
	struct serial_port_ops ops; /* as long as it is open */
	void *opaque;
	bool open;
	bool busy;    /* somebody has the turn … */
	bool again;   /* … and shall take another one */
	bool refused; /* some of the user's output was */
	bool held;    /* the user has not taken all */
	bool broke;   /* a break came behind the bytes of in */
	bool dtr, rts;
	uint8_t fifo; /* bytes that fit into an empty transmitter */
	uint8_t in_len;
	uint8_t in[UART_FIFO_SIZE];
	uint64_t fifo_ns; /* that long the line takes for a FIFO full */
	struct ring out;
	struct timer timer;
};

static void serial_port_irq_com1(void);
static void serial_port_irq_com2(void);

static struct serial_port serial_ports[] = {
	{.name = "com1",
	 .port = 0x3f8,
	 .isa_irq = 4,
	 .vector = IRQ_VECTOR_COM1,
	 .irq = serial_port_irq_com1},
	{.name = "com2",
	 .port = 0x2f8,
	 .isa_irq = 3,
	 .vector = IRQ_VECTOR_COM2,
	 .irq = serial_port_irq_com2},
};

/* Under the lock. */
static void serial_port_again(struct serial_port *port, uint64_t ns)
{
	timer_arm(&port->timer, time_tsc() + time_ns_to_tsc(ns));
}

/* Into the transmitter, if it is empty. Under the lock. */
static void serial_port_push(struct serial_port *port)
{
	char burst[UART_FIFO_SIZE];

	if (!ring_used(&port->out))
		return;
	if (io_in8(port->port + UART_LSR) & UART_LSR_THRE)
		io_out8_many(port->port + UART_THR, burst, ring_get(&port->out, burst, port->fifo));
	if (ring_used(&port->out) && !port->timer.armed)
		serial_port_again(port, port->fifo_ns);
}

/* Out of the receiver, as much as there is space for. Under the lock. */
static void serial_port_take(struct serial_port *port)
{
	while (port->in_len < sizeof(port->in) && !port->broke) {
		uint8_t lsr = io_in8(port->port + UART_LSR), byte;

		if (!(lsr & UART_LSR_DR) || lsr == UART_LSR_ABSENT)
			break;
		byte = io_in8(port->port + UART_RBR);
		if (lsr & UART_LSR_BI)
			port->broke = true;
		else
			port->in[port->in_len++] = byte;
	}
}

static void serial_port_set_lines(struct serial_port *port)
{
	io_out8(port->port + UART_MCR, (uint8_t)(UART_MCR_OUT2 | (port->dtr ? UART_MCR_DTR : 0) |
						 (port->rts && !port->held ? UART_MCR_RTS : 0)));
}

/* Under the lock. */
static void serial_port_hold(struct serial_port *port, bool hold)
{
	if (hold == port->held)
		return;
	port->held = hold;
	serial_port_set_lines(port);
	/* With a byte there an edge comes at once. */
	io_out8(port->port + UART_IER, hold ? 0 : UART_IER_ERBFI);
}

/* The user has taken @taken of what is there. Whether there may be more to do. Under the lock. */
static bool serial_port_taken(struct serial_port *port, size_t had, size_t taken, bool broke)
{
	bool more = port->again || broke || (had && taken == had);

	port->busy = port->again = false;
	port->in_len = (uint8_t)(had - taken);
	memmove(port->in, port->in + taken, port->in_len);
	if (broke)
		port->broke = false;
	if (port->open)
		serial_port_hold(port, port->in_len);
	return more && port->open;
}

/* Whether there may be more to do. */
static bool serial_port_turn(struct serial_port *port)
{
	size_t had, taken;
	bool ready, broke, more;

	spin_lock(&port->lock);
	if (!port->open || port->busy) {
		port->again = true;
		spin_unlock(&port->lock);
		return false;
	}
	port->busy = true;
	serial_port_push(port);
	serial_port_take(port);
	had = port->in_len;
	ready = port->refused && ring_space(&port->out) >= SERIAL_PORT_RING / 2;
	if (ready)
		port->refused = false;
	spin_unlock(&port->lock);

	taken = had ? port->ops.input(port->opaque, port->in, had) : 0;
	broke = port->broke && taken == had;
	if (broke)
		port->ops.input_break(port->opaque);
	if (ready)
		port->ops.output_ready(port->opaque);

	spin_lock(&port->lock);
	more = serial_port_taken(port, had, taken, broke);
	spin_unlock(&port->lock);
	return more;
}

static void serial_port_turns(struct serial_port *port)
{
	for (unsigned n = 0; n < SERIAL_PORT_TURNS; n++)
		if (!serial_port_turn(port))
			return;
	spin_lock(&port->lock);
	if (port->open)
		serial_port_again(port, port->fifo_ns);
	spin_unlock(&port->lock);
}

static void serial_port_irq_com1(void)
{
	serial_port_turns(&serial_ports[0]);
}

static void serial_port_irq_com2(void)
{
	serial_port_turns(&serial_ports[1]);
}

static void serial_port_timer(struct timer *timer)
{
	serial_port_turns(container_of(timer, struct serial_port, timer));
}

static int serial_port_route(struct serial_port *port)
{
	int err;

	if (port->routed)
		return 0;
	irq_register(port->vector, port->irq);
	err = irq_route_isa(port->isa_irq, port->vector);
	port->routed = !err;
	return err ? -ENODEV : 0;
}

static void serial_port_set_up(struct serial_port *port, unsigned speed)
{
	unsigned divisor = SERIAL_PORT_SPEED_MAX / speed * UART_DIVISOR_115200;
	uint16_t io = port->port;

	io_out8(io + UART_IER, 0);
	io_out8(io + UART_LCR, UART_LCR_DLAB | UART_LCR_8N1);
	io_out8(io + UART_RBR, (uint8_t)divisor);
	io_out8(io + UART_IER, (uint8_t)(divisor >> 8));
	io_out8(io + UART_LCR, UART_LCR_8N1);
	io_out8(io + UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR | UART_FCR_TRIGGER_8);
	port->fifo =
		(io_in8(io + UART_IIR) & UART_IIR_FIFOS) == UART_IIR_FIFOS ? UART_FIFO_SIZE : 1;
	port->fifo_ns = port->fifo * 10 * NSEC_PER_SEC / speed;
}

static int serial_port_start(struct serial_port *port, unsigned speed)
{
	void *data;

	if (io_in8(port->port + UART_LSR) == UART_LSR_ABSENT || serial_port_route(port))
		return -ENODEV;
	data = kmalloc(SERIAL_PORT_RING);
	if (!data)
		return -ENOMEM;
	ring_init(&port->out, data, SERIAL_PORT_RING);
	timer_init(&port->timer, serial_port_timer);
	serial_port_set_up(port, speed);
	return 0;
}

static struct serial_port *serial_port_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(serial_ports); i++)
		if (!strcmp(serial_ports[i].name, name))
			return &serial_ports[i];
	return NULL;
}

const char *serial_port_user(const char *name)
{
	const struct serial_port *port = serial_port_find(name);
	const char *user = port ? serial_user(port->port, UART_PORTS) : NULL;

	return user ? user : "nobody any more";
}

int serial_port_open(const char *name, unsigned speed, const char *user,
		     const struct serial_port_ops *ops, void *opaque, struct serial_port **out)
{
	struct serial_port *port = serial_port_find(name);
	int err;

	if (!port)
		return -ENODEV;
	if (serial_claim(port->port, UART_PORTS, opaque, user))
		return -EBUSY;
	err = serial_port_start(port, speed);
	if (err) {
		serial_release(port->port, UART_PORTS, opaque);
		return err;
	}
	spin_lock(&port->lock);
	port->ops = *ops;
	port->opaque = opaque;
	port->again = port->refused = port->held = port->broke = false;
	port->in_len = 0;
	port->dtr = port->rts = port->open = true;
	serial_port_set_lines(port);
	io_out8(port->port + UART_IER, UART_IER_ERBFI);
	spin_unlock(&port->lock);
	*out = port;
	return 0;
}

/* A guest's last words. */
static void serial_port_drain(struct serial_port *port)
{
	uint64_t end = time_tsc() + time_ns_to_tsc(SERIAL_PORT_DRAIN_NS);

	while (READ_ONCE(port->out.tail) != READ_ONCE(port->out.head) && time_tsc() < end)
		task_sleep_until(MIN(end, time_tsc() + time_ns_to_tsc(port->fifo_ns)));
}

/* Out of the transmitter, too, which the next one clears and a modem that is hung up does not send.
 * Nobody feeds it any more: it holds no more than the line takes in that time. */
static void serial_port_drain_fifo(const struct serial_port *port)
{
	uint64_t end = time_tsc() + time_ns_to_tsc(2 * port->fifo_ns);

	while (!(io_in8(port->port + UART_LSR) & UART_LSR_TEMT) && time_tsc() < end)
		task_sleep_until(MIN(end, time_tsc() + time_ns_to_tsc(port->fifo_ns / 4)));
}

void serial_port_close(struct serial_port *port)
{
	serial_port_drain(port);
	spin_lock(&port->lock);
	port->open = false;
	io_out8(port->port + UART_IER, 0);
	io_out8(port->port + UART_LCR, UART_LCR_8N1); /* no break */
	spin_unlock(&port->lock);
	timer_cancel_sync(&port->timer);
	grace_synchronize();
	serial_port_drain_fifo(port);
	io_out8(port->port + UART_MCR, 0);
	kfree(port->out.data);
	serial_release(port->port, UART_PORTS, port->opaque);
}

size_t serial_port_write(struct serial_port *port, const uint8_t *data, size_t len)
{
	size_t n;

	spin_lock(&port->lock);
	n = ring_put(&port->out, data, len);
	port->refused |= n < len;
	serial_port_push(port);
	spin_unlock(&port->lock);
	return n;
}

void serial_port_input_ready(struct serial_port *port)
{
	spin_lock(&port->lock);
	port->again = true;
	if (port->held)
		serial_port_again(port, 0);
	spin_unlock(&port->lock);
}

void serial_port_set_break(struct serial_port *port, bool on)
{
	spin_lock(&port->lock);
	io_out8(port->port + UART_LCR, on ? UART_LCR_8N1 | UART_LCR_BREAK : UART_LCR_8N1);
	spin_unlock(&port->lock);
}

void serial_port_set_modem(struct serial_port *port, bool dtr, bool rts)
{
	spin_lock(&port->lock);
	port->dtr = dtr;
	port->rts = rts;
	serial_port_set_lines(port);
	spin_unlock(&port->lock);
}
