/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/virtio/virtio_net_filter.h"

#include <string.h>

#define ETHERTYPE      12
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define VLAN_ID	       0x0fff
#define MAC_GROUP      0x01 /* of the first byte */

#define IPV4_FRAGMENT 6
#define IPV4_PARTS    0x3fff /* more fragments, and which one it is */
#define IPV4_SOURCE   12
#define IPV6_SOURCE   8
#define IPV6_HEADER   40

static const uint8_t broadcast[NET_MAC_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void virtio_net_look(const struct net_frame *frame, struct virtio_net_look *look)
{
	size_t i, n;

	look->len = 0;
	for (i = 0; i < frame->piece_count && look->len < VIRTIO_NET_LOOK; i++) {
		n = MIN(frame->pieces[i].len, VIRTIO_NET_LOOK - look->len);
		memcpy(look->bytes + look->len, frame->pieces[i].data, n);
		look->len += n;
	}
	memset(look->bytes + look->len, 0, VIRTIO_NET_LOOK - look->len);
}

static unsigned virtio_net_get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

void virtio_net_filter_reset(struct virtio_net_filter *f, const uint8_t mac[NET_MAC_LEN])
{
	spin_lock(&f->lock);
	memset(f->modes, 0, sizeof(f->modes));
	f->modes[VIRTIO_NET_PROMISC] = true;
	f->vlan_on = false;
	memcpy(f->mac, mac, NET_MAC_LEN);
	f->unicast.count = f->multicast.count = 0;
	memset(f->vlans, 0, sizeof(f->vlans));
	spin_unlock(&f->lock);
}

static bool virtio_net_macs_have(const struct virtio_net_macs *table, const uint8_t *mac)
{
	uint32_t i;

	if (table->count > VIRTIO_NET_MACS)
		return true;
	for (i = 0; i < table->count; i++)
		if (!memcmp(table->macs[i], mac, NET_MAC_LEN))
			return true;
	return false;
}

static bool virtio_net_mac_passes(const struct virtio_net_filter *f, const uint8_t *mac)
{
	if (!memcmp(mac, broadcast, NET_MAC_LEN))
		return !f->modes[VIRTIO_NET_NOBCAST];
	if (mac[0] & MAC_GROUP)
		return !f->modes[VIRTIO_NET_NOMULTI] &&
		       (f->modes[VIRTIO_NET_ALLMULTI] || virtio_net_macs_have(&f->multicast, mac));
	return !f->modes[VIRTIO_NET_NOUNI] &&
	       (f->modes[VIRTIO_NET_ALLUNI] || !memcmp(mac, f->mac, NET_MAC_LEN) ||
		virtio_net_macs_have(&f->unicast, mac));
}

static bool virtio_net_vlan_passes(const struct virtio_net_filter *f, const uint8_t *frame)
{
	unsigned vlan = virtio_net_get16(frame + ETHERTYPE + 2) & VLAN_ID;

	return !f->vlan_on || virtio_net_get16(frame + ETHERTYPE) != ETHERTYPE_VLAN ||
	       f->vlans[vlan / 8] & BIT(vlan % 8);
}

bool virtio_net_filter_passes(struct virtio_net_filter *f, const struct virtio_net_look *look)
{
	bool passes;

	spin_lock(&f->lock);
	passes = f->modes[VIRTIO_NET_PROMISC] ||
		 (virtio_net_vlan_passes(f, look->bytes) && virtio_net_mac_passes(f, look->bytes));
	spin_unlock(&f->lock);
	return passes;
}

/* Source and destination, each @len bytes, in any order. */
static uint32_t virtio_net_flow_add(uint32_t hash, const uint8_t *at, unsigned len)
{
	unsigned i;

	for (i = 0; i < len; i++)
		hash = hash * 31 + (at[i] ^ at[len + i]);
	return hash;
}

unsigned virtio_net_flow(const struct virtio_net_look *look)
{
	const uint8_t *ip = look->bytes + NET_HEADER;
	unsigned type = virtio_net_get16(look->bytes + ETHERTYPE);
	uint32_t hash = 0;

	if (type == ETHERTYPE_VLAN) {
		ip += NET_VLAN_TAG;
		type = virtio_net_get16(ip - 2);
	}
	if (type == ETHERTYPE_IPV6) {
		hash = virtio_net_flow_add(hash, ip + IPV6_SOURCE, 16);
		hash = virtio_net_flow_add(hash, ip + IPV6_HEADER, 2);
	} else if (type == ETHERTYPE_IPV4) {
		hash = virtio_net_flow_add(hash, ip + IPV4_SOURCE, 4);
		/* Fragments have no ports, but for the first; options may push them out of sight.
		 */
		if (!(virtio_net_get16(ip + IPV4_FRAGMENT) & IPV4_PARTS) && (ip[0] & 0xf) <= 10)
			hash = virtio_net_flow_add(hash, ip + (ip[0] & 0xf) * 4, 2);
	} else {
		hash = virtio_net_flow_add(hash, look->bytes, NET_MAC_LEN);
	}
	return (hash ^ hash >> 8 ^ hash >> 16) % VIRTIO_NET_FLOWS;
}
