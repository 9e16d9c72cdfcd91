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
/* test-sources: tests/host/virtio/blk_driver.c */
/* `virtio-blk:` as a driver sees it: each request, in whatever pieces; each error. */
#include "tests/host/virtio/blk_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t variants[] = {
	0,
	VIRTIO_F_EVENT_IDX,
	VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX,
	VIRTIO_F_RING_PACKED,
	VIRTIO_F_RING_PACKED | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX,
};

static void test_config(void **state)
{
	uint8_t generation;

	(void)state;
	assert_int_equal(guest_offered() & ~VIRTIO_F_COMMON,
			 ALL & ~(VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES));
	assert_int_equal(config_in(0, 8), 0); /* capacity: no backend */
	assert_int_equal(config_in(8, 4), VIRTIO_BLK_SIZE_MAX);
	assert_int_equal(config_in(12, 4), VIRTIO_BLK_SEG_MAX);
	assert_int_equal(config_in(20, 4), 512);
	assert_int_equal(config_in(24, 1), 3); /* physical blocks of 4 KiB */
	assert_int_equal(config_in(26, 2), 8);
	assert_int_equal(config_in(34, 2), 1);
	plug_ramdisk("");
	assert_int_equal(guest_offered() & ~VIRTIO_F_COMMON, ALL);
	assert_int_equal(config_in(0, 8), 2048);
	assert_int_equal(config_in(36, 4), 1 << 21); /* 1 GiB at once */
	assert_int_equal(config_in(40, 4), 1);
	assert_int_equal(config_in(44, 4), 8);
	assert_int_equal(config_in(48, 4), 1 << 21);
	assert_int_equal(config_in(52, 4), 1);
	/* Nobody was told yet. */
	assert_int_equal(front.messages[0], 0);
	guest_drive(ALL, 1);
	generation = (uint8_t)common_in(COMMON_GENERATION, 1);
	world_del(0, "ram");
	assert_int_equal(config_in(0, 8), 0);
	assert_int_equal(front.messages[0], 1);
	assert_int_not_equal(common_in(COMMON_GENERATION, 1), generation);
	plug_ramdisk("block-size = 4096\nread-only = true\n");
	assert_int_equal(config_in(0, 8), 2048);
	assert_int_equal(config_in(20, 4), 4096);
	assert_int_equal(config_in(24, 1), 0);
	assert_int_equal(config_in(26, 2), 1);
	assert_int_equal(front.messages[0], 2);
	/* What the driver agreed on stays; the next one hears of it. */
	assert_int_equal(guest_offered() & VIRTIO_BLK_F_RO, 0);
	assert_int_equal(request(OUT, 0, DATA, 4096, NULL), IOERR);
	common_out(COMMON_STATUS, 1, 0);
	assert_int_equal(guest_offered() & ~VIRTIO_F_COMMON,
			 (ALL | VIRTIO_BLK_F_RO) &
				 ~(VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES));
}

static void test_moves(void **state)
{
	unsigned i, packed = 0;
	uint32_t written;

	(void)state;
	plug_ramdisk("");
	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		table = variants[i] & VIRTIO_F_INDIRECT_DESC ? TABLE : 0;
		guest_drive(ALL | variants[i], 1);
		packed += queue->packed;
		fill(DATA, (uint8_t)(i * 10 + 1), 8192);
		assert_int_equal(request(OUT, 5, DATA, 8192, &written), OK);
		assert_int_equal(written, 1);
		assert_int_equal(request(IN, 5, DATA + 0x10000, 8192, &written), OK);
		assert_int_equal(written, 8193);
		assert_true(is_filled(DATA + 0x10000, (uint8_t)(i * 10 + 1), 8192));
		/* Long ones are the worker's, over the border of two granules. */
		fill(DATA + 0x1f0000, 7, 0x20000);
		assert_int_equal(request(OUT, 100, DATA + 0x1f0000, 0x20000, NULL), OK);
		assert_int_equal(request(IN, 100, DATA + 0x3f0000, 0x20000, &written), OK);
		assert_int_equal(written, 0x20001);
		assert_true(is_filled(DATA + 0x3f0000, 7, 0x20000));
		assert_int_equal(request(FLUSH, 0, 0, 0, &written), OK);
		assert_int_equal(written, 1);
	}
	assert_int_equal(packed, 2);
}

