/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-console: ports that bytes go through, each a char frontend. Port 0 is
 * the device's own, the others come and go with devices of type virtio-port.
 *
 * Locks: of a port's two data queues over what is moved there; the lock of the
 * queue of control messages to the driver (`control`) over what ports are to
 * it. That one comes after the other queues', and before the frontends'.
 */
#ifndef DEVICES_VIRTIO_VIRTIO_CONSOLE_H
#define DEVICES_VIRTIO_VIRTIO_CONSOLE_H

#include "devices/virtio/virtio.h"
#include "vmm/char_frontend.h"

#include <stdbool.h>
#include <stdint.h>

/* What the front's device provides: the struct virtio_console. */
#define VIRTIO_CONSOLE_KIND "virtio-console"

#define CONSOLE_PORTS_MAX 31
#define CONSOLE_NAME_MAX  63
#define CONSOLE_PIECES	  VIRTQ_SIZE_MAX /* of a chain that the driver sends */

/* Features and configuration (5.3.3, 5.3.4). */
#define CONSOLE_F_SIZE	      BIT(0)
#define CONSOLE_F_MULTIPORT   BIT(1)
#define CONSOLE_F_EMERG_WRITE BIT(2)

struct console_config {
	uint16_t cols, rows;
	uint32_t max_nr_ports;
	uint32_t emerg_wr;
};

_Static_assert(offsetof(struct console_config, emerg_wr) == 8, "5.3.4");

/* The driver is still to be told; in this order. Bits. */
enum console_news {
	CONSOLE_NEWS_REMOVE,
	CONSOLE_NEWS_ADD,
	CONSOLE_NEWS_CONSOLE,
	CONSOLE_NEWS_NAME,
	CONSOLE_NEWS_SIZE,
	CONSOLE_NEWS_OPEN,
	CONSOLE_NEWS_COUNT
};

struct console_port {
	struct virtio_console *console;
	unsigned nr;
	struct char_frontend frontend;
	/* Under `control`'s lock; those marked so are read without, too. */
	char name[CONSOLE_NAME_MAX + 1]; /* for the guest; "": none */
	bool exists, is_console;
	uint16_t size[2]; /* columns and rows of the terminal, as the configuration has them */
	bool ready;	  /* the driver knows it */
	bool guest_open, connected; /* somebody is at this end of it, or that (atomic) */
	uint32_t news;		    /* BIT(enum console_news) */
	/* Under the transmit queue's: a chain that its backend did not take all of. */
	bool keeps;
	struct virtq_chain kept;
	uint32_t kept_bytes; /* of it, when it was popped */
	uint32_t sent;	     /* bytes of the next chain that it has taken already */
	/* A console's backend refuses: until then (vm_time_ns) it has time to take some, when the
	 * timer looks. It was too long: what is sent is lost until the backend is ready. */
	bool stalled, deaf;
	uint64_t deadline;
	struct device_timer *patience;
	union virtq_piece pieces[CONSOLE_PIECES];
};

struct virtio_console {
	struct virtio virtio;
	struct console_config config;
	struct virtq *control; /* to the driver */
	bool driver_ready;     /* it knows of ports; under control's lock */
	unsigned port_count;
	struct console_port ports[];
};

static inline bool console_is_multiport(const struct virtio_console *c)
{
	return c->virtio.features & CONSOLE_F_MULTIPORT;
}

/* The administrator said how large the terminal is. */
static inline bool console_has_size(const struct virtio_console *c)
{
	return c->config.cols && c->config.rows;
}

static inline struct virtq *port_rx(const struct console_port *port)
{
	return &port->console->virtio.queues[port->nr ? 2 * port->nr + 2 : 0];
}

static inline struct virtq *port_tx(const struct console_port *port)
{
	return port_rx(port) + 1;
}

/* virtio_console.c */

/* The port is there, or not any more. From a task. -EBUSY: it is another's. */
int console_port_take(struct console_port *port, const char *name, bool is_console) __must_check;
void console_port_drop(struct console_port *port);
/* The backend may send again. No lock is held, but virtio.lock if one likes. */
void console_port_input_ready(struct console_port *port);

/* virtio_console_output.c: what the guest sends. Without the transmit queue's lock. */

/* All of it that the backend takes. @ready: which says that it does again, or is another one. */
void console_port_transmit(struct console_port *port, bool ready);
/* The frontend's output_ready, and the timer's callback; the port. */
void console_port_output_ready(void *opaque);
void console_port_out_of_patience(void *opaque);
/* A reset begins: what waits for the backend is given back. Or it is to be popped again. */
void console_port_give_up(struct console_port *port);
void console_port_put_back(struct console_port *port);
/* One byte, past the queue. */
void console_port_say(struct console_port *port, uint8_t byte);

/* virtio_console_saved.c */

extern const struct device_state virtio_console_saved;

/* virtio_console_control.c */

/* Tells the driver as much as it has buffers for. `control`'s lock is held. */
void console_tell(struct virtio_console *c);
/* The same, for one more thing of @port's (enum console_news), where the driver knows of ports. */
void console_port_news(struct console_port *port, enum console_news news);
/* The driver sent messages. No lock is held. */
void console_hear(struct virtio_console *c, struct virtq *q);

#endif
