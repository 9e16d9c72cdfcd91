/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: boot/memory.c */
/* boot/memory.c: which memory is free, out of orderly and of odd maps. */
#include "boot/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static struct memory_set set;
static struct boot_info info;

static int setup(void **state)
{
	(void)state;
	memset(&set, 0, sizeof(set));
	memset(&info, 0, sizeof(info));
	return 0;
}

static void add_range(uint64_t start, uint64_t end, enum boot_range_type type)
{
	info.ranges[info.range_count++] = (struct boot_range){start, end, type};
}

static void assert_range(uint32_t i, uint64_t start, uint64_t end)
{
	assert_true(i < set.count);
	assert_int_equal(set.ranges[i].start, start);
	assert_int_equal(set.ranges[i].end, end);
}

static void test_add(void **state)
{
	(void)state;
	memory_add(&set, 100, 200);
	memory_add(&set, 300, 400);
	memory_add(&set, 10, 20);
	memory_add(&set, 5, 5);
	assert_int_equal(set.count, 3);
	assert_range(0, 10, 20);
	memory_add(&set, 200, 300); /* touches on both sides */
	assert_int_equal(set.count, 2);
	assert_range(1, 100, 400);
	memory_add(&set, 15, 150);
	assert_int_equal(set.count, 1);
	assert_range(0, 10, 400);
	memory_add(&set, 50, 60);
	assert_range(0, 10, 400);
	assert_int_equal(memory_total(&set), 390);
}

static void test_remove(void **state)
{
	(void)state;
	memory_add(&set, 100, 200);
	memory_add(&set, 300, 400);
	memory_remove(&set, 0, 100);
	memory_remove(&set, 200, 300);
	memory_remove(&set, 150, 150);
	assert_int_equal(set.count, 2);
	memory_remove(&set, 120, 130);
	assert_int_equal(set.count, 3);
	assert_range(0, 100, 120);
	assert_range(1, 130, 200);
	memory_remove(&set, 110, 350);
	assert_int_equal(set.count, 2);
	assert_range(0, 100, 110);
	assert_range(1, 350, 400);
	memory_remove(&set, 0, UINT64_MAX);
	assert_int_equal(set.count, 0);
}

static void test_take(void **state)
{
	(void)state;
	memory_add(&set, 1 * MIB, 2 * MIB);
	memory_add(&set, 16 * MIB, 64 * MIB + 5);
	memory_add(&set, 4096 * MIB, 8192 * MIB);
	assert_int_equal(memory_take(&set, 4096, 4096 * MIB), 64 * MIB - 4096);
	assert_int_equal(memory_take(&set, 4096, 4096 * MIB), 64 * MIB - 8192);
	assert_int_equal(memory_take(&set, 4096, 4 * MIB), 2 * MIB - 4096);
	assert_int_equal(memory_take(&set, 64 * MIB, 4096 * MIB), 0);
	assert_int_equal(memory_take(&set, 48 * MIB, UINT64_MAX), 8144 * MIB);
	assert_int_equal(memory_take(&set, MIB, MIB), 0);
}

static void test_overflow(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < MEMORY_MAX_RANGES + 1; i++)
		memory_add(&set, 3 * i, 3 * i + 1);
	assert_int_equal(set.count, MEMORY_MAX_RANGES);
	assert_true(set.overflow);
}

static void test_maps(void **state)
{
	(void)state;
	add_range(0x100000, 0x40000000, BOOT_RAM);
	add_range(0, 0x9fc00, BOOT_RAM);
	add_range(0x9fc00, 0xa0000, BOOT_RESERVED);
	add_range(0x30000000, 0x30000010, BOOT_BAD); /* says other than the first */
	add_range(0x40000000, 0x40000800, BOOT_ACPI_RECLAIM);
	add_range(0x40000800, 0x40001000, BOOT_ACPI_NVS);
	add_range(UINT64_MAX - 5, UINT64_MAX, BOOT_RAM);
	info.modules[info.module_count++] = (struct boot_module){.phys = 0x2000010, .size = 0x1000};

	memory_free_set(&set, &info);
	assert_int_equal(set.count, 4);
	assert_range(0, 0, 0x9f000);
	assert_range(1, 0x100000, 0x2000000);
	assert_range(2, 0x2002000, 0x30000000);
	assert_range(3, 0x30001000, 0x40000000);

	memory_direct_set(&set, &info);
	assert_int_equal(set.count, 3);
	assert_range(0, 0, 0x9f000);
	assert_range(1, 0x100000, 0x30000000);
	assert_range(2, 0x30001000, 0x40001000);
}

/* The same by one flag a page, on random maps of 256 pages. */
static void test_against_model(void **state)
{
	enum { PAGES = 256 };
	(void)state;
	srand(1);
	for (int round = 0; round < 200; round++) {
		uint8_t model[PAGES] = {0};

		memset(&set, 0, sizeof(set));
		for (int step = 0; step < 40; step++) {
			uint64_t start = rand() % PAGES, end = start + rand() % (PAGES - start);
			bool add = rand() % 2;

			(add ? memory_add : memory_remove)(&set, start << 12, end << 12);
			memset(model + start, add, end - start);
		}
		for (uint64_t page = 0; page < PAGES; page++) {
			bool in = false;

			for (uint32_t i = 0; i < set.count; i++)
				in |= set.ranges[i].start <= page << 12 &&
				      page << 12 < set.ranges[i].end;
			assert_int_equal(in, model[page]);
		}
		for (uint32_t i = 1; i < set.count; i++)
			assert_true(set.ranges[i - 1].end < set.ranges[i].start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_add, setup),
		cmocka_unit_test_setup(test_remove, setup),
		cmocka_unit_test_setup(test_take, setup),
		cmocka_unit_test_setup(test_overflow, setup),
		cmocka_unit_test_setup(test_maps, setup),
		cmocka_unit_test_setup(test_against_model, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
