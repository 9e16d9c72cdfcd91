/* SPDX-License-Identifier: BSD-2-Clause */
/* Control messages (VIRTIO 1.2, 5.3.6.2). */
#include "devices/virtio/virtio_console.h"

#include <string.h>

/* Events; those that begin with the driver are marked so. */
#define EVENT_DEVICE_READY 0 /* driver */
#define EVENT_DEVICE_ADD   1
#define EVENT_REMOVE	   2
#define EVENT_PORT_READY   3 /* driver */
#define EVENT_CONSOLE_PORT 4
#define EVENT_RESIZE	   5
#define EVENT_PORT_OPEN	   6 /* either */
#define EVENT_PORT_NAME	   7

#define CONTROL_TURN   32 /* messages of the driver's before others get the CPU */
#define CONTROL_PIECES 4

struct console_message {
	uint32_t port;
	uint16_t event, value;
};

_Static_assert(sizeof(struct console_message) == 8, "5.3.6.2");

/* What is sent for a piece of news; what follows the message itself is in @more. */
static size_t console_compose(const struct console_port *port, enum console_news news,
			      struct console_message *message, uint8_t *more)
{
	static const uint16_t events[CONSOLE_NEWS_COUNT] = {
		[CONSOLE_NEWS_REMOVE] = EVENT_REMOVE,	     [CONSOLE_NEWS_ADD] = EVENT_DEVICE_ADD,
		[CONSOLE_NEWS_CONSOLE] = EVENT_CONSOLE_PORT, [CONSOLE_NEWS_NAME] = EVENT_PORT_NAME,
		[CONSOLE_NEWS_SIZE] = EVENT_RESIZE,	     [CONSOLE_NEWS_OPEN] = EVENT_PORT_OPEN,
	};
	size_t len = 0;

	*message = (struct console_message){port->nr, events[news], 1};
	if (news == CONSOLE_NEWS_OPEN)
		message->value = port->connected;
	if (news == CONSOLE_NEWS_NAME) {
		len = strlen(port->name);
		memcpy(more, port->name, len);
	}
	if (news == CONSOLE_NEWS_SIZE) {
		/* (Older Linux takes them for rows and columns.) */
		len = sizeof(port->size);
		memcpy(more, port->size, len);
	}
	return len;
}

/* The first port that has news, or NULL. */
static struct console_port *console_next_news(struct virtio_console *c, enum console_news *news)
{
	struct console_port *port;

	for (port = c->ports; port < c->ports + c->port_count; port++)
		for (*news = 0; *news < CONSOLE_NEWS_COUNT; (*news)++)
			if (port->news & BIT(*news))
				return port;
	return NULL;
}

/* False: there is no buffer for it. */
static bool console_send(struct console_port *port, enum console_news news)
{
	union virtq_piece pieces[CONTROL_PIECES];
	struct virtq_chain chain = {.pieces = pieces, .room = CONTROL_PIECES};
	struct virtq *q = port->console->control;
	struct console_message message;
	uint8_t more[CONSOLE_NAME_MAX];
	size_t len, written;

	if (virtq_pop(q, &chain) <= 0)
		return false;
	len = console_compose(port, news, &message, more);
	written = virtq_span_write(&chain.in, &message, sizeof(message));
	written += virtq_span_write(&chain.in, more, len);
	virtq_push(q, &chain, (uint32_t)written);
	port->news &= ~(uint32_t)BIT(news);
	return true;
}

void console_tell(struct virtio_console *c)
{
	enum console_news news;
	struct console_port *port;

	virtq_disarm(c->control);
	do {
		while ((port = console_next_news(c, &news)) && console_send(port, news))
			;
		/* With nothing to say, buffers that come are of no interest. */
	} while (port && virtq_arm(c->control));
	virtq_flush(c->control);
}

void console_port_news(struct console_port *port, enum console_news news)
{
	struct virtio_console *c = port->console;

	/* Not before it asks for ports, or knows this one: then it hears all there is. */
	if (!c->driver_ready || (news > CONSOLE_NEWS_ADD && !port->ready))
		return;
	port->news |= BIT(news);
	console_tell(c);
}

static void console_device_ready(struct virtio_console *c)
{
	struct console_port *port;

	c->driver_ready = true;
	for (port = c->ports; port < c->ports + c->port_count; port++)
		if (port->exists)
			port->news |= BIT(CONSOLE_NEWS_ADD);
	console_tell(c);
}

static void console_port_ready(struct console_port *port)
{
	port->ready = true;
	if (port->is_console)
		port->news |= BIT(CONSOLE_NEWS_CONSOLE);
	if (port->is_console && (port->console->virtio.features & CONSOLE_F_SIZE))
		port->news |= BIT(CONSOLE_NEWS_SIZE);
	if (*port->name)
		port->news |= BIT(CONSOLE_NEWS_NAME);
	if (port->connected)
		port->news |= BIT(CONSOLE_NEWS_OPEN);
	console_tell(port->console);
}

/* What makes no sense is left alone: the driver harms itself. Whether the guest opened @port. */
static bool console_obey(struct virtio_console *c, const struct console_message *message)
{
	struct console_port *port = message->port < c->port_count ? &c->ports[message->port] : NULL;
	bool opened = false;

	spin_lock(&c->control->lock);
	if (message->event == EVENT_DEVICE_READY && message->value) {
		console_device_ready(c);
	} else if (port && port->exists && message->event == EVENT_PORT_READY && message->value) {
		console_port_ready(port);
	} else if (port && port->exists && message->event == EVENT_PORT_OPEN) {
		opened = message->value;
		__atomic_store_n(&port->guest_open, opened, __ATOMIC_RELEASE);
	}
	spin_unlock(&c->control->lock);
	return opened;
}

void console_hear(struct virtio_console *c, struct virtq *q)
{
	union virtq_piece pieces[CONTROL_PIECES];
	struct virtq_chain chain = {.pieces = pieces, .room = CONTROL_PIECES};
	struct console_message message;
	unsigned left = CONTROL_TURN;
	bool whole;

	spin_lock(&q->lock);
	do {
		virtq_disarm(q);
		for (; left && virtq_pop(q, &chain) > 0; left--) {
			whole = virtq_span_read(&chain.out, &message, sizeof(message)) ==
				sizeof(message);
			virtq_push(q, &chain, 0);
			if (whole && console_is_multiport(c) && console_obey(c, &message))
				console_port_input_ready(&c->ports[message.port]);
		}
		virtq_flush(q);
	} while (left && virtq_arm(q));
	if (!left)
		virtq_kick(q);
	spin_unlock(&q->lock);
}
