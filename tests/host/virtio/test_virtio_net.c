/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/virtio/virtio_net.c devices/virtio/virtio_net_queue.c */
/* test-sources: devices/virtio/virtio_net_control.c devices/virtio/virtio_net_filter.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/slow_net.c vmm/net_frontend.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c lib/ring.c tests/host/backend/world.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/*
 * `virtio-net:` as a driver and a network see it: frames both ways, with what is
 * left to do in them; filters; every command and every refusal of one.
 */
#include "devices/virtio/virtio_net.h"
#include "tests/host/virtio/guest.h"
#include "tests/host/virtio/slow_net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONTROL_ALL                                                                 \
	(VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_CTRL_RX_EXTRA | \
	 VIRTIO_NET_F_CTRL_VLAN | VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_GUEST_ANNOUNCE)
#define OFFLOADS                                                               \
	(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | \
	 VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_GUEST_OFFLOADS)

#define HEADER 12
#define DATA   0x200000
#define ACK    0x90000
#define TABLE  0x180000

static struct virtio_net *net;
static struct guest_queue *rx = &guest_queues[0], *tx = &guest_queues[1];
static struct guest_queue *control = &guest_queues[2];
static uint8_t frame[70000];
static const struct net_offload plain;

static void plugged(void)
{
	net = container_of(front.hd->state, struct virtio_net, virtio);
}

static int setup(void **state)
{
	unsigned i;

	(void)state;
	memset(&slow_net, 0, sizeof(slow_net));
	slow_net.room = 1000000;
	for (i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(frame, "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0", 14);
	assert_non_null(guest_start("virtio-net:?mac=02:00:00:00:00:01"));
	plugged();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_end();
	return 0;
}

static void replug(const char *url)
{
	guest_unplug();
	assert_non_null(guest_plug(url));
	plugged();
}

/* Sending. */

static void put_header(gpa_t at, uint8_t flags, uint8_t gso, uint16_t size, uint16_t start,
		       uint16_t offset)
{
	struct virtio_net_header h = {.flags = flags,
				      .gso_type = gso,
				      .gso_size = size,
				      .csum_start = start,
				      .csum_offset = offset};

	guest_put(at, &h, sizeof(h));
}

/* A frame behind the header at DATA, in two buffers. */
static void send(size_t len)
{
	struct guest_buf bufs[2] = {{DATA, HEADER + 5}, {DATA + HEADER + 5, (uint32_t)len - 5}};

	guest_put(DATA + HEADER, frame, len);
	guest_add(tx, bufs, 2, 0, 0);
	guest_kick(tx);
}

static unsigned count_used(struct guest_queue *q)
{
	unsigned n = 0;
	uint32_t len;
	uint16_t id;

	while (guest_used(q, &id, &len))
		n++;
	return n;
}

static void test_send(void **state)
{
	static const uint64_t variants[] = {0, VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED,
					    VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX};
	unsigned i;

	(void)state;
	slow_net_plug();
	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		guest_drive(variants[i], 2);
		put_header(DATA, 0, 0, 0, 0, 0);
		send(1000);
		assert_int_equal(slow_net.sent, 2 * i + 1);
		assert_int_equal(slow_net.last_len, 1000);
		assert_memory_equal(slow_net.last, frame, 1000);
		assert_int_equal(slow_net.offload.flags, 0);
		assert_int_equal(count_used(tx), 1);
		send(65000);
		assert_memory_equal(slow_net.last, frame, 65000);
	}
}

static void test_send_offload(void **state)
{
	(void)state;
	slow_net_plug();
	guest_drive(OFFLOADS, 2);
	put_header(DATA, 1, 0, 0, 34, 16);
	send(1000);
	assert_int_equal(slow_net.offload.flags, NET_CSUM_PARTIAL);
	assert_int_equal(slow_net.offload.csum_start, 34);
	assert_int_equal(slow_net.offload.csum_offset, 16);
	put_header(DATA, 1, 1, 1448, 34, 16);
	send(5000);
	assert_int_equal(slow_net.offload.flags, NET_CSUM_PARTIAL | NET_TSO4);
	assert_int_equal(slow_net.offload.gso_size, 1448);
	put_header(DATA, 1, 0x84, 1428, 54, 16);
	send(5000);
	assert_int_equal(slow_net.offload.flags, NET_CSUM_PARTIAL | NET_TSO6 | NET_TSO_ECN);
	/* A flag that is no driver's. */
	put_header(DATA, 2, 0, 0, 0, 0);
	send(1000);
	assert_int_equal(slow_net.offload.flags, 0);
	assert_int_equal(slow_net.sent, 4);
	/* UDP fragments and what there is not. */
	put_header(DATA, 1, 3, 1448, 34, 16);
	send(5000);
	put_header(DATA, 1, 7, 1448, 34, 16);
	send(5000);
	assert_int_equal(slow_net.sent, 4);
	assert_int_equal(net->queues[0]->tx.bad, 2);
	assert_int_equal(count_used(tx), 6);
	/* What was not agreed on. */
	guest_drive(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4, 2);
	put_header(DATA, 1, 4, 1428, 54, 16);
	send(5000);
	put_header(DATA, 1, 0x81, 1428, 54, 16);
	send(5000);
	guest_drive(0, 2);
	put_header(DATA, 1, 0, 0, 34, 16);
	send(5000);
	assert_int_equal(slow_net.sent, 4);
	put_header(DATA, 0, 0, 0, 34, 16);
	send(500);
	assert_int_equal(slow_net.sent, 5);
}

