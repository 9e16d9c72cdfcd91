/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/page_alloc.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_memory.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/*
 * kernel/page_alloc.c. Its state is one for the program: RAM is added once,
 * and each test must leave the allocator as it was.
 */
#include "kernel/page_alloc.h"
#include "arch/x86_64/paging.h"
#include "tests/host/fake/arch/x86_64/fake_memory.h"
#include "tests/host/fake/kernel/fake_panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static struct page_owner owner_a, owner_b;
static struct page_stats start;

static int setup(void **state)
{
	(void)state;
	fake_memory_init(8 * GIB);
	page_owner_register(&owner_a, "a");
	page_owner_register(&owner_b, "b");
	/* As a PC's map: below 640 KiB, up to the PCI hole, above 4 GiB; odd ends; too small ones.
	 */
	page_alloc_add(0, 0x9fc00);
	page_alloc_add(1 * MIB, 3 * GIB - 12345);
	page_alloc_add(3 * GIB + 4096, 3 * GIB + 8192);
	page_alloc_add(3 * GIB + 5000, 3 * GIB + 5001);
	page_alloc_add(4 * GIB, 7 * GIB + 64 * MIB);
	page_alloc_stats(&start);
	return 0;
}

static void assert_as_before(void)
{
	struct page_stats now;

	page_alloc_stats(&now);
	assert_memory_equal(&now, &start, sizeof(now));
	assert_int_equal(owner_a.pages, 0);
	assert_int_equal(owner_b.pages, 0);
}

static void test_all_ram_is_there(void **state)
{
	uint64_t ram = 0x9f000 - 4096 + 3 * GIB - 4 * 4096 - MIB + 3 * GIB + 64 * MIB;
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(start.free, start.total);
	/* Two bytes of 4096 say what the page is. */
	assert_in_range(start.total << PAGE_SHIFT, ram - ram / 2000, ram);
	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
		sum += start.free_by_order[order] << order;
	assert_int_equal(sum, start.free);
	/* [1, 2), [4, 5), [5, 6), [6, 7) GiB are whole, [2, 3) is cut. */
	assert_int_equal(start.free_by_order[PAGE_ORDER_1G], 4);
}

static void test_orders_are_aligned_and_charged(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
		void *p = page_alloc(&owner_a, order);

		assert_non_null(p);
		assert_int_equal(paging_phys(p) & ((PAGE_SIZE << order) - 1), 0);
		assert_int_equal(owner_a.pages, UINT64_C(1) << order);
		assert_int_equal(page_alloc_order(&owner_a, p), order);
		assert_true(page_alloc_order(&owner_b, p) < 0);
		assert_true(page_alloc_order(&owner_a, (char *)p + 1) < 0);
		page_free(&owner_a, p, order);
	}
	assert_null(page_alloc(&owner_a, PAGE_ORDER_MAX + 1));
	assert_as_before();
}

static void test_exhaustion_and_coalescing(void **state)
{
	void **blocks = calloc(start.total, sizeof(*blocks));
	uint64_t n = 0;

	(void)state;
	/* 2 MiB blocks, so that not every page costs the host one. */
	for (void *p; (p = page_alloc(&owner_a, PAGE_ORDER_2M)); n++)
		blocks[n] = p;
	assert_true(n > 3000);
	for (uint64_t i = 0; i < n; i += 2)
		page_free(&owner_a, blocks[i], PAGE_ORDER_2M);
	assert_null(page_alloc(&owner_b, PAGE_ORDER_1G));
	for (uint64_t i = 1; i < n; i += 2)
		page_free(&owner_a, blocks[i], PAGE_ORDER_2M);
	free(blocks);
	assert_as_before();
}

static void test_zeroed(void **state)
{
	char *p = page_alloc(&owner_a, 3);

	(void)state;
	memset(p, 0xff, PAGE_SIZE << 3);
	page_free(&owner_a, p, 3);
	p = page_alloc_zeroed(&owner_a, 3);
	for (size_t i = 0; i < PAGE_SIZE << 3; i++)
		assert_int_equal(p[i], 0);
	page_free(&owner_a, p, 3);
	assert_as_before();
}

