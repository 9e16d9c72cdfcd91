/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/switch.c devices/backend/switch_table.c */
/* test-sources: devices/backend/switch_info.c devices/backend/net_null.c vmm/net_frontend.c */
/* test-sources: devices/backend/net_offload.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: tests/host/backend/net_reference.c */
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
/* test-sources: tests/host/backend/cards.c */
/* What cards leave to others, at a switch: to those who take it, and to those who do not. */
#include "tests/host/backend/cards.h"
#include "tests/host/backend/net_reference.h"
#include "tests/host/backend/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, cards_setup, cards_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_offload),
		TEST(test_offload_back_pressure),
		TEST(test_offload_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
