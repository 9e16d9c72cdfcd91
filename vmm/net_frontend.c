/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/net_frontend.h"

const struct frontend_kind net_frontend_kind = {.name = "net"};

static void net_frontend_link(struct frontend *base, bool up)
{
	struct net_frontend *frontend = container_of(base, struct net_frontend, base);

	frontend->link(frontend->opaque, up);
}

static void net_frontend_attached(struct frontend *base)
{
	net_frontend_link(base, true);
}

static void net_frontend_drain(struct frontend *base, const struct backend_ops *ops __unused,
			       void *opaque __unused)
{
	net_frontend_link(base, false);
}

void net_frontend_init(struct net_frontend *frontend)
{
	spinlock_init(&frontend->base.lock);
	frontend->base.kind = &net_frontend_kind;
	frontend->base.attached = net_frontend_attached;
	frontend->base.drain = net_frontend_drain;
}
