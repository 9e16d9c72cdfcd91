/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/storage devices/backend/ramdisk.c devices/backend/ramdisk_image.c */
/* test-sources: devices/backend/null_disk.c devices/backend/block_queue.c vmm/block_frontend.c */
/* test-sources: vmm/checkpoint/place.c lib/crc32c.c kernel/fast_crc32c.c */
/* test-sources: tests/host/backend/world.c tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c vmm/frontend.c vmm/irq.c vmm/vm_config.c */
/* test-sources: vmm/vm_config_apply.c vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/*
 * The place `disk:`: what is saved on a disk is read from it; disks that are no
 * good; and a disk, or what is behind it, that goes at any moment.
 */
#include "tests/host/backend/world.h"
#include "vmm/checkpoint/place.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KIB 1024u

static char why[CHECKPOINT_WHY_MAX];
static uint8_t content[600 * KIB];

static const struct checkpoint_place *place_of(const char **name)
{
	const struct checkpoint_place *place = checkpoint_place_of(name);

	assert_non_null(place);
	assert_string_equal(place->scheme, "disk:");
	return place;
}

static void said(const char *text)
{
	if (!strstr(why, text))
		fail_msg("expected '%s' in: %s", text, why);
}

static struct checkpoint_writer writer;

static int begin(const char *name, const char *vm)
{
	memset(&writer, 0, sizeof(writer));
	*why = 0;
	return place_of(&name)->create(name, vm, &writer, why);
}

static int end(int err)
{
	const char *name = "disk:";

	return place_of(&name)->end(&writer, err, why);
}

static int save(const char *name, const char *vm, size_t len)
{
	int err = begin(name, vm);

	if (err)
		return err;
	for (size_t at = 0, n; at < len && !err; at += n) {
		n = MIN(len - at, 30000u);
		err = writer.write(writer.opaque, content + at, n);
	}
	return end(err);
}

static int load(const char *name, size_t len)
{
	static uint8_t got[sizeof(content)];
	const struct checkpoint_place *place = place_of(&name);
	struct checkpoint_source source;
	int err = place->open(name, &source, why);

	if (err)
		return err;
	assert_int_equal(source.size, len);
	source.read(source.opaque, 0, got, len);
	assert_false(*source.failed);
	assert_memory_equal(got, content, len);
	place->close(&source, why);
	return 0;
}

static int forget(const char *name)
{
	return place_of(&name)->remove(name, why);
}

static void listed(const char *name, const char *what)
{
	const char *behind = name;
	const struct checkpoint_place *place = place_of(&behind);
	char found[CHECKPOINT_NAME_MAX + 1];
	unsigned n = 0;

	while (place->nth(n, found) && strcmp(found, behind))
		n++;
	assert_true(place->nth(n, found));
	place->describe(found, why);
	said(what);
}

static int setup(void **state)
{
	(void)state;
	world_start();
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 7 + i / 251);
	assert_non_null(world_add(0, "snapshot-disk", "snap", ""));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

static void plug(const char *type, const char *keys)
{
	char text[256];

	snprintf(text, sizeof(text), "frontend = snap\n%s", keys);
	assert_non_null(world_add(0, type, "store", text));
}

