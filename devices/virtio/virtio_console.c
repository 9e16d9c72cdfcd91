/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device and what goes through its ports.
 *
 * Spec: VIRTIO 1.2, 5.3.
 * Arguments: ports, columns, rows, and those of all virtio devices.
 *
 * What a guest sends waits in its own buffers while the backend takes nothing;
 * what a backend sends stays there while the guest has no buffers, or nobody
 * has opened the port. Without a backend, what the guest sends is lost. So it is
 * when the backend of a console takes nothing for long, because Linux waits for a
 * console's buffer with interrupts off.
 */
#include "devices/virtio/virtio_console.h"

#include "devices/hostdev/host_args.h"
#include "kernel/slab.h"
#include "vmm/device.h"

#include <errno.h>
#include <string.h>

#define CONSOLE_CLASS 0x078000 /* simple communication controller, of no other kind */
#define CONSOLE_QUEUE 128
#define RX_PIECES     8

/* Queues (5.3.2): of port 0, two for control messages, of the other ports. */
#define QUEUE_CONTROL_RX 2
#define QUEUE_CONTROL_TX 3
#define QUEUES(ports)	 (2 * (ports) + 2)

static struct virtio_console *console_of(struct virtio *v)
{
	return container_of(v, struct virtio_console, virtio);
}

/* To the guest. */

void console_port_input_ready(struct console_port *port)
{
	const struct char_backend_ops *ops;

	spin_lock(&port->frontend.base.lock);
	ops = char_backend(&port->frontend);
	if (ops)
		ops->input_ready(port->frontend.base.backend_opaque);
	spin_unlock(&port->frontend.base.lock);
}

/* Some bytes into the next chain. False: there is none. */
static bool port_put(struct virtq *q, const uint8_t *data, size_t len, size_t *put)
{
	union virtq_piece pieces[RX_PIECES];
	struct virtq_chain chain = {.pieces = pieces, .room = RX_PIECES};

	if (virtq_pop(q, &chain) <= 0)
		return false;
	*put = virtq_span_write(&chain.in, data, len);
	virtq_push(q, &chain, (uint32_t)*put);
	return true;
}

static size_t port_input(void *opaque, const uint8_t *data, size_t len)
{
	struct console_port *port = opaque;
	struct virtq *q = port_rx(port);
	unsigned chains = CONSOLE_QUEUE;
	size_t put, done = 0;

	if (console_is_multiport(port->console) &&
	    !__atomic_load_n(&port->guest_open, __ATOMIC_ACQUIRE))
		return 0;
	spin_lock(&q->lock);
	virtq_disarm(q);
	do {
		for (; chains && done < len && port_put(q, data + done, len - done, &put); chains--)
			done += put;
		/* Of more buffers it shall hear, and tell the backend. */
	} while (chains && done < len && virtq_arm(q));
	virtq_flush(q);
	if (!chains && done < len)
		virtq_kick(q);
	spin_unlock(&q->lock);
	return done;
}

/* A virtio port has no breaks. */
static void port_input_break(void *opaque __unused)
{
}

/* The backend. */

static void port_connected(struct console_port *port, bool connected)
{
	struct spinlock *lock = &port->console->control->lock;

	spin_lock(lock);
	port->connected = connected;
	console_port_news(port, CONSOLE_NEWS_OPEN);
	spin_unlock(lock);
}

/* Of no use where the driver was not promised to be told; one that comes later may be. */
static void port_input_size(void *opaque, unsigned columns, unsigned rows)
{
	struct console_port *port = opaque;
	struct virtio_console *c = port->console;
	const uint16_t size[2] = {(uint16_t)columns, (uint16_t)rows};
	bool told = c->virtio.features & CONSOLE_F_SIZE;

	if (!(c->virtio.offered & CONSOLE_F_SIZE) || (virtio_has_driver(&c->virtio) && !told))
		return;
	spin_lock(&c->control->lock);
	memcpy(port->size, size, sizeof(size));
	if (port->is_console && told)
		console_port_news(port, CONSOLE_NEWS_SIZE);
	spin_unlock(&c->control->lock);
	if (!port->nr)
		virtio_config_set(&c->virtio, 0, size, sizeof(size));
}