static void test_send_odd(void **state)
{
	const struct guest_buf short_header[] = {{DATA, 11}};
	const struct guest_buf header_alone[] = {{DATA, 12}};
	const struct guest_buf writable[] = {{DATA, 12}, {DATA, 30}, {DATA, 100}};

	(void)state;
	guest_drive(0, 2);
	put_header(DATA, 0, 0, 0, 0, 0);
	send(100); /* nobody is there */
	assert_int_equal(count_used(tx), 1);
	slow_net_plug();
	guest_add(tx, short_header, 1, 0, 0);
	guest_kick(tx);
	assert_int_equal(slow_net.sent, 0);
	guest_add(tx, header_alone, 1, 0, 0);
	guest_kick(tx);
	assert_int_equal(slow_net.sent, 1);
	assert_int_equal(slow_net.last_len, 0);
	guest_add(tx, writable, 2, 1, 0);
	guest_add(tx, writable, 0, 2, 0);
	guest_kick(tx);
	assert_int_equal(slow_net.sent, 2);
	assert_int_equal(slow_net.last_len, 30);
	assert_int_equal(count_used(tx), 4);
	assert_int_equal(net->queues[0]->tx.bad, 2);
}

static void test_send_back_pressure(void **state)
{
	unsigned i;

	(void)state;
	slow_net_plug();
	slow_net.room = 2;
	guest_drive(VIRTIO_F_EVENT_IDX, 2);
	put_header(DATA, 0, 0, 0, 0, 0);
	for (i = 0; i < 6; i++)
		send(60);
	assert_int_equal(slow_net.sent, 2);
	assert_int_equal(count_used(tx), 2);
	slow_net_let(3);
	world_work();
	assert_int_equal(slow_net.sent, 5);
	/* It says that it has room, and has none. */
	slow_net_let(0);
	world_work();
	assert_int_equal(slow_net.sent, 5);
	/* Another network begins anew. */
	slow_net_unplug();
	world_work();
	assert_int_equal(count_used(tx), 4);
	slow_net.room = 1;
	slow_net_plug();
	send(60);
	send(60);
	world_work();
	assert_int_equal(slow_net.sent, 6);
	slow_net_unplug();
	slow_net.room = 9;
	slow_net_plug();
	world_work();
	assert_int_equal(count_used(tx), 2);
	/* A reset with a frame that waits. */
	slow_net.room = 0;
	send(60);
	guest_drive(VIRTIO_F_EVENT_IDX, 2);
	slow_net.room = 9;
	slow_net.sent = 0;
	send(60);
	assert_int_equal(slow_net.sent, 1);
}

/* An exit sends a part, a worker the rest. */
static void test_send_turns(void **state)
{
	const struct guest_buf small = {DATA, HEADER + 60}, large = {DATA, HEADER + 65000};
	unsigned i;

	(void)state;
	slow_net_plug();
	guest_drive(0, 2);
	put_header(DATA, 0, 0, 0, 0, 0);
	for (i = 0; i < 200; i++)
		guest_add(tx, &small, 1, 0, 0);
	guest_kick(tx);
	assert_int_equal(slow_net.sent, 64);
	assert_int_equal(front.messages[2], 1);
	world_work();
	assert_int_equal(slow_net.sent, 200);
	for (i = 0; i < 50; i++)
		guest_add(tx, &large, 1, 0, 0);
	guest_kick(tx);
	assert_int_equal(slow_net.sent, 205);
	world_work();
	assert_int_equal(slow_net.sent, 250);
	assert_int_equal(count_used(tx), 250);
}

/* Receiving. */

static void offer(uint32_t len, unsigned count)
{
	static gpa_t at;
	struct guest_buf buf;

	while (count--) {
		/* A granule after the other, of which the last four are data. */
		if (at < DATA || at + len > GUEST_RAM)
			at = DATA;
		buf = (struct guest_buf){at, len};
		guest_add(rx, &buf, 0, 1, 0);
		at += len;
	}
}

/* Where buffers are, by the chain's id; the tests use split rings, whose table tells. */
static struct guest_buf buffer_of(uint16_t id)
{
	struct guest_buf buf;

	guest_get(rx->desc + 16 * id, &buf.gpa, 8);
	guest_get(rx->desc + 16 * id + 8, &buf.len, 4);
	return buf;
}

