/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: lib/ini.c */
/* lib/ini.c: a text becomes calls, written down here as one string. */
#include "lib/ini.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char calls[8192];

static void note(const char *fmt, ...)
{
	size_t at = strlen(calls);
	va_list args;

	va_start(args, fmt);
	vsnprintf(calls + at, sizeof(calls) - at, fmt, args);
	va_end(args);
}

static int on_section(void *opaque, unsigned line, const char *kind, const char *id)
{
	(void)opaque;
	note("%u[%s|%s]", line, kind, id);
	return strcmp(kind, "stop") ? 0 : -ENOMEM;
}

static int on_key(void *opaque, unsigned line, const char *name, const char *value)
{
	(void)opaque;
	note("%u{%s|%s}", line, name, value);
	return 0;
}

static void on_error(void *opaque, unsigned line, const char *message)
{
	(void)opaque;
	note("%u!%.12s", line, message);
}

/* The text in a heap block of its exact size, for the sanitizer to guard. */
static int parse(const char *text, size_t len)
{
	const struct ini_handler handler = {on_section, on_key, on_error, NULL};
	char *copy = malloc(len ? len : 1);
	int err;

	calls[0] = '\0';
	memcpy(copy, text, len);
	err = ini_parse(copy, len, &handler);
	free(copy);
	return err;
}

static void expect(const char *text, const char *expected)
{
	assert_int_equal(parse(text, strlen(text)), 0);
	assert_string_equal(calls, expected);
}

static void expect_error(const char *text, unsigned line)
{
	char at[16];

	assert_int_equal(parse(text, strlen(text)), -EINVAL);
	snprintf(at, sizeof(at), "%u!", line);
	assert_non_null(strstr(calls, at));
}

static void test_syntax(void **state)
{
	(void)state;
	expect("", "");
	expect("\n\n  \n# all\n", "");
	expect("[vm \"a\"]\ncpus = 1", "1[vm|a]2{cpus|1}");
	expect("[boot]\r\n  cmdline=console=ttyS0 quiet  \r\n",
	       "1[boot|]2{cmdline|console=ttyS0 quiet}");
	expect("k = v # why", "1{k|v}");
	expect("k = a#b", "1{k|a#b}");
	expect("k =", "1{k|}");
	expect("k = # none", "1{k|}");
	expect("k = \" a # \\\"b\\\\ \" # why", "1{k| a # \"b\\ }");
	expect("k = a \"b\"", "1{k|a \"b\"}");
	expect("\t[ device  \"x\" ] # why", "1[device|x]");
	expect("[device \"\"]", "1[device|]");
}

static void test_errors(void **state)
{
	(void)state;
	expect_error("[vm", 1);
	expect_error("\n[vm \"a]", 2);
	expect_error("[vm \"a\" b]", 1);
	expect_error("[vm] k = v", 1);
	expect_error("[]", 1);
	expect_error("[\"a\"]", 1);
	expect_error("words", 1);
	expect_error("= v", 1);
	expect_error("k v", 1);
	expect_error("k = \"v", 1);
	expect_error("k = \"v\" w", 1);
	expect_error("k = \"\\n\"", 1);
	expect_error("k = \"\\", 1);
	expect_error("a = 1\nk = \x01", 2);
	assert_int_equal(parse("k\0= v", 5), -EINVAL);
}

static void test_result_of_a_handler_ends_it(void **state)
{
	(void)state;
	assert_int_equal(parse("[stop]\nk = v", 12), -ENOMEM);
	assert_string_equal(calls, "1[stop|]");
}

static void test_bounds(void **state)
{
	static char text[2 * INI_LINE_MAX];

	(void)state;
	memset(text, 'v', sizeof(text));
	memcpy(text, "k=", 2);
	assert_int_equal(parse(text, INI_LINE_MAX), 0);
	assert_int_equal(parse(text, INI_LINE_MAX + 1), -EINVAL);
	memset(text, 'k', INI_NAME_MAX + 1);
	memcpy(text + INI_NAME_MAX, "=v", 2);
	assert_int_equal(parse(text, INI_NAME_MAX + 2), 0);
	memset(text, 'k', INI_NAME_MAX + 1);
	memcpy(text + INI_NAME_MAX + 1, "=v", 2);
	assert_int_equal(parse(text, INI_NAME_MAX + 3), -EINVAL);
	memcpy(text, "[vm \"", 5);
	memset(text + 5, 'i', INI_NAME_MAX + 1);
	memcpy(text + 5 + INI_NAME_MAX + 1, "\"]", 2);
	assert_int_equal(parse(text, 5 + INI_NAME_MAX + 3), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_result_of_a_handler_ends_it),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
