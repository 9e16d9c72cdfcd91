/* SPDX-License-Identifier: BSD-2-Clause */
/* The control queue of virtio-net (VIRTIO 1.2, 5.1.6.5). Done at once, on the exit path. */
#include "devices/virtio/virtio_net.h"

#include <string.h>

#define VIRTIO_NET_CTRL_RX	   0		     /* enum virtio_net_mode */
#define VIRTIO_NET_CTRL_RX_EXTRA   VIRTIO_NET_ALLUNI /* the first of these */
#define VIRTIO_NET_CTRL_MAC	   1
#define VIRTIO_NET_MAC_TABLE_SET   0
#define VIRTIO_NET_MAC_ADDR_SET	   1
#define VIRTIO_NET_CTRL_VLAN	   2
#define VIRTIO_NET_VLAN_ADD	   0
#define VIRTIO_NET_VLAN_DEL	   1
#define VIRTIO_NET_CTRL_ANNOUNCE   3
#define VIRTIO_NET_ANNOUNCE_ACK	   0
#define VIRTIO_NET_CTRL_MQ	   4
#define VIRTIO_NET_MQ_VQ_PAIRS_SET 0
#define VIRTIO_NET_CTRL_OFFLOADS   5
#define VIRTIO_NET_OFFLOADS_SET	   0

#define VIRTIO_NET_OK  0
#define VIRTIO_NET_ERR 1

#define VIRTIO_NET_TABLES_MAX 16384u /* bytes of both tables of addresses, so that it is short */
#define VIRTIO_NET_TURN	      16u    /* commands, before others get the CPU */

#define MAC_GROUP 0x01 /* of the first byte */

/* Each does a command whose data is @data; false: it is refused. */
typedef bool (*virtio_net_command)(struct virtio_net *net, uint8_t command,
				   struct virtq_span *data);

/* All that is left of the data, no less and no more. */
static bool virtio_net_take(struct virtq_span *data, void *value, size_t len)
{
	return data->bytes == len && virtq_span_read(data, value, len) == len;
}

static bool virtio_net_rx_mode(struct virtio_net *net, uint8_t command, struct virtq_span *data)
{
	uint8_t on;

	if (command >= VIRTIO_NET_MODES || !virtio_net_take(data, &on, sizeof(on)) ||
	    (command >= VIRTIO_NET_CTRL_RX_EXTRA &&
	     !(net->virtio.features & VIRTIO_NET_F_CTRL_RX_EXTRA)))
		return false;
	spin_lock(&net->filter.lock);
	net->filter.modes[command] = on;
	spin_unlock(&net->filter.lock);
	return true;
}

/* A count and so many addresses. Those that there is no place for are there, though. */
static bool virtio_net_take_table(struct virtq_span *data, struct virtio_net_macs *table)
{
	uint8_t mac[NET_MAC_LEN];
	uint32_t i;

	if (virtq_span_read(data, &table->count, sizeof(table->count)) < sizeof(table->count) ||
	    table->count > data->bytes / NET_MAC_LEN)
		return false;
	for (i = 0; i < table->count; i++) {
		virtq_span_read(data, mac, NET_MAC_LEN);
		if (i < VIRTIO_NET_MACS)
			memcpy(table->macs[i], mac, NET_MAC_LEN);
	}
	return true;
}

/* The old tables stay where the new ones are refused. */
static bool virtio_net_mac_tables(struct virtio_net *net, struct virtq_span *data)
{
	struct virtio_net_macs unicast, multicast;

	if (data->bytes > VIRTIO_NET_TABLES_MAX || !virtio_net_take_table(data, &unicast) ||
	    !virtio_net_take_table(data, &multicast) || data->bytes)
		return false;
	spin_lock(&net->filter.lock);
	net->filter.unicast = unicast;
	net->filter.multicast = multicast;
	spin_unlock(&net->filter.lock);
	return true;
}

static bool virtio_net_mac(struct virtio_net *net, uint8_t command, struct virtq_span *data)
{
	uint8_t mac[NET_MAC_LEN];

	if (command == VIRTIO_NET_MAC_TABLE_SET)
		return virtio_net_mac_tables(net, data);
	if (command != VIRTIO_NET_MAC_ADDR_SET ||
	    !(net->virtio.features & VIRTIO_NET_F_CTRL_MAC_ADDR) ||
	    !virtio_net_take(data, mac, sizeof(mac)) || mac[0] & MAC_GROUP)
		return false;
	spin_lock(&net->filter.lock);
	memcpy(net->filter.mac, mac, sizeof(mac));
	spin_unlock(&net->filter.lock);
	virtio_config_set(&net->virtio, offsetof(struct virtio_net_config, mac), mac, sizeof(mac));
	virtio_net_forget_lent(net);
	if (unlikely(READ_ONCE(net->twin)) && !virtio_net_is_taken(net, mac))
		virtio_net_set_twin(net, false);
	return true;
}

