/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/ramdisk.c devices/backend/ramdisk_image.c */
/* test-sources: devices/backend/null_disk.c */
/* test-sources: devices/backend/block_queue.c vmm/block_frontend.c */
/* test-sources: tests/host/backend/world.c */
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
/* Block backends, and requests that are in flight when a side goes. */
#include "devices/backend/block_queue.h"
#include "kernel/boot_info.h"
#include "kernel/slab.h"
#include "tests/host/backend/world.h"
#include "vmm/block_frontend.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KIB 1024u

struct disk {
	struct block_frontend front;
	unsigned changes;
};

static void disk_changed(void *opaque)
{
	struct disk *d = opaque;

	d->changes++;
}

static void disk_destroy(struct device *dev)
{
	struct disk *d = dev->state;

	assert_int_equal(d->front.in_flight, 0);
	kfree(d);
}

static int disk_create(struct device *dev, const struct device_config *config)
{
	struct disk *d = kzalloc(sizeof(*d));

	(void)config;
	if (!d)
		return -ENOMEM;
	dev->state = d;
	block_frontend_init(&d->front);
	d->front.changed = disk_changed;
	d->front.opaque = d;
	return device_provide_frontend(dev, &d->front.base);
}

DEVICE_TYPE(disk_type, .name = "disk", .help = "a disk", .create = disk_create,
	    .destroy = disk_destroy);

static struct block_frontend *disk(void)
{
	return device_iface(&world_vms[0], "disk", block_frontend_kind.name);
}

/* A request that counts how often it is done. */
struct trial {
	struct block_request request;
	struct block_piece pieces[64];
	unsigned done;
	int err;
};

static void trial_done(struct block_request *request, int err)
{
	struct trial *t = container_of(request, struct trial, request);

	t->done++;
	t->err = err;
}

/* Starts @t: memory of @bytes at @data, in @count pieces. */
static int start(struct trial *t, enum block_op op, uint64_t offset, uint8_t *data, uint64_t bytes,
		 unsigned count)
{
	uint64_t at = 0, n;
	unsigned i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < count; i++) {
		/* Of odd lengths, but the last. */
		n = i + 1 == count ? bytes - at : bytes / count - i % 2;
		t->pieces[i] = (struct block_piece){data + at, n};
		at += n;
	}
	t->request = (struct block_request){.op = op,
					    .offset = offset,
					    .bytes = bytes,
					    .pieces = t->pieces,
					    .piece_count = count,
					    .done = trial_done};
	return block_submit(disk(), &t->request);
}

/* All of it, whether it is done at once or not. */
static int run(enum block_op op, uint64_t offset, uint8_t *data, uint64_t bytes, unsigned count)
{
	struct trial t;
	int err = start(&t, op, offset, data, bytes, count);

	if (err != BLOCK_PENDING) {
		assert_int_equal(t.done, 0);
		return err;
	}
	assert_int_equal(t.done, 0);
	world_work();
	assert_int_equal(t.done, 1);
	return t.err;
}

static void check_content(uint64_t offset, const void *expected, uint64_t bytes)
{
	uint8_t *got = malloc(bytes);

	assert_int_equal(run(BLOCK_READ, offset, got, bytes, 1), 0);
	assert_memory_equal(got, expected, bytes);
	free(got);
}