/* Header, data and status in any pieces (2.7.4.2): a driver may lay them out as it likes. */
static void test_layouts(void **state)
{
	const struct guest_buf out[] = {{HEADER, 3}, {HEADER + 3, 12},	{HEADER + 15, 1},
					{DATA, 100}, {DATA + 100, 411}, {DATA + 511, 1},
					{STATUS, 1}};
	const struct guest_buf joined[] = {{DATA, 16 + 512}, {STATUS, 1}};
	const struct guest_buf in[] = {{HEADER, 16}, {DATA + 0x1000, 500}, {DATA + 0x11f4, 13}};
	uint32_t written;

	(void)state;
	plug_ramdisk("");
	guest_drive(ALL, 1);
	fill(DATA, 0x30, 512);
	header(0, OUT, 9);
	guest_add(queue, out, 6, 1, 0);
	guest_kick(queue);
	world_work();
	assert_int_equal(done(), 1);
	assert_int_equal(status(0), OK);
	/* The status is the last byte of a piece of data. */
	header(0, IN, 9);
	guest_add(queue, in, 1, 2, 0);
	guest_kick(queue);
	world_work();
	assert_int_equal(done(), 513);
	assert_true(is_filled(DATA + 0x1000, 0x30, 512));
	assert_int_equal(*(uint8_t *)guest_at(DATA + 0x1200), OK);
	/* The header and the data are one. */
	header(0, OUT, 10);
	memcpy(guest_at(DATA), guest_at(HEADER), 16);
	fill(DATA + 16, 0x55, 512);
	guest_add(queue, joined, 1, 1, 0);
	guest_kick(queue);
	world_work();
	assert_int_equal(done(), 1);
	assert_int_equal(request(IN, 10, DATA + 0x2000, 512, &written), OK);
	assert_true(is_filled(DATA + 0x2000, 0x55, 512));
}

static void test_id(void **state)
{
	uint32_t written;

	(void)state;
	guest_drive(0, 1);
	fill(DATA, 0x77, 64);
	assert_int_equal(request(GET_ID, 0, DATA, 20, &written), OK);
	assert_int_equal(written, 21);
	assert_memory_equal(guest_at(DATA), "abc\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x77", 21);
	fill(DATA, 0x77, 64);
	assert_int_equal(request(GET_ID, 0, DATA, 2, &written), OK);
	assert_int_equal(written, 3);
	assert_memory_equal(guest_at(DATA), "ab\x77", 3);
	assert_int_equal(request(GET_ID, 0, DATA, 64, &written), OK);
	assert_int_equal(written, 21);
	guest_unplug();
	assert_non_null(guest_plug("virtio-blk:"));
	guest_drive(0, 1);
	assert_int_equal(request(GET_ID, 0, DATA, 20, NULL), OK);
	assert_string_equal(guest_at(DATA), "card");
}

static uint8_t clear(uint32_t type, uint64_t sector, uint32_t sectors, uint32_t flags)
{
	struct {
		uint64_t sector;
		uint32_t sectors, flags;
	} range = {sector, sectors, flags};

	guest_put(DATA + 0x8000, &range, sizeof(range));
	return request(type, 0, DATA + 0x8000, sizeof(range), NULL);
}

static void test_clear(void **state)
{
	unsigned pages;

	(void)state;
	plug_ramdisk("");
	guest_drive(ALL, 1);
	fill(DATA, 1, 0x8000);
	assert_int_equal(request(OUT, 0, DATA, 0x8000, NULL), OK);
	pages = world_pages;
	assert_int_equal(clear(DISCARD, 8, 16, 0), OK);
	assert_int_equal(world_pages, pages - 2);
	assert_int_equal(request(IN, 0, DATA, 0x4000, NULL), OK);
	assert_true(is_filled(DATA, 1, 0x1000));
	assert_int_equal(*(uint8_t *)guest_at(DATA + 0x1000), 0);
	assert_true(is_filled(DATA + 0x3000, 25, 0x1000));
	assert_int_equal(clear(WRITE_ZEROES, 1, 2, 0), OK);
	assert_int_equal(clear(WRITE_ZEROES, 4, 1, 1), OK); /* it may unmap */
	assert_int_equal(request(IN, 0, DATA, 0x1000, NULL), OK);
	assert_true(is_filled(DATA, 1, 512));
	assert_int_equal(*(uint8_t *)guest_at(DATA + 512), 0);
	assert_int_equal(*(uint8_t *)guest_at(DATA + 1535), 0);
	assert_true(is_filled(DATA + 1536, 4, 512));
	assert_int_equal(*(uint8_t *)guest_at(DATA + 2048), 0);
	/* 5.2.6.2: flags that there are not. */
	assert_int_equal(clear(DISCARD, 8, 8, 1), UNSUPP);
	assert_int_equal(clear(WRITE_ZEROES, 8, 8, 2), UNSUPP);
	assert_int_equal(clear(DISCARD, 2048, 8, 0), IOERR);
	assert_int_equal(clear(DISCARD, 8, 0, 0), IOERR);
	assert_int_equal(clear(DISCARD, UINT64_MAX / 512 + 1, 8, 0), IOERR);
	assert_int_equal(request(DISCARD, 0, DATA, 32, NULL), IOERR); /* two of them */
	assert_int_equal(request(DISCARD, 0, DATA, 15, NULL), IOERR);
	/* What was not agreed on is not there. */
	guest_drive(ALL & ~(VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES), 1);
	assert_int_equal(clear(DISCARD, 8, 8, 0), UNSUPP);
	assert_int_equal(clear(WRITE_ZEROES, 8, 8, 0), UNSUPP);
}

