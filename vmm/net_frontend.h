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
#define NET_HEADER    14 /* destination, source, type */
#define NET_VLAN_TAG  4
#define NET_FRAME_MAX (NET_HEADER + NET_VLAN_TAG + 65535) /* no frame check sequence */

/* What is still to be done with a frame. */
#define NET_CSUM_PARTIAL BIT(0) /* a checksum, which has that of the pseudo header in its place */
#define NET_TSO4	 BIT(1) /* to be cut into TCP segments, over IPv4 … */
#define NET_TSO6	 BIT(2) /* … or IPv6; with NET_CSUM_PARTIAL, which is TCP's */
#define NET_TSO_ECN	 BIT(3) /* beside one of these: the first segment alone has CWR */
#define NET_TODO	 (NET_CSUM_PARTIAL | NET_TSO4 | NET_TSO6 | NET_TSO_ECN)
/* And what has been: the checksum was made here, and need not be checked. */
#define NET_CSUM_VALID BIT(4)

/* All 0: the frame is as it is to be on the wire. */
struct net_offload {
	uint8_t flags; /* NET_TODO, NET_CSUM_VALID */
	/* NET_CSUM_PARTIAL: bytes from the frame's begin to what is summed, to its end, and from
	 * there to where the sum goes. */
	uint16_t csum_start, csum_offset;
	uint16_t gso_size; /* NET_TSO4, NET_TSO6: bytes of payload in a segment */
};

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
	struct net_offload offload;
};

/* What a backend offers. Calls come with the frontend's lock held; they never wait. */
struct net_backend_ops {
	struct backend_ops base;
	/* A frame that the guest sends, copied if it is kept, whatever is still to be done with it.
	 * False: not taken, and the frontend keeps it until send_ready(). */
	bool (*send)(void *opaque, const struct net_frame *frame);
	/* The frontend takes frames again: receive() gave false. */
	void (*receive_ready)(void *opaque);
};

struct net_frontend {
	struct frontend base;
	uint8_t mac[NET_MAC_LEN];
	/* By the frontend, any time: of NET_TODO, what may be left to do in a frame for the guest.
	 * Read once a frame. */
	uint8_t takes;
	/* Set by the frontend. Called by the backend without the lock: not from its own ops, nor
	 * with a lock that these take. */
	/* A frame for the guest, with no more to do than `takes` says, or lately said. False: there
	 * is no room, and receive_ready() will come. */
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
