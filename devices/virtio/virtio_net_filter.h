/* SPDX-License-Identifier: BSD-2-Clause */
/* Which frames a network card keeps (VIRTIO 1.2, 5.1.6.5.1 to 5.1.6.5.3), and for which of its
 * queues they are (5.1.6.5.6). */
#ifndef DEVICES_VIRTIO_VIRTIO_NET_FILTER_H
#define DEVICES_VIRTIO_VIRTIO_NET_FILTER_H

#include "kernel/spinlock.h"
#include "vmm/net_frontend.h"

#include <stdbool.h>
#include <stdint.h>

/* As the commands of class VIRTIO_NET_CTRL_RX are numbered. */
enum virtio_net_mode {
	VIRTIO_NET_PROMISC,
	VIRTIO_NET_ALLMULTI,
	VIRTIO_NET_ALLUNI,
	VIRTIO_NET_NOMULTI,
	VIRTIO_NET_NOUNI,
	VIRTIO_NET_NOBCAST,
	VIRTIO_NET_MODES
};

#define VIRTIO_NET_MACS	 64 /* of a table; with more, all addresses of its kind pass */
#define VIRTIO_NET_VLANS 4096
#define VIRTIO_NET_FLOWS 256 /* a power of two */

struct virtio_net_macs {
	uint32_t count; /* of the driver's table, of which so many at most are here */
	uint8_t macs[VIRTIO_NET_MACS][NET_MAC_LEN];
};

struct virtio_net_filter {
	struct spinlock lock; /* leaf; over the rest */
	bool modes[VIRTIO_NET_MODES];
	bool vlan_on; /* tagged frames pass by `vlans` alone */
	uint8_t mac[NET_MAC_LEN];
	struct virtio_net_macs unicast, multicast;
	uint8_t vlans[VIRTIO_NET_VLANS / 8];
};

/* A frame's first bytes: addresses, tag, IPv6's header, ports. */
#define VIRTIO_NET_LOOK (NET_HEADER + NET_VLAN_TAG + 40 + 4)

struct virtio_net_look {
	size_t len;
	uint8_t bytes[VIRTIO_NET_LOOK];
};

void virtio_net_look(const struct net_frame *frame, struct virtio_net_look *look);

/* As after a reset: all frames pass. */
void virtio_net_filter_reset(struct virtio_net_filter *f, const uint8_t mac[NET_MAC_LEN]);
bool virtio_net_filter_passes(struct virtio_net_filter *f, const struct virtio_net_look *look);

/* A number below VIRTIO_NET_FLOWS, the same for both directions of a TCP or UDP connection. */
unsigned virtio_net_flow(const struct virtio_net_look *look);

#endif
