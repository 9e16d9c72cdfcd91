/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/virtio/virtio_console_output.c */
/* test-sources: devices/virtio/virtio_console_saved.c */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c devices/virtio/virtio_console.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/ear.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c lib/ring.c tests/host/backend/world.c */
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
/* test-sources: devices/virtio/virtio_console_control.c devices/virtio/virtio_port.c */
/* test-sources: tests/host/virtio/console_driver.c */
/* virtio-console: its ports as a driver and as backends see them. */
#include "tests/host/virtio/console_driver.h"
#include "tests/host/virtio/ear.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t say(const struct ear *e, const char *text)
{
	return e->front->input(e->front->opaque, (const uint8_t *)text, strlen(text));
}

/* The driver. */

static void send_control(uint32_t port, uint16_t event, uint16_t value)
{
	struct guest_buf buf = {MESSAGE, 8};
	uint64_t message = port | (uint64_t)event << 32 | (uint64_t)value << 48;

	guest_put(MESSAGE, &message, 8);
	(void)guest_add(&guest_queues[CONTROL_TX], &buf, 1, 0, 0);
	(void)guest_kick(&guest_queues[CONTROL_TX]);
	assert_true(guest_used(&guest_queues[CONTROL_TX], &(uint16_t){0}, &(uint32_t){0}));
}

/* The next control message is "port event value[: what follows]", and its buffer is given again. */
static void expect_control(const char *expected)
{
	struct guest_buf buf;
	char text[256], more[128] = "";
	uint32_t len, port;
	uint16_t id, event, value;

	if (!guest_used(&guest_queues[CONTROL_RX], &id, &len))
		fail_msg("no message, expected %s", expected);
	guest_get(guest_queues[CONTROL_RX].desc + 16 * id, &buf.gpa, 8);
	guest_get(buf.gpa, &port, 4);
	guest_get(buf.gpa + 4, &event, 2);
	guest_get(buf.gpa + 6, &value, 2);
	assert_in_range(len, 8, 128);
	guest_get(buf.gpa + 8, more, len - 8);
	snprintf(text, sizeof(text), "%u %u %u%s%s", port, event, value, len > 8 ? ": " : "", more);
	assert_string_equal(text, expected);
	buf.len = 128;
	(void)guest_add(&guest_queues[CONTROL_RX], &buf, 0, 1, 0);
	(void)guest_kick(&guest_queues[CONTROL_RX]);
}

static void expect_no_control(void)
{
	assert_false(guest_used(&guest_queues[CONTROL_RX], &(uint16_t){0}, &(uint32_t){0}));
}

static void give_buffer(unsigned queue, gpa_t gpa, uint32_t len)
{
	struct guest_buf buf = {gpa, len};

	(void)guest_add(&guest_queues[queue], &buf, 0, 1, 0);
	(void)guest_kick(&guest_queues[queue]);
}

static void expect_received(unsigned queue, gpa_t gpa, const char *text)
{
	uint32_t len;
	char got[64] = "";

	assert_true(guest_used(&guest_queues[queue], &(uint16_t){0}, &len));
	assert_int_equal(len, strlen(text));
	guest_get(gpa, got, len);
	assert_string_equal(got, text);
}

static void test_found(void **state)
{
	(void)state;
	console_start("virtio-console:?ports=3&columns=132&rows=43", SIZE);
	assert_int_equal(common_in(COMMON_NUMQ, 2), 8);
	assert_int_equal(config_in(0, 2), 132);
	assert_int_equal(config_in(2, 2), 43);
	assert_int_equal(config_in(4, 4), 3);
	assert_int_equal(guest_offered(), VIRTIO_F_COMMON | 7);
	guest_unplug();
	assert_non_null(guest_plug("virtio-console:"));
	assert_int_equal(guest_offered(), VIRTIO_F_COMMON | 6);
}

/* A driver of one port. */
static void test_single(void **state)
{
	(void)state;
	console_start("virtio-console:", 0);
	/* Nobody listens: it is lost. */
	transmit(TX, "nobody");
	assert_true(transmitted(TX));
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	transmit(TX, "hello");
	assert_true(transmitted(TX));
	assert_memory_equal(ears[0]->heard, "hello", 6);
	/* To the guest, when it has buffers. */
	assert_int_equal(say(ears[0], "typed"), 0);
	ears[0]->ready = 0;
	give_buffer(RX, DATA + 0x1000, 3);
	assert_int_equal(ears[0]->ready, 1);
	assert_int_equal(say(ears[0], "typed"), 3);
	expect_received(RX, DATA + 0x1000, "typ");
	give_buffer(RX, DATA + 0x1000, 64);
	assert_int_equal(say(ears[0], "ed"), 2);
	expect_received(RX, DATA + 0x1000, "ed");
	/* While none is wanted for more, no notification. */
	ears[0]->ready = 0;
	give_buffer(RX, DATA + 0x1000, 64);
	assert_int_equal(ears[0]->ready, 0);
	world_del(0, "e");
	transmit(TX, "nobody");
	assert_true(transmitted(TX));
}

