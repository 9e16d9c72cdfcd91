/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtio_blk.c devices/virtio/virtio_blk_request.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/slow_disk.c devices/backend/ramdisk.c */
/* test-sources: devices/backend/ramdisk_image.c */
/* test-sources: devices/backend/block_queue.c vmm/block_frontend.c */
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
/* test-sources: tests/host/virtio/blk_driver.c tests/host/virtio/guest_driver.c */
/* Many requests of `virtio-blk:` at a time: turns, several queues, backends that are slow, come
 * and go. */
#include "tests/host/virtio/blk_driver.h"
#include "tests/host/virtio/slow_disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A queue's depth goes out and comes in at once. */
static void test_batch(void **state)
{
	unsigned i;

	(void)state;
	plug_ramdisk("");
	guest_drive(ALL | VIRTIO_F_EVENT_IDX, 1);
	for (i = 0; i < 32; i++)
		add(i, IN, i * 8, DATA + i * 4096, 4096);
	assert_true(guest_kick(queue));
	for (i = 0; i < 32; i++) {
		assert_int_equal(done(), 4097);
		assert_int_equal(status(i), OK);
	}
	assert_int_equal(front.messages[1], 1);
}

/* An exit does a part, a worker the rest. */
static void test_turns(void **state)
{
	struct virtio_blk *blk = container_of(front.hd->state, struct virtio_blk, virtio);
	unsigned i, n = 0;
	uint32_t len;
	uint16_t id;

	(void)state;
	plug_ramdisk("");
	guest_drive(ALL | VIRTIO_F_INDIRECT_DESC, 1);
	for (i = 0; i < 128; i++) {
		table = TABLE + 64 * i;
		add(i, FLUSH, 0, 0, 0);
	}
	guest_kick(queue);
	while (guest_used(queue, &id, &len))
		n++;
	assert_int_equal(n, 64);
	assert_int_equal(world_work(), 2);
	while (guest_used(queue, &id, &len))
		n++;
	assert_int_equal(n, 128);
	for (i = 0; i < 100; i++) {
		table = TABLE + 64 * i;
		add(i, IN, 0, DATA, 16384);
	}
	guest_kick(queue);
	for (n = 0; guest_used(queue, &id, &len);)
		n++;
	assert_int_equal(n, 32); /* of half a MiB */
	world_work();
	while (guest_used(queue, &id, &len))
		n++;
	assert_int_equal(n, 100);
	assert_int_equal(blk->queues[0]->counts.requests, 228);
	assert_int_equal(blk->queues[0]->counts.bytes_read, 100 * 16384);
	/* What is no read is not counted as the one before it. */
	assert_int_equal(request(GET_ID, 0, DATA, 20, NULL), OK);
	assert_int_equal(blk->queues[0]->counts.requests, 229);
	assert_int_equal(blk->queues[0]->counts.bytes_read, 100 * 16384);
}

/* More than the backend may have at a time; done in an order of its own. */
static void test_slow(void **state)
{
	unsigned i, n = 0;
	uint32_t len;
	uint16_t id;

	(void)state;
	slow_disk.keep = true;
	slow_disk_plug();
	guest_drive(VIRTIO_BLK_F_FLUSH | VIRTIO_F_EVENT_IDX, 1);
	for (i = 0; i < 40; i++)
		add(i, IN, i, DATA + i * 512, 512);
	guest_kick(queue);
	assert_int_equal(slow_disk.kept_count, VIRTIO_BLK_IN_FLIGHT);
	assert_false(guest_used(queue, &id, &len));
	/* One goes, one comes. */
	slow_disk_finish(5, 0);
	assert_int_equal(slow_disk.kept_count, VIRTIO_BLK_IN_FLIGHT);
	assert_int_equal(done(), 513);
	assert_int_equal(status(5), OK);
	slow_disk_finish(0, -EIO);
	assert_int_equal(done(), 0);
	assert_int_equal(status(0), IOERR);
	while (slow_disk.kept_count)
		slow_disk_finish((unsigned)rand() % slow_disk.kept_count, 0);
	while (guest_used(queue, &id, &len))
		n++;
	assert_int_equal(n, 38);
	for (i = 1; i < 40; i++)
		assert_int_equal(status(i), OK);
	/* The queue hears of the next one. */
	slow_disk.keep = false;
	assert_int_equal(request(FLUSH, 0, 0, 0, NULL), OK);
}

static void test_write_through(void **state)
{
	(void)state;
	slow_disk_plug();
	guest_drive(0, 1);
	assert_int_equal(request(OUT, 0, DATA, 512, NULL), OK);
	assert_int_equal(request(IN, 0, DATA, 512, NULL), OK);
	assert_int_equal(slow_disk.count, 3);
	assert_int_equal(slow_disk.ops[0], BLOCK_WRITE);
	assert_int_equal(slow_disk.ops[1], BLOCK_FLUSH);
	assert_int_equal(slow_disk.ops[2], BLOCK_READ);
	slow_disk.err = -EIO;
	assert_int_equal(request(OUT, 0, DATA, 512, NULL), IOERR);
	assert_int_equal(slow_disk.count, 4);
	slow_disk.err = 0;
	slow_disk.keep = true;
	add(0, OUT, 0, DATA, 512);
	guest_kick(queue);
	slow_disk_finish(0, 0);
	assert_int_equal(slow_disk.ops[5], BLOCK_FLUSH);
	assert_int_equal(status(0), 0xee);
	slow_disk_finish(0, -EIO);
	assert_int_equal(done(), 1);
	assert_int_equal(status(0), IOERR);
	/* A driver that can ask for it has to. */
	slow_disk.keep = false;
	guest_drive(VIRTIO_BLK_F_FLUSH, 1);
	assert_int_equal(request(OUT, 0, DATA, 512, NULL), OK);
	assert_int_equal(slow_disk.count, 7);
}

