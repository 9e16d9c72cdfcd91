/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/switch.c devices/backend/switch_table.c */
/* test-sources: devices/backend/switch_info.c devices/backend/net_null.c vmm/net_frontend.c */
/* test-sources: devices/backend/net_offload.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/backend/net_reference.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/* The Ethernet switch between cards that take as much as a test lets them. */
#include "devices/backend/switch_table.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "tests/host/backend/net_reference.h"
#include "tests/host/backend/world.h"
#include "vmm/net_frontend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct time_scale time_scale = {.ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};

static char printed[8192];

void console_printf(const char *fmt, ...)
{
	size_t at = strlen(printed);
	va_list args;

	va_start(args, fmt);
	vsnprintf(printed + at, sizeof(printed) - at, fmt, args);
	va_end(args);
}

struct card {
	struct net_frontend front;
	unsigned got, room;
	uint8_t last[NET_FRAME_MAX];
	size_t last_len;
	struct net_offload offload;
	bool wants, up;
	void (*meanwhile)(struct card *card); /* while it is offered a frame that it refuses */
};

static bool card_receive(void *opaque, const struct net_frame *frame)
{
	struct card *c = opaque;
	bool ok;
	size_t i;

	spin_lock(&c->front.base.lock);
	ok = c->room > 0;
	c->wants = !ok;
	if (ok) {
		c->room--;
		c->got++;
		c->last_len = 0;
		c->offload = frame->offload;
		for (i = 0; i < frame->piece_count; i++) {
			memcpy(c->last + c->last_len, frame->pieces[i].data, frame->pieces[i].len);
			c->last_len += frame->pieces[i].len;
		}
		assert_int_equal(c->last_len, frame->len);
	}
	spin_unlock(&c->front.base.lock);
	if (!ok && c->meanwhile)
		c->meanwhile(c);
	return ok;
}

static void card_send_ready(void *opaque)
{
	(void)opaque;
}

static void card_link(void *opaque, bool up)
{
	struct card *c = opaque;

	c->up = up;
}

static void card_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int card_create(struct device *dev, const struct device_config *config)
{
	struct card *c = kzalloc(sizeof(*c));

	(void)config;
	if (!c)
		return -ENOMEM;
	dev->state = c;
	net_frontend_init(&c->front);
	c->front.receive = card_receive;
	c->front.send_ready = card_send_ready;
	c->front.link = card_link;
	c->front.opaque = c;
	c->room = 1000000;
	return device_provide_frontend(dev, &c->front.base);
}

DEVICE_TYPE(card_type, .name = "card", .help = "a network card", .create = card_create,
	    .destroy = card_destroy);

/* Cards 0 to 3: c0 and c1 of VM a, c2 and c3 of VM b; their addresses end with 1 to 4. */

static struct card *card(unsigned i)
{
	char id[8];

	snprintf(id, sizeof(id), "c%u", i);
	return device_iface(&world_vms[i / 2], id, net_frontend_kind.name);
}

static void plug(unsigned i, const char *keys)
{
	char id[8], text[128];

	snprintf(id, sizeof(id), "p%u", i);
	snprintf(text, sizeof(text), "frontend = c%u\nswitch = lan\n%s", i, keys);
	assert_non_null(world_add(i / 2, "switch", id, text));
}

static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
static uint8_t frame[NET_FRAME_MAX + 1];
static struct net_offload offload; /* of the next frames */

/* A frame of @len bytes from address @source by card @i, in pieces; nothing is given to anyone. */
static bool put(unsigned i, unsigned source, const uint8_t *to, size_t len)
{
	struct card *c = card(i);
	struct net_piece pieces[3] = {{frame, 5}, {frame + 5, 4}, {frame + 9, len - 9}};
	struct net_frame f = {pieces, len < 9 ? 1 : 3, len, offload};
	bool ok;

	if (len < 9)
		pieces[0].len = len;
	memcpy(frame, to, 6);
	memset(frame + 6, 0, 6);
	frame[6] = 2;
	frame[10] = (uint8_t)(source >> 8);
	frame[11] = (uint8_t)source;
	frame[20]++;
	spin_lock(&c->front.base.lock);
	ok = net_backend(&c->front)->send(c->front.base.backend_opaque, &f);
	spin_unlock(&c->front.base.lock);
	return ok;
}

static const uint8_t *mac(unsigned i)
{
	static uint8_t macs[8][6];

	macs[i % 8][0] = 2;
	macs[i % 8][5] = (uint8_t)(i + 1);
	return macs[i % 8];
}

static void send(unsigned from, const uint8_t *to)
{
	assert_true(put(from, from + 1, to, 60));
	world_work();
}

/* How many frames each card has got since the last time. */
static void check_got(unsigned a, unsigned b, unsigned c, unsigned d)
{
	const unsigned expected[4] = {a, b, c, d};
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (!card(i))
			continue;
		assert_int_equal(card(i)->got, expected[i]);
		if (expected[i])
			assert_memory_equal(card(i)->last, frame, card(i)->last_len);
		card(i)->got = 0;
	}
}

static void let_in(unsigned i, unsigned room)
{
	struct card *c = card(i);

	spin_lock(&c->front.base.lock);
	c->room = room;
	if (c->wants)
		net_backend(&c->front)->receive_ready(c->front.base.backend_opaque);
	c->wants = false;
	spin_unlock(&c->front.base.lock);
}

static const char *info(void)
{
	printed[0] = '\0';
	TABLE_START(info_topics)->run(NULL);
	return printed;
}