static void test_saves_and_restores(void **state)
{
	static const char *const sizes[] = {"size = 1M\n", "size = 1M\nblock-size = 4096\n"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		plug("ramdisk", sizes[i]);
		listed("disk:a.snap", "empty");
		assert_int_equal(load("disk:a.snap", 0), -ENOENT);
		said("the disk is empty");
		assert_int_equal(save("disk:a.snap", "b", 400 * KIB), 0);
		assert_int_equal(load("disk:a.snap", 400 * KIB), 0);
		listed("disk:a.snap", "       400 KiB of vm b");
		assert_int_equal(save("disk:a.snap", "other", 600 * KIB), 0);
		assert_int_equal(load("disk:a.snap", 600 * KIB), 0);
		listed("disk:a.snap", "KiB of vm other");
		/* One that is given up is not seen. */
		assert_int_equal(begin("disk:a.snap", "c"), 0);
		assert_int_equal(writer.write(writer.opaque, content, 100 * KIB), 0);
		strcpy(why, "given up");
		assert_int_equal(end(-ECANCELED), -ECANCELED);
		said("given up");
		assert_int_equal(load("disk:a.snap", 600 * KIB), 0);
		assert_int_equal(forget("disk:a.snap"), 0);
		listed("disk:a.snap", "empty");
		assert_int_equal(load("disk:a.snap", 0), -ENOENT);
		world_del(0, "store");
	}
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(save("disk:a.none", "b", 1), -ENODEV);
	said("no VM has such a snapshot-disk: expected disk:OWNER.DEVICE");
	assert_int_equal(save("disk:", "b", 1), -ENODEV);
	assert_int_equal(forget("disk:b.snap"), -ENODEV);
	said("no VM has such");
	assert_int_equal(save("disk:a.snap", "b", 1), -ENODEV);
	said("the disk has no backend");
	listed("disk:a.snap", "the disk has no backend");
	assert_int_equal(load("disk:a.snap", 1), -ENODEV);
	said("the disk has no backend");
	plug("ramdisk", "size = 8K\n");
	assert_int_equal(save("disk:a.snap", "b", 1), -ENODEV);
	said("the disk has 8192 bytes, and 12288 are the fewest");
	listed("disk:a.snap", "are the fewest");
	world_del(0, "store");
	plug("ramdisk", "size = 1M\nread-only = true\n");
	assert_int_equal(save("disk:a.snap", "b", 1), -EROFS);
	said("the disk is read-only");
	listed("disk:a.snap", "empty");
	world_del(0, "store");
	plug("ramdisk", "size = 1M\n");
	assert_int_equal(save("disk:a.snap", "a", 1), -EINVAL);
	said("the disk is vm a's own");
	assert_int_equal(save("disk:a.snap", "b", 600 * KIB), 0);
	assert_int_equal(save("disk:a.snap", "c", 600 * KIB), -ENOSPC);
	said("the disk takes 416 KiB beside the 600 KiB of vm b, which stay");
	assert_int_equal(load("disk:a.snap", 600 * KIB), 0);
}

/* What is written to it is gone: found when it is read back. */
static void test_null_disk(void **state)
{
	(void)state;
	plug("null-disk", "");
	assert_int_equal(save("disk:a.snap", "b", 100 * KIB), 0);
	listed("disk:a.snap", "empty");
	world_del(0, "store");
	plug("null-disk", "writes = refuse\n");
	assert_int_equal(save("disk:a.snap", "b", 100 * KIB), -EROFS);
}

static void test_one_at_a_time(void **state)
{
	struct checkpoint_writer first;
	struct checkpoint_source source;
	const char *name = "disk:a.snap";
	const struct checkpoint_place *place;

	(void)state;
	plug("ramdisk", "size = 1M\n");
	assert_int_equal(save("disk:a.snap", "b", 300 * KIB), 0);
	assert_int_equal(begin("disk:a.snap", "b"), 0);
	first = writer;
	assert_int_equal(begin("disk:a.snap", "c"), -ENODEV);
	said("being saved to, or restored from");
	assert_int_equal(load("disk:a.snap", 0), -ENODEV);
	assert_int_equal(forget("disk:a.snap"), -ENODEV);
	listed("disk:a.snap", "being saved to");
	writer = first;
	assert_int_equal(end(-EIO), -EIO);
	place = place_of(&name);
	assert_int_equal(place->open(name, &source, why), 0);
	assert_int_equal(begin("disk:a.snap", "c"), -ENODEV);
	place->close(&source, why);
	assert_int_equal(load("disk:a.snap", 300 * KIB), 0);
}

/* A VM "a" with a device "b.c", and a VM "a.b" with one "c". */
static void test_ambiguous(void **state)
{
	(void)state;
	strcpy(world_vms[1].name, "a.b");
	assert_non_null(world_add(0, "snapshot-disk", "b.c", ""));
	assert_non_null(world_add(1, "snapshot-disk", "c", ""));
	assert_int_equal(save("disk:a.b.c", "x", 1), -ENODEV);
	said("two disks are called so");
	world_del(0, "b.c");
	assert_int_equal(save("disk:a.b.c", "x", 1), -ENODEV);
	said("the disk has no backend");
}