/* The next frame: its header, and what follows compared with `frame`. Its length. */
static size_t got(struct virtio_net_header *h)
{
	static uint8_t bytes[80000];
	struct guest_buf buf;
	unsigned n = 0;
	size_t at = 0;
	uint32_t len;
	uint16_t id;

	do {
		assert_true(guest_used(rx, &id, &len));
		buf = buffer_of(id);
		assert_in_range(len, 1, buf.len);
		guest_get(buf.gpa, bytes + at, len);
		at += len;
		if (!n)
			memcpy(h, bytes, sizeof(*h));
	} while (++n < h->num_buffers);
	assert_int_equal(n, h->num_buffers);
	assert_memory_equal(bytes + HEADER, frame, at - HEADER);
	return at - HEADER;
}

static void test_receive(void **state)
{
	struct virtio_net_header h;

	(void)state;
	slow_net_plug();
	guest_drive(0, 2);
	offer(1526, 4);
	assert_true(slow_net_give(frame, 1000, plain));
	assert_int_equal(got(&h), 1000);
	assert_int_equal(h.flags, 0);
	assert_int_equal(h.gso_type, 0);
	assert_int_equal(h.num_buffers, 1);
	assert_int_equal(front.messages[1], 1);
	assert_true(slow_net_give(frame, 1514, plain));
	assert_int_equal(got(&h), 1514);
	/* Longer than the buffers are: gone, and the buffers stay. */
	assert_true(slow_net_give(frame, 1515, plain));
	assert_int_equal(count_used(rx), 0);
	assert_int_equal(net->queues[0]->rx.dropped, 1);
	assert_true(slow_net_give(frame, 60, plain));
	assert_true(slow_net_give(frame, 61, plain));
	assert_int_equal(got(&h), 60);
	assert_int_equal(got(&h), 61);
	assert_false(slow_net_give(frame, 62, plain));
}

static void test_receive_merged(void **state)
{
	struct virtio_net_header h;

	(void)state;
	slow_net_plug();
	guest_drive(VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_EVENT_IDX, 2);
	offer(1000, 100);
	assert_true(slow_net_give(frame, 988, plain));
	assert_int_equal(got(&h), 988);
	assert_int_equal(h.num_buffers, 1);
	assert_true(slow_net_give(frame, 989, plain));
	assert_int_equal(got(&h), 989);
	assert_int_equal(h.num_buffers, 2);
	assert_true(slow_net_give(frame, 63988, plain));
	assert_int_equal(got(&h), 63988);
	assert_int_equal(h.num_buffers, 64);
	assert_true(slow_net_give(frame, 60, plain));
	assert_int_equal(got(&h), 60);
	assert_int_equal(front.messages[1], 1); /* the driver did not say that it wants more */
	offer(1000, 60);
	/* More buffers than we take. */
	assert_true(slow_net_give(frame, 63989, plain));
	assert_int_equal(net->queues[0]->rx.dropped, 1);
	assert_true(slow_net_give(frame, 5000, plain));
	assert_int_equal(got(&h), 5000);
}

static void test_receive_no_buffers(void **state)
{
	static const uint64_t variants[] = {0, VIRTIO_F_EVENT_IDX};
	struct virtio_net_header h;
	unsigned i;

	(void)state;
	slow_net_plug();
	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		slow_net.ready = 0;
		guest_drive(VIRTIO_NET_F_MRG_RXBUF | variants[i], 2);
		assert_false(slow_net_give(frame, 2500, plain));
		offer(1000, 1);
		assert_true(guest_kick(rx));
		assert_int_equal(slow_net.ready, 1);
		/* One is not enough; it hears of the next. */
		assert_false(slow_net_give(frame, 2500, plain));
		assert_int_equal(count_used(rx), 0);
		offer(1000, 1);
		assert_true(guest_kick(rx));
		assert_int_equal(slow_net.ready, 2);
		assert_false(slow_net_give(frame, 2500, plain));
		offer(1000, 2);
		assert_true(guest_kick(rx));
		assert_true(slow_net_give(frame, 2500, plain));
		assert_int_equal(got(&h), 2500);
		/* It asks for nothing while there are buffers. */
		offer(1000, 1);
		assert_true(!guest_kick(rx) || variants[i]);
		assert_int_equal(slow_net.ready, 3);
		assert_true(slow_net_give(frame, 60, plain));
	}
}

static void test_receive_packed(void **state)
{
	struct guest_buf buf = {DATA, 2000};
	uint32_t len;
	uint16_t id;

	(void)state;
	slow_net_plug();
	guest_drive(VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX, 2);
	guest_add(rx, &buf, 0, 1, 0);
	assert_false(slow_net_give(frame, 3000, plain));
	buf.gpa += 2000;
	guest_add(rx, &buf, 0, 1, 0);
	assert_true(guest_kick(rx));
	assert_int_equal(slow_net.ready, 1);
	assert_true(slow_net_give(frame, 3000, plain));
	assert_true(guest_used(rx, &id, &len));
	assert_int_equal(len, 2000);
	assert_true(guest_used(rx, &id, &len));
	assert_int_equal(len, 3000 + HEADER - 2000);
	assert_memory_equal(guest_at(DATA + HEADER), frame, 3000);
}