static int setup(void **state)
{
	unsigned i;
	char id[8];

	(void)state;
	world_start();
	memset(&offload, 0, sizeof(offload));
	for (i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "c%u", i);
		assert_non_null(world_add(i / 2, "card", id, ""));
		assert_false(card(i)->up);
		plug(i, "");
		assert_true(card(i)->up);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end();
	assert_string_equal(info(), "no switch\n");
	return 0;
}

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

/* A frame of TCP from card 0 to all, to be cut into segments of 1000 bytes. */
static struct reference put_large(size_t payload, uint8_t more)
{
	struct reference r = {.protocol = 6, .payload = payload};
	static uint8_t data[NET_FRAME_MAX];
	struct card *c = card(0);
	struct net_piece piece = {frame, 0};
	struct net_frame f = {&piece, 1, 0, {0}};

	reference_make(&r, frame, data);
	reference_leave_sum(&r, frame);
	memset(frame, 0xff, 6);
	piece.len = f.len = r.len;
	f.offload =
		(struct net_offload){NET_CSUM_PARTIAL | NET_TSO4 | more, (uint16_t)r.l4, 16, 1000};
	spin_lock(&c->front.base.lock);
	assert_true(net_backend(&c->front)->send(c->front.base.backend_opaque, &f));
	spin_unlock(&c->front.base.lock);
	return r;
}

/* Each card gets what it takes. */
static void test_offload(void **state)
{
	struct reference r;

	(void)state;
	card(1)->front.takes = NET_TODO;
	card(2)->front.takes = NET_CSUM_PARTIAL | NET_TSO6;
	card(3)->front.takes = NET_CSUM_PARTIAL | NET_TSO4;
	r = put_large(10500, NET_TSO_ECN);
	world_work();
	assert_int_equal(card(1)->got, 1);
	assert_int_equal(card(1)->last_len, r.len);
	assert_memory_equal(card(1)->last, frame, r.len);
	assert_int_equal(card(1)->offload.flags, NET_CSUM_PARTIAL | NET_TSO4 | NET_TSO_ECN);
	assert_int_equal(card(1)->offload.csum_start, r.l4);
	assert_int_equal(card(1)->offload.csum_offset, 16);
	assert_int_equal(card(1)->offload.gso_size, 1000);
	assert_int_equal(card(2)->got, 11);
	assert_int_equal(card(2)->offload.flags, NET_CSUM_VALID);
	assert_int_equal(card(3)->got, 11);
	r.len = card(2)->last_len;
	assert_int_equal(r.len, r.data + 500);
	assert_true(reference_right(&r, card(2)->last));
	put_large(10500, 0);
	world_work();
	assert_int_equal(card(3)->got, 12);
	assert_int_equal(card(3)->offload.flags, NET_CSUM_PARTIAL | NET_TSO4);
	assert_non_null(strstr(info(), "12 frames"));
	assert_non_null(strstr(printed, "1 summed or cut"));
	/* A sum alone. */
	memset(frame, 0, 60);
	offload = (struct net_offload){NET_CSUM_PARTIAL, 14, 0, 0};
	put(1, 2, mac(0), 60);
	world_work();
	assert_int_equal(card(0)->got, 1);
	assert_int_equal(card(0)->offload.flags, NET_CSUM_VALID);
	assert_int_equal(reference_checksum(card(0)->last + 14, 46, 0), 0);
	card(0)->front.takes = NET_CSUM_PARTIAL;
	put(1, 2, mac(0), 60);
	world_work();
	assert_int_equal(card(0)->offload.flags, NET_CSUM_PARTIAL);
	assert_int_equal(card(0)->offload.csum_start, 14);
}

/* Between two segments the guest has no room, and later takes other frames. */
static void test_offload_back_pressure(void **state)
{
	unsigned i;

	(void)state;
	for (i = 1; i < 4; i++)
		card(i)->room = 3;
	put_large(65000, 0);
	put(0, 1, all, 60);
	world_work();
	assert_int_equal(card(1)->got, 3);
	card(1)->front.takes = NET_TODO;
	let_in(1, 61);
	world_work();
	assert_int_equal(card(1)->got, 64);
	world_del(0, "p1"); /* with the last segment in hand */
	let_in(2, 100);
	let_in(3, 100);
	world_work();
	assert_int_equal(card(2)->got, 66);
	assert_int_equal(card(3)->got, 66);
	assert_int_equal(card(3)->last_len, 60);
}

static void test_offload_refused(void **state)
{
	(void)state;
	offload = (struct net_offload){NET_CSUM_PARTIAL, 60, 0, 0};
	send(0, all);
	check_got(0, 0, 0, 0);
	assert_non_null(strstr(info(), "p0 of a: 0 addresses"));
	assert_non_null(strstr(printed, "offload 1,"));
	/* What is no TCP goes only to whom it is left to. */
	card(2)->front.takes = NET_TODO;
	offload = (struct net_offload){NET_CSUM_PARTIAL | NET_TSO4, 34, 16, 1000};
	send(1, all);
	check_got(0, 0, 1, 0);
	info();
	assert_non_null(strstr(strstr(printed, "p3 of b"), "offload 1,"));
	offload.flags = 0;
	send(1, all);
	check_got(1, 0, 1, 1);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_learns),
		TEST(test_drops),
		TEST(test_group_source),
		TEST(test_back_pressure),
		TEST(test_room_meanwhile),
		TEST(test_wrap),
		TEST(test_mac_limit),
		TEST(test_ports_go),
		TEST(test_refused),
		TEST(test_no_memory),
		TEST(test_null),
		TEST(test_offload),
		TEST(test_offload_back_pressure),
		TEST(test_offload_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
