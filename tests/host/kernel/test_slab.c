/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/slab.c kernel/page_alloc.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_memory.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* kernel/slab.c over the real page allocator. */
#include "kernel/slab.h"
#include "kernel/page_alloc.h"
#include "tests/host/fake/arch/x86_64/fake_memory.h"
#include "tests/host/fake/kernel/fake_panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static struct page_stats start;

static int setup(void **state)
{
	(void)state;
	fake_memory_init(128 * MIB);
	page_alloc_add(MIB, 64 * MIB);
	slab_init();
	page_alloc_stats(&start);
	return 0;
}

static void assert_nothing_leaked(void)
{
	struct page_stats now;

	page_alloc_stats(&now);
	assert_int_equal(now.free, start.free);
	assert_int_equal(slab_in_use(), 0);
}

static void test_sizes_and_alignment(void **state)
{
	(void)state;
	assert_null(kmalloc(0));
	kfree(NULL);
	for (size_t size = 1; size <= 20000; size++) {
		char *p = kmalloc(size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		if (!(size & (size - 1)))
			assert_int_equal((uintptr_t)p % (size < 4096 ? size : 4096), 0);
		assert_true(slab_in_use() >= size);
		memset(p, 0xa5, size);
		kfree(p);
	}
	assert_nothing_leaked();
}

static void test_zeroed_and_copies(void **state)
{
	char *p, *s;

	(void)state;
	p = kmalloc(100);
	memset(p, 0xff, 100);
	kfree(p);
	p = kzalloc(100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	kfree(p);
	s = kstrdup("alcazar");
	assert_string_equal(s, "alcazar");
	kfree(s);
	assert_null(kcalloc(SIZE_MAX / 2, 3));
	p = kcalloc(10, 10);
	assert_int_equal(p[99], 0);
	kfree(p);
	assert_nothing_leaked();
}

static void test_out_of_memory(void **state)
{
	void **list = NULL, **p;

	(void)state;
	assert_null(kmalloc(64 * MIB));
	while ((p = kmalloc(2048))) {
		*p = list;
		list = p;
	}
	assert_null(kmalloc(2048));
	while (list) {
		p = *list;
		kfree(list);
		list = p;
	}
	assert_nothing_leaked();
}

#define OBJECTS 2000

static void test_random_against_model(void **state)
{
	static struct {
		unsigned char *p;
		size_t size;
	} objects[OBJECTS];

	(void)state;
	srandom(5);
	for (int n = 0; n < 300000; n++) {
		size_t i = (size_t)random() % OBJECTS;

		if (objects[i].p) {
			assert_int_equal(objects[i].p[0], i & 0xff);
			assert_int_equal(objects[i].p[objects[i].size - 1], i & 0xff);
			kfree(objects[i].p);
			objects[i].p = NULL;
			continue;
		}
		objects[i].size = (size_t)random() % (random() % 20 ? 300 : 9000) + 1;
		objects[i].p = kmalloc(objects[i].size);
		assert_non_null(objects[i].p);
		memset(objects[i].p, (int)(i & 0xff), objects[i].size);
	}
	for (size_t i = 0; i < OBJECTS; i++)
		kfree(objects[i].p);
	assert_nothing_leaked();
}

static void assert_dies(const void *p)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(FAKE_PANICS(kfree(p)) ? 7 : 8);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void test_wrong_frees_panic(void **state)
{
	char *p = kmalloc(64), *q = kmalloc(64), *big = kmalloc(10000);

	(void)state;
	assert_dies(p + 1);
	assert_dies(p + 16);
	assert_dies(p - 64);
	kfree(p);
	assert_dies(p);
	assert_dies(big + 4096);
	kfree(big);
	assert_dies(big);
	kfree(q);
	assert_dies(q);
	assert_nothing_leaked();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_and_alignment),
		cmocka_unit_test(test_zeroed_and_copies),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_random_against_model),
		cmocka_unit_test(test_wrong_frees_panic),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
