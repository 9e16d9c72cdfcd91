/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/tlb_tag.c */
/* vmm/tlb_tag.c: who has which tag, and when all are flushed. */
#include "vmm/tlb_tag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* No two vCPUs have one tag in one generation, and a new generation begins with a flush. */
static void test_tags_are_unique(void **state)
{
	struct tlb_tag_pool pool;
	uint64_t generation = 0;
	bool used[16];

	(void)state;
	tlb_tag_pool_init(&pool, ARRAY_SIZE(used));
	for (int i = 0; i < 1000; i++) {
		struct tlb_tag tag = {0};
		bool flush;

		assert_false(tlb_tag_valid(&tag, &pool, 3));
		flush = tlb_tag_assign(&tag, &pool, 3);
		assert_true(tlb_tag_valid(&tag, &pool, 3));
		assert_false(tlb_tag_valid(&tag, &pool, 4));
		assert_int_equal(flush, tag.generation != generation);
		if (tag.generation != generation)
			memset(used, 0, sizeof(used));
		generation = tag.generation;
		assert_in_range(tag.value, 1, ARRAY_SIZE(used) - 1);
		assert_false(used[tag.value]);
		used[tag.value] = true;
	}
}

static void test_tags_end_with_their_generation(void **state)
{
	struct tlb_tag_pool pool;
	struct tlb_tag first = {0}, other = {0};

	(void)state;
	tlb_tag_pool_init(&pool, 2);
	assert_true(tlb_tag_assign(&first, &pool, 0));
	assert_true(tlb_tag_valid(&first, &pool, 0));
	assert_true(tlb_tag_assign(&other, &pool, 0));
	assert_false(tlb_tag_valid(&first, &pool, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags_are_unique),
		cmocka_unit_test(test_tags_end_with_their_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