#define BLOCKS 500

static struct block {
	uint64_t *p;
	unsigned order;
	struct page_owner *owner;
} blocks[BLOCKS];

/* The first and last word of each block hold its number: two that overlap would show. */
static uint64_t *block_last(const struct block *block)
{
	return block->p + (PAGE_SIZE << block->order) / sizeof(uint64_t) - 1;
}

static void block_alloc(struct block *block)
{
	block->order = (unsigned)random() % 9 + (random() % 50 == 0 ? 5 : 0);
	block->owner = random() % 2 ? &owner_a : &owner_b;
	block->p = page_alloc(block->owner, block->order);
	assert_non_null(block->p);
	*block->p = (uint64_t)(block - blocks);
	*block_last(block) = (uint64_t)(block - blocks);
}

static void block_free(struct block *block)
{
	assert_int_equal(*block->p, block - blocks);
	assert_int_equal(*block_last(block), block - blocks);
	page_free(block->owner, block->p, block->order);
	block->p = NULL;
}

static void test_random_against_model(void **state)
{
	uint64_t pages[2] = {0, 0};

	(void)state;
	srandom(4);
	for (uint64_t n = 1; n < 40000; n++) {
		struct block *block = &blocks[random() % BLOCKS];

		if (block->p) {
			pages[block->owner == &owner_b] -= UINT64_C(1) << block->order;
			block_free(block);
		} else {
			block_alloc(block);
			pages[block->owner == &owner_b] += UINT64_C(1) << block->order;
		}
		assert_int_equal(owner_a.pages, pages[0]);
		assert_int_equal(owner_b.pages, pages[1]);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		if (blocks[i].p)
			block_free(&blocks[i]);
	assert_as_before();
}

static void sum_owner(void *opaque, const char *name, uint64_t pages)
{
	uint64_t *sum = opaque;

	assert_true(!strcmp(name, "a") || !strcmp(name, "b") || !strcmp(name, "c"));
	*sum += pages;
}

static void test_owners_come_and_go(void **state)
{
	struct page_owner owner_c;
	uint64_t sum = 0;
	void *p, *q;

	(void)state;
	page_owner_register(&owner_c, "c");
	p = page_alloc(&owner_c, 2);
	q = page_alloc(&owner_a, 1);
	page_owner_for_each(sum_owner, &sum);
	assert_int_equal(sum, 6);
	assert_true(FAKE_PANICS(page_owner_unregister(&owner_c)));
	page_free(&owner_c, p, 2);
	page_owner_unregister(&owner_c);
	page_free(&owner_a, q, 1);
	assert_as_before();
}

/* A panic leaves the allocator locked: each wrong free has a process of its own. */
static void assert_dies(struct page_owner *owner, void *p, unsigned order)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(FAKE_PANICS(page_free(owner, p, order)) ? 7 : 8);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void test_wrong_frees_panic(void **state)
{
	char *p = page_alloc(&owner_a, 1);

	(void)state;
	assert_dies(&owner_b, p, 1);
	assert_dies(&owner_a, p, 0);
	assert_dies(&owner_a, p, 2);
	assert_dies(&owner_a, p + PAGE_SIZE, 0);
	assert_dies(&owner_a, p + 8, 1);
	assert_dies(&owner_a, paging_direct(0), 0);
	assert_dies(&owner_a, paging_direct(100 * GIB), 0);
	page_free(&owner_a, p, 1);
	assert_dies(&owner_a, p, 1);
	assert_as_before();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_ram_is_there),
		cmocka_unit_test(test_orders_are_aligned_and_charged),
		cmocka_unit_test(test_exhaustion_and_coalescing),
		cmocka_unit_test(test_zeroed),
		cmocka_unit_test(test_random_against_model),
		cmocka_unit_test(test_owners_come_and_go),
		cmocka_unit_test(test_wrong_frees_panic),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
