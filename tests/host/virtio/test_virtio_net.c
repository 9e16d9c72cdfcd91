/* SPDX-License-Identifier: BSD-2-Clause */
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
/* test-sources: tests/host/virtio/net_driver.c */
/* Frames of `virtio-net:` both ways, with what is left to do in them, and without room. */
#include "tests/host/virtio/net_driver.h"
#include "tests/host/virtio/slow_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_send),	   TEST(test_send_offload),
		TEST(test_send_odd),	   TEST(test_send_back_pressure),
		TEST(test_send_turns),	   TEST(test_receive),
		TEST(test_receive_merged), TEST(test_receive_no_buffers),
		TEST(test_receive_packed), TEST(test_receive_offload),
		TEST(test_receive_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
