/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/storage/snapshot_volume.c vmm/checkpoint/place.c */
/* test-sources: lib/crc32c.c kernel/fast_crc32c.c lib/parse.c tests/host/storage/cut_disk.c */
/*
 * The power is cut, or an error comes, at each single access of a save or a
 * delete, and any of the sectors that were not flushed last. What was there or
 * what was to come there is found, whole.
 */
#include "tests/host/storage/cut_disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* How long the streams before the one that is cut are, so that it is at all kinds of places. */
static const struct {
	const char *name;
	size_t before[4]; /* 0: none; 1: a delete */
	size_t len;
} histories[] = {
	{"the first", {0}, 150000},
	{"the second", {100000}, 150000},
	{"over the end", {100000, 120000}, 135000},
	{"from the end on", {128 * KIB, 128 * KIB}, 128 * KIB},
	{"after a delete", {200000, 1}, 250000},
	{"small ones", {5000, 70000, 1}, 3000},
	{"to the brim", {4096, 40000, 4096}, RING - 4096},
};

#define HISTORIES (sizeof(histories) / sizeof(histories[0]))
#define LAST	  5u /* the stream that is cut */

/* Returns what there is. */
static int prepare(unsigned h)
{
	int old = -1;

	cut_disk_setup(NULL);
	for (int i = 0; i < 4 && histories[h].before[i]; i++) {
		bool is_delete = histories[h].before[i] == 1;

		assert_int_equal(is_delete ? cut_disk_clear()
					   : cut_disk_save((unsigned)i, histories[h].before[i]),
				 0);
		old = is_delete ? -1 : i;
	}
	assert_int_equal(cut_disk_what(), old);
	return old;
}

static int act(unsigned h, bool is_delete)
{
	return is_delete ? cut_disk_clear() : cut_disk_save(LAST, histories[h].len);
}

static unsigned count_ops(unsigned h, bool is_delete)
{
	prepare(h);
	cut_disk_make_bad(NEVER, 0);
	assert_int_equal(act(h, is_delete), 0);
	return cut_disk_ops;
}

/* A cut at access @op of it; then the disk goes on as if nothing had been. */
static void cut(unsigned h, bool is_delete, unsigned op, unsigned kept)
{
	int old = prepare(h), to_be = is_delete ? -1 : (int)LAST, found, err;

	cut_disk_make_bad(op, 0);
	err = act(h, is_delete);
	assert_int_equal(err, -EIO);
	cut_disk_power_on(kept);
	found = cut_disk_what();
	if (found != old && found != to_be)
		fail_msg("%s, cut at %u, %u kept: %d", histories[h].name, op, kept, found);
	assert_int_equal(cut_disk_save(6, 3 * KIB), 0);
	assert_int_equal(cut_disk_what(), 6);
}

static void cut_everywhere(bool is_delete)
{
	for (unsigned h = is_delete; h < HISTORIES; h++) {
		if (is_delete && prepare(h) < 0)
			continue;
		for (unsigned op = 0, n = count_ops(h, is_delete); op < n; op++)
			for (unsigned i = 0; i < 9; i++)
				cut(h, is_delete, op, i);
	}
}

static void test_cut_saves(void **state)
{
	(void)state;
	cut_everywhere(false);
}

static void test_cut_deletes(void **state)
{
	(void)state;
	cut_everywhere(true);
}

/* When it has said that it is saved, it is. */
static void test_done_is_done(void **state)
{
	(void)state;
	for (unsigned h = 0; h < HISTORIES; h++) {
		prepare(h);
		assert_int_equal(act(h, false), 0);
		cut_disk_power_on(0);
		assert_int_equal(cut_disk_what(), LAST);
		assert_int_equal(cut_disk_clear(), 0);
		cut_disk_power_on(0);
		assert_int_equal(cut_disk_what(), -1);
	}
}

/* An access fails, and nothing else; then another save, which is cut: its stream must not lie where
 * the one does that the disk may come back with. */
static void test_errors(void **state)
{
	static const int errors[] = {-EIO, -ENOSPC, -EROFS, -ENODEV, -ECANCELED};

	(void)state;
	for (unsigned h = 0; h < HISTORIES; h++) {
		for (unsigned op = 0, n = count_ops(h, false); op < n; op++) {
			for (unsigned i = 0; i < 15; i++) {
				int old = prepare(h), err = errors[i % 5], found;
				unsigned next;

				cut_disk_make_bad(op, err);
				assert_int_equal(act(h, false), err);
				assert_non_null(strstr(cut_disk_why, "(error -"));
				/* Nothing was taken out of the cache: what is cut_disk_seen is
				 * whole. */
				cut_disk_make_bad(NEVER, 0);
				found = cut_disk_what();
				assert_true(found == old || found == (int)LAST);
				cut_disk_make_bad(next = cut_disk_any() % 12, 0);
				err = cut_disk_save(6, 100 * KIB);
				if (err)
					assert_true(err == -ENOSPC || cut_disk_ops > next);
				cut_disk_power_on(i % 9);
				found = cut_disk_what();
				assert_true(found == old || found == (int)LAST || found == 6);
				if (!err && next >= cut_disk_ops)
					assert_int_equal(found, 6);
			}
		}
	}
}

/* Round and round, with any lengths. */
static void test_ring(void **state)
{
	int there = -1;
	size_t taken = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		unsigned stream = i % 8;
		size_t len = cut_disk_any() % (RING * 5 / 8) + 1;
		bool fits = len <= RING - ALIGN_UP(taken, SNAPSHOT_UNIT);

		if (i % 50 == 49) {
			assert_int_equal(cut_disk_clear(), there < 0 ? -ENOENT : 0);
			there = -1;
			taken = 0;
			continue;
		}
		assert_int_equal(cut_disk_save(stream, len), fits ? 0 : -ENOSPC);
		if (fits) {
			there = (int)stream;
			taken = len;
		} else {
			assert_non_null(strstr(cut_disk_why, "the disk takes "));
			assert_int_equal(!!strstr(cut_disk_why, "beside the"), !!taken);
		}
		cut_disk_power_on(0);
		assert_int_equal(cut_disk_what(), there);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cut_disk_setup, cut_disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cut_saves), TEST(test_cut_deletes), TEST(test_done_is_done),
		TEST(test_errors),    TEST(test_ring),
	};

	return cmocka_run_group_tests(tests, cut_disk_init, NULL);
}
