/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest sends through a port (VIRTIO 1.2, 5.3.6).
 *
 * It waits in the guest's buffers while the backend takes nothing. Not for ever, of a console:
 * Linux's hvc, with interrupts off, does nothing else until it has its buffer back.
 */
#include "devices/virtio/virtio_console.h"

#include "vmm/device.h"
#include "vmm/vm.h"

#define OUTPUT_TURN	   16384 /* bytes of the guest's before others get the CPU */
#define OUTPUT_TURN_CHAINS 64
/* A line with 9600 baud is ready again after 2 KiB, which take two. */
#define OUTPUT_PATIENCE_NS UINT64_C(3000000000)

/* How many bytes of the piece were taken; where nobody listens, all. */
static size_t port_output(struct console_port *port, const union virtq_piece *piece)
{
	const struct char_backend_ops *ops;
	size_t taken = piece->len;

	spin_lock(&port->frontend.base.lock);
	ops = char_backend(&port->frontend);
	if (ops)
		taken = ops->output(port->frontend.base.backend_opaque, piece->data, piece->len);
	spin_unlock(&port->frontend.base.lock);
	return taken;
}

static uint64_t port_now(const struct console_port *port)
{
	return vm_time_ns(port->console->virtio.hd->owner->vm);
}

/* The backend refuses. */
static void port_wait(struct console_port *port)
{
	if (!port->is_console || port->stalled)
		return;
	port->stalled = true;
	port->deadline = port_now(port) + OUTPUT_PATIENCE_NS;
	device_timer_arm(port->patience, port->deadline);
}

void console_port_out_of_patience(void *opaque)
{
	struct console_port *port = opaque;
	struct device *dev = port->console->virtio.hd->owner;
	struct virtq *q = port_tx(port);

	spin_lock(&q->lock);
	/* Another chain may wait since. */
	if (port->stalled && port_now(port) >= port->deadline) {
		vm_log_guest(dev->vm, LOG_WARN,
			     "%s: port %u: what the guest says is lost: its backend takes nothing",
			     dev->id, port->nr);
		port->deaf = true;
		virtq_kick(q);
	}
	spin_unlock(&q->lock);
}

/* Gives the chain that is kept back, when all of it is sent, and says so; @left: bytes that may be
 * sent before others get the CPU. */
static bool port_send(struct console_port *port, size_t *left)
{
	struct virtq_span *out = &port->kept.out;
	union virtq_piece piece;
	size_t taken;

	while (out->count) {
		piece = *out->pieces;
		piece.len = MIN(piece.len, *left);
		taken = port->deaf || !piece.len ? piece.len : port_output(port, &piece);
		*left -= taken;
		out->pieces->data += taken;
		out->pieces->len -= taken;
		if (taken)
			port->stalled = false;
		if (taken < piece.len)
			port_wait(port);
		if (out->pieces->len)
			return false;
		out->pieces++;
		out->count--;
	}
	virtq_push(port_tx(port), &port->kept, 0);
	port->keeps = port->stalled = false;
	return true;
}

static uint32_t port_left(const struct console_port *port)
{
	const struct virtq_span *out = &port->kept.out;
	size_t left = 0;
	unsigned i;

	for (i = 0; i < out->count; i++)
		left += out->pieces[i].len;
	return (uint32_t)left;
}

/* Bytes of the chain that were sent before it was put back; a driver may have made it shorter. */
static void port_skip(struct console_port *port)
{
	uint8_t sent[64];

	while (port->sent && port->kept.out.count)
		port->sent -= (uint32_t)virtq_span_read(&port->kept.out, sent,
							MIN(port->sent, (uint32_t)sizeof(sent)));
	port->sent = 0;
}

/* False: there is none, or the one that there is must wait. */
static bool port_next(struct console_port *port, size_t *left)
{
	if (!port->keeps) {
		port->kept.pieces = port->pieces;
		port->kept.room = CONSOLE_PIECES;
		if (virtq_pop(port_tx(port), &port->kept) <= 0)
			return false;
		port->keeps = true;
		port->kept_bytes = port->kept.out.bytes;
		port_skip(port);
	}
	return port_send(port, left);
}

void console_port_transmit(struct console_port *port, bool ready)
{
	unsigned chains = OUTPUT_TURN_CHAINS;
	struct virtq *q = port_tx(port);
	size_t left = OUTPUT_TURN;

	spin_lock(&q->lock);
	port->deaf &= !ready;
	do {
		virtq_disarm(q);
		while (chains && left && port_next(port, &left))
			chains--;
		virtq_flush(q);
		/* While one waits for the backend, more are of no interest. */
	} while (chains && left && !port->keeps && virtq_arm(q));
	if (!chains || !left)
		virtq_kick(q);
	spin_unlock(&q->lock);
}

void console_port_output_ready(void *opaque)
{
	console_port_transmit(opaque, true);
}

void console_port_give_up(struct console_port *port)
{
	struct virtq *q = port_tx(port);

	spin_lock(&q->lock);
	if (port->keeps)
		virtq_push(q, &port->kept, 0);
	port->keeps = port->stalled = port->deaf = false;
	port->sent = 0;
	spin_unlock(&q->lock);
}

void console_port_put_back(struct console_port *port)
{
	struct virtq *q = port_tx(port);

	spin_lock(&q->lock);
	if (port->keeps) {
		port->sent = port->kept_bytes - port_left(port);
		virtq_unpop(q, &port->kept);
	}
	port->keeps = port->stalled = false;
	spin_unlock(&q->lock);
}

void console_port_say(struct console_port *port, uint8_t byte)
{
	const union virtq_piece piece = {{&byte, 1}};

	(void)port_output(port, &piece);
}
