/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `virtio-net:`, a network card: its net frontend is connected to a switch, or
 * another network, which may come and go, and the link with it.
 *
 * Spec: VIRTIO 1.2, 5.1.
 * Arguments: mac, mtu, queues.
 * Locks: a queue's over what it has in hand; then the frontend's; `status_lock` and the filter's
 * are leaves but for the transport's config_lock.
 */
#include "devices/virtio/virtio_net.h"

#include "devices/hostdev/host_args.h"
#include "devices/virtio/virtio_saved.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define VIRTIO_NET_CLASS 0x020000u /* Ethernet */

static const uint16_t virtio_net_sizes[2 * VIRTIO_NET_PAIRS_MAX + 1] = {
	[0 ... 2 * VIRTIO_NET_PAIRS_MAX] = VIRTIO_NET_QUEUE_SIZE,
};

/* What a feature cannot be without (5.1.3.1): one of the others. */
static const struct {
	uint64_t feature, needs;
} virtio_net_needs[] = {
	{VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_CSUM},
	{VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6},
	{VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_CSUM},
	{VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6},
	{VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_VLAN | VIRTIO_NET_F_GUEST_ANNOUNCE |
		 VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
	 VIRTIO_NET_F_CTRL_VQ},
	{VIRTIO_NET_F_CTRL_RX_EXTRA, VIRTIO_NET_F_CTRL_RX},
};

#define VIRTIO_NET_FEATURES                                                                      \
	(VIRTIO_NET_F_CSUM | VIRTIO_NET_GUEST_OFFLOADS | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS |      \
	 VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | \
	 VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS |                  \
	 VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_VLAN |                  \
	 VIRTIO_NET_F_CTRL_RX_EXTRA | VIRTIO_NET_F_GUEST_ANNOUNCE | VIRTIO_NET_F_CTRL_MAC_ADDR)

static struct virtio_net *virtio_net_of(struct virtio *v)
{
	return container_of(v, struct virtio_net, virtio);
}

/* The link. */

uint16_t virtio_net_shown_status(const struct virtio_net *net)
{
	return net->twin ? 0 : net->status;
}

static void virtio_net_change_status(struct virtio_net *net, uint16_t status, bool twin)
{
	uint16_t shown = virtio_net_shown_status(net);

	net->status = status;
	WRITE_ONCE(net->twin, twin);
	status = virtio_net_shown_status(net);
	if (status != shown)
		virtio_config_set(&net->virtio, offsetof(struct virtio_net_config, status), &status,
				  sizeof(status));
}

void virtio_net_set_status(struct virtio_net *net, uint16_t clear, uint16_t set)
{
	spin_lock(&net->status_lock);
	virtio_net_change_status(net, (uint16_t)((net->status & ~clear) | set), net->twin);
	spin_unlock(&net->status_lock);
}

void virtio_net_set_twin(struct virtio_net *net, bool twin)
{
	spin_lock(&net->status_lock);
	virtio_net_change_status(net, net->status, twin);
	spin_unlock(&net->status_lock);
}

/* A driver that is there tells the new network where it is. What the old one did not take is the
 * new one's, or nobody's. */
static void virtio_net_link(void *opaque, bool up)
{
	struct virtio_net *net = opaque;
	uint16_t set = up ? VIRTIO_NET_S_LINK_UP : 0;

	spin_lock(&net->virtio.lock);
	if (up && virtio_running(&net->virtio) &&
	    net->virtio.features & VIRTIO_NET_F_GUEST_ANNOUNCE)
		set |= VIRTIO_NET_S_ANNOUNCE;
	virtio_net_set_status(net, VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE, set);
	spin_unlock(&net->virtio.lock);
	virtio_net_send_ready(net);
}

/* The driver's life. */

static bool virtio_net_accept(const struct virtio *v __unused, uint64_t features)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(virtio_net_needs); i++)
		if (features & virtio_net_needs[i].feature &&
		    !(features & virtio_net_needs[i].needs))
			return false;
	return true;
}

void virtio_net_set_takes(struct virtio_net *net, uint64_t features)
{
	uint8_t takes = 0;

	if (features & VIRTIO_NET_F_GUEST_CSUM) {
		takes |= NET_CSUM_PARTIAL;
		takes |= features & VIRTIO_NET_F_GUEST_TSO4 ? NET_TSO4 : 0;
		takes |= features & VIRTIO_NET_F_GUEST_TSO6 ? NET_TSO6 : 0;
		takes |= features & VIRTIO_NET_F_GUEST_ECN ? NET_TSO_ECN : 0;
	}
	WRITE_ONCE(net->frontend.takes, takes);
}

static void virtio_net_start(struct virtio *v)
{
	struct virtio_net *net = virtio_net_of(v);

	virtio_net_set_takes(net, v->features);
	spin_lock(&net->filter.lock);
	net->filter.vlan_on = v->features & VIRTIO_NET_F_CTRL_VLAN;
	spin_unlock(&net->filter.lock);
}

