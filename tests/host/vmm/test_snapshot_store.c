/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/checkpoint/store.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_memory.c */
/* Checkpoints in memory: names, contents, the limit, and that all of it comes back. */
#include "kernel/page_alloc.h"
#include "tests/host/fake/kernel/fake_memory.h"
#include "vmm/checkpoint/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK 65536u

static uint8_t byte_at(size_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

static int fill(struct snapshot *s, size_t len)
{
	uint8_t part[1000];
	size_t at = 0;
	int err = 0;

	while (at < len && !err) {
		size_t n = MIN(len - at, sizeof(part));

		for (size_t i = 0; i < n; i++)
			part[i] = byte_at(at + i);
		err = snapshot_append(s, part, n);
		at += n;
	}
	return err;
}

static void test_contents(void **state)
{
	struct checkpoint_source source;
	struct snapshot *s;
	uint8_t buf[1500];

	(void)state;
	assert_int_equal(snapshot_create("one", &s), 0);
	assert_int_equal(fill(s, 2 * BLOCK - 5), 0);
	assert_null(snapshot_find("one")); /* not whole yet */
	snapshot_publish(s);
	assert_ptr_equal(snapshot_find("one"), s);
	snapshot_source(s, &source);
	assert_int_equal(source.size, 2 * BLOCK - 5);
	for (size_t at = 0; at + sizeof(buf) <= source.size; at += 777) {
		source.read(source.opaque, at, buf, sizeof(buf));
		for (size_t i = 0; i < sizeof(buf); i++)
			assert_int_equal(buf[i], byte_at(at + i));
	}
	snapshot_delete(s);
	assert_null(snapshot_find("one"));
	assert_int_equal(objects, 0);
	assert_int_equal(pages_left, PAGES);
}

static void test_names(void **state)
{
	struct snapshot *a, *b;
	const char *name;
	uint64_t bytes;

	(void)state;
	assert_int_equal(snapshot_create("a/b", &a), -EINVAL);
	assert_int_equal(snapshot_create("", &a), -EINVAL);
	assert_int_equal(snapshot_create("a23456789012345678901234567890123", &a), -EINVAL);
	assert_int_equal(snapshot_create("a", &a), 0);
	snapshot_publish(a);
	assert_int_equal(snapshot_create("a", &b), -EEXIST);
	assert_int_equal(snapshot_create("b", &b), 0);
	assert_int_equal(fill(b, 10), 0);
	snapshot_publish(b);
	assert_ptr_equal(snapshot_nth(1, &name, &bytes), b);
	assert_string_equal(name, "b");
	assert_int_equal(bytes, 10);
	assert_null(snapshot_nth(2, &name, &bytes));
	snapshot_delete(a);
	snapshot_delete(b);
	assert_null(snapshot_nth(0, &name, &bytes));
	assert_int_equal(objects, 0);
}

static void test_limit(void **state)
{
	struct snapshot *s;
	uint64_t taken;

	(void)state;
	assert_int_equal(snapshot_create("big", &s), 0);
	assert_int_equal(fill(s, PAGES / 2 * PAGE_SIZE), 0);
	assert_int_equal(snapshot_append(s, "x", 1), -ENOSPC);
	snapshot_delete(s);
	assert_int_equal(snapshot_create("big", &s), 0);
	taken = pages_left;
	pages_left = 16; /* others have it */
	assert_int_equal(fill(s, 2 * BLOCK), -ENOMEM);
	pages_left += taken - 16;
	snapshot_delete(s);
	assert_int_equal(pages_left, PAGES);
	assert_int_equal(objects, 0);
}

/* Where there is no snapshot, what is free now decides, and not what was. */
static void test_limit_follows(void **state)
{
	struct snapshot *s;
	uint64_t taken;

	(void)state;
	assert_int_equal(snapshot_create("small", &s), 0);
	snapshot_delete(s);
	pages_left = PAGES / 2; /* others have it */
	assert_int_equal(snapshot_create("small", &s), 0);
	assert_int_equal(fill(s, PAGES / 4 * PAGE_SIZE), 0);
	assert_int_equal(snapshot_append(s, "x", 1), -ENOSPC);
	assert_int_equal(snapshot_room(&taken), PAGES / 4 * PAGE_SIZE);
	assert_int_equal(taken, PAGES / 4 * PAGE_SIZE);
	snapshot_delete(s);
	pages_left = PAGES;
	assert_int_equal(snapshot_create("big", &s), 0);
	assert_int_equal(fill(s, PAGES / 2 * PAGE_SIZE), 0);
	snapshot_delete(s);
	assert_int_equal(pages_left, PAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
