/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/fast_crc32c.c lib/crc32c.c */
/* The CPU's instruction gives what the table does, for all lengths and pieces. */
#include "kernel/fast_crc32c.h"
#include "lib/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_same(void **state)
{
	uint8_t data[100];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 37 + i / 3);
	for (size_t len = 0; len <= sizeof(data); len++) {
		uint32_t whole = crc32c(0, data, len);

		assert_int_equal(fast_crc32c(0, data, len), whole);
		for (size_t at = 0; at <= len; at += 7)
			assert_int_equal(fast_crc32c(fast_crc32c(0, data, at), data + at, len - at),
					 whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_same)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