/* No memory, at any moment. */
static void test_no_memory(void **state)
{
	(void)state;
	plug("ramdisk", "size = 1M\n");
	assert_int_equal(save("disk:a.snap", "b", 100 * KIB), 0);
	for (long left = 0;; left++) {
		int err;

		fake_memory_left = left;
		err = load("disk:a.snap", 100 * KIB);
		fake_memory_left = -1;
		if (!err)
			break;
		said("no memory is left");
	}
	/* For the disk's pages. */
	world_pages_left = 10;
	assert_int_equal(save("disk:a.snap", "c", 200 * KIB), -ENOSPC);
	world_pages_left = -1;
	said("the disk's backend has no room or memory left");
	assert_int_equal(load("disk:a.snap", 100 * KIB), 0);
}

/* Somebody goes while the disk is used; a step of it later. */

enum goes { BACKEND, DEVICE, ANOTHER_COMES, WAYS };
static unsigned steps_left;
static enum goes who_goes;

static void go(void)
{
	if (who_goes == DEVICE) {
		world_del(0, "snap");
	} else {
		world_del(0, "store");
		if (who_goes == ANOTHER_COMES)
			plug("ramdisk", "size = 1M\n");
	}
}

/* In the middle of the work, while the task that saves waits. */
static void step(struct work *work)
{
	if (--steps_left)
		work_queue(work);
	else
		go();
}

static void test_goes_while_saving(void **state)
{
	(void)state;
	for (unsigned way = 0; way < WAYS; way++) {
		int err;

		plug("ramdisk", "size = 1M\n");
		assert_int_equal(save("disk:a.snap", "b", 100 * KIB), 0);
		who_goes = way;
		assert_int_equal(begin("disk:a.snap", "c"), 0);
		assert_int_equal(writer.write(writer.opaque, content, 200 * KIB), 0);
		go();
		err = writer.write(writer.opaque, content, 200 * KIB);
		assert_int_equal(err, -ENODEV);
		assert_int_equal(end(err), -ENODEV);
		said("the disk's backend is gone");
		if (way == ANOTHER_COMES)
			listed("disk:a.snap", "empty");
		else
			assert_int_equal(save("disk:a.snap", "c", 1), -ENODEV);
		if (way == DEVICE)
			assert_non_null(world_add(0, "snapshot-disk", "snap", ""));
		if (way != BACKEND)
			world_del(0, "store");
	}
}

/* The request under way is waited for. */
static void test_goes_while_waiting(void **state)
{
	(void)state;
	for (unsigned way = 0; way < WAYS; way++) {
		unsigned failed = 0, step_at = 1, late;
		struct work work;

		do {
			int err;

			plug("ramdisk", "size = 1M\n");
			who_goes = way;
			steps_left = step_at++;
			work_init_waiting(&work, step);
			work_queue(&work);
			err = save("disk:a.snap", "b", 300 * KIB);
			failed += err != 0;
			late = steps_left;
			steps_left = late ? 1 : 0;
			world_work();
			if (err)
				said("the disk's backend is gone");
			if (way == DEVICE)
				assert_non_null(world_add(0, "snapshot-disk", "snap", ""));
			if (way != BACKEND)
				world_del(0, "store");
		} while (!late);
		assert_true(failed > 5);
	}
}

static void test_goes_while_reading(void **state)
{
	const char *name = "disk:a.snap";
	const struct checkpoint_place *place = place_of(&name);
	uint8_t got[16], none[16] = {0};

	(void)state;
	for (unsigned way = 0; way < WAYS; way++) {
		struct checkpoint_source source;

		plug("ramdisk", "size = 1M\n");
		assert_int_equal(save("disk:a.snap", "b", 400 * KIB), 0);
		assert_int_equal(place->open(name, &source, why), 0);
		who_goes = way;
		go();
		source.read(source.opaque, 100, got, sizeof(got));
		assert_true(*source.failed);
		assert_memory_equal(got, none, sizeof(got));
		strcpy(why, "record 3 is damaged");
		place->close(&source, why);
		said("reading the disk at byte");
		said("the disk's backend is gone");
		if (way == DEVICE)
			assert_non_null(world_add(0, "snapshot-disk", "snap", ""));
		if (way != BACKEND)
			world_del(0, "store");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_saves_and_restores), TEST(test_refused),
		TEST(test_null_disk),	       TEST(test_one_at_a_time),
		TEST(test_ambiguous),	       TEST(test_no_memory),
		TEST(test_goes_while_saving),  TEST(test_goes_while_waiting),
		TEST(test_goes_while_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
