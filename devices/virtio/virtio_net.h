/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of `virtio-net:` (VIRTIO 1.2, 5.1): virtio_net.c is the device,
 * virtio_net_queue.c moves frames, virtio_net_control.c does what the driver asks for. */
#ifndef DEVICES_VIRTIO_VIRTIO_NET_H
#define DEVICES_VIRTIO_VIRTIO_NET_H

#include "devices/virtio/virtio.h"
#include "devices/virtio/virtio_net_filter.h"
#include "lib/list.h"
#include "vmm/net_frontend.h"

#define VIRTIO_NET_SCHEME "virtio-net"

/* Feature bits (5.1.3). */
#define VIRTIO_NET_F_CSUM		 BIT(0)
#define VIRTIO_NET_F_GUEST_CSUM		 BIT(1)
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS BIT(2)
#define VIRTIO_NET_F_MTU		 BIT(3)
#define VIRTIO_NET_F_MAC		 BIT(5)
#define VIRTIO_NET_F_GUEST_TSO4		 BIT(7)
#define VIRTIO_NET_F_GUEST_TSO6		 BIT(8)
#define VIRTIO_NET_F_GUEST_ECN		 BIT(9)
#define VIRTIO_NET_F_HOST_TSO4		 BIT(11)
#define VIRTIO_NET_F_HOST_TSO6		 BIT(12)
#define VIRTIO_NET_F_HOST_ECN		 BIT(13)
#define VIRTIO_NET_F_MRG_RXBUF		 BIT(15)
#define VIRTIO_NET_F_STATUS		 BIT(16)
#define VIRTIO_NET_F_CTRL_VQ		 BIT(17)
#define VIRTIO_NET_F_CTRL_RX		 BIT(18)
#define VIRTIO_NET_F_CTRL_VLAN		 BIT(19)
#define VIRTIO_NET_F_CTRL_RX_EXTRA	 BIT(20)
#define VIRTIO_NET_F_GUEST_ANNOUNCE	 BIT(21)
#define VIRTIO_NET_F_MQ			 BIT(22)
#define VIRTIO_NET_F_CTRL_MAC_ADDR	 BIT(23)

/* What VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET changes. */
#define VIRTIO_NET_GUEST_OFFLOADS                                                      \
	(VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | \
	 VIRTIO_NET_F_GUEST_ECN)

#define VIRTIO_NET_S_LINK_UP  1
#define VIRTIO_NET_S_ANNOUNCE 2 /* the driver shall tell the network where it is */

/* The device's configuration (5.1.4). */
struct virtio_net_config {
	uint8_t mac[NET_MAC_LEN];
	uint16_t status;
	uint16_t max_virtqueue_pairs;
	uint16_t mtu;
};

_Static_assert(offsetof(struct virtio_net_config, mtu) == 10, "VIRTIO 1.2, 5.1.4");

/* Before each frame (5.1.6). */
struct virtio_net_header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers; /* of a received frame */
};

_Static_assert(sizeof(struct virtio_net_header) == 12, "VIRTIO 1.2, 5.1.6");

#define VIRTIO_NET_PAIRS_MAX  8u
#define VIRTIO_NET_QUEUE_SIZE 256 /* entries */
/* A chain cannot have more buffers than its queue has entries; some may lie in two granules. */
#define VIRTIO_NET_PIECES	  (VIRTIO_NET_QUEUE_SIZE + 16)
#define VIRTIO_NET_CONTROL_PIECES 32
#define VIRTIO_NET_BUFFERS	  64u /* chains that a received frame may take */

struct virtio_net;

/* Under the lock of its virtq. */
struct virtio_net_tx {
	struct virtio_net *net;
	struct virtq *virtq;
	bool stalled; /* the backend has no room, and will say when it has */
	uint64_t turns, frames, bytes;
	uint64_t bad; /* that were no frames */
	union virtq_piece pieces[VIRTIO_NET_PIECES];
};

/* Under the lock of its virtq. */
struct virtio_net_rx {
	struct virtio_net *net;
	struct virtq *virtq;
	bool stalled; /* a frame waits for buffers, and the backend for receive_ready() */
	uint64_t frames, bytes;
	uint64_t dropped; /* too long for the buffers, or for a driver that is not there */
	/* Of the frame that is being received. */
	struct virtq_chain chains[VIRTIO_NET_BUFFERS];
	uint32_t written[VIRTIO_NET_BUFFERS];
	union virtq_piece pieces[VIRTIO_NET_PIECES]; /* of one chain after the other */
};

struct virtio_net_pair {
	struct virtio_net_rx rx;
	struct virtio_net_tx tx;
};

struct virtio_net {
	struct virtio virtio;
	struct net_frontend frontend;
	struct virtio_net_config config; /* the transport's: virtio_config_set() */
	uint16_t status;		 /* in it, but of a twin's; under `status_lock` */
	bool twin; /* was restored, and its driver uses another card's address; same lock */
	struct spinlock status_lock; /* before config_lock */
	unsigned max_pairs;
	unsigned pairs; /* in use; atomic */
	struct virtio_net_filter filter;
	uint8_t flows[VIRTIO_NET_FLOWS]; /* the pair that each was last sent by; atomic */
	uint64_t filtered;		 /* frames that did not pass; atomic */
	struct virtio_net_pair *queues[VIRTIO_NET_PAIRS_MAX];
	const struct vm *vm; /* virtio_net_mac.c: whose it is … */
	/* … whether its driver uses `lent`, which it was restored with, and is not its own; all
	 * cards */
	bool lends;
	uint8_t lent[NET_MAC_LEN];
	struct list_head link;
};

/* Frontend's and transport's calls. */
bool virtio_net_receive(void *opaque, const struct net_frame *frame);
void virtio_net_send_ready(void *opaque);
void virtio_net_rx_notify(struct virtio_net_rx *rx);
void virtio_net_tx_notify(struct virtio_net_tx *tx);
void virtio_net_control_notify(struct virtio_net *net, struct virtq *q);

/* No driver takes frames any more: the backend need not wait for it. */
void virtio_net_unstall(struct virtio_net *net);
/* What the frontend takes, from the features of this kind that are on. */
void virtio_net_set_takes(struct virtio_net *net, uint64_t features);
/* Bits of the link's status. */
void virtio_net_set_status(struct virtio_net *net, uint16_t clear, uint16_t set);
/* A twin has no link, whatever its status is. */
void virtio_net_set_twin(struct virtio_net *net, bool twin);
/* What the driver sees. Under `status_lock`. */
uint16_t virtio_net_shown_status(const struct virtio_net *net);

/* A card opens: its own address is @text, or, where that is "", one is made. -EINVAL: none
 * (logged). */
int virtio_net_register(struct virtio_net *net, const struct device *owner,
			const char *text) __must_check;
void virtio_net_unregister(struct virtio_net *net);
/* Whether a card of another VM has it. */
bool virtio_net_is_taken(const struct virtio_net *net, const uint8_t mac[NET_MAC_LEN]);
/* Whether a card of another VM has the address that this one's driver uses. Then the card's own,
 * which the driver may take instead, is of nobody else; otherwise the card has both. The VM is
 * being restored: nothing else uses the card. */
bool virtio_net_find_twin(struct virtio_net *net);
/* Its driver has chosen an address. */
void virtio_net_forget_lent(struct virtio_net *net);

#endif
