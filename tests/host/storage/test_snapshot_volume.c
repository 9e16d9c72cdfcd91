/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/storage/snapshot_volume.c vmm/checkpoint/place.c */
/* test-sources: lib/crc32c.c kernel/fast_crc32c.c lib/parse.c tests/host/storage/cut_disk.c */
/*
 * A disk that keeps a checkpoint: what is refused, headers that are damaged or
 * lie, disks of another size, and reading.
 */
#include "kernel/fast_crc32c.h"
#include "tests/host/storage/cut_disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What is refused, and why. */

static void refused(struct snapshot_volume *v, int got, int err, const char *said)
{
	assert_int_equal(got, err);
	if (!strstr(v->why, said))
		fail_msg("expected '%s' in: %s", said, v->why);
	snapshot_volume_close(v);
}

static void test_refused(void **state)
{
	struct snapshot_volume v;

	(void)state;
	memset(&v, 0, sizeof(v));
	v.io = cut_disk_io;
	v.info.capacity = SNAPSHOT_RING + SNAPSHOT_UNIT - SECTOR;
	refused(&v, snapshot_volume_open(&v), -EINVAL, "has 11776 bytes, and 12288 are the fewest");
	assert_int_equal(cut_disk_save(1, 100), 0);
	assert_int_equal(cut_disk_open(&v), 0);
	v.info.read_only = true;
	refused(&v, snapshot_volume_begin(&v, "x"), -EROFS, "the disk is read-only");
	assert_int_equal(cut_disk_open(&v), 0);
	v.info.read_only = true;
	refused(&v, snapshot_volume_clear(&v), -EROFS, "the disk is read-only");
	assert_int_equal(cut_disk_open(&v), 0);
	v.info.read_only = true;
	refused(&v, snapshot_volume_verify(&v), 0, "");
	/* Something else. */
	memset(cut_disk_seen, 0, SNAPSHOT_RING);
	cut_disk_seen[SNAPSHOT_UNIT - 1] = 1;
	assert_int_equal(cut_disk_open(&v), 0);
	assert_int_equal(v.content, SNAPSHOT_FOREIGN);
	refused(&v, snapshot_volume_begin(&v, "x"), -EINVAL, "something else");
	assert_int_equal(cut_disk_open(&v), 0);
	refused(&v, snapshot_volume_clear(&v), -EINVAL, "something else");
	assert_int_equal(cut_disk_open(&v), 0);
	refused(&v, snapshot_volume_verify(&v), -EINVAL, "something else");
	/* A file system that leaves room for a boot block. */
	memset(cut_disk_seen, 0, SNAPSHOT_RING);
	memcpy(cut_disk_seen + 65536 + 64, "_BHRfS_M", 8);
	assert_int_equal(cut_disk_open(&v), 0);
	assert_int_equal(v.content, SNAPSHOT_FOREIGN);
	refused(&v, snapshot_volume_begin(&v, "x"), -EINVAL, "something else");
	cut_disk_seen[65536 + 64] = 0;
	memcpy(cut_disk_seen + 32769, "CD001", 5);
	assert_int_equal(cut_disk_open(&v), 0);
	refused(&v, snapshot_volume_begin(&v, "x"), -EINVAL, "something else");
	cut_disk_seen[32769] = 0;
	/* Nothing. */
	assert_int_equal(cut_disk_open(&v), 0);
	refused(&v, snapshot_volume_verify(&v), -ENOENT, "empty");
	assert_int_equal(cut_disk_open(&v), 0);
	refused(&v, snapshot_volume_clear(&v), -ENOENT, "empty");
}

