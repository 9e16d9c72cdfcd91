/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: lib/range_map.c */
#include "lib/range_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct range_map *build(const struct range *r, size_t count, unsigned shift)
{
	return range_map_build(malloc(range_map_size(count)), r, count, shift);
}

static void test_empty(void **state)
{
	struct range_map *map = build(NULL, 0, 12);

	(void)state;
	assert_null(range_map_find(map, 0, NULL));
	assert_null(range_map_find(map, UINT64_MAX, NULL));
	assert_null(range_map_overlap(map, 0, UINT64_MAX));
	free(map);
}

static void test_sizes_and_edges(void **state)
{
	static const struct range ranges[] = {
		{0, 0, "zero", 1},
		{1, 0xfff, "rest of the page", 2},
		{0xfee00000, 0xfee00fff, "page", 3},
		{0xffffff00, 0x1000000ff, "across", 4},
		{0x4000000000, 0x7fffffffff, "256 GiB", 5},
		{UINT64_C(1) << 62, UINT64_MAX, "the sky", 6},
	};
	struct range_map *map = build(ranges, ARRAY_SIZE(ranges), 12);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t tag = 0;

		assert_ptr_equal(range_map_find(map, ranges[i].first, &tag), ranges[i].item);
		assert_int_equal(tag, ranges[i].tag);
		assert_ptr_equal(range_map_find(map, ranges[i].last, NULL), ranges[i].item);
	}
	assert_null(range_map_find(map, 0x1000, NULL));
	assert_null(range_map_find(map, 0xfedfffff, NULL));
	assert_null(range_map_find(map, 0xfee01000, NULL));
	assert_null(range_map_find(map, 0x3fffffffff, NULL));
	assert_null(range_map_find(map, 0x8000000000, NULL));
	assert_ptr_equal(range_map_overlap(map, 0xfee00fff, 0xfef00000)->item, ranges[2].item);
	assert_null(range_map_overlap(map, 0xfee01000, 0xfffffeff));
	free(map);
}

static void test_all_keys(void **state)
{
	static const struct range all = {0, UINT64_MAX, "all", 0};
	struct range_map *map = build(&all, 1, 4);

	(void)state;
	assert_ptr_equal(range_map_find(map, 0, NULL), all.item);
	assert_ptr_equal(range_map_find(map, UINT64_C(1) << 63, NULL), all.item);
	assert_ptr_equal(range_map_find(map, UINT64_MAX, NULL), all.item);
	free(map);
}

static void test_removed(void **state)
{
	static const struct range ranges[] = {{10, 19, "a", 0}, {20, 29, "b", 0}, {30, 39, "c", 0}};
	struct range_map *map = build(ranges, ARRAY_SIZE(ranges), 4);

	(void)state;
	range_map_remove(map, 20, "somebody else");
	assert_ptr_equal(range_map_find(map, 25, NULL), ranges[1].item);
	range_map_remove(map, 20, ranges[1].item);
	assert_null(range_map_find(map, 25, NULL));
	assert_ptr_equal(range_map_find(map, 19, NULL), ranges[0].item);
	assert_ptr_equal(range_map_overlap(map, 20, 35)->item, ranges[2].item);
	assert_null(range_map_overlap(map, 20, 29));
	free(map);
}

/* What a plain search over the ranges finds, for random disjoint ones of all sizes. */
static const struct range *naive(const struct range *r, size_t count, uint64_t key)
{
	for (size_t i = 0; i < count; i++) {
		if (r[i].first <= key && key <= r[i].last)
			return &r[i];
	}
	return NULL;
}

static uint64_t random_size(void)
{
	return UINT64_C(1) +
	       ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % (UINT64_C(1) << (rand() % 44));
}

static void test_random(void **state)
{
	struct range ranges[300];

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 40; round++) {
		size_t count = 1 + (size_t)rand() % ARRAY_SIZE(ranges);
		uint64_t at = 0;
		struct range_map *map;

		for (size_t i = 0; i < count; i++) {
			uint64_t first = at + (rand() % 2 ? random_size() : 0);

			ranges[i] = (struct range){first, first + random_size() - 1, &ranges[i], i};
			at = ranges[i].last + 1;
		}
		map = build(ranges, count, 3 + (unsigned)rand() % 12);
		for (size_t i = 0; i < 4 * count; i++) {
			const struct range *r = &ranges[(size_t)rand() % count];
			uint64_t keys[] = {r->first, r->last, r->first - 1, r->last + 1,
					   r->first + (r->last - r->first) / 2};
			uint64_t key = keys[rand() % 5];
			const struct range *want = naive(ranges, count, key);

			assert_ptr_equal(range_map_find(map, key, NULL), want ? want->item : NULL);
		}
		free(map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	 cmocka_unit_test(test_sizes_and_edges),
		cmocka_unit_test(test_all_keys), cmocka_unit_test(test_removed),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
