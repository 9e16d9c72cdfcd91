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
/* test-sources: tests/host/virtio/net_driver.c tests/host/virtio/guest_driver.c */
/* What else a driver of `virtio-net:` sees: filters, every command and every refusal of one, the
 * link, several pairs of queues, features, the arguments. */
#include "tests/host/virtio/net_driver.h"
#include "tests/host/virtio/slow_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, net_setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rx_modes),	TEST(test_mac_tables), TEST(test_mac),
		TEST(test_vlans),	TEST(test_link),       TEST(test_offload_command),
		TEST(test_control_odd), TEST(test_pairs),      TEST(test_flows),
		TEST(test_features),	TEST(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
