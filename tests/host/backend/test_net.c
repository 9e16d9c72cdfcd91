/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/switch.c devices/backend/switch_table.c */
/* test-sources: devices/backend/switch_info.c devices/backend/net_null.c vmm/net_frontend.c */
/* test-sources: devices/backend/net_offload.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: tests/host/backend/cards.c */
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
/* The Ethernet switch between cards that take as much as a test lets them. */
#include "devices/backend/switch_table.h"
#include "kernel/time.h"
#include "tests/host/backend/cards.h"
#include "tests/host/backend/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_learns(void **state)
{
	(void)state;
	send(0, mac(2));
	check_got(0, 1, 1, 1); /* not known: to all others */
	send(2, mac(0));
	check_got(1, 0, 0, 0);
	send(0, mac(2));
	check_got(0, 0, 1, 0);
	send(0, all);
	check_got(0, 1, 1, 1);
	send(3, (const uint8_t *)"\x33\x33\0\0\0\1");
	check_got(1, 1, 1, 0);
	/* It moves. */
	put(1, 3, all, 60);
	world_work();
	check_got(1, 0, 1, 1);
	send(0, mac(2));
	check_got(0, 1, 0, 0);
	/* It is forgotten. */
	fake_tsc += (SWITCH_AGE + 1) * NSEC_PER_SEC;
	send(0, mac(2));
	check_got(0, 1, 1, 1);
}

static void test_drops(void **state)
{
	(void)state;
	put(0, 1, all, 13);
	put(0, 1, all, NET_FRAME_MAX + 1);
	world_work();
	check_got(0, 0, 0, 0);
	put(0, 1, all, 14);
	put(0, 1, all, NET_FRAME_MAX);
	world_work();
	assert_int_equal(card(1)->got, 2);
	assert_int_equal(card(1)->last_len, NET_FRAME_MAX);
	/* To itself. */
	send(0, mac(0));
	assert_int_equal(card(0)->got, 0);
	assert_int_equal(card(1)->got, 2);
	assert_non_null(strstr(info(), "switch lan\n  p0 of a: 1 addresses\n"));
	assert_non_null(strstr(
		printed, "dropped   length 2, source 0, same port 1, offload 0, queue full 0"));
}

static void test_group_source(void **state)
{
	uint8_t data[60] = {255, 255, 255, 255, 255, 255, 1};
	struct net_piece piece = {data, sizeof(data)};
	struct net_frame f = {&piece, 1, sizeof(data), {0}};
	struct card *c = card(0);

	(void)state;
	spin_lock(&c->front.base.lock);
	net_backend(&c->front)->send(c->front.base.backend_opaque, &f);
	spin_unlock(&c->front.base.lock);
	world_work();
	check_got(0, 0, 0, 0);
	assert_non_null(strstr(info(), "source 1"));
}

/* Not with the sender's lock held, some at a time, in order, and none lost that fit. */
static void test_back_pressure(void **state)
{
	unsigned i, n = 0;

	(void)state;
	card(2)->room = 0;
	for (i = 0; i < 1000; i++)
		put(0, 1, all, 990);
	check_got(0, 0, 0, 0);
	world_work();
	/* 256 KiB of 1002 bytes. */
	assert_int_equal(card(1)->got, 261);
	card(1)->got = card(3)->got = 0;
	assert_non_null(strstr(info(), "p2 of b: 0 addresses, its guest takes nothing"));
	assert_non_null(strstr(printed, "queue full 739"));
	/* What comes now wakes nobody. */
	put(1, 2, mac(2), 60);
	assert_int_equal(world_work(), 2); /* c0 and c3 have work, c2 only a frame more */
	while (n < 200 && card(2)->got < 262) {
		let_in(2, 7);
		world_work();
		n++;
	}
	assert_int_equal(card(2)->got, 262);
	assert_int_equal(n, 38);
}

/* It has room again while it is being told that it had none. */
static void room_now(struct card *c)
{
	c->meanwhile = NULL;
	spin_lock(&c->front.base.lock);
	c->room = 10;
	net_backend(&c->front)->receive_ready(c->front.base.backend_opaque);
	spin_unlock(&c->front.base.lock);
}