static void test_receive_offload(void **state)
{
	const struct net_offload sum = {NET_CSUM_PARTIAL, 34, 16, 0};
	const struct net_offload tso = {NET_CSUM_PARTIAL | NET_TSO4, 34, 16, 1448};
	const struct net_offload ecn = {NET_CSUM_PARTIAL | NET_TSO6 | NET_TSO_ECN, 54, 16, 1428};
	struct virtio_net_header h;

	(void)state;
	slow_net_plug();
	guest_drive(OFFLOADS | VIRTIO_NET_F_MRG_RXBUF, 2);
	assert_int_equal(slow_net.frontend->takes, NET_TODO);
	offer(4096, 40);
	assert_true(slow_net_give(frame, 1000, sum));
	assert_int_equal(got(&h), 1000);
	assert_int_equal(h.flags, 1);
	assert_int_equal(h.csum_start, 34);
	assert_int_equal(h.csum_offset, 16);
	assert_int_equal(h.gso_type, 0);
	frame[34 + 12] = 0x80; /* TCP's header has 32 bytes */
	assert_true(slow_net_give(frame, 60000, tso));
	assert_int_equal(got(&h), 60000);
	assert_int_equal(h.gso_type, 1);
	assert_int_equal(h.gso_size, 1448);
	assert_int_equal(h.hdr_len, 34 + 32);
	frame[54 + 12] = 0; /* and none that there can be */
	assert_true(slow_net_give(frame, 60000, ecn));
	assert_int_equal(got(&h), 60000);
	assert_int_equal(h.gso_type, 0x84);
	assert_int_equal(h.hdr_len, 54 + 20);
	assert_true(slow_net_give(frame, 60, (struct net_offload){.flags = NET_CSUM_VALID}));
	assert_int_equal(got(&h), 60);
	assert_int_equal(h.flags, 2);
	/* For a driver that does not take it. */
	guest_drive(VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_MRG_RXBUF, 2);
	assert_int_equal(slow_net.frontend->takes, NET_CSUM_PARTIAL | NET_TSO4);
	offer(4096, 40);
	assert_true(slow_net_give(frame, 60000, ecn));
	assert_int_equal(count_used(rx), 0);
	guest_drive(VIRTIO_NET_F_MRG_RXBUF, 2);
	assert_int_equal(slow_net.frontend->takes, 0);
	offer(4096, 40);
	assert_true(slow_net_give(frame, 60, sum));
	assert_int_equal(count_used(rx), 0);
	assert_true(slow_net_give(frame, 60, (struct net_offload){.flags = NET_CSUM_VALID}));
	assert_int_equal(got(&h), 60);
	assert_int_equal(h.flags, 0);
	assert_int_equal(net->queues[0]->rx.dropped, 2);
}

/* Nobody is held up by a driver that cannot take anything. */
static void test_receive_nobody(void **state)
{
	const struct guest_buf hole = {0xa0000, 64};

	(void)state;
	slow_net_plug();
	assert_true(slow_net_give(frame, 60, plain));
	guest_drive(0, 2);
	assert_false(slow_net_give(frame, 60, plain));
	front.master = false;
	assert_true(slow_net_give(frame, 60, plain));
	front.master = true;
	assert_false(slow_net_give(frame, 60, plain));
	common_out(COMMON_STATUS, 1, 0);
	assert_int_equal(slow_net.ready, 1);
	assert_true(slow_net_give(frame, 60, plain));
	guest_drive(VIRTIO_NET_F_MRG_RXBUF, 2);
	offer(30, 1);
	guest_add(rx, &hole, 0, 1, 0);
	assert_true(slow_net_give(frame, 60, plain));
	assert_int_not_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
	assert_true(slow_net_give(frame, 60, plain));
	guest_drive(VIRTIO_NET_F_MRG_RXBUF, 2);
	assert_int_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
	/* A buffer that the header does not fit into. */
	offer(11, 1);
	assert_true(slow_net_give(frame, 60, plain));
	guest_drive(VIRTIO_NET_F_MRG_RXBUF, 2);
	offer(12, 1);
	offer(60, 1);
	assert_true(slow_net_give(frame, 60, plain));
	assert_int_equal(count_used(rx), 2);
}

/* Control. */

static bool command(uint8_t class, uint8_t cmd, const void *data, uint32_t len)
{
	const struct guest_buf bufs[3] = {{ACK + 16, 2}, {ACK + 32, len}, {ACK, 1}};
	const struct guest_buf no_data[2] = {{ACK + 16, 2}, {ACK, 1}};
	uint32_t written;
	uint16_t id;

	guest_put(ACK + 16, (const uint8_t[2]){class, cmd}, 2);
	guest_put(ACK + 32, data, len);
	*(uint8_t *)guest_at(ACK) = 0xee;
	guest_add(control, len ? bufs : no_data, len ? 2 : 1, 1, 0);
	guest_kick(control);
	assert_true(guest_used(control, &id, &written));
	assert_int_equal(written, 1);
	assert_true(*(uint8_t *)guest_at(ACK) <= 1);
	return !*(uint8_t *)guest_at(ACK);
}

