/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/virtio/virtio_blk.c devices/virtio/virtio_blk_request.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: tests/host/virtio/slow_disk.c devices/backend/ramdisk.c */
/* test-sources: devices/backend/block_queue.c vmm/block_frontend.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c lib/ring.c tests/host/backend/world.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/*
 * `virtio-blk:` as a driver sees it: each request, in whatever pieces; each
 * error; backends that are slow, come and go.
 */
#include "devices/virtio/virtio_blk.h"
#include "tests/host/virtio/guest.h"
#include "tests/host/virtio/slow_disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IN	     0
#define OUT	     1
#define FLUSH	     4
#define GET_ID	     8
#define DISCARD	     11
#define WRITE_ZEROES 13

#define OK     0
#define IOERR  1
#define UNSUPP 2

#define ALL                                                                     \
	(VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | \
	 VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_TOPOLOGY | VIRTIO_BLK_F_DISCARD |    \
	 VIRTIO_BLK_F_WRITE_ZEROES)

#define HEADER 0x80000 /* where requests are made; each has 32 bytes */
#define STATUS 0x90000
#define TABLE  0x180000
#define DATA   0x200000

static const uint64_t variants[] = {
	0,
	VIRTIO_F_EVENT_IDX,
	VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX,
	VIRTIO_F_RING_PACKED,
	VIRTIO_F_RING_PACKED | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX,
};

static struct guest_queue *queue;
static gpa_t table; /* of what is sent, 0: none */

static int setup(void **state)
{
	(void)state;
	memset(&slow_disk, 0, sizeof(slow_disk));
	slow_disk.info = (struct block_info){.capacity = 1 << 20, .block_size = 512};
	table = 0;
	assert_non_null(guest_start("virtio-blk:?serial=abc"));
	queue = &guest_queues[0];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_end();
	return 0;
}

static void plug_ramdisk(const char *more)
{
	char keys[128];

	snprintf(keys, sizeof(keys), "frontend = card\nsize = 1M\n%s", more);
	assert_non_null(world_add(0, "ramdisk", "ram", keys));
}

static gpa_t header(unsigned n, uint32_t type, uint64_t sector)
{
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} h = {type, 0, sector};

	guest_put(HEADER + 32 * n, &h, sizeof(h));
	return HEADER + 32 * n;
}

static uint8_t status(unsigned n)
{
	return *(uint8_t *)guest_at(STATUS + n);
}

/* Request @n, with @len bytes at @data that the device reads or writes; not yet notified of. */
static void add(unsigned n, uint32_t type, uint64_t sector, gpa_t data, uint32_t len)
{
	bool in = type == IN || type == GET_ID;
	struct guest_buf bufs[3] = {{header(n, type, sector), 16}, {data, len}, {STATUS + n, 1}};

	*(uint8_t *)guest_at(STATUS + n) = 0xee;
	if (!len)
		bufs[1] = bufs[2];
	guest_add(queue, bufs, len && !in ? 2 : 1, len && in ? 2 : 1, table);
}

/* One that is done: how many bytes were written. */
static uint32_t done(void)
{
	uint32_t len;
	uint16_t id;

	assert_true(guest_used(queue, &id, &len));
	return len;
}

/* All of it: the status. */
static uint8_t request(uint32_t type, uint64_t sector, gpa_t data, uint32_t len, uint32_t *written)
{
	uint32_t n;

	add(0, type, sector, data, len);
	guest_kick(queue);
	world_work();
	n = done();
	if (written)
		*written = n;
	return status(0);
}

static void fill(gpa_t gpa, uint8_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*(uint8_t *)guest_at(gpa + i) = (uint8_t)(value + i / 512);
}

static bool is_filled(gpa_t gpa, uint8_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (*(uint8_t *)guest_at(gpa + i) != (uint8_t)(value + i / 512))
			return false;
	return true;
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_config),
		TEST(test_moves),
		TEST(test_layouts),
		TEST(test_id),
		TEST(test_clear),
		TEST(test_errors),
		TEST(test_bad_chains),
		TEST(test_read_only),
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
