/* SPDX-License-Identifier: BSD-2-Clause */
/* A net backend, `slow-net`, that takes what a test lets it, and the card's side of frames. */
#ifndef TESTS_HOST_VIRTIO_SLOW_NET_H
#define TESTS_HOST_VIRTIO_SLOW_NET_H

#include "vmm/net_frontend.h"

extern struct slow_net {
	struct net_frontend *frontend; /* NULL: it is not plugged */
	unsigned room;		       /* frames that it takes */
	unsigned sent, ready;	       /* how many it took; how often receive_ready() came */
	uint8_t last[70000];
	size_t last_len;
	struct net_offload offload;
} slow_net;

/* For the device "card". */
void slow_net_plug(void);
void slow_net_unplug(void);
/* @len bytes for the guest, in a few pieces. */
bool slow_net_give(const uint8_t *frame, size_t len, struct net_offload offload);
/* The backend has room again. */
void slow_net_let(unsigned room);

#endif
