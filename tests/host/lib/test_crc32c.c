/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: lib/crc32c.c */
/* The examples of RFC 3720, B.4. */
#include "lib/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_examples(void **state)
{
	uint8_t data[32];

	(void)state;
	memset(data, 0, sizeof(data));
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x62a8ab43);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = i;
	assert_int_equal(crc32c(0, data, sizeof(data)), 0x46dd794e);
}

static void test_in_pieces(void **state)
{
	const char *text = "123456789";

	(void)state;
	assert_int_equal(crc32c(0, text, 0), 0);
	for (size_t at = 0; at <= 9; at++)
		assert_int_equal(crc32c(crc32c(0, text, at), text + at, 9 - at), 0xe3069283);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