static void test_room_meanwhile(void **state)
{
	(void)state;
	card(1)->room = 0;
	card(1)->meanwhile = room_now;
	send(0, all);
	check_got(0, 1, 1, 1);
}

static void test_wrap(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		put(0, 1, all, 14 + i * 3 % 1500);
		world_work();
		check_got(0, 1, 1, 1);
	}
}

static void test_mac_limit(void **state)
{
	unsigned i;

	(void)state;
	world_del(0, "p1");
	plug(1, "mac-limit = 3\n");
	send(0, all);
	for (i = 0; i < 100; i++)
		put(1, 1000 + i, all, 60);
	world_work();
	assert_non_null(strstr(info(), "p1 of a: 3 addresses"));
	assert_non_null(strstr(printed, "97 unlearned"));
	assert_non_null(strstr(printed, "p0 of a: 1 addresses"));
	/* An address that it cannot have is not taken from another. */
	put(1, 1, all, 60);
	world_work();
	card(0)->got = card(1)->got = card(2)->got = card(3)->got = 0;
	send(3, mac(0));
	check_got(1, 0, 0, 0);
}

static void test_ports_go(void **state)
{
	(void)state;
	send(2, all);
	check_got(1, 1, 0, 1);
	/* With frames on their way to it. */
	put(0, 1, mac(2), 60);
	world_del(1, "p2");
	assert_false(card(2)->up);
	assert_true(card(3)->up);
	world_work();
	check_got(0, 0, 0, 0);
	send(0, mac(2)); /* forgotten */
	check_got(0, 1, 0, 1);
	/* Its own last words arrive. */
	put(3, 4, all, 60);
	world_del(1, "c3");
	world_work();
	check_got(1, 1, 0, 0);
	send(0, mac(3));
	check_got(0, 1, 0, 0);
	world_del(1, "p3");
	plug(2, "");
	send(0, mac(2));
	check_got(0, 1, 1, 0);
}

static void test_refused(void **state)
{
	char text[128], id[8];
	unsigned i;

	(void)state;
	world_refused(0, "switch", "p", "frontend = c0\nswitch = lan\n", "already");
	world_refused(0, "switch", "p", "frontend = nobody\nswitch = lan\n", "nobody");
	snprintf(text, sizeof(text), "frontend = c0\nswitch = %064d\n", 0);
	world_refused(0, "switch", "p", text, "switch: expected at most 63");
	for (i = 4; i < SWITCH_PORTS + 1; i++) {
		snprintf(id, sizeof(id), "n%u", i);
		assert_non_null(world_add(0, "card", id, ""));
		snprintf(text, sizeof(text), "frontend = n%u\nswitch = lan\n", i);
		snprintf(id, sizeof(id), "q%u", i);
		if (i < SWITCH_PORTS)
			assert_non_null(world_add(0, "switch", id, text));
		else
			world_refused(0, "switch", id, text, "switch: lan has 32 ports already");
	}
}

static void test_no_memory(void **state)
{
	long i;

	(void)state;
	world_del(0, "p0");
	for (i = 0; i < 20; i++) {
		fake_memory_left = i;
		if (world_add(0, "switch", "p0", "frontend = c0\nswitch = other\n"))
			break;
	}
	assert_in_range(i, 5, 19);
	fake_memory_left = -1;
	assert_non_null(strstr(info(), "switch other\n"));
	world_del(0, "p0");
	assert_null(strstr(info(), "switch other\n"));
}

static void test_null(void **state)
{
	(void)state;
	world_del(0, "p0");
	assert_non_null(world_add(0, "net-null", "null", "frontend = c0\n"));
	assert_true(card(0)->up);
	send(0, all);
	check_got(0, 0, 0, 0);
	world_del(0, "c0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cards_setup, cards_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_learns),	  TEST(test_drops),	     TEST(test_group_source),
		TEST(test_back_pressure), TEST(test_room_meanwhile), TEST(test_wrap),
		TEST(test_mac_limit),	  TEST(test_ports_go),	     TEST(test_refused),
		TEST(test_no_memory),	  TEST(test_null),

	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
