/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cable with nobody at its end: the link is up, what the guest sends is gone.
 *
 * Keys: frontend. No state, and so no lock.
 */
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/net_frontend.h"

static bool net_null_send(void *opaque __unused, const struct net_frame *frame __unused)
{
	return true;
}

static void net_null_receive_ready(void *opaque __unused)
{
}

static void net_null_gone(void *opaque __unused)
{
}

static const struct net_backend_ops net_null_ops = {
	.base.gone = net_null_gone,
	.send = net_null_send,
	.receive_ready = net_null_receive_ready,
};

static int net_null_create(struct device *dev, const struct device_config *config)
{
	struct frontend *frontend;

	return device_connect(dev, device_config_device(config, "frontend")->id, &net_frontend_kind,
			      &net_null_ops.base, dev, &frontend);
}

static const struct device_key net_null_keys[] = {
	{.name = "frontend", .kind = KEY_FRONTEND, .help = "the network card"},
	{},
};

DEVICE_TYPE(net_null_type, .name = "net-null", .help = "a network with nobody in it",
	    .keys = net_null_keys, .create = net_null_create,
	    .saved = DEVICE_STATE_NONE("net-null"));