static bool mode(uint8_t which, uint8_t on)
{
	return command(0, which, &on, 1);
}

/* Whether a frame to @to, with VLAN @vlan (-1: untagged) arrives. */
static bool arrives(const char *to, int vlan)
{
	uint8_t data[60] = {0};
	uint32_t len;
	uint16_t id;

	memcpy(data, to, 6);
	data[12] = 8;
	if (vlan >= 0) {
		data[12] = 0x81;
		data[14] = (uint8_t)(0xe0 | vlan >> 8); /* with a priority */
		data[15] = (uint8_t)vlan;
	}
	assert_true(slow_net_give(data, sizeof(data), plain));
	return guest_used(rx, &id, &len);
}

#define OWN   "\x02\0\0\0\0\x01"
#define OTHER "\x02\0\0\0\0\x09"
#define GROUP "\x33\x33\0\0\0\x01"
#define EVERY "\xff\xff\xff\xff\xff\xff"

static void drive_control(void)
{
	slow_net_plug();
	guest_drive(CONTROL_ALL, 3);
	offer(100, 200);
}

static void test_rx_modes(void **state)
{
	(void)state;
	drive_control();
	assert_true(arrives(OWN, -1) && arrives(OTHER, -1) && arrives(GROUP, -1) &&
		    arrives(EVERY, -1) && arrives(OTHER, 5));
	assert_true(mode(VIRTIO_NET_PROMISC, 0));
	assert_true(arrives(OWN, -1) && !arrives(OTHER, -1) && !arrives(GROUP, -1) &&
		    arrives(EVERY, -1) && !arrives(OWN, 5));
	assert_true(mode(VIRTIO_NET_ALLMULTI, 1));
	assert_true(arrives(GROUP, -1) && !arrives(OTHER, -1));
	assert_true(mode(VIRTIO_NET_NOMULTI, 1));
	assert_true(!arrives(GROUP, -1) && arrives(EVERY, -1));
	assert_true(mode(VIRTIO_NET_ALLUNI, 1));
	assert_true(arrives(OTHER, -1));
	assert_true(mode(VIRTIO_NET_NOUNI, 1));
	assert_true(!arrives(OTHER, -1) && !arrives(OWN, -1));
	assert_true(mode(VIRTIO_NET_NOBCAST, 1));
	assert_false(arrives(EVERY, -1));
	assert_true(mode(VIRTIO_NET_PROMISC, 1));
	assert_true(arrives(EVERY, -1) && arrives(OTHER, 5));
	assert_int_equal(net->filtered, 8);
	/* Refused. */
	assert_false(mode(6, 1));
	assert_false(command(0, VIRTIO_NET_PROMISC, "", 0));
	assert_false(command(0, VIRTIO_NET_PROMISC, "\0\0", 2));
	/* A reset forgets it. */
	mode(VIRTIO_NET_PROMISC, 0);
	guest_drive(VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX, 3);
	offer(100, 200);
	assert_true(arrives(OTHER, -1) && arrives(EVERY, -1));
	assert_false(mode(VIRTIO_NET_ALLUNI, 1)); /* not agreed on */
	assert_true(mode(VIRTIO_NET_ALLMULTI, 1));
	guest_drive(VIRTIO_NET_F_CTRL_VQ, 3);
	assert_false(mode(VIRTIO_NET_PROMISC, 0));
}

static uint32_t put_table(uint8_t *at, uint32_t count, unsigned given, uint8_t first)
{
	memcpy(at, &count, 4);
	for (unsigned i = 0; i < given; i++)
		memcpy(at + 4 + 6 * i,
		       (const uint8_t[6]){first, 0, 0, 1, (uint8_t)(i >> 8), (uint8_t)i}, 6);
	return 4 + 6 * given;
}

static bool tables(unsigned unicast, unsigned multicast, int more)
{
	uint8_t data[20000] = {0};
	uint32_t len = put_table(data, unicast, unicast, 2);

	len += put_table(data + len, multicast, multicast, 3);
	return command(1, 0, data, len + (uint32_t)more);
}

static void test_mac_tables(void **state)
{
	(void)state;
	drive_control();
	assert_true(mode(VIRTIO_NET_PROMISC, 0));
	assert_true(tables(2, 3, 0));
	assert_true(arrives("\2\0\0\1\0\0", -1) && arrives("\2\0\0\1\0\1", -1) &&
		    !arrives("\2\0\0\1\0\2", -1) && arrives(OWN, -1));
	assert_true(arrives("\3\0\0\1\0\2", -1) && !arrives("\3\0\0\1\0\3", -1));
	/* What is refused changes nothing. */
	assert_false(tables(1, 1, -1));
	assert_false(tables(1, 1, 1));
	assert_false(tables(1, 1, -7));
	assert_false(command(1, 0, "\xff\xff\xff\xff", 4));
	assert_false(command(1, 0, "\0\0\0\0", 4));
	assert_false(command(1, 0, "\0\0\0", 3));
	assert_false(tables(0, 3000, 0));
	assert_true(arrives("\2\0\0\1\0\1", -1) && arrives("\3\0\0\1\0\2", -1));
	/* More than there is place for: all of them pass. */
	assert_true(tables(VIRTIO_NET_MACS, VIRTIO_NET_MACS + 1, 0));
	assert_true(arrives("\2\0\0\1\0\x3f", -1) && !arrives("\2\0\0\1\0\x40", -1));
	assert_true(arrives("\3\0\0\1\0\x40", -1) && arrives(GROUP, -1));
	assert_true(tables(0, 0, 0));
	assert_true(arrives(OWN, -1) && !arrives(GROUP, -1) && !arrives("\2\0\0\1\0\1", -1));
}

