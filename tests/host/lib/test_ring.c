/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: lib/ring.c */
/* lib/ring.c against a plain string that holds what the ring should. */
#include "lib/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 16

static void test_fill_and_drain(void **state)
{
	char data[SIZE], out[SIZE];
	struct ring ring;

	(void)state;
	ring_init(&ring, data, SIZE);
	assert_int_equal(ring_put(&ring, "0123456789", 10), 10);
	assert_int_equal(ring_put(&ring, "abcdefghij", 10), 6);
	assert_int_equal(ring_space(&ring), 0);
	assert_int_equal(ring_get(&ring, out, 4), 4);
	assert_memory_equal(out, "0123", 4);
	assert_int_equal(ring_put(&ring, "xyzzy", 5), 4);
	assert_int_equal(ring_get(&ring, out, SIZE), SIZE);
	assert_memory_equal(out, "456789abcdefxyzz", SIZE);
	assert_int_equal(ring_get(&ring, out, SIZE), 0);
}

static void test_put_over_keeps_the_last(void **state)
{
	char data[SIZE], out[SIZE];
	struct ring ring;

	(void)state;
	ring_init(&ring, data, SIZE);
	ring_put_over(&ring, "0123456789", 10);
	ring_put_over(&ring, "abcdefghij", 10);
	assert_int_equal(ring_get(&ring, out, SIZE), SIZE);
	assert_memory_equal(out, "456789abcdefghij", SIZE);
	ring_put_over(&ring, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26);
	assert_int_equal(ring_used(&ring), SIZE);
	assert_int_equal(ring_get(&ring, out, SIZE), SIZE);
	assert_memory_equal(out, "KLMNOPQRSTUVWXYZ", SIZE);
}

static void test_peek_is_bounded(void **state)
{
	char data[SIZE], out[SIZE];
	struct ring ring;

	(void)state;
	ring_init(&ring, data, SIZE);
	ring_put_over(&ring, "0123456789abcdefghij", 20);
	assert_int_equal(ring.tail, 0);
	ring_put_over(&ring, "KL", 2);
	assert_int_equal(ring.tail, 2);
	assert_int_equal(ring_peek(&ring, 1, out, 1), 0);
	assert_int_equal(ring_peek(&ring, ring.head, out, 1), 0);
	assert_int_equal(ring_peek(&ring, ring.head - 3, out, SIZE), 3);
	assert_memory_equal(out, "jKL", 3);
}

static void test_random_against_model(void **state)
{
	char data[SIZE], model[SIZE + 8], in[8], out[SIZE];
	size_t kept = 0;
	struct ring ring;

	(void)state;
	srandom(1);
	ring_init(&ring, data, SIZE);
	for (int i = 0; i < 100000; i++) {
		size_t n = (size_t)random() % sizeof(in);
		size_t got;

		for (size_t k = 0; k < n; k++)
			in[k] = (char)random();
		if (random() & 1) {
			got = ring_put(&ring, in, n);
			assert_int_equal(got, n < SIZE - kept ? n : SIZE - kept);
			memcpy(model + kept, in, got);
			kept += got;
		} else {
			got = ring_get(&ring, out, n);
			assert_int_equal(got, n < kept ? n : kept);
			assert_memory_equal(out, model, got);
			kept -= got;
			memmove(model, model + got, kept);
		}
		assert_int_equal(ring_used(&ring), kept);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill_and_drain),
		cmocka_unit_test(test_put_over_keeps_the_last),
		cmocka_unit_test(test_peek_is_bounded),
		cmocka_unit_test(test_random_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