/* One port alone has no control queue: a driver of NetBSD's takes it for a second port's. */
static void test_one_port(void **state)
{
	(void)state;
	console_start("virtio-console:?ports=1", 0);
	assert_false(guest_offered() & MULTIPORT);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	transmit(TX, "alone");
	assert_true(transmitted(TX));
	assert_memory_equal(ears[0]->heard, "alone", 6);
}

/* The other end's terminal is another one: who was promised to be told is. */
static void test_size(void **state)
{
	(void)state;
	console_start("virtio-console:?columns=100&rows=50", MULTIPORT | SIZE);
	assert_non_null(world_add(0, "ear", "e0", "frontend = card\nn = 0\n"));
	send_control(0xffffffff, 0, 1);
	expect_control("0 1 1");
	ears[0]->front->input_size(ears[0]->front->opaque, 'A' | 'B' << 8, 'C');
	assert_int_equal(config_in(0, 2), 'A' | 'B' << 8);
	assert_int_equal(config_in(2, 2), 'C');
	send_control(0, 3, 1);
	expect_control("0 4 1");
	expect_control("0 5 1: ABC");
	expect_control("0 6 1");
	ears[0]->front->input_size(ears[0]->front->opaque, 'D', 'E');
	expect_control("0 5 1: D");
	assert_int_equal(config_in(2, 2), 'E');
	expect_no_control();
}

static void test_no_size(void **state)
{
	(void)state;
	console_start("virtio-console:?columns=100&rows=50", MULTIPORT);
	assert_non_null(world_add(0, "ear", "e0", "frontend = card\nn = 0\n"));
	ears[0]->front->input_size(ears[0]->front->opaque, 10, 20);
	assert_int_equal(config_in(0, 2), 100);
	assert_int_equal(config_in(2, 2), 50);
}

/* The administrator is there before the driver is. */
static void test_early_size(void **state)
{
	(void)state;
	assert_non_null(guest_start("virtio-console:?columns=100&rows=50"));
	assert_non_null(world_add(0, "ear", "e0", "frontend = card\nn = 0\n"));
	ears[0]->front->input_size(ears[0]->front->opaque, 10, 20);
	guest_drive(SIZE, 2);
	assert_int_equal(config_in(0, 2), 10);
	assert_int_equal(config_in(2, 2), 20);
	assert_int_equal(front.messages[0], 0);
}

static void test_ports(void **state)
{
	(void)state;
	console_start("virtio-console:?columns=100&rows=50", MULTIPORT | SIZE);
	assert_non_null(
		world_add(0, "virtio-port", "p1", "console = card\nname = org.alcazar.test\n"));
	expect_no_control();
	send_control(0xffffffff, 0, 1);
	expect_control("0 1 1");
	expect_control("1 1 1");
	expect_no_control();
	send_control(0, 3, 1);
	expect_control("0 4 1");
	expect_control("0 5 1: d"); /* 100 columns, and a 0 that ends the string */
	send_control(1, 3, 1);
	expect_control("1 7 1: org.alcazar.test");
	expect_no_control();
	/* The other end. */
	assert_non_null(world_add(0, "ear", "e0", "frontend = card\nn = 0\n"));
	expect_control("0 6 1");
	assert_non_null(world_add(0, "ear", "e1", "frontend = p1\nn = 1\n"));
	expect_control("1 6 1");
	/* This one: before somebody opens it, nothing comes through. */
	give_buffer(RX1, DATA + 0x1000, 64);
	assert_int_equal(say(ears[1], "too early"), 0);
	ears[1]->ready = 0;
	send_control(1, 6, 1);
	assert_int_equal(ears[1]->ready, 1);
	assert_int_equal(say(ears[1], "in time"), 7);
	expect_received(RX1, DATA + 0x1000, "in time");
	transmit(TX1, "to port 1");
	assert_true(transmitted(TX1));
	assert_memory_equal(ears[1]->heard, "to port 1", 10);
	assert_int_equal(ears[0]->count, 0);
	send_control(1, 6, 0);
	give_buffer(RX1, DATA + 0x1000, 64);
	assert_int_equal(say(ears[1], "too late"), 0);
	/* Ends and ports go, and come again. */
	world_del(0, "e1");
	expect_control("1 6 0");
	world_del(0, "p1");
	expect_control("1 2 1");
	transmit(TX1, "nowhere");
	assert_true(transmitted(TX1));
	assert_non_null(world_add(0, "virtio-port", "p2", "console = card\nis-console = yes\n"));
	expect_control("1 1 1");
	assert_non_null(world_add(0, "ear", "e1", "frontend = p2\nn = 1\n"));
	expect_no_control();
	send_control(1, 3, 1);
	expect_control("1 4 1");
	expect_control("1 5 1: d");
	expect_control("1 6 1");
	/* The device goes after its ports. */
	assert_int_equal(device_destroy(device_find(&world_vms[0], "card")), -EBUSY);
}

