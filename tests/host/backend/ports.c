/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/backend/ports.h"

#include "kernel/slab.h"
#include "tests/host/backend/world.h"

#include <errno.h>
#include <string.h>

struct slow slow;

static size_t port_input(void *opaque, const uint8_t *data, size_t len)
{
	struct port *p = opaque;
	size_t n = MIN(len, p->room);

	/* As a port does, with its lock: nobody may call who has it. */
	spin_lock(&p->front.base.lock);
	memcpy(p->got + p->count, data, n);
	p->count += n;
	p->room -= n;
	p->wants = n < len;
	spin_unlock(&p->front.base.lock);
	return n;
}

static void port_break(void *opaque)
{
	struct port *p = opaque;

	spin_lock(&p->front.base.lock);
	p->got[p->count++] = '!';
	spin_unlock(&p->front.base.lock);
}

static void port_ready(void *opaque)
{
	struct port *p = opaque;

	spin_lock(&p->front.base.lock);
	p->ready++;
	spin_unlock(&p->front.base.lock);
}

static void port_modem(void *opaque, bool ready, bool clear);

void slow_ends(void)
{
	if (slow.waits)
		port_modem(slow.port, slow.ready, slow.clear);
	slow.waits = false;
}

static void port_modem(void *opaque, bool ready, bool clear)
{
	struct port *p = opaque;

	if (slow.armed) {
		slow.armed = false;
		slow.waits = true;
		slow.port = p;
		slow.ready = ready;
		slow.clear = clear;
		return;
	}
	spin_lock(&p->front.base.lock);
	p->dsr = ready;
	p->cts = clear;
	spin_unlock(&p->front.base.lock);
}

static void port_attached(struct frontend *base)
{
	struct port *p = container_of(base, struct port, front.base);
	const struct char_backend_ops *ops = char_backend(&p->front);

	spin_lock(&base->lock);
	if (ops->modem)
		ops->modem(base->backend_opaque, p->dtr, p->rts);
	spin_unlock(&base->lock);
}

static void port_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int port_create(struct device *dev, const struct device_config *config)
{
	struct port *p = kzalloc(sizeof(*p));

	(void)config;
	if (!p)
		return -ENOMEM;
	dev->state = p;
	char_frontend_init(&p->front);
	p->front.input = port_input;
	p->front.input_break = port_break;
	p->front.output_ready = port_ready;
	p->front.input_modem = port_modem;
	p->front.base.attached = port_attached;
	p->front.opaque = p;
	p->room = sizeof(p->got);
	p->dsr = p->cts = p->dtr = true;
	return device_provide_frontend(dev, &p->front.base);
}

DEVICE_TYPE(port_type, .name = "port", .help = "a port", .create = port_create,
	    .destroy = port_destroy);

struct port *port(unsigned vm)
{
	return device_iface(&world_vms[vm], "port", char_frontend_kind.name);
}

size_t send_bytes(struct port *p, const void *data, size_t len)
{
	size_t n = 0;

	spin_lock(&p->front.base.lock);
	if (p->front.base.backend)
		n = char_backend(&p->front)->output(p->front.base.backend_opaque, data, len);
	spin_unlock(&p->front.base.lock);
	return n;
}

size_t send(unsigned vm, const char *text)
{
	return send_bytes(port(vm), text, strlen(text));
}

void send_break(unsigned vm)
{
	struct port *p = port(vm);

	spin_lock(&p->front.base.lock);
	char_backend(&p->front)->set_break(p->front.base.backend_opaque, true);
	char_backend(&p->front)->set_break(p->front.base.backend_opaque, false);
	spin_unlock(&p->front.base.lock);
}

void let_in(unsigned vm, size_t room)
{
	struct port *p = port(vm);

	spin_lock(&p->front.base.lock);
	p->room = room;
	if (p->wants)
		char_backend(&p->front)->input_ready(p->front.base.backend_opaque);
	p->wants = false;
	spin_unlock(&p->front.base.lock);
	world_work();
}