static bool virtio_net_vlan(struct virtio_net *net, uint8_t command, struct virtq_span *data)
{
	uint16_t vlan;

	if (command > VIRTIO_NET_VLAN_DEL || !virtio_net_take(data, &vlan, sizeof(vlan)) ||
	    vlan >= VIRTIO_NET_VLANS)
		return false;
	spin_lock(&net->filter.lock);
	if (command == VIRTIO_NET_VLAN_ADD)
		net->filter.vlans[vlan / 8] |= (uint8_t)BIT(vlan % 8);
	else
		net->filter.vlans[vlan / 8] &= (uint8_t)~BIT(vlan % 8);
	spin_unlock(&net->filter.lock);
	return true;
}

static bool virtio_net_announced(struct virtio_net *net, uint8_t command, struct virtq_span *data)
{
	if (command != VIRTIO_NET_ANNOUNCE_ACK || data->bytes)
		return false;
	virtio_net_set_status(net, VIRTIO_NET_S_ANNOUNCE, 0);
	return true;
}

static bool virtio_net_set_pairs(struct virtio_net *net, uint8_t command, struct virtq_span *data)
{
	uint16_t pairs;

	if (command != VIRTIO_NET_MQ_VQ_PAIRS_SET ||
	    !virtio_net_take(data, &pairs, sizeof(pairs)) || !pairs || pairs > net->max_pairs)
		return false;
	WRITE_ONCE(net->pairs, pairs);
	return true;
}

static bool virtio_net_offloads(struct virtio_net *net, uint8_t command, struct virtq_span *data)
{
	uint64_t offloads;

	if (command != VIRTIO_NET_OFFLOADS_SET ||
	    !virtio_net_take(data, &offloads, sizeof(offloads)) ||
	    offloads & ~(net->virtio.features & VIRTIO_NET_GUEST_OFFLOADS))
		return false;
	virtio_net_set_takes(net, offloads);
	return true;
}

static const struct {
	uint64_t feature;
	virtio_net_command run;
} virtio_net_classes[] = {
	[VIRTIO_NET_CTRL_RX] = {VIRTIO_NET_F_CTRL_RX, virtio_net_rx_mode},
	[VIRTIO_NET_CTRL_MAC] = {VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_MAC_ADDR, virtio_net_mac},
	[VIRTIO_NET_CTRL_VLAN] = {VIRTIO_NET_F_CTRL_VLAN, virtio_net_vlan},
	[VIRTIO_NET_CTRL_ANNOUNCE] = {VIRTIO_NET_F_GUEST_ANNOUNCE, virtio_net_announced},
	[VIRTIO_NET_CTRL_MQ] = {VIRTIO_NET_F_MQ, virtio_net_set_pairs},
	[VIRTIO_NET_CTRL_OFFLOADS] = {VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, virtio_net_offloads},
};

static bool virtio_net_command_run(struct virtio_net *net, struct virtq_span *out)
{
	uint8_t header[2]; /* class, command */

	return virtq_span_read(out, header, sizeof(header)) == sizeof(header) &&
	       header[0] < ARRAY_SIZE(virtio_net_classes) &&
	       net->virtio.features & virtio_net_classes[header[0]].feature &&
	       virtio_net_classes[header[0]].run(net, header[1], out);
}

/* A command, or one without a place for its answer, which is not done. */
static void virtio_net_command_take(struct virtio_net *net, struct virtq *q,
				    struct virtq_chain *chain)
{
	uint8_t *ack = virtq_span_last(&chain->in);

	if (!ack) {
		virtio_break(&net->virtio, "a command without a place for its answer");
		virtq_push(q, chain, 0);
		return;
	}
	*ack = virtio_net_command_run(net, &chain->out) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	virtq_push(q, chain, 1);
}

void virtio_net_control_notify(struct virtio_net *net, struct virtq *q)
{
	union virtq_piece pieces[VIRTIO_NET_CONTROL_PIECES];
	struct virtq_chain chain = {.pieces = pieces, .room = VIRTIO_NET_CONTROL_PIECES};
	unsigned commands = 0;
	bool more;

	spin_lock(&q->lock);
	do {
		virtq_disarm(q);
		for (; commands < VIRTIO_NET_TURN && virtq_pop(q, &chain) > 0; commands++)
			virtio_net_command_take(net, q, &chain);
		virtq_flush(q);
		more = commands < VIRTIO_NET_TURN && virtq_arm(q);
	} while (more);
	if (commands == VIRTIO_NET_TURN)
		virtq_kick(q);
	spin_unlock(&q->lock);
}