static uint64_t config_mac(void)
{
	return config_in(0, 4) | config_in(4, 2) << 32;
}

static void test_mac(void **state)
{
	(void)state;
	drive_control();
	assert_true(mode(VIRTIO_NET_PROMISC, 0));
	assert_int_equal(config_mac(), 0x010000000002);
	assert_true(command(1, 1, OTHER, 6));
	assert_int_equal(config_mac(), 0x090000000002);
	assert_true(arrives(OTHER, -1) && !arrives(OWN, -1));
	assert_false(command(1, 1, GROUP, 6));
	assert_false(command(1, 1, OWN, 5));
	assert_false(command(1, 1, OWN "\0", 7));
	assert_false(command(1, 2, OWN, 6));
	assert_true(arrives(OTHER, -1));
	/* 5.1.6.5.2 is of the driver's life. */
	guest_drive(CONTROL_ALL & ~VIRTIO_NET_F_CTRL_MAC_ADDR, 3);
	assert_int_equal(config_mac(), 0x010000000002);
	assert_false(command(1, 1, OTHER, 6));
}

static bool vlan(uint8_t cmd, uint16_t id)
{
	return command(2, cmd, &id, 2);
}

static void test_vlans(void **state)
{
	(void)state;
	drive_control();
	assert_true(mode(VIRTIO_NET_PROMISC, 0));
	assert_false(arrives(OWN, 5));
	assert_true(vlan(0, 5) && vlan(0, 4095) && vlan(0, 0));
	assert_true(arrives(OWN, 5) && arrives(OWN, 4095) && arrives(OWN, 0) && !arrives(OWN, 6));
	assert_true(!arrives(OTHER, 5) && arrives(OWN, -1));
	assert_true(vlan(1, 5));
	assert_true(!arrives(OWN, 5) && arrives(OWN, 4095));
	assert_false(vlan(0, 4096));
	assert_false(vlan(2, 5));
	assert_false(command(2, 0, "\5", 1));
	/* A driver that knows nothing of it gets all. */
	guest_drive(VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX, 3);
	offer(100, 20);
	assert_true(mode(VIRTIO_NET_PROMISC, 0));
	assert_true(arrives(OWN, 5));
	assert_false(vlan(0, 5));
}

static void test_link(void **state)
{
	(void)state;
	assert_int_equal(config_in(6, 2), 0);
	slow_net_plug();
	assert_int_equal(config_in(6, 2), 1);
	slow_net_unplug();
	guest_drive(CONTROL_ALL, 3);
	assert_int_equal(config_in(6, 2), 0);
	assert_int_equal(front.messages[0], 0);
	slow_net_plug();
	/* The network is another one: the guest tells it where it is. */
	assert_int_equal(config_in(6, 2), 3);
	assert_int_equal(front.messages[0], 1);
	assert_false(command(3, 1, "", 0));
	assert_false(command(3, 0, "x", 1));
	assert_int_equal(config_in(6, 2), 3);
	assert_true(command(3, 0, "", 0));
	assert_int_equal(config_in(6, 2), 1);
	slow_net_unplug();
	assert_int_equal(config_in(6, 2), 0);
	slow_net_plug();
	assert_int_equal(config_in(6, 2), 3);
	guest_drive(0, 2);
	assert_int_equal(config_in(6, 2), 1);
	slow_net_unplug();
	slow_net_plug();
	assert_int_equal(config_in(6, 2), 1);
}

static void test_offload_command(void **state)
{
	uint64_t set;

	(void)state;
	slow_net_plug();
	guest_drive(VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS |
			    VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4,
		    3);
	assert_int_equal(slow_net.frontend->takes, NET_CSUM_PARTIAL | NET_TSO4);
	set = VIRTIO_NET_F_GUEST_CSUM;
	assert_true(command(5, 0, &set, 8));
	assert_int_equal(slow_net.frontend->takes, NET_CSUM_PARTIAL);
	set = 0;
	assert_true(command(5, 0, &set, 8));
	assert_int_equal(slow_net.frontend->takes, 0);
	set = VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO6;
	assert_false(command(5, 0, &set, 8));
	set = VIRTIO_NET_F_MAC;
	assert_false(command(5, 0, &set, 8));
	assert_false(command(5, 0, &set, 7));
	assert_false(command(5, 1, &set, 8));
	assert_int_equal(slow_net.frontend->takes, 0);
}

