/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: lib/cobs.c */
#include "lib/cobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONGEST 1024

static void check(const char *plain, size_t plain_len, const char *stuffed, size_t stuffed_len)
{
	uint8_t out[16];

	assert_int_equal(cobs_encode((const uint8_t *)plain, plain_len, out), stuffed_len);
	assert_memory_equal(out, stuffed, stuffed_len);
	assert_int_equal(cobs_decode(out, stuffed_len, out), plain_len);
	assert_memory_equal(out, plain, plain_len);
}

#define CHECK(plain, stuffed) check(plain, sizeof(plain) - 1, stuffed, sizeof(stuffed) - 1)

static void test_short(void **state)
{
	(void)state;
	CHECK("", "\x01");
	CHECK("\0", "\x01\x01");
	CHECK("\0\0", "\x01\x01\x01");
	CHECK("\0a\0", "\x01\x02"
		       "a\x01");
	CHECK("ab\0c", "\x03"
		       "ab\x02"
		       "c");
	CHECK("abcd", "\x05"
		      "abcd");
}

/* Blocks that are full, at the end and before more. */
static void test_long(void **state)
{
	uint8_t plain[256], out[COBS_MAX(256)];

	(void)state;
	memset(plain, 'x', sizeof(plain));
	assert_int_equal(cobs_encode(plain, 253, out), 254);
	assert_int_equal(out[0], 254);
	assert_int_equal(cobs_encode(plain, 254, out), 255);
	assert_int_equal(out[0], 255);
	assert_int_equal(cobs_encode(plain, 255, out), 257);
	assert_int_equal(out[255], 2);
	plain[254] = 0;
	assert_int_equal(cobs_encode(plain, 255, out), 257);
	assert_memory_equal(out + 255, "\x01\x01", 2);
}

/* Any bytes: as long as they may be, without a zero, and back. */
static void test_any(void **state)
{
	uint8_t *plain = malloc(LONGEST), *out = malloc(COBS_MAX(LONGEST)), *back;

	(void)state;
	srand(6);
	for (unsigned round = 0; round < 3000; round++) {
		size_t len = (size_t)rand() % LONGEST, n;
		int zeroes = rand() % 300;

		for (size_t i = 0; i < len; i++)
			plain[i] = (uint8_t)(rand() % 300 < zeroes ? 0 : rand());
		n = cobs_encode(plain, len, out);
		assert_true(n <= COBS_MAX(len));
		assert_null(memchr(out, 0, n));
		back = malloc(n);
		assert_int_equal(cobs_decode(out, n, back), len);
		assert_memory_equal(back, plain, len);
		free(back);
	}
	free(plain);
	free(out);
}

static void test_refused(void **state)
{
	uint8_t out[16];

	(void)state;
	assert_int_equal(cobs_decode((const uint8_t *)"\x05"
						      "abc",
				     4, out),
			 SIZE_MAX);
	assert_int_equal(cobs_decode((const uint8_t *)"\0", 1, out), SIZE_MAX);
	assert_int_equal(cobs_decode((const uint8_t *)"\x03"
						      "a\0",
				     3, out),
			 SIZE_MAX);
	assert_int_equal(cobs_decode((const uint8_t *)"\x02"
						      "a\xff",
				     3, out),
			 SIZE_MAX);
	assert_int_equal(cobs_decode((const uint8_t *)"", 0, out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
