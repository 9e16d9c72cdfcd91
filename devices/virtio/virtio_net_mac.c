/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of virtio-net's cards: each has one of its own, and one that was restored that which
 * its driver used. What else a driver chooses does not count: no guest's doing changes what the
 * cards of others are told. A VM's own cards may share one, as those of a bond do.
 *
 * Lock: `virtio_net_lock`, a leaf, over the list of cards and their own addresses.
 */
#include "devices/virtio/virtio_net.h"

#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define MAC_GROUP 0x01 /* of the first byte: the address of many */
#define MAC_LOCAL 0x02 /* … administered by whoever uses it */

static struct spinlock virtio_net_lock = SPINLOCK_INIT;
static struct list_head virtio_nets = LIST_HEAD_INIT(virtio_nets);

static int virtio_net_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool virtio_net_parse_mac(const char *text, uint8_t mac[NET_MAC_LEN])
{
	static const uint8_t none[NET_MAC_LEN];
	unsigned i;

	if (strlen(text) != NET_MAC_LEN * 3 - 1)
		return false;
	for (i = 0; i < NET_MAC_LEN; i++, text += 3) {
		int high = virtio_net_hex(text[0]), low = virtio_net_hex(text[1]);

		if (high < 0 || low < 0 || text[2] != (i < NET_MAC_LEN - 1 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return !(mac[0] & MAC_GROUP) && memcmp(mac, none, NET_MAC_LEN);
}

static uint64_t virtio_net_hash(uint64_t hash, const char *text)
{
	do {
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3); /* FNV-1a */
	} while (*text++);
	return hash;
}

static bool virtio_net_has(const struct virtio_net *net, const uint8_t mac[NET_MAC_LEN])
{
	return !memcmp(net->frontend.mac, mac, NET_MAC_LEN) ||
	       (net->lends && !memcmp(net->lent, mac, NET_MAC_LEN));
}

/* Under virtio_net_lock: a card other than @but that has it; of another VM than @not_of's. */
static const struct virtio_net *virtio_net_with(const uint8_t mac[NET_MAC_LEN],
						const struct virtio_net *but,
						const struct vm *not_of)
{
	const struct virtio_net *net;

	list_for_each_entry (net, &virtio_nets, link)
		if (net != but && net->vm != not_of && virtio_net_has(net, mac))
			return net;
	return NULL;
}

/* From the names of the VM and of its device, so that it stays the same; no other card has it. */
static void virtio_net_make_mac(struct virtio_net *net, const struct device *owner)
{
	uint64_t hash = virtio_net_hash(UINT64_C(0xcbf29ce484222325), owner->vm->name);
	uint8_t *mac = net->frontend.mac;

	hash = virtio_net_hash(hash, owner->id);
	do {
		memcpy(mac, &hash, NET_MAC_LEN);
		mac[0] = (uint8_t)((mac[0] & ~MAC_GROUP) | MAC_LOCAL);
		hash = hash * 3 + 1;
	} while (virtio_net_with(mac, net, NULL));
}

int virtio_net_register(struct virtio_net *net, const struct device *owner, const char *text)
{
	const struct virtio_net *twin = NULL;

	if (*text && !virtio_net_parse_mac(text, net->frontend.mac)) {
		device_log(owner, LOG_ERROR,
			   "hostdev: argument mac: expected an address of one card, as "
			   "02:00:00:00:00:01, got '%s'",
			   text);
		return -EINVAL;
	}
	net->vm = owner->vm;
	spin_lock(&virtio_net_lock);
	if (*text)
		twin = virtio_net_with(net->frontend.mac, net, NULL);
	else
		virtio_net_make_mac(net, owner);
	list_add_tail(&net->link, &virtio_nets);
	spin_unlock(&virtio_net_lock);
	if (twin)
		device_log(owner, LOG_WARN, "hostdev: another card has the address %s, too", text);
	return 0;
}

void virtio_net_unregister(struct virtio_net *net)
{
	spin_lock(&virtio_net_lock);
	list_del(&net->link);
	spin_unlock(&virtio_net_lock);
}

bool virtio_net_is_taken(const struct virtio_net *net, const uint8_t mac[NET_MAC_LEN])
{
	bool taken;

	spin_lock(&virtio_net_lock);
	taken = virtio_net_with(mac, net, net->vm);
	spin_unlock(&virtio_net_lock);
	return taken;
}

bool virtio_net_find_twin(struct virtio_net *net)
{
	bool twin;

	spin_lock(&virtio_net_lock);
	twin = virtio_net_with(net->filter.mac, net, net->vm);
	if (twin && virtio_net_with(net->frontend.mac, net, NULL))
		virtio_net_make_mac(net, net->virtio.hd->owner);
	memcpy(net->lent, net->filter.mac, NET_MAC_LEN);
	WRITE_ONCE(net->lends, !twin);
	spin_unlock(&virtio_net_lock);
	return twin;
}

void virtio_net_forget_lent(struct virtio_net *net)
{
	if (likely(!READ_ONCE(net->lends)))
		return;
	spin_lock(&virtio_net_lock);
	WRITE_ONCE(net->lends, false);
	spin_unlock(&virtio_net_lock);
}
