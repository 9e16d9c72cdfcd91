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
/* virtio-console: what the guest sends, and backends that do not take it. */
#include "tests/host/virtio/console_driver.h"
#include "tests/host/virtio/ear.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the backend does not take waits in the guest's own buffer. */
static void test_back_pressure(void **state)
{
	(void)state;
	console_start("virtio-console:", 0);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	ears[0]->room = 4;
	transmit(TX, "hello, world");
	assert_false(transmitted(TX));
	transmit(TX, "!");
	assert_memory_equal(ears[0]->heard, "hell", 5);
	ears[0]->room = 5;
	ears[0]->front->output_ready(ears[0]->front->opaque);
	assert_false(transmitted(TX));
	ears[0]->room = 100;
	ears[0]->front->output_ready(ears[0]->front->opaque);
	assert_true(transmitted(TX));
	assert_true(transmitted(TX));
	/* The second was written where the first had been. */
	assert_memory_equal(ears[0]->heard, "hell", 4);
	assert_int_equal(ears[0]->count, 13);
	/* A reset gives it up. */
	ears[0]->room = 0;
	transmit(TX, "lost");
	guest_drive(0, 2);
	ears[0]->room = 100;
	ears[0]->front->output_ready(ears[0]->front->opaque);
	assert_int_equal(ears[0]->count, 13);
	/* So does the end of the backend, after its last words. */
	ears[0]->room = 0;
	transmit(TX, "last words");
	assert_false(transmitted(TX));
	world_del(0, "e");
	assert_true(transmitted(TX));
}

/* Time goes on by that much, and workers run. */
static void pass(uint64_t ms)
{
	fake_run_until(fake_tsc + ms * 1000000);
	world_work();
}

static void be_ready(size_t room)
{
	ears[0]->room = room;
	ears[0]->front->output_ready(ears[0]->front->opaque);
}

/* A console's driver waits for its buffer with interrupts off: not for ever. */
static void test_patience(void **state)
{
	(void)state;
	console_start("virtio-console:", 0);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	ears[0]->room = 4;
	transmit(TX, "hello, world");
	pass(2900);
	assert_false(transmitted(TX));
	/* Asking again gives it no more time. */
	guest_notify(&guest_queues[TX]);
	pass(200);
	assert_true(transmitted(TX));
	assert_true(fake_logged("port 0: what the guest says is lost: its backend takes nothing"));
	ears[0]->room = 100;
	transmit(TX, "lost, too");
	assert_true(transmitted(TX));
	assert_int_equal(ears[0]->count, 4);
	be_ready(100);
	transmit(TX, "!");
	assert_true(transmitted(TX));
	assert_memory_equal(ears[0]->heard, "hell!", 6);
	/* With another backend it begins anew. */
	ears[0]->room = 0;
	transmit(TX, "lost");
	pass(3100);
	assert_true(transmitted(TX));
	world_del(0, "e");
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	ears[0]->room = 100;
	transmit(TX, "new");
	assert_memory_equal(ears[0]->heard, "new", 4);
	/* And behind a reset. */
	ears[0]->room = 0;
	transmit(TX, "lost");
	pass(3100);
	guest_drive(0, 2);
	transmit(TX, "waits");
	assert_false(transmitted(TX));
	be_ready(100);
	assert_true(transmitted(TX));
	assert_memory_equal(ears[0]->heard, "newwaits", 9);
}

/* A slow one that goes on has all the time. */
static void test_slow(void **state)
{
	unsigned i;

	(void)state;
	console_start("virtio-console:", 0);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	ears[0]->room = 1;
	transmit(TX, "hello, world");
	for (i = 1; i < 12; i++) {
		assert_false(transmitted(TX));
		pass(2900);
		be_ready(1);
	}
	assert_true(transmitted(TX));
	assert_memory_equal(ears[0]->heard, "hello, world", 13);
	/* The time of that one is none of the next one's. */
	ears[0]->room = 0;
	pass(2900);
	transmit(TX, "!");
	pass(2900);
	assert_false(transmitted(TX));
	be_ready(1);
	assert_true(transmitted(TX));
}

/* The end of a turn is no refusal, nor is what a worker does of it later. */
static void test_long_after_a_stall(void **state)
{
	struct guest_buf buf = {DATA, 0x6000};

	(void)state;
	console_start("virtio-console:", 0);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	ears[0]->room = 1;
	(void)guest_add(&guest_queues[TX], &buf, 1, 0, 0);
	(void)guest_kick(&guest_queues[TX]);
	be_ready(0x10000);
	assert_false(transmitted(TX));
	fake_run_until(fake_tsc + 3100000000);
	assert_false(fake_logged("is lost"));
	world_work();
	assert_true(transmitted(TX));
	assert_int_equal(ears[0]->count, 0x6000);
}

/* As many buffers as an indirect table has: Linux splices a page at a time. */
static void test_many_buffers(void **state)
{
	static struct guest_buf bufs[VIRTQ_SIZE_MAX];
	unsigned i;

	(void)state;
	console_start("virtio-console:", VIRTIO_F_INDIRECT_DESC);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	for (i = 0; i < VIRTQ_SIZE_MAX; i++)
		bufs[i] = (struct guest_buf){DATA + 16 * i, 8};
	(void)guest_add(&guest_queues[TX], bufs, VIRTQ_SIZE_MAX, 0, MESSAGE);
	(void)guest_kick(&guest_queues[TX]);
	assert_true(transmitted(TX));
	assert_int_equal(ears[0]->count, 8 * VIRTQ_SIZE_MAX);
}

/* A lot at once: some of it by a worker. */
static void test_long(void **state)
{
	struct guest_buf bufs[2] = {{0x400000 - 0x5000, 0xa000}, {DATA, 0x2000}};

	(void)state;
	console_start("virtio-console:", 0);
	assert_non_null(world_add(0, "ear", "e", "frontend = card\n"));
	(void)guest_add(&guest_queues[TX], bufs, 2, 0, 0);
	(void)guest_kick(&guest_queues[TX]);
	assert_false(transmitted(TX));
	assert_true(ears[0]->count >= 1000);
	world_work();
	assert_true(transmitted(TX));
	assert_int_equal(ears[0]->count, 0xc000);
}

#define TEST(name) cmocka_unit_test_teardown(name, console_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_back_pressure),      TEST(test_patience),	TEST(test_slow),
		TEST(test_long_after_a_stall), TEST(test_many_buffers), TEST(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
