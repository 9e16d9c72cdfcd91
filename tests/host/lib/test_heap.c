/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: lib/heap.c */
/* lib/heap.c: random insertions and removals against a search through all nodes. */
#include "lib/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define NODES 200

static struct heap_node nodes[NODES];
static bool inside[NODES];

static uint64_t smallest(void)
{
	uint64_t key = UINT64_MAX;

	for (int i = 0; i < NODES; i++)
		if (inside[i] && nodes[i].key < key)
			key = nodes[i].key;
	return key;
}

static void test_random_against_search(void **state)
{
	struct heap_node *root = NULL;

	(void)state;
	srandom(2);
	for (int n = 0; n < 200000; n++) {
		int i = random() % NODES;

		if (inside[i]) {
			heap_remove(&root, &nodes[i]);
		} else {
			nodes[i].key = (uint64_t)random() % 1000;
			heap_insert(&root, &nodes[i]);
		}
		inside[i] = !inside[i];
		if (root)
			assert_int_equal(root->key, smallest());
		else
			assert_int_equal(smallest(), UINT64_MAX);
	}
}

static void test_sorts(void **state)
{
	struct heap_node *root = NULL;
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < NODES; i++) {
		nodes[i].key = (uint64_t)random();
		heap_insert(&root, &nodes[i]);
	}
	for (int i = 0; i < NODES; i++) {
		assert_non_null(root);
		assert_true(root->key >= last);
		last = root->key;
		heap_remove(&root, root);
	}
	assert_null(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_against_search),
		cmocka_unit_test(test_sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