static struct console_port *port_of(struct frontend *frontend)
{
	return container_of(frontend, struct console_port, frontend.base);
}

static void port_attached(struct frontend *frontend)
{
	port_connected(port_of(frontend), true);
}

/* The guest's last words to this backend. */
static void port_detaching(struct frontend *frontend)
{
	console_port_transmit(port_of(frontend), true);
}

/* What waited for the backend waits for nobody. */
static void port_drain(struct frontend *frontend, const struct backend_ops *ops __unused,
		       void *opaque __unused)
{
	port_connected(port_of(frontend), false);
	console_port_transmit(port_of(frontend), true);
}

/* The port's life. */

int console_port_take(struct console_port *port, const char *name, bool is_console)
{
	struct spinlock *lock = &port->console->control->lock;
	int err = -EBUSY;

	spin_lock(lock);
	if (!port->exists) {
		err = 0;
		strcpy(port->name, name); /* its caller knows its length */
		port->is_console = is_console;
		port->exists = true;
		console_port_news(port, CONSOLE_NEWS_ADD);
	}
	spin_unlock(lock);
	return err;
}

void console_port_drop(struct console_port *port)
{
	struct spinlock *lock = &port->console->control->lock;

	spin_lock(lock);
	port->exists = port->ready = port->connected = false;
	__atomic_store_n(&port->guest_open, false, __ATOMIC_RELEASE);
	port->news = 0;
	console_port_news(port, CONSOLE_NEWS_REMOVE);
	spin_unlock(lock);
}

static void port_init(struct virtio_console *c, unsigned nr)
{
	struct console_port *port = &c->ports[nr];

	port->console = c;
	port->nr = nr;
	char_frontend_init(&port->frontend);
	port->frontend.base.attached = port_attached;
	port->frontend.base.detaching = port_detaching;
	port->frontend.base.drain = port_drain;
	port->frontend.input = port_input;
	port->frontend.output_ready = console_port_output_ready;
	port->frontend.input_break = port_input_break;
	port->frontend.input_size = port_input_size;
	port->size[0] = c->config.cols;
	port->size[1] = c->config.rows;
	port->frontend.opaque = port;
}

/* The device. */

static void console_notify(struct virtio *v, struct virtq *q)
{
	struct virtio_console *c = console_of(v);
	struct console_port *port = &c->ports[q->index < 2 ? 0 : q->index / 2 - 1];

	if (q->index == QUEUE_CONTROL_TX) {
		console_hear(c, q);
	} else if (q->index == QUEUE_CONTROL_RX) {
		spin_lock(&q->lock);
		console_tell(c);
		spin_unlock(&q->lock);
	} else if (q->index % 2) {
		console_port_transmit(port, false);
	} else {
		console_port_input_ready(port);
	}
}

/* A driver that knows one port alone has it open from now on. */
static void console_start(struct virtio *v)
{
	console_port_input_ready(&console_of(v)->ports[0]);
}

static void console_stop(struct virtio *v)
{
	struct virtio_console *c = console_of(v);
	struct console_port *port;

	for (port = c->ports; port < c->ports + c->port_count; port++)
		console_port_give_up(port);
}

/* What waits for its backend is taken anew later, without what that has of it. */
static void console_hold(struct virtio *v)
{
	struct virtio_console *c = console_of(v);
	struct console_port *port;

	for (port = c->ports; port < c->ports + c->port_count; port++)
		console_port_put_back(port);
}

static void console_reset(struct virtio *v)
{
	struct virtio_console *c = console_of(v);
	struct console_port *port;

	spin_lock(&c->control->lock);
	c->driver_ready = false;
	for (port = c->ports; port < c->ports + c->port_count; port++) {
		port->ready = false;
		port->news = 0;
		__atomic_store_n(&port->guest_open, false, __ATOMIC_RELEASE);
	}
	spin_unlock(&c->control->lock);
}