/* No chain is kept: each is given back, or put back, with its queue's lock held. */
static void virtio_net_stop(struct virtio *v)
{
	struct virtio_net *net = virtio_net_of(v);

	virtio_net_set_takes(net, 0);
	virtio_net_unstall(net);
}

static void virtio_net_reset(struct virtio *v)
{
	struct virtio_net *net = virtio_net_of(v);

	WRITE_ONCE(net->pairs, 1);
	memset(net->flows, 0, sizeof(net->flows));
	virtio_net_filter_reset(&net->filter, net->frontend.mac);
	virtio_config_set(v, offsetof(struct virtio_net_config, mac), net->frontend.mac,
			  NET_MAC_LEN);
	virtio_net_forget_lent(net);
	virtio_net_set_twin(net, false);
	virtio_net_set_status(net, VIRTIO_NET_S_ANNOUNCE, 0);
}

/* 5.1.2: receive and transmit queues in turns, then the control queue, which is the third where
 * there is one pair alone, or the driver knows of one alone. */
static void virtio_net_notify(struct virtio *v, struct virtq *q)
{
	struct virtio_net *net = virtio_net_of(v);
	unsigned pairs = v->features & VIRTIO_NET_F_MQ ? net->max_pairs : 1;

	if (q->index < 2 * pairs) {
		if (q->index % 2)
			virtio_net_tx_notify(&net->queues[q->index / 2]->tx);
		else
			virtio_net_rx_notify(&net->queues[q->index / 2]->rx);
	} else if (q->index == 2 * pairs && v->features & VIRTIO_NET_F_CTRL_VQ) {
		virtio_net_control_notify(net, q);
	}
}

static const struct virtio_ops virtio_net_ops = {
	.id = VIRTIO_ID_NET,
	.class_code = VIRTIO_NET_CLASS,
	.accept = virtio_net_accept,
	.start = virtio_net_start,
	.stop = virtio_net_stop,
	.reset = virtio_net_reset,
	.notify = virtio_net_notify,
};

/* Addresses. */

/* Open and close. */

static void virtio_net_free(struct virtio_net *net)
{
	unsigned i;

	for (i = 0; i < net->max_pairs; i++)
		kfree(net->queues[i]);
	kfree(net);
}

static int virtio_net_make_queues(struct virtio_net *net)
{
	struct virtio_net_pair *pair;
	unsigned i;

	for (i = 0; i < net->max_pairs; i++) {
		pair = kzalloc(sizeof(*pair));
		if (!pair)
			return -ENOMEM;
		net->queues[i] = pair;
		pair->rx.net = pair->tx.net = net;
	}
	return 0;
}

static int virtio_net_open_queues(struct virtio_net *net, struct host_device *hd,
				  const struct virtio_shape *shape)
{
	int err = virtio_net_make_queues(net);
	unsigned i;

	if (!err)
		err = virtio_open(&net->virtio, hd, shape);
	for (i = 0; i < net->max_pairs && !err; i++) {
		net->queues[i]->rx.virtq = &net->virtio.queues[2 * i];
		net->queues[i]->tx.virtq = &net->virtio.queues[2 * i + 1];
	}
	return err;
}

/* With an address. */
static int virtio_net_begin(struct virtio_net *net, struct host_device *hd)
{
	struct virtio_shape shape = {
		.ops = &virtio_net_ops,
		.features = VIRTIO_NET_FEATURES | (net->max_pairs > 1 ? VIRTIO_NET_F_MQ : 0),
		.queue_count = 2 * net->max_pairs + 1,
		.queue_sizes = virtio_net_sizes,
		.config = &net->config,
		.config_size = sizeof(net->config),
	};
	int err;

	memcpy(net->config.mac, net->frontend.mac, NET_MAC_LEN);
	net->config.max_virtqueue_pairs = (uint16_t)net->max_pairs;
	virtio_net_filter_reset(&net->filter, net->frontend.mac);
	err = virtio_net_open_queues(net, hd, &shape);
	if (err)
		return err;
	err = device_provide_frontend(hd->owner, &net->frontend.base);
	if (err)
		virtio_close(&net->virtio);
	return err;
}

static int virtio_net_open(struct host_device *hd, const char *path __unused,
			   const struct host_args *args)
{
	unsigned pairs = (unsigned)host_args_uint(args, "queues");
	struct virtio_net *net = kzalloc(sizeof(*net));
	int err;

	if (!net)
		return -ENOMEM;
	if (!pairs)
		pairs = MAX(hd->owner->vm->vcpu_count, 1u);
	net->max_pairs = MIN(pairs, VIRTIO_NET_PAIRS_MAX);
	net->pairs = 1;
	net->config.mtu = (uint16_t)host_args_uint(args, "mtu");
	spinlock_init(&net->status_lock);
	spinlock_init(&net->filter.lock);
	net_frontend_init(&net->frontend);
	net->frontend.receive = virtio_net_receive;
	net->frontend.send_ready = virtio_net_send_ready;
	net->frontend.link = virtio_net_link;
	net->frontend.opaque = net;
	err = virtio_net_register(net, hd->owner, host_args_string(args, "mac"));
	if (!err) {
		err = virtio_net_begin(net, hd);
		if (err)
			virtio_net_unregister(net);
	}
	if (err)
		virtio_net_free(net);
	else
		virtio_take_args(&net->virtio, args);
	return err;
}

