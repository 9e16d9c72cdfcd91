/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-runs: 12000 */
/*
 * virtio-net with frames of any kind and any header in both directions, commands
 * of any kind, buffers of any size: what leaves is what the driver put there and
 * asks for no more than was agreed on, what arrives is what was given.
 */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtio_net.c devices/virtio/virtio_net_queue.c */
/* test-sources: devices/virtio/virtio_net_mac.c */
/* test-sources: devices/virtio/virtio_net_control.c devices/virtio/virtio_net_filter.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/slow_net.c vmm/net_frontend.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
#include "devices/virtio/virtio_net.h"
#include "tests/host/virtio/guest.h"
#include "tests/host/virtio/slow_net.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 12
#define TX     0x200000u
#define CTRL   0x80000u
#define RX     0x400000u
#define SLOT   0x4000u /* of each receive buffer */

struct input {
	const uint8_t *data;
	size_t left;
};

static struct guest_queue *const rx = &guest_queues[0], *const tx = &guest_queues[1];
static uint64_t features;
static unsigned rx_slot;
static gpa_t rx_at[VIRTQ_SIZE_MAX]; /* by the chain's id */
static uint8_t bytes[80000], got[80000];

static uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	n = MIN(n, in->left);
	memcpy(&value, in->data, n);
	in->data += n;
	in->left -= n;
	return value;
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Addresses and types that mean something, now and then. */
static size_t make_frame(struct input *in)
{
	static const uint8_t starts[][18] = {
		{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60},
		{0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 5, 8, 0},
		{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 6, 0x86, 0xdd},
	};
	size_t len = take(in, 1) & 1 ? take(in, 1) + 1 : take(in, 2) + 1, i;

	for (i = 0; i < len; i += 16)
		bytes[i] = (uint8_t)rand();
	memcpy(bytes, starts[take(in, 1) % 4], 18);
	for (i = take(in, 1) % 8; i; i--)
		bytes[take(in, 1) % 80] = (uint8_t)take(in, 1);
	return len;
}

static void put_header(struct input *in, gpa_t at)
{
	struct virtio_net_header h = {.flags = (uint8_t)take(in, 1) % 4,
				      .gso_type = (uint8_t)take(in, 1),
				      .gso_size = (uint16_t)take(in, 2),
				      .csum_start = (uint16_t)take(in, 1),
				      .csum_offset = (uint16_t)take(in, 1)};

	if (take(in, 1) & 1)
		h.gso_type &= 0x85;
	guest_put(at, &h, sizeof(h));
}

static void check_sent(size_t len)
{
	uint64_t needed = 0;

	check(slow_net.last_len == len && !memcmp(slow_net.last, bytes, len));
	needed |= slow_net.offload.flags & NET_CSUM_PARTIAL ? VIRTIO_NET_F_CSUM : 0;
	needed |= slow_net.offload.flags & NET_TSO4 ? VIRTIO_NET_F_HOST_TSO4 : 0;
	needed |= slow_net.offload.flags & NET_TSO6 ? VIRTIO_NET_F_HOST_TSO6 : 0;
	needed |= slow_net.offload.flags & NET_TSO_ECN ? VIRTIO_NET_F_HOST_ECN : 0;
	check(!(needed & ~features));
}

static void send(struct input *in)
{
	unsigned sent = slow_net.sent, n = 0;
	size_t len = make_frame(in), at = 0, part;
	struct guest_buf bufs[5];
	uint32_t used;
	uint16_t id;

	put_header(in, TX);
	guest_put(TX + HEADER, bytes, len);
	len += HEADER;
	while (at < len) {
		part = n < 4 ? take(in, 2) % (len - at) + 1 : len - at;
		bufs[n++] = (struct guest_buf){TX + at, (uint32_t)part};
		at += part;
	}
	guest_add(tx, bufs, n, 0, features & VIRTIO_F_INDIRECT_DESC ? 0x180000 : 0);
	guest_kick(tx);
	check(guest_used(tx, &id, &used) && !used);
	if (slow_net.sent != sent)
		check_sent(len - HEADER);
}