/* Each bit of a header counts; without the last one the one before does, which is gone. */
static void test_damaged_headers(void **state)
{
	struct snapshot_volume v;

	(void)state;
	assert_int_equal(cut_disk_save(1, 100 * KIB), 0);
	assert_int_equal(cut_disk_save(2, 100 * KIB), 0);
	for (unsigned bit = 0; bit < 8 * sizeof(struct snapshot_header); bit++) {
		cut_disk_seen[SNAPSHOT_UNIT + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(cut_disk_what(), 1);
		cut_disk_seen[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(cut_disk_open(&v), 0);
		if (bit < 64) {
			assert_int_equal(v.content, SNAPSHOT_FOREIGN);
		} else {
			assert_int_equal(v.content, SNAPSHOT_DAMAGED);
			refused(&v, snapshot_volume_begin(&v, "x"), -EINVAL,
				"`snapshot-delete` empties it");
			assert_int_equal(cut_disk_open(&v), 0);
			assert_int_equal(snapshot_volume_verify(&v), -EINVAL);
		}
		snapshot_volume_close(&v);
		cut_disk_seen[SNAPSHOT_UNIT + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(cut_disk_what(), 2);
		cut_disk_seen[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* Emptied, neither comes back. */
	cut_disk_seen[40] ^= 1;
	cut_disk_seen[SNAPSHOT_UNIT + 40] ^= 1;
	assert_int_equal(cut_disk_clear(), 0);
	cut_disk_power_on(0);
	assert_int_equal(cut_disk_what(), -1);
	assert_int_equal(cut_disk_save(3, 200 * KIB), 0);
	assert_int_equal(cut_disk_what(), 3);
}

static void mend(struct snapshot_header *h)
{
	h->header_sum = fast_crc32c(0, h, offsetof(struct snapshot_header, header_sum));
}

/* Fields that are out of bounds, with a sum that is right. */
static void test_lying_headers(void **state)
{
	struct snapshot_header good, last, bad[14];
	struct snapshot_volume v;

	(void)state;
	assert_int_equal(cut_disk_save(1, 100 * KIB), 0);
	memcpy(&good, cut_disk_seen, sizeof(good));
	for (unsigned i = 0; i < 14; i++)
		bad[i] = good;
	bad[0].version = 2;
	bad[1].number = 0;
	bad[2].number = UINT64_MAX;
	bad[3].ring = 0;
	bad[4].ring = RING + SNAPSHOT_UNIT;
	bad[5].ring = RING - SECTOR;
	bad[6].start = RING;
	bad[7].start = SECTOR;
	bad[8].start = UINT64_MAX & ~4095ull;
	bad[9].length = RING + 1;
	bad[10].length = UINT64_MAX;
	bad[11].vm[0] = 0x1b;
	memset(bad[12].vm, 'a', sizeof(bad[12].vm));
	bad[13].zero = 1;
	for (unsigned i = 0; i < 14; i++) {
		mend(&bad[i]);
		memcpy(cut_disk_seen, &bad[i], sizeof(good));
		assert_int_equal(cut_disk_open(&v), 0);
		assert_int_equal(v.content, SNAPSHOT_DAMAGED);
		snapshot_volume_close(&v);
	}
	/* The last number that there can be: nothing is said to be done that is not found again. */
	last = good;
	last.number = UINT64_MAX / 2;
	mend(&last);
	memcpy(cut_disk_seen, &last, sizeof(last));
	assert_int_equal(cut_disk_what(), 1);
	assert_int_equal(cut_disk_open(&v), 0);
	refused(&v, snapshot_volume_begin(&v, "x"), -EINVAL, "no number left");
	assert_int_equal(cut_disk_open(&v), 0);
	refused(&v, snapshot_volume_clear(&v), -EINVAL, "no number left");
	mend(&good);
	memcpy(cut_disk_seen, &good, sizeof(good));
	assert_int_equal(cut_disk_what(), 1);
}

/* A disk that has grown keeps the ring that it had, until it is empty. */
static void test_other_size(void **state)
{
	struct snapshot_volume v;

	(void)state;
	memset(&v, 0, sizeof(v));
	v.info = (struct block_info){.capacity = SIZE - 64 * KIB, .block_size = SECTOR};
	v.io = cut_disk_io;
	assert_int_equal(snapshot_volume_open(&v), 0);
	assert_int_equal(snapshot_volume_begin(&v, "b"), 0);
	assert_int_equal(cut_disk_append(&v, 1, 100 * KIB), 0);
	assert_int_equal(snapshot_volume_commit(&v), 0);
	snapshot_volume_close(&v);
	assert_int_equal(cut_disk_save(2, 93 * KIB), -ENOSPC);
	assert_int_equal(cut_disk_save(2, 92 * KIB), 0);
	assert_int_equal(cut_disk_save(3, 100 * KIB), 0);
	assert_int_equal(cut_disk_what(), 3);
	assert_int_equal(cut_disk_clear(), 0);
	assert_int_equal(cut_disk_save(3, RING), 0);
	assert_int_equal(cut_disk_what(), 3);
	assert_int_equal(cut_disk_save(4, 1), -ENOSPC);
	assert_int_equal(cut_disk_what(), 3);
}

/* Damage, I/O errors and bytes that change while they are read are told apart. */
static void test_reading(void **state)
{
	struct checkpoint_source source;
	struct snapshot_volume v;
	uint8_t got[16], none[16] = {0};

	(void)state;
	assert_int_equal(cut_disk_save(1, 200 * KIB), 0);
	cut_disk_seen[SNAPSHOT_RING + 150 * KIB] ^= 4;
	assert_int_equal(cut_disk_open(&v), 0);
	refused(&v, snapshot_volume_verify(&v), -EINVAL, "the stream on the disk is damaged");
	cut_disk_seen[SNAPSHOT_RING + 150 * KIB] ^= 4;
	for (unsigned op = 0; op < 6; op++) {
		cut_disk_make_bad(op, -EIO);
		if (cut_disk_open(&v))
			refused(&v, -EIO, -EIO, "reading the disk at byte");
		else
			refused(&v, snapshot_volume_verify(&v), -EIO, "reading the disk at byte");
	}
	cut_disk_make_bad(NEVER, 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(cut_disk_open(&v), 0);
		assert_int_equal(snapshot_volume_verify(&v), 0);
		snapshot_volume_source(&v, &source);
		source.read(source.opaque, 65530, got, sizeof(got));
		assert_memory_equal(got, cut_disk_content[1] + 65530, sizeof(got));
		assert_false(*source.failed);
		if (i == 0) {
			cut_disk_make_bad(0, -EIO);
			source.read(source.opaque, 199 * KIB, got, sizeof(got));
			cut_disk_make_bad(NEVER, 0);
		} else if (i == 1) {
			cut_disk_seen[SNAPSHOT_RING + 199 * KIB] ^= 4;
			source.read(source.opaque, 198 * KIB, got, sizeof(got));
			cut_disk_seen[SNAPSHOT_RING + 199 * KIB] ^= 4;
		} else {
			source.read(source.opaque, 200 * KIB - 15, got, sizeof(got));
		}
		assert_true(*source.failed);
		assert_memory_equal(got, none, sizeof(got));
		/* From then on, all of it. */
		source.read(source.opaque, 0, got, sizeof(got));
		assert_memory_equal(got, none, sizeof(got));
		snapshot_volume_close(&v);
		if (i < 2)
			assert_non_null(strstr(v.why, i ? "gives something else" : "I/O error"));
	}
}

/* tools/alcazar-checkpoint of the disk: whether it says @text. */
static void tool_says(const char *text)
{
	char path[] = "/tmp/test_snapshot_volume.XXXXXX", line[512], said[4096] = "";
	int fd = mkstemp(path);
	FILE *tool;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, cut_disk_seen, SIZE), SIZE);
	close(fd);
	snprintf(line, sizeof(line), "tools/alcazar-checkpoint %s 2>&1", path);
	tool = popen(line, "r");
	assert_non_null(tool);
	said[fread(said, 1, sizeof(said) - 1, tool)] = 0;
	pclose(tool);
	unlink(path);
	if (!strstr(said, text))
		fail_msg("expected '%s' in: %s", text, said);
}

/* It finds the stream of a disk's image, which is no checkpoint here. */
static void test_tool(void **state)
{
	(void)state;
	assert_int_equal(cut_disk_save(1, 100000), 0);
	assert_int_equal(cut_disk_save(2, 120000), 0);
	assert_int_equal(cut_disk_save(5, 135000), 0);
	tool_says("disk, number 3: vm f, 135000 bytes at 0x37000 of 0x40000\n");
	tool_says("the header is not a checkpoint's");
	cut_disk_seen[SNAPSHOT_RING + 5] ^= 1;
	tool_says("the stream on the disk is damaged");
	cut_disk_seen[SNAPSHOT_RING + 5] ^= 1;
	cut_disk_seen[40] ^= 1;
	tool_says("disk, number 2: vm c");
	cut_disk_seen[SNAPSHOT_UNIT + 40] ^= 1;
	tool_says("both headers of the disk are damaged");
	assert_int_equal(cut_disk_clear(), 0);
	tool_says("the disk is empty");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cut_disk_setup, cut_disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused),    TEST(test_damaged_headers), TEST(test_lying_headers),
		TEST(test_other_size), TEST(test_reading),	   TEST(test_tool),
	};

	return cmocka_run_group_tests(tests, cut_disk_init, NULL);
}