/* News waits for buffers, and is of what is so by then. */
static void test_no_buffers(void **state)
{
	unsigned i;

	(void)state;
	assert_non_null(guest_start("virtio-console:"));
	guest_drive(MULTIPORT, 6);
	send_control(0, 0, 1);
	send_control(0, 3, 1);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	world_del(0, "e");
	expect_no_control();
	for (i = 0; i < 4; i++) {
		give_control_buffer(i);
		(void)guest_kick(&guest_queues[CONTROL_RX]);
	}
	expect_control("0 1 1");
	expect_control("0 4 1");
	expect_control("0 6 0");
	expect_no_control();
	/* A reset forgets what the driver knew. */
	guest_drive(MULTIPORT, 6);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	give_control_buffer(0);
	(void)guest_kick(&guest_queues[CONTROL_RX]);
	expect_no_control();
}

static void test_nonsense(void **state)
{
	struct guest_buf buf = {MESSAGE, 5};
	unsigned event;

	(void)state;
	console_start("virtio-console:", MULTIPORT);
	for (event = 0; event < 10; event++) {
		send_control(4, (uint16_t)event, 1);
		send_control(3, (uint16_t)event, 0);
	}
	(void)guest_add(&guest_queues[CONTROL_TX], &buf, 1, 0, 0);
	guest_notify(&guest_queues[CONTROL_TX]);
	/* DEVICE_READY, of whatever port; the rest led nowhere. */
	expect_control("0 1 1");
	expect_no_control();
	assert_int_equal(guest_status(), 0xf);
}

static void test_many_messages(void **state)
{
	struct guest_buf buf = {MESSAGE, 8};
	unsigned i, n = 0;

	(void)state;
	console_start("virtio-console:", MULTIPORT);
	guest_put(MESSAGE, &(uint64_t){9}, 8);
	for (i = 0; i < 100; i++)
		(void)guest_add(&guest_queues[CONTROL_TX], &buf, 1, 0, 0);
	guest_notify(&guest_queues[CONTROL_TX]);
	while (transmitted(CONTROL_TX))
		n++;
	assert_in_range(n, 1, 99);
	world_work();
	while (transmitted(CONTROL_TX))
		n++;
	assert_int_equal(n, 100);
}

static void test_emergency(void **state)
{
	(void)state;
	assert_non_null(guest_start("virtio-console:"));
	config_out(8, 4, 'x');
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	/* No driver is needed for it. */
	config_out(8, 4, '!');
	config_out(8, 1, '?');
	config_out(4, 4, '4');
	assert_int_equal(ears[0]->count, 2);
	assert_memory_equal(ears[0]->heard, "!?", 2);
	assert_int_equal(config_in(4, 4), 4);
}

static void test_refused(void **state)
{
	char keys[128];
	unsigned n;

	(void)state;
	console_start("virtio-console:?ports=2", 0);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	world_refused(0, "virtio-port", "p", "console = e\n", "device e is no virtio-console");
	world_refused(0, "virtio-port", "p", "console = card\nport = 2\n",
		      "card has ports up to 1");
	snprintf(keys, sizeof(keys), "console = card\nname = %064u\n", 0);
	world_refused(0, "virtio-port", "p", keys, "name: expected at most 63");
	assert_non_null(world_add(0, "virtio-port", "p", "console = card\n"));
	world_refused(0, "virtio-port", "q", "console = card\n",
		      "another device is port 1 of card");
	world_del(0, "p");
	for (n = 0;; n++) {
		fake_memory_left = n;
		if (world_add(0, "virtio-port", "p", "console = card\n"))
			break;
		fake_memory_left = -1;
	}
	fake_memory_left = -1;
	assert_true(n >= 3);
	world_del(0, "p");
	world_del(0, "e");
	guest_unplug();
	assert_null(guest_plug("virtio-console:?ports=32"));
	assert_true(fake_logged("argument ports: expected a number from 1 to 31"));
	for (n = 0;; n++) {
		fake_memory_left = n;
		if (guest_plug("virtio-console:"))
			break;
		fake_memory_left = -1;
	}
	fake_memory_left = -1;
	assert_true(n >= 4);
}

#define TEST(name) cmocka_unit_test_teardown(name, console_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found),	  TEST(test_single),	 TEST(test_one_port),
		TEST(test_ports),	  TEST(test_size),	 TEST(test_no_size),
		TEST(test_early_size),	  TEST(test_no_buffers), TEST(test_nonsense),
		TEST(test_many_messages), TEST(test_emergency),	 TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
