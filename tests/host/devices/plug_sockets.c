/* SPDX-License-Identifier: BSD-2-Clause */
/* Frontends that do nothing, for backends to connect to. */
#include "kernel/slab.h"
#include "vmm/block_frontend.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/net_frontend.h"

#include <errno.h>

/* What disks connect to. */

static int socket_create(struct device *dev, const struct device_config *config)
{
	struct block_frontend *front = kzalloc(sizeof(*front));

	(void)config;
	if (!front)
		return -ENOMEM;
	dev->state = front;
	block_frontend_init(front);
	return device_provide_frontend(dev, &front->base);
}

static void socket_destroy(struct device *dev)
{
	kfree(dev->state);
}

DEVICE_TYPE(socket_type, .name = "socket", .saved = DEVICE_STATE_NONE("socket"),
	    .help = "a block frontend", .create = socket_create, .destroy = socket_destroy);

static bool net_socket_receive(void *opaque, const struct net_frame *frame)
{
	(void)opaque;
	(void)frame;
	return true;
}

static void net_socket_send_ready(void *opaque)
{
	(void)opaque;
}

static void net_socket_link(void *opaque, bool up)
{
	(void)opaque;
	(void)up;
}

static int net_socket_create(struct device *dev, const struct device_config *config)
{
	struct net_frontend *front = kzalloc(sizeof(*front));

	(void)config;
	if (!front)
		return -ENOMEM;
	dev->state = front;
	net_frontend_init(front);
	front->receive = net_socket_receive;
	front->send_ready = net_socket_send_ready;
	front->link = net_socket_link;
	return device_provide_frontend(dev, &front->base);
}

DEVICE_TYPE(net_socket_type, .name = "net-socket", .saved = DEVICE_STATE_NONE("net-socket"),
	    .help = "a net frontend", .create = net_socket_create, .destroy = socket_destroy);
