/* SPDX-License-Identifier: BSD-2-Clause */
/* `info virtio-net`: what each card has moved, copied under its locks and then printed. */
#include "devices/virtio/virtio_net.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <string.h>

struct virtio_net_view {
	char id[DEVICE_ID_MAX + 1], vm[VM_NAME_MAX + 1];
	uint8_t mac[NET_MAC_LEN];
	bool up, twin;
	unsigned pairs, max_pairs;
	uint64_t turns, sent, sent_bytes, bad, received, received_bytes, dropped, filtered;
};

static void virtio_net_look_pair(struct virtio_net_pair *pair, struct virtio_net_view *view)
{
	struct virtio_net_tx *tx = &pair->tx;
	struct virtio_net_rx *rx = &pair->rx;

	spin_lock(&tx->virtq->lock);
	view->turns += tx->turns;
	view->sent += tx->frames;
	view->sent_bytes += tx->bytes;
	view->bad += tx->bad;
	spin_unlock(&tx->virtq->lock);
	spin_lock(&rx->virtq->lock);
	view->received += rx->frames;
	view->received_bytes += rx->bytes;
	view->dropped += rx->dropped;
	spin_unlock(&rx->virtq->lock);
}

/* Under host_devices_lock: it is not closed meanwhile. */
static void virtio_net_look_card(struct virtio_net *net, struct virtio_net_view *view)
{
	const struct device *owner = net->virtio.hd->owner;
	unsigned i;

	memset(view, 0, sizeof(*view));
	strcpy(view->id, owner->id);
	strcpy(view->vm, owner->vm->name);
	spin_lock(&net->filter.lock);
	memcpy(view->mac, net->filter.mac, NET_MAC_LEN);
	spin_unlock(&net->filter.lock);
	spin_lock(&net->status_lock);
	view->up = virtio_net_shown_status(net) & VIRTIO_NET_S_LINK_UP;
	view->twin = net->twin;
	spin_unlock(&net->status_lock);
	view->pairs = READ_ONCE(net->pairs);
	view->max_pairs = net->max_pairs;
	view->filtered = READ_ONCE(net->filtered);
	for (i = 0; i < net->max_pairs; i++)
		virtio_net_look_pair(net->queues[i], view);
}

/* Card number @index, as it is now. */
static bool virtio_net_view(unsigned index, struct virtio_net_view *view)
{
	struct host_device *hd;
	bool found = false;

	spin_lock(&host_devices_lock);
	list_for_each_entry (hd, &host_devices, link) {
		if (strcmp(hd->scheme->name, VIRTIO_NET_SCHEME) || index--)
			continue;
		virtio_net_look_card(container_of(hd->state, struct virtio_net, virtio), view);
		found = true;
		break;
	}
	spin_unlock(&host_devices_lock);
	return found;
}

static void info_virtio_net(char **argv __unused)
{
	struct virtio_net_view v;
	unsigned i;

	for (i = 0; virtio_net_view(i, &v); i++)
		console_printf(
			"%s of %s: %02x:%02x:%02x:%02x:%02x:%02x, link %s, pairs of queues: %u of "
			"%u\n"
			"  sent      %10lu frames %12lu bytes in %lu turns, %lu that were none\n"
			"  received  %10lu frames %12lu bytes, %lu dropped, %lu of others\n",
			v.id, v.vm, v.mac[0], v.mac[1], v.mac[2], v.mac[3], v.mac[4], v.mac[5],
			v.up	 ? "up"
			: v.twin ? "down (another card has this address)"
				 : "down",
			v.pairs, v.max_pairs, v.sent, v.sent_bytes, v.turns, v.bad, v.received,
			v.received_bytes, v.dropped, v.filtered);
	if (!i)
		console_printf("no virtio network card\n");
}

INFO_TOPIC(info_virtio_net_topic, .name = "virtio-net", .args = "",
	   .help = "virtio network cards: addresses, links, frames", .run = info_virtio_net);