/* The status reads 0 when nothing is in flight any more, and not before. */
static void test_reset_in_flight(void **state)
{
	uint32_t len;
	uint16_t id;

	(void)state;
	slow_disk.keep = true;
	slow_disk_plug();
	guest_drive(0, 1);
	add(0, IN, 0, DATA, 512);
	add(1, OUT, 0, DATA, 512);
	guest_kick(queue);
	common_out(COMMON_STATUS, 1, 0);
	world_work();
	assert_int_not_equal(guest_status(), 0);
	slow_disk_finish(0, 0);
	world_work();
	assert_int_not_equal(guest_status(), 0);
	slow_disk_finish(0, 0); /* the write is still made to last */
	assert_int_equal(slow_disk.kept_count, 1);
	slow_disk_finish(0, 0);
	world_work();
	assert_int_equal(guest_status(), 0);
	assert_false(guest_used(queue, &id, &len));
	assert_int_equal(front.messages[1], 0);
	slow_disk.keep = false;
	guest_drive(0, 1);
	assert_int_equal(request(IN, 0, DATA, 512, NULL), OK);
}

static void test_backend_goes_in_flight(void **state)
{
	unsigned i;

	(void)state;
	slow_disk.keep = true;
	slow_disk_plug();
	guest_drive(0, 1);
	for (i = 0; i < 40; i++)
		add(i, IN, i, DATA + i * 512, 512);
	guest_kick(queue);
	slow_disk_unplug();
	for (i = 0; i < 40; i++) {
		assert_int_equal(done(), 0);
		assert_int_equal(status(i), IOERR);
	}
	plug_ramdisk("");
	assert_int_equal(request(IN, 0, DATA, 512, NULL), OK);
}

static void test_device_goes_in_flight(void **state)
{
	unsigned i;

	(void)state;
	slow_disk.keep = true;
	slow_disk_plug();
	guest_drive(0, 1);
	for (i = 0; i < 40; i++)
		add(i, IN, i, DATA + i * 512, 512);
	guest_kick(queue);
	guest_unplug();
	assert_int_equal(slow_disk.kept_count, 0);
	slow_disk_unplug();
}

static void test_many_queues(void **state)
{
	unsigned i;

	(void)state;
	guest_unplug();
	assert_non_null(guest_plug("virtio-blk:?queues=4"));
	plug_ramdisk("");
	assert_int_equal(common_in(COMMON_NUMQ, 2), 4);
	assert_int_equal(config_in(34, 2), 4);
	assert_int_not_equal(guest_offered() & VIRTIO_BLK_F_MQ, 0);
	guest_drive(ALL | VIRTIO_BLK_F_MQ, 4);
	for (i = 0; i < 4; i++) {
		queue = &guest_queues[i];
		fill(DATA, (uint8_t)i, 512);
		assert_int_equal(request(OUT, i, DATA, 512, NULL), OK);
		assert_int_equal(front.messages[1 + i], 1);
	}
	assert_int_equal(request(IN, 0, DATA, 2048, NULL), OK);
	for (i = 0; i < 4; i++)
		assert_int_equal(*(uint8_t *)guest_at(DATA + 512 * i), i);
	guest_unplug();
	/* As many as the VM has vCPUs, within reason. */
	world_vms[0].vcpu_count = 3;
	assert_non_null(guest_plug("virtio-blk:"));
	assert_int_equal(common_in(COMMON_NUMQ, 2), 3);
	guest_unplug();
	world_vms[0].vcpu_count = 64;
	assert_non_null(guest_plug("virtio-blk:"));
	assert_int_equal(common_in(COMMON_NUMQ, 2), 16);
	world_vms[0].vcpu_count = 0;
}

static void refused(const char *url, const char *message)
{
	fake_log_clear();
	assert_null(guest_plug(url));
	if (!fake_logged(message))
		fail_msg("expected '%s' in: %s", message, fake_log);
}

static void test_refused(void **state)
{
	long i;

	(void)state;
	guest_unplug();
	refused("virtio-blk:x", "takes no path");
	refused("virtio-blk:?queues=17", "queues");
	refused("virtio-blk:?serial=012345678901234567890", "at most 20 bytes");
	refused("virtio-blk:?size=1", "no argument");
	for (i = 0; i < 40; i++) {
		fake_memory_left = i;
		if (guest_plug("virtio-blk:?queues=2"))
			break;
		fake_memory_left = -1;
	}
	fake_memory_left = -1;
	assert_in_range(i, 6, 39);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, blk_setup, blk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_batch),
		TEST(test_turns),
		TEST(test_slow),
		TEST(test_write_through),
		TEST(test_reset_in_flight),
		TEST(test_backend_goes_in_flight),
		TEST(test_device_goes_in_flight),
		TEST(test_many_queues),
		TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