static void test_control_odd(void **state)
{
	const struct guest_buf one[] = {{ACK + 16, 1}, {ACK, 1}};
	const struct guest_buf split[] = {{ACK + 16, 1}, {ACK + 17, 1}, {ACK + 32, 1}, {ACK, 1}};
	const struct guest_buf long_ack[] = {{ACK + 16, 3}, {ACK, 9}};
	unsigned i;

	(void)state;
	drive_control();
	guest_put(ACK + 16, (const uint8_t[3]){0, VIRTIO_NET_PROMISC, 0}, 3);
	guest_put(ACK + 32, (const uint8_t[1]){0}, 1);
	guest_add(control, one, 1, 1, 0);
	guest_kick(control);
	assert_int_equal(*(uint8_t *)guest_at(ACK), 1);
	guest_add(control, split, 3, 1, 0);
	guest_kick(control);
	assert_int_equal(*(uint8_t *)guest_at(ACK), 0);
	assert_false(net->filter.modes[VIRTIO_NET_PROMISC]);
	guest_add(control, long_ack, 1, 1, 0);
	guest_kick(control);
	assert_int_equal(*(uint8_t *)guest_at(ACK + 8), 0);
	assert_false(command(99, 0, "x", 1));
	assert_false(command(6, 0, "x", 1));
	/* Some at a time. */
	count_used(control);
	for (i = 0; i < 40; i++)
		guest_add(control, split, 3, 1, 0);
	guest_kick(control);
	assert_int_equal(count_used(control), 16);
	world_work();
	assert_int_equal(count_used(control), 24);
	guest_add(control, split, 3, 0, 0);
	guest_kick(control);
	assert_int_not_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
	assert_true(fake_logged("without a place for its answer"));
}

/* Several pairs of queues. */

static bool pairs(uint16_t n)
{
	return command(4, 0, &n, 2);
}

/* A frame of TCP from 10.0.0.@from to 10.0.0.@to. */
static size_t connection(uint8_t from, uint8_t to)
{
	memset(frame + 14, 0, 40);
	frame[14] = 0x45;
	frame[23] = 6;
	frame[26] = frame[30] = 10;
	frame[29] = from;
	frame[33] = to;
	frame[35] = from;
	frame[37] = to;
	return 60;
}

static void test_pairs(void **state)
{
	unsigned i, hit = 0;

	(void)state;
	replug("virtio-net:?queues=3");
	assert_int_equal(common_in(COMMON_NUMQ, 2), 7);
	assert_int_equal(config_in(8, 2), 3);
	assert_int_not_equal(guest_offered() & VIRTIO_NET_F_MQ, 0);
	slow_net_plug();
	guest_drive(CONTROL_ALL | VIRTIO_NET_F_MQ, 7);
	control = &guest_queues[6];
	assert_false(pairs(0));
	assert_false(pairs(4));
	assert_false(command(4, 1, "\1\0", 2));
	assert_false(command(4, 0, "\1", 1));
	for (i = 0; i < 6; i += 2) {
		rx = &guest_queues[i];
		offer(100, 40);
	}
	/* One pair is in use at first. */
	for (i = 0; i < 10; i++)
		assert_true(slow_net_give(frame, connection((uint8_t)i, 99), plain));
	assert_int_equal(count_used(&guest_queues[0]), 10);
	assert_true(pairs(3));
	/* Answers come where the connection was sent from. */
	for (i = 0; i < 12; i++) {
		unsigned pair = i % 3;

		tx = &guest_queues[2 * pair + 1];
		put_header(DATA, 0, 0, 0, 0, 0);
		send(connection(1, (uint8_t)(100 + i)));
		assert_true(slow_net_give(frame, connection((uint8_t)(100 + i), 1), plain));
		hit += count_used(&guest_queues[2 * pair]);
		count_used(&guest_queues[0]);
	}
	assert_true(hit >= 11); /* two connections may be one to us */
	assert_true(pairs(1));
	assert_true(slow_net_give(frame, connection(101, 1), plain));
	assert_int_equal(count_used(&guest_queues[0]), 1);
	/* A driver that knows of one pair: its control queue is the third. */
	guest_drive(CONTROL_ALL, 3);
	control = &guest_queues[2];
	assert_true(mode(VIRTIO_NET_PROMISC, 0));
	assert_false(pairs(1));
	rx = &guest_queues[0];
	tx = &guest_queues[1];
	guest_unplug();
	world_vms[0].vcpu_count = 64;
	assert_non_null(guest_plug("virtio-net:"));
	assert_int_equal(config_in(8, 2), 8);
	world_vms[0].vcpu_count = 0;
}