/* Emergency write: one character to port 0, whatever state the device is in. */
static void console_config_write(struct virtio *v, unsigned offset, unsigned width __unused,
				 uint64_t value)
{
	if (offset == offsetof(struct console_config, emerg_wr))
		console_port_say(&console_of(v)->ports[0], (uint8_t)value);
}

static const struct virtio_ops console_ops = {
	.id = VIRTIO_ID_CONSOLE,
	.class_code = CONSOLE_CLASS,
	.start = console_start,
	.stop = console_stop,
	.reset = console_reset,
	.hold = console_hold,
	.notify = console_notify,
	.config_write = console_config_write,
};

static int console_open_virtio(struct virtio_console *c, struct host_device *hd)
{
	uint16_t sizes[QUEUES(CONSOLE_PORTS_MAX)];
	struct virtio_shape shape = {
		.ops = &console_ops,
		.features = CONSOLE_F_EMERG_WRITE | (c->port_count > 1 ? CONSOLE_F_MULTIPORT : 0) |
			    (console_has_size(c) ? CONSOLE_F_SIZE : 0),
		.queue_count = QUEUES(c->port_count),
		.queue_sizes = sizes,
		.config = &c->config,
		.config_size = sizeof(c->config),
	};
	unsigned i;
	int err;

	for (i = 0; i < shape.queue_count; i++)
		sizes[i] = CONSOLE_QUEUE;
	err = virtio_open(&c->virtio, hd, &shape);
	if (!err)
		c->control = &c->virtio.queues[QUEUE_CONTROL_RX];
	return err;
}

static int console_open(struct host_device *hd, const char *path __unused,
			const struct host_args *args)
{
	unsigned i, ports = (unsigned)host_args_uint(args, "ports");
	struct virtio_console *c = kzalloc(sizeof(*c) + ports * sizeof(c->ports[0]));
	int err;

	if (!c)
		return -ENOMEM;
	c->port_count = ports;
	c->config.cols = (uint16_t)host_args_uint(args, "columns");
	c->config.rows = (uint16_t)host_args_uint(args, "rows");
	c->config.max_nr_ports = ports;
	for (i = 0; i < ports; i++)
		port_init(c, i);
	err = console_open_virtio(c, hd);
	if (err)
		goto free;
	virtio_take_args(&c->virtio, args);
	for (i = 0; i < ports && !err; i++)
		err = device_timer(hd->owner, console_port_out_of_patience, &c->ports[i],
				   &c->ports[i].patience);
	if (!err)
		err = console_port_take(&c->ports[0], "", true);
	/* What can still call or be called comes last: it would outlive @c. */
	if (!err)
		err = device_provide(hd->owner, VIRTIO_CONSOLE_KIND, c);
	if (!err)
		err = device_provide_frontend(hd->owner, &c->ports[0].frontend.base);
	if (!err)
		return 0;
	virtio_close(&c->virtio);
free:
	kfree(c);
	return err;
}

static void console_close(struct host_device *hd)
{
	struct virtio_console *c = console_of(hd->state);

	virtio_close(&c->virtio);
	kfree(c);
}

static const struct device_key console_args[] = {
	{.name = "ports",
	 .kind = KEY_UINT,
	 .def = "4",
	 .min = 1,
	 .max = CONSOLE_PORTS_MAX,
	 .help = "ports that there may be, with the device's own"},
	{.name = "columns",
	 .kind = KEY_UINT,
	 .def = "0",
	 .max = 1000,
	 .help = "of the terminal, for the guest; 0: it is not told"},
	{.name = "rows",
	 .kind = KEY_UINT,
	 .def = "0",
	 .max = 1000,
	 .help = "of the terminal, for the guest; 0: it is not told"},
	VIRTIO_ARGS,
	{},
};

HOST_SCHEME(console_scheme, .name = "virtio-console", .help = "a console, with more ports",
	    VIRTIO_SCHEME, .keys = console_args, .open = console_open, .close = console_close,
	    .saved = &virtio_console_saved);