static int setup(void **state)
{
	(void)state;
	world_start();
	assert_non_null(world_add(0, "disk", "disk", ""));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

#define RAM(keys) assert_non_null(world_add(0, "ramdisk", "ram", "frontend = disk\n" keys))

static uint8_t pattern[1024 * KIB], zeroes[1024 * KIB];

static void test_empty_ramdisk(void **state)
{
	struct block_info info;
	unsigned count;

	(void)state;
	RAM("size = 1M\n");
	assert_true(block_info(disk(), &info));
	assert_int_equal(info.capacity, 1024 * KIB);
	assert_int_equal(info.block_size, 512);
	assert_int_equal(disk()->in_flight, 0);
	check_content(0, zeroes, sizeof(zeroes));
	assert_int_equal(world_pages, 0);
	/* Odd places, odd pieces, all sizes. */
	for (count = 1; count <= 64; count *= 4) {
		memset(pattern, 0, sizeof(pattern));
		assert_int_equal(run(BLOCK_WRITE_ZEROES, 0, NULL, sizeof(zeroes), 0), 0);
		for (unsigned i = 0; i < 300 * KIB; i++)
			pattern[512 + i] = (uint8_t)(i * 7 + count);
		assert_int_equal(run(BLOCK_WRITE, 512, pattern + 512, 300 * KIB, count), 0);
		check_content(0, pattern, sizeof(pattern));
		check_content(1024, pattern + 1024, 512);
	}
	assert_int_equal(world_pages, 76);
	assert_int_equal(world_vms[0].owner.pages, 76);
	assert_int_equal(run(BLOCK_FLUSH, 0, NULL, 0, 0), 0);
	/* Whole pages are given back. */
	assert_int_equal(run(BLOCK_DISCARD, 512, NULL, 200 * KIB, 0), 0);
	assert_int_equal(world_pages, 76 - 49);
	check_content(4 * KIB, zeroes, 196 * KIB);
	check_content(300 * KIB, pattern + 300 * KIB, 100 * KIB);
}

static void test_limits(void **state)
{
	struct trial t;
	uint8_t data[2048];

	(void)state;
	assert_int_equal(run(BLOCK_READ, 0, data, 512, 1), -ENODEV);
	RAM("size = 64K\nblock-size = 4096\n");
	assert_int_equal(run(BLOCK_READ, 0, data, 512, 1), -EINVAL);
	assert_int_equal(run(BLOCK_READ, 512, data, 4096, 1), -EINVAL);
	assert_int_equal(run(BLOCK_READ, 64 * KIB, data, 4096, 1), -EINVAL);
	assert_int_equal(run(BLOCK_READ, UINT64_MAX - 4095, data, 4096, 1), -EINVAL);
	assert_int_equal(run(BLOCK_READ, 60 * KIB, data, 8192, 1), -EINVAL);
	assert_int_equal(run(BLOCK_READ, 0, data, 0, 0), -EINVAL);
	assert_int_equal(run(BLOCK_FLUSH, 0, data, 512, 1), -EINVAL);
	assert_int_equal(run(BLOCK_DISCARD, 0, NULL, UINT64_MAX & ~4095ull, 0), -EINVAL);
	/* Pieces that are not as long as the request. */
	memset(&t, 0, sizeof(t));
	t.request = (struct block_request){.bytes = 4096, .pieces = t.pieces, .piece_count = 2};
	t.pieces[0] = (struct block_piece){data, SIZE_MAX - 1};
	t.pieces[1] = (struct block_piece){data, 4098};
	assert_int_equal(block_submit(disk(), &t.request), -EINVAL);
	t.pieces[0].len = 2048;
	t.pieces[1].len = 1024;
	assert_int_equal(block_submit(disk(), &t.request), -EINVAL);
	t.pieces[1].len = 0;
	assert_int_equal(block_submit(disk(), &t.request), -EINVAL);
	assert_int_equal(disk()->in_flight, 0);
}

static void test_image(void **state)
{
	uint8_t image[6 * KIB], before[6 * KIB], data[1024];

	(void)state;
	for (unsigned i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i * 11);
	memcpy(before, image, sizeof(image));
	memset(data, 0x77, sizeof(data));
	fake_add_module("img", image, sizeof(image));
	RAM("image = module:img\n");
	check_content(0, image, sizeof(image));
	assert_int_equal(run(BLOCK_WRITE, 5 * KIB, data, 1024, 1), 0);
	assert_int_equal(run(BLOCK_WRITE_ZEROES, 0, NULL, 512, 0), 0);
	assert_memory_equal(image, before, sizeof(image));
	check_content(5 * KIB, data, 1024);
	check_content(0, zeroes, 512);
	check_content(512, before + 512, 5 * KIB - 512);
	/* Nothing old comes back. */
	assert_int_equal(run(BLOCK_DISCARD, 0, NULL, 6 * KIB, 0), 0);
	check_content(5 * KIB, data, 1024);
	world_del(0, "ram");
	RAM("image = module:img\ncow = false\n");
	check_content(0, before, sizeof(before));
	assert_int_equal(run(BLOCK_WRITE, 5 * KIB, data, 1024, 1), 0);
	assert_int_equal(run(BLOCK_WRITE_ZEROES, 0, NULL, 512, 0), 0);
	assert_int_equal(run(BLOCK_DISCARD, 0, NULL, 6 * KIB, 0), 0);
	assert_memory_equal(image + 5 * KIB, data, 1024);
	assert_memory_equal(image, zeroes, 512);
	assert_int_equal(world_pages, 0);
	world_del(0, "ram");
	RAM("image = module:img\nread-only = true\n");
	assert_int_equal(run(BLOCK_WRITE, 0, data, 512, 1), -EROFS);
	assert_int_equal(run(BLOCK_DISCARD, 0, NULL, 512, 0), -EROFS);
}

static void test_refused(void **state)
{
	uint8_t image[1000];
	struct block_info info;

	(void)state;
	fake_add_module("odd", image, sizeof(image));
	fake_add_module("even", image, 512);
	world_refused(0, "ramdisk", "r", "frontend = disk\n", "image: expected either");
	world_refused(0, "ramdisk", "r", "frontend = disk\nsize = 1K\nimage = module:even\n",
		      "size: expected either");
	world_refused(0, "ramdisk", "r", "frontend = disk\nimage = module:odd\n",
		      "image: 1000 bytes: expected whole blocks of 512 bytes");
	world_refused(0, "ramdisk", "r", "frontend = disk\nsize = 1023\n", "size: 1023 bytes");
	world_refused(0, "ramdisk", "r", "frontend = disk\nsize = 512\nblock-size = 4096\n",
		      "size: 512 bytes: expected whole blocks of 4096");
	world_refused(0, "null-disk", "r", "frontend = disk\nsize = 1023\n", "size: 1023 bytes");
	world_refused(0, "ramdisk", "r", "frontend = nobody\nsize = 1K\n", "nobody");
	RAM("image = module:even\ncow = false\n");
	assert_false(world_add(0, "null-disk", "r", "frontend = disk\n"));
	assert_non_null(world_add(1, "disk", "disk", ""));
	world_refused(1, "ramdisk", "r", "frontend = disk\nimage = module:even\n",
		      "image: ram of VM a has this module, and one of the two writes to it");
	world_del(0, "ram");
	assert_non_null(world_add(1, "ramdisk", "r", "frontend = disk\nimage = module:even\n"));
	RAM("image = module:even\n");
	world_del(0, "ram");
	assert_false(block_info(disk(), &info));
	assert_int_equal(info.capacity, 0);
}

/* A module that a VM is made of is no guest's to write to. */
static void test_not_of_a_vm(void **state)
{
	static const char text[] =
		"[vm \"x\"]\nmemory = 1M\nmachine = none\n[boot]\nkernel = module:kernel\n"
		"module = module:tool with words\n[device \"f\"]\ntype = pci-front\n"
		"rom = module:rom\n[device \"d\"]\ntype = ramdisk\nimage = module:free\n";
	uint8_t image[512];

	(void)state;
	fake_add_module("kernel", image, sizeof(image));
	fake_add_module("tool", image, sizeof(image));
	fake_add_module("rom", image, sizeof(image));
	fake_add_module("kern", image, sizeof(image));
	fake_add_module("free", image, sizeof(image));
	assert_int_equal(vm_config_parse("t.cfg", text, strlen(text), &world_vms[1].config), 0);
#define WRITES(image) "frontend = disk\ncow = false\nimage = module:" image "\n"
	world_refused(0, "ramdisk", "r", WRITES("kernel"),
		      "vm a: r: image: kernel is VM b's kernel, too: expected cow = true");
	world_refused(0, "ramdisk", "r", WRITES("tool"), "image: tool is VM b's module, too");
	world_refused(0, "ramdisk", "r", WRITES("rom"), "image: rom is VM b's rom, too");
	RAM("image = module:kernel\n");
	world_del(0, "ram");
	RAM("image = module:kernel\ncow = false\nread-only = true\n");
	world_del(0, "ram");
	RAM("image = module:kern\ncow = false\n");
	world_del(0, "ram");
	/* A ROM that was plugged in. */
	assert_true(boot_module_use(boot_module_find("kern"), false));
	assert_true(boot_module_use(boot_module_find("kern"), false));
	world_refused(0, "ramdisk", "r", WRITES("kern"), "image: kern is a device's ROM, too");
	boot_module_unuse(boot_module_find("kern"));
	world_refused(0, "ramdisk", "r", WRITES("kern"), "image: kern is a device's ROM, too");
	boot_module_unuse(boot_module_find("kern"));
	RAM("image = module:kern\ncow = false\n");
	/* And nobody reads what a disk writes. */
	assert_true(boot_module_is_written(boot_module_find("kern")));
	assert_false(boot_module_use(boot_module_find("kern"), false));
	world_del(0, "ram");
	assert_false(boot_module_is_written(boot_module_find("kern")));
	/* Another disk's is for the one that comes second. */
	RAM("image = module:free\ncow = false\n");
	vm_config_free(world_vms[1].config);
	world_vms[1].config = NULL;
}

/* Each step of create that fails. */
static void test_no_memory(void **state)
{
	long i;

	(void)state;
	for (i = 0; i < 20; i++) {
		fake_memory_left = i;
		if (world_add(0, "ramdisk", "ram", "frontend = disk\nsize = 1M\n"))
			break;
	}
	assert_in_range(i, 4, 19);
	fake_memory_left = -1;
	world_pages_left = 3;
	assert_int_equal(run(BLOCK_WRITE, 0, pattern, 64 * KIB, 3), -ENOSPC);
	world_pages_left = -1;
	assert_int_equal(run(BLOCK_WRITE, 0, pattern, 64 * KIB, 3), 0);
}

static void test_null_disk(void **state)
{
	uint8_t data[32 * KIB];

	(void)state;
	assert_non_null(world_add(0, "null-disk", "null", "frontend = disk\nsize = 64K\n"));
	memset(data, 0xee, sizeof(data));
	assert_int_equal(run(BLOCK_WRITE, 0, data, sizeof(data), 5), 0);
	assert_int_equal(run(BLOCK_READ, 0, data, sizeof(data), 5), 0);
	assert_memory_equal(data, zeroes, sizeof(data));
	assert_int_equal(run(BLOCK_DISCARD, 0, NULL, 64 * KIB, 0), 0);
	world_del(0, "null");
	assert_non_null(world_add(0, "null-disk", "null", "frontend = disk\nwrites = refuse\n"));
	assert_int_equal(run(BLOCK_WRITE, 0, data, 512, 1), -EROFS);
	assert_int_equal(run(BLOCK_READ, (1u << 30) - 512, data, 512, 1), 0);
}

/* What is long lets others run. */
static void test_steps(void **state)
{
	struct trial t;

	(void)state;
	RAM("size = 1M\n");
	assert_int_equal(start(&t, BLOCK_WRITE, 0, pattern, sizeof(pattern), 64), BLOCK_PENDING);
	assert_int_equal(disk()->in_flight, 1);
	assert_int_equal(world_work(), sizeof(pattern) / BLOCK_QUEUE_STEP);
	assert_int_equal(t.done, 1);
	assert_int_equal(disk()->in_flight, 0);
}

/* Either side goes with requests waiting, one of them begun: all are done once. */
static void begin_five(struct trial t[5])
{
	unsigned i;

	RAM("size = 1M\n");
	for (i = 0; i < 5; i++)
		assert_int_equal(start(&t[i], i % 2 ? BLOCK_DISCARD : BLOCK_WRITE, 0, pattern,
				       sizeof(pattern), i % 2 ? 0 : 7),
				 BLOCK_PENDING);
	assert_true(world_work_one());
	assert_int_equal(disk()->in_flight, 5);
}

static void check_five(const struct trial t[5])
{
	unsigned i;

	for (i = 0; i < 5; i++) {
		assert_int_equal(t[i].done, 1);
		assert_int_equal(t[i].err, -ECANCELED);
	}
}

static void test_backend_goes(void **state)
{
	struct disk *d = container_of(disk(), struct disk, front);
	struct trial t[5];
	uint8_t data[512];

	(void)state;
	begin_five(t);
	assert_int_equal(d->changes, 1);
	world_del(0, "ram");
	check_five(t);
	assert_int_equal(d->changes, 2);
	assert_int_equal(disk()->in_flight, 0);
	assert_int_equal(run(BLOCK_READ, 0, data, 512, 1), -ENODEV);
	/* Another one may come. */
	RAM("size = 1M\n");
	assert_int_equal(run(BLOCK_READ, 0, data, 512, 1), 0);
}

static void test_frontend_goes(void **state)
{
	struct trial t[5];

	(void)state;
	begin_five(t);
	world_del(0, "disk");
	check_five(t);
	world_del(0, "ram");
}

static void test_all_goes(void **state)
{
	struct trial t[5];

	(void)state;
	begin_five(t);
	world_end();
	check_five(t);
	world_start();
}

/* A frontend that submits the next request when one is done. */
static unsigned resubmitted;

static void again(struct block_request *request, int err)
{
	if (!err && ++resubmitted < 10)
		assert_int_equal(block_submit(request->frontend, request), BLOCK_PENDING);
}

static void test_submit_in_done(void **state)
{
	struct trial t;

	(void)state;
	RAM("size = 1M\n");
	memset(&t, 0, sizeof(t));
	t.pieces[0] = (struct block_piece){pattern, 128 * KIB};
	t.request = (struct block_request){.op = BLOCK_READ,
					   .bytes = 128 * KIB,
					   .pieces = t.pieces,
					   .piece_count = 1,
					   .done = again};
	resubmitted = 0;
	assert_int_equal(block_submit(disk(), &t.request), BLOCK_PENDING);
	assert_int_equal(world_work(), 20);
	assert_int_equal(resubmitted, 10);
	assert_int_equal(disk()->in_flight, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty_ramdisk), TEST(test_limits),	     TEST(test_image),
		TEST(test_refused),	  TEST(test_no_memory),	     TEST(test_null_disk),
		TEST(test_not_of_a_vm),	  TEST(test_no_memory),	     TEST(test_null_disk),
		TEST(test_steps),	  TEST(test_backend_goes),   TEST(test_frontend_goes),
		TEST(test_all_goes),	  TEST(test_submit_in_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