static void test_errors(void **state)
{
	uint32_t written;

	(void)state;
	guest_drive(ALL & ~(VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES), 1);
	assert_int_equal(request(IN, 0, DATA, 512, &written), IOERR); /* no disk */
	assert_int_equal(written, 0);
	assert_int_equal(request(FLUSH, 0, 0, 0, &written), IOERR);
	assert_int_equal(written, 1);
	plug_ramdisk("");
	assert_int_equal(request(IN, 2048, DATA, 512, NULL), IOERR);
	assert_int_equal(request(IN, 2047, DATA, 1024, NULL), IOERR);
	assert_int_equal(request(IN, 2047, DATA, 512, NULL), OK);
	assert_int_equal(request(OUT, UINT64_MAX, DATA, 512, NULL), IOERR);
	assert_int_equal(request(IN, UINT64_C(1) << 55, DATA, 512, NULL), IOERR);
	assert_int_equal(request(IN, 0, DATA, 100, NULL), IOERR);
	assert_int_equal(request(OUT, 0, DATA, 513, NULL), IOERR);
	assert_int_equal(request(OUT, 0, 0, 0, NULL), IOERR);
	assert_int_equal(request(IN, 0, 0, 0, NULL), IOERR);
	assert_int_equal(request(2, 0, DATA, 512, NULL), UNSUPP); /* SCSI, of old */
	assert_int_equal(request(10, 0, DATA, 24, NULL), UNSUPP); /* lifetime */
	assert_int_equal(request(14, 0, DATA, 16, NULL), UNSUPP); /* secure erase */
	assert_int_equal(request(0x80000000, 0, DATA, 512, NULL), UNSUPP);
	world_del(0, "ram");
	plug_ramdisk("block-size = 4096\n");
	assert_int_equal(request(IN, 1, DATA, 4096, NULL), IOERR);
	assert_int_equal(request(IN, 8, DATA, 512, NULL), IOERR);
	assert_int_equal(request(IN, 8, DATA, 4096, NULL), OK);
	assert_int_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
}

static void test_bad_chains(void **state)
{
	const struct guest_buf short_header[] = {{HEADER, 15}, {STATUS, 1}};
	const struct guest_buf no_header[] = {{DATA, 512}, {STATUS, 1}};
	const struct guest_buf no_status[] = {{HEADER, 16}, {DATA, 512}};

	(void)state;
	plug_ramdisk("");
	guest_drive(ALL, 1);
	header(0, IN, 0);
	guest_add(queue, short_header, 1, 1, 0);
	guest_kick(queue);
	assert_int_equal(done(), 1);
	assert_int_equal(status(0), IOERR);
	*(uint8_t *)guest_at(STATUS) = 0xee;
	guest_add(queue, no_header, 0, 2, 0);
	guest_kick(queue);
	assert_int_equal(done(), 0);
	assert_int_equal(status(0), IOERR);
	assert_int_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
	/* There is no place to say what is wrong. */
	header(0, OUT, 0);
	guest_add(queue, no_status, 2, 0, 0);
	guest_kick(queue);
	assert_int_not_equal(guest_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
	assert_true(fake_logged("without a status byte"));
	assert_int_equal(front.messages[0], 1);
	guest_drive(ALL, 1);
	assert_int_equal(request(IN, 0, DATA, 512, NULL), OK);
}

static void test_read_only(void **state)
{
	(void)state;
	plug_ramdisk("read-only = true\n");
	guest_drive(VIRTIO_BLK_F_RO | VIRTIO_BLK_F_FLUSH, 1);
	assert_int_equal(request(OUT, 0, DATA, 512, NULL), IOERR);
	assert_int_equal(request(IN, 0, DATA, 512, NULL), OK);
	assert_int_equal(request(FLUSH, 0, 0, 0, NULL), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, blk_setup, blk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config), TEST(test_moves),  TEST(test_layouts),    TEST(test_id),
		TEST(test_clear),  TEST(test_errors), TEST(test_bad_chains), TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
