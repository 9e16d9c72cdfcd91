/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Net frontends and backends: what a guest's network card (frontend) and what
 * its cable leads to (backend) know of each other (vmm/frontend.h). The link is
 * up while there is a backend.
 */
#ifndef VMM_NET_FRONTEND_H
#define VMM_NET_FRONTEND_H

#include "vmm/frontend.h"

#include <stddef.h>
#include <stdint.h>

extern const struct frontend_kind net_frontend_kind;

#define NET_MAC_LEN   6
#define NET_HEADER    14   /* destination, source, type */
#define NET_FRAME_MAX 1518 /* header, VLAN tag, 1500 bytes; no frame check sequence */

/* A piece of a frame, in memory that we see. */
struct net_piece {
	const uint8_t *data;
	size_t len;
};

/* From the destination's address on. */
struct net_frame {
	const struct net_piece *pieces;
	size_t piece_count;
	size_t len; /* of all pieces */
};

/* What a backend offers. Calls come with the frontend's lock held; they never wait. */
struct net_backend_ops {
	struct backend_ops base;
	/* A frame that the guest sends, copied if it is kept. False: not taken, and the frontend
	 * keeps it until send_ready(). */
	bool (*send)(void *opaque, const struct net_frame *frame);
	/* The frontend takes frames again: receive() gave false. */
	void (*receive_ready)(void *opaque);
};

struct net_frontend {
	struct frontend base;
	uint8_t mac[NET_MAC_LEN];
	/* Set by the frontend. Called by the backend without the lock: not from its own ops, nor
	 * with a lock that these take. */
	/* A frame for the guest. False: there is no room, and receive_ready() will come. */
	bool (*receive)(void *opaque, const struct net_frame *frame);
	void (*send_ready)(void *opaque);
	/* The link is up or down. From a task, with no lock held. */
	void (*link)(void *opaque, bool up);
	void *opaque;
};

void net_frontend_init(struct net_frontend *frontend);

/* Under the lock. NULL: there is none. */
static inline const struct net_backend_ops *net_backend(const struct net_frontend *frontend)
{
	const struct backend_ops *ops = frontend->base.backend;

	return ops ? container_of(ops, const struct net_backend_ops, base) : NULL;
}

#endif