static void offer(struct input *in)
{
	unsigned n = (unsigned)take(in, 1) % 32, count;
	struct guest_buf bufs[2];
	uint32_t len;

	while (n-- && rx->free > 4) {
		count = 1 + (take(in, 1) & 1);
		len = (uint32_t)take(in, 2) % (SLOT - 2) + 2;
		bufs[0] = (struct guest_buf){RX + rx_slot++ % 256 * SLOT, len};
		bufs[1] = (struct guest_buf){bufs[0].gpa + len / 2, len - len / 2};
		bufs[0].len -= count == 2 ? bufs[1].len : 0;
		rx_at[guest_add(rx, bufs, 0, count, 0)] = bufs[0].gpa;
	}
	guest_kick(rx);
}

static void check_received(size_t len, const struct net_offload *offload)
{
	struct virtio_net_header h;
	uint32_t part, at = 0, n = 0;
	uint16_t id;

	for (; guest_used(rx, &id, &part); n++, at += part)
		guest_get(rx_at[id], got + at, part);
	if (!n)
		return; /* filtered, or longer than what there is for it */
	memcpy(&h, got, sizeof(h));
	check(h.num_buffers == n && at == len + HEADER && !memcmp(got + HEADER, bytes, len));
	check(!!(h.flags & 1) == !!(offload->flags & NET_CSUM_PARTIAL));
	check(!!h.gso_type == !!(offload->flags & (NET_TSO4 | NET_TSO6)) && h.hdr_len <= len);
}

static void give(struct input *in)
{
	struct net_offload offload = {.flags = (uint8_t)take(in, 1) % 32,
				      .csum_start = (uint16_t)take(in, 1),
				      .csum_offset = (uint16_t)take(in, 1),
				      .gso_size = (uint16_t)take(in, 2)};
	size_t len = make_frame(in);

	if (take(in, 1) & 3)
		offload.flags &= NET_CSUM_PARTIAL;
	if (slow_net_give(bytes, len, offload))
		check_received(len, &offload);
}

static void command(struct input *in)
{
	uint32_t len = (uint32_t)take(in, 1) & 1 ? (uint32_t)take(in, 1) % 16 : 400, i, used;
	struct guest_queue *q = &guest_queues[features & VIRTIO_NET_F_MQ ? 4 : 2];
	struct guest_buf bufs[3] = {{CTRL, 2}, {CTRL + 2, len}, {CTRL + 0x1000, 1}};
	uint16_t id;

	guest_put(CTRL, (const uint8_t[2]){(uint8_t)take(in, 1) % 8, (uint8_t)take(in, 1) % 8}, 2);
	for (i = 0; i < len; i++)
		*(uint8_t *)guest_at(CTRL + 2 + i) = (uint8_t)(i < 8 ? take(in, 1) : 0);
	if (!len)
		bufs[1] = bufs[2];
	*(uint8_t *)guest_at(CTRL + 0x1000) = 0xee;
	guest_add(q, bufs, len ? 2 : 1, 1, 0);
	guest_kick(q);
	if (!(features & VIRTIO_NET_F_CTRL_VQ)) {
		memset(&guest_queues[2], 0, sizeof(guest_queues[2])); /* nobody looks there */
		guest_drive(features, 5);
		return;
	}
	check(guest_used(q, &id, &used) && used == 1);
	check(*(uint8_t *)guest_at(CTRL + 0x1000) <= 1);
}

/* What of a choice of features can be together. */
static void drive(struct input *in)
{
	uint64_t wanted =
		(guest_offered() & (take(in, 4) | take(in, 4) << 32)) & ~VIRTIO_F_RING_PACKED;

	if (take(in, 1) & 1)
		wanted = guest_offered() & ~VIRTIO_F_RING_PACKED;
	features = guest_negotiate(wanted) ? wanted : 0;
	guest_drive(features, 5);
}

static void step(struct input *in)
{
	switch (take(in, 1) % 8) {
	case 0:
		if (take(in, 1) % 4 == 0)
			drive(in);
		break;
	case 1:
	case 2:
		send(in);
		break;
	case 3:
	case 4:
		give(in);
		break;
	case 5:
		command(in);
		break;
	case 6:
		slow_net_unplug();
		slow_net_plug();
		break;
	default:
		offer(in);
		break;
	}
	check(!(guest_status() & VIRTIO_STATUS_NEEDS_RESET));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	srand(1);
	memset(&slow_net, 0, sizeof(slow_net));
	slow_net.room = UINT32_MAX;
	rx_slot = 0;
	if (!guest_start("virtio-net:?mac=02:00:00:00:00:01&queues=2"))
		abort();
	slow_net_plug();
	drive(&in);
	while (in.left)
		step(&in);
	guest_end();
	return 0;
}
