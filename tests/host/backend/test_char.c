/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/char_pair.c devices/backend/char_log.c devices/guest_lines.c */
/* test-sources: lib/ring.c tests/host/backend/world.c tests/host/backend/ports.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/char_frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/* char-pair and char-log behind ports that take as much as a test lets them. */
#include "kernel/slab.h"
#include "kernel/time.h"
#include "tests/host/backend/ports.h"
#include "tests/host/backend/world.h"
#include "vmm/char_frontend.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define END "frontend = port\nname = cable\n"

static int setup(void **state)
{
	(void)state;
	world_start();
	assert_non_null(world_add(0, "port", "port", ""));
	assert_non_null(world_add(1, "port", "port", ""));
	return 0;
}

static int setup_pair(void **state)
{
	setup(state);
	assert_non_null(world_add(0, "char-pair", "end", END));
	assert_non_null(world_add(1, "char-pair", "end", END));
	world_work();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

static void test_both_ways(void **state)
{
	(void)state;
	assert_int_equal(send(0, "ping"), 4);
	assert_int_equal(send(1, "pong!"), 5);
	/* Not with the sender's lock held. */
	assert_int_equal(port(1)->count, 0);
	world_work();
	assert_string_equal(port(1)->got, "ping");
	assert_string_equal(port(0)->got, "pong!");
}

static void test_back_pressure(void **state)
{
	char data[6000];
	struct port *from, *to;
	size_t sent, i;

	(void)state;
	from = port(0);
	to = port(1);
	for (i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	to->room = 16;
	sent = send_bytes(from, data, sizeof(data));
	assert_int_equal(sent, 4096);
	world_work();
	assert_int_equal(to->count, 16);
	assert_int_equal(from->ready, 1);
	sent += send_bytes(from, data + sent, sizeof(data) - sent);
	assert_int_equal(sent, 4096 + 16);
	while (to->count < sizeof(data)) {
		let_in(1, 500);
		sent += send_bytes(from, data + sent, sizeof(data) - sent);
		world_work();
	}
	assert_memory_equal(to->got, data, sizeof(data));
	assert_int_equal(to->count, sizeof(data));
}

static void test_break(void **state)
{
	(void)state;
	send(0, "ab");
	send_break(0);
	send_break(0); /* the first still waits */
	send(0, "cd");
	send_break(0); /* still */
	world_work();
	send_break(0);
	world_work();
	assert_string_equal(port(1)->got, "ab!cd!");
}

static void test_modem(void **state)
{
	struct port *p = port(0);

	(void)state;
	assert_true(port(1)->dsr && !port(1)->cts);
	spin_lock(&p->front.base.lock);
	char_backend(&p->front)->modem(p->front.base.backend_opaque, false, true);
	spin_unlock(&p->front.base.lock);
	world_work();
	assert_true(!port(1)->dsr && port(1)->cts);
	world_del(0, "end");
	world_work();
	assert_true(!port(1)->dsr && !port(1)->cts);
	/* A port without a cable is as before. */
	assert_true(port(0)->dsr && port(0)->cts);
}

/* What a worker was on its way with when the cable was unplugged comes before its end. */
static void test_unplugged_under_a_worker(void **state)
{
	(void)state;
	world_del(1, "end");
	slow.armed = true;
	fake_in_grace = slow_ends;
	world_work();
	assert_true(slow.waits && slow.port == port(0) && !slow.ready);
	world_del(0, "end");
	assert_false(slow.waits);
	fake_in_grace = NULL;
	assert_true(port(0)->dsr && port(0)->cts);
}

static void test_nobody_there(void **state)
{
	(void)state;
	assert_non_null(world_add(0, "char-pair", "end", END));
	world_work();
	assert_false(port(0)->dsr);
	assert_int_equal(send(0, "lost"), 4);
	assert_non_null(world_add(1, "char-pair", "end", END));
	assert_int_equal(send(0, "found"), 5);
	world_work();
	assert_string_equal(port(1)->got, "found");
	assert_true(port(0)->dsr);
}

static void test_receiver_goes(void **state)
{
	(void)state;
	port(1)->room = 0;
	send(0, "lost");
	world_work();
	/* The frontend, then its backend; the other way around in test_modem. */
	world_del(1, "port");
	assert_int_equal(send(0, "lost too"), 8);
	world_del(1, "end");
	world_work();
	assert_non_null(world_add(1, "port", "port", ""));
	assert_non_null(world_add(1, "char-pair", "end", END));
	send(0, "new");
	world_work();
	assert_string_equal(port(1)->got, "new");
}

static void test_full_ring_is_freed(void **state)
{
	char data[5000] = {0};

	(void)state;
	port(1)->room = 0;
	assert_int_equal(send_bytes(port(0), data, sizeof(data)), 4096);
	world_del(1, "port");
	world_work();
	assert_int_equal(port(0)->ready, 1);
}

static void test_sender_goes(void **state)
{
	(void)state;
	send(0, "last words");
	world_del(0, "end");
	world_del(0, "port");
	world_work();
	assert_string_equal(port(1)->got, "last words");
}

/* The work is still queued when both ends are gone. */
static void test_both_go(void **state)
{
	(void)state;
	send(0, "x");
	send(1, "y");
	world_del(0, "end");
	world_del(1, "port");
	world_del(1, "end");
}

static void test_one_vm(void **state)
{
	struct port *two;

	(void)state;
	assert_non_null(world_add(0, "port", "two", ""));
	assert_non_null(world_add(0, "char-pair", "e1", END));
	assert_non_null(world_add(0, "char-pair", "e2", "frontend = two\nname = cable\n"));
	two = device_iface(&world_vms[0], "two", char_frontend_kind.name);
	send(0, "hello");
	world_work();
	assert_string_equal(two->got, "hello");
}

static void test_refused(void **state)
{
	char name[100] = "frontend = port\nname = ";

	(void)state;
	assert_non_null(world_add(1, "port", "third", ""));
	world_refused(1, "char-pair", "more", "frontend = third\nname = cable\n",
		      "name: cable joins end of VM a and end of VM b already");
	world_refused(1, "char-pair", "more", "frontend = nobody\nname = c2\n",
		      "needs device nobody");
	world_refused(1, "char-pair", "more", END, "already");
	memset(name + strlen(name), 'x', 64);
	world_refused(1, "char-pair", "more", name, "name: expected at most 63");
}

static void test_no_memory(void **state)
{
	long i;

	(void)state;
	for (i = 0; i < 20; i++) {
		fake_memory_left = i;
		if (world_add(0, "char-pair", "end", END))
			break;
	}
	assert_in_range(i, 3, 19);
	fake_memory_left = -1;
}

static void test_log(void **state)
{
	char line[400];
	unsigned i;

	(void)state;
	assert_non_null(world_add(0, "char-log", "log", "frontend = port\n"));
	send(0, "\033[1mbooting\r\nhalf a l");
	assert_true(fake_logged("vm a: log: [1mbooting\n"));
	assert_false(fake_logged("half"));
	send(0, "ine\n");
	assert_true(fake_logged("log: half a line\n"));
	memset(line, 'x', sizeof(line));
	line[399] = '\0';
	send(0, line);
	send(0, "\nnext\n");
	line[160] = '\0';
	strcat(line, "…\n");
	assert_true(fake_logged(line));
	assert_true(fake_logged("log: next\n"));
	fake_log_clear();
	for (i = 0; i < 1000; i++)
		send(0, "flood\n");
	send(0, "not seen\n");
	assert_false(fake_logged("not seen"));
	fake_run_until(fake_tsc + NSEC_PER_SEC);
	send(0, "seen\nlast words");
	assert_true(fake_logged("905 lines were not shown"));
	assert_true(fake_logged("log: seen"));
	world_del(0, "log");
	assert_true(fake_logged("log: last words"));
	assert_non_null(world_add(0, "char-log", "log", "frontend = port\n"));
	send(0, "also last");
	world_del(0, "port");
	assert_true(fake_logged("log: also last"));
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, setup_pair, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_both_ways),
		PAIR_TEST(test_back_pressure),
		PAIR_TEST(test_break),
		PAIR_TEST(test_modem),
		PAIR_TEST(test_unplugged_under_a_worker),
		TEST(test_nobody_there),
		PAIR_TEST(test_receiver_goes),
		PAIR_TEST(test_full_ring_is_freed),
		PAIR_TEST(test_sender_goes),
		PAIR_TEST(test_both_go),
		TEST(test_one_vm),
		PAIR_TEST(test_refused),
		TEST(test_no_memory),
		TEST(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