/* A flow has one number in both directions, and different ones mostly another. */
static void test_flows(void **state)
{
	struct virtio_net_look a, b;
	struct net_piece piece = {frame, 78};
	struct net_frame f = {&piece, 1, 78, {0}};
	unsigned i, same = 0;

	(void)state;
	for (i = 0; i < 200; i++) {
		connection(1, (uint8_t)i);
		virtio_net_look(&f, &a);
		connection((uint8_t)i, 1);
		virtio_net_look(&f, &b);
		assert_int_equal(virtio_net_flow(&a), virtio_net_flow(&b));
		connection(2, (uint8_t)i);
		virtio_net_look(&f, &b);
		same += virtio_net_flow(&a) == virtio_net_flow(&b);
	}
	assert_true(same < 20);
	/* IPv6 behind a tag; options that leave no place for ports; nothing of the kind. */
	memcpy(frame + 12, "\x81\0\0\5\x86\xdd", 6);
	memset(frame + 18, 0, 60);
	frame[18 + 8] = 1;
	frame[18 + 24] = 2;
	frame[58] = 9;
	virtio_net_look(&f, &a);
	frame[18 + 8] = 2;
	frame[18 + 24] = 1;
	frame[58] = 0;
	frame[60] = 9;
	virtio_net_look(&f, &b);
	assert_int_equal(virtio_net_flow(&a), virtio_net_flow(&b));
	connection(1, 2);
	memcpy(frame + 12, "\x81\0\0\5\x08\0\x4f", 7);
	virtio_net_look(&f, &a);
	virtio_net_flow(&a);
	piece.len = f.len = 14;
	virtio_net_look(&f, &a);
	virtio_net_flow(&a);
}

static void test_features(void **state)
{
	static const uint64_t refused[] = {
		VIRTIO_NET_F_GUEST_TSO4,
		VIRTIO_NET_F_GUEST_TSO6,
		VIRTIO_NET_F_GUEST_ECN | VIRTIO_NET_F_GUEST_CSUM,
		VIRTIO_NET_F_HOST_TSO4,
		VIRTIO_NET_F_HOST_TSO6,
		VIRTIO_NET_F_HOST_ECN | VIRTIO_NET_F_CSUM,
		VIRTIO_NET_F_CTRL_RX,
		VIRTIO_NET_F_CTRL_VLAN,
		VIRTIO_NET_F_CTRL_MAC_ADDR,
		VIRTIO_NET_F_GUEST_ANNOUNCE,
		VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
		VIRTIO_NET_F_CTRL_RX_EXTRA | VIRTIO_NET_F_CTRL_VQ,
		VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_VQ, /* not offered */
	};
	unsigned i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		assert_false(guest_negotiate(refused[i]));
	assert_true(guest_negotiate(guest_offered()));
	assert_int_equal(config_in(8, 2), 1);
	assert_int_equal(config_in(10, 2), 1500);
	replug("virtio-net:?mtu=9000");
	assert_int_equal(config_in(10, 2), 9000);
}

static void refused(const char *url, const char *message)
{
	fake_log_clear();
	assert_null(guest_plug(url));
	if (!fake_logged(message))
		fail_msg("expected '%s' in: %s", message, fake_log);
}

static void test_arguments(void **state)
{
	uint64_t mac, again;
	long i;

	(void)state;
	replug("virtio-net:?mac=52:54:00:AB:cd:ef");
	assert_int_equal(config_mac(), 0xefcdab005452);
	/* One of its own: local, of one card, and the same each time. */
	replug("virtio-net:");
	mac = config_mac();
	assert_int_equal(mac & 3, 2);
	replug("virtio-net:");
	assert_int_equal(config_mac(), mac);
	world_vms[0].name[0] = 'z';
	replug("virtio-net:");
	again = config_mac();
	assert_int_not_equal(again, mac);
	world_vms[0].name[0] = 'a';
	guest_unplug();
	refused("virtio-net:?mac=02:00:00:00:00", "mac: expected");
	refused("virtio-net:?mac=02:00:00:00:00:00:00", "mac: expected");
	refused("virtio-net:?mac=02-00-00-00-00-00", "mac: expected");
	refused("virtio-net:?mac=02:00:00:00:00:0g", "mac: expected");
	refused("virtio-net:?mac=01:00:00:00:00:01", "mac: expected");
	refused("virtio-net:?mac=00:00:00:00:00:00", "mac: expected");
	refused("virtio-net:?mtu=67", "mtu");
	refused("virtio-net:?queues=9", "queues");
	refused("virtio-net:eth0", "takes no path");
	for (i = 0; i < 40; i++) {
		fake_memory_left = i;
		if (guest_plug("virtio-net:?queues=2"))
			break;
		fake_memory_left = -1;
	}
	fake_memory_left = -1;
	assert_in_range(i, 6, 39);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_send),
		TEST(test_send_offload),
		TEST(test_send_odd),
		TEST(test_send_back_pressure),
		TEST(test_send_turns),
		TEST(test_receive),
		TEST(test_receive_merged),
		TEST(test_receive_no_buffers),
		TEST(test_receive_packed),
		TEST(test_receive_offload),
		TEST(test_receive_nobody),
		TEST(test_rx_modes),
		TEST(test_mac_tables),
		TEST(test_mac),
		TEST(test_vlans),
		TEST(test_link),
		TEST(test_offload_command),
		TEST(test_control_odd),
		TEST(test_pairs),
		TEST(test_flows),
		TEST(test_features),
		TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
