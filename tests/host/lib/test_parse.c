/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: lib/parse.c */
/* lib/parse.c: what is a value, and what only looks like one. */
#include "lib/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_numbers(void **state)
{
	static const char *const bad[] = {"",
					  " 1",
					  "1 ",
					  "-1",
					  "+1",
					  "0x",
					  "0xg",
					  "1a",
					  "1 2",
					  "0x 1",
					  "x1",
					  "1K",
					  "18446744073709551616",
					  "0x10000000000000000"};
	uint64_t n = 7;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parse_uint(bad[i], &n));
	assert_int_equal(n, 7);
	assert_true(parse_uint("0", &n) && n == 0);
	assert_true(parse_uint("010", &n) && n == 10);
	assert_true(parse_uint("0xDeadBeef", &n) && n == 0xdeadbeef);
	assert_true(parse_uint("18446744073709551615", &n) && n == UINT64_MAX);
	assert_true(parse_uint("0xffffffffffffffff", &n) && n == UINT64_MAX);
}

static void test_sizes(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_true(parse_size("12", &n) && n == 12);
	assert_true(parse_size("4k", &n) && n == 4096);
	assert_true(parse_size("256M", &n) && n == UINT64_C(256) << 20);
	assert_true(parse_size("0x2G", &n) && n == UINT64_C(2) << 30);
	assert_true(parse_size("1T", &n) && n == UINT64_C(1) << 40);
	assert_false(parse_size("16777216T", &n));
	assert_false(parse_size("1MB", &n));
	assert_false(parse_size("1P", &n));
	assert_false(parse_size("M", &n));
	assert_false(parse_size("", &n));
}

static void test_words(void **state)
{
	uint64_t i = 9;
	bool on = false;

	(void)state;
	assert_true(parse_bool("yes", &on) && on);
	assert_true(parse_bool("off", &on) && !on);
	assert_true(parse_bool("true", &on) && on);
	assert_false(parse_bool("1", &on));
	assert_false(parse_bool("", &on));
	assert_true(parse_choice("b", "a|b|c", &i) && i == 1);
	assert_true(parse_choice("c", "a|b|c", &i) && i == 2);
	assert_false(parse_choice("a|b", "a|b|c", &i));
	assert_false(parse_choice("", "a|b|c", &i));
	assert_false(parse_choice("ab", "a|abc", &i));
	assert_true(parse_choice("", "a||c", &i) && i == 1);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(parse_name("com1", 4));
	assert_false(parse_name("com10", 4));
	assert_true(parse_name("a.b_c-d", 63));
	assert_false(parse_name("", 63));
	assert_false(parse_name("-a", 63));
	assert_false(parse_name("a b", 63));
	assert_false(parse_name("a/b", 63));
	assert_false(parse_name("\xc3\xa4", 63));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