static void virtio_net_close(struct host_device *hd)
{
	struct virtio_net *net = container_of(hd->state, struct virtio_net, virtio);

	virtio_close(&net->virtio);
	virtio_net_unregister(net);
	virtio_net_free(net);
}

/* What the driver asked for. Frames that wait are the network's, and may be lost. */

static const struct device_field virtio_net_macs_fields[] = {
	DEVICE_FIELD(struct virtio_net_macs, count),
	DEVICE_FIELD_AS(struct virtio_net_macs, macs, DEVICE_FIELD_U8_KIND,
			VIRTIO_NET_MACS *NET_MAC_LEN),
	{},
};

static const struct device_state virtio_net_macs_saved = {
	.name = "macs",
	.version = 1,
	.size = sizeof(struct virtio_net_macs),
	.fields = virtio_net_macs_fields,
};

static const struct device_field virtio_net_filter_fields[] = {
	DEVICE_FIELD(struct virtio_net_filter, modes),
	DEVICE_FIELD(struct virtio_net_filter, vlan_on),
	DEVICE_FIELD(struct virtio_net_filter, mac),
	DEVICE_FIELD_STRUCT(struct virtio_net_filter, unicast, &virtio_net_macs_saved),
	DEVICE_FIELD_STRUCT(struct virtio_net_filter, multicast, &virtio_net_macs_saved),
	DEVICE_FIELD(struct virtio_net_filter, vlans),
	{},
};

static const struct device_state virtio_net_filter_saved = {
	.name = "filter",
	.version = 1,
	.size = sizeof(struct virtio_net_filter),
	.lock = DEVICE_STATE_LOCK(struct virtio_net_filter, lock),
	.fields = virtio_net_filter_fields,
};

static const struct device_field virtio_net_fields[] = {
	VIRTIO_SAVED_FIELD(struct virtio_net),
	DEVICE_FIELD(struct virtio_net, config.mac),
	DEVICE_FIELD(struct virtio_net, frontend.takes, .max = NET_TODO),
	DEVICE_FIELD(struct virtio_net, pairs),
	DEVICE_FIELD(struct virtio_net, flows),
	DEVICE_FIELD_STRUCT(struct virtio_net, filter, &virtio_net_filter_saved),
	{},
};

static const char *virtio_net_check(const void *state)
{
	const struct virtio_net *net = state;

	return !net->pairs || net->pairs > net->max_pairs ? "pairs" : NULL;
}

/* Its driver tells the network where it is now; a twin's is told that it has no link, and the
 * address that it may have. */
static const char *virtio_net_post_load(void *state)
{
	struct virtio_net *net = state;

	if (virtio_net_find_twin(net)) {
		virtio_config_set(&net->virtio, offsetof(struct virtio_net_config, mac),
				  net->frontend.mac, NET_MAC_LEN);
		virtio_net_set_twin(net, true);
	}
	virtio_net_link(net, net->status & VIRTIO_NET_S_LINK_UP);
	return NULL;
}

static const struct device_state virtio_net_saved = {
	.name = VIRTIO_NET_SCHEME,
	.version = 1,
	.size = sizeof(struct virtio_net),
	.fields = virtio_net_fields,
	.check = virtio_net_check,
	.post_load = virtio_net_post_load,
};

static const struct device_key virtio_net_args[] = {
	{.name = "mac",
	 .kind = KEY_STRING,
	 .def = "",
	 .help = "address, 02:00:00:00:00:01; else one made from the names of VM and device"},
	{.name = "mtu",
	 .kind = KEY_UINT,
	 .def = "1500",
	 .min = 68,
	 .max = 65521,
	 .help = "bytes of a packet, which the driver is told"},
	{.name = "queues",
	 .kind = KEY_UINT,
	 .def = "0",
	 .max = VIRTIO_NET_PAIRS_MAX,
	 .help = "pairs of queues; 0: as many as the VM has vCPUs"},
	VIRTIO_ARGS,
	{},
};

HOST_SCHEME(virtio_net_scheme, .name = VIRTIO_NET_SCHEME, .help = "a virtio network card",
	    .keys = virtio_net_args, .open = virtio_net_open, .close = virtio_net_close,
	    VIRTIO_SCHEME, .saved = &virtio_net_saved);
