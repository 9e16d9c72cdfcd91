/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/words.c */
/* A line as commands and words: what a shell makes of quotes, and bounds. */
#include "admin/words.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char got[8192];

/* All of the line as <word><word>; for each command, and what ended it early. */
static const char *split(const char *line, int status, bool raw)
{
	struct words words;
	size_t at = 0;

	words_init(&words, line);
	got[0] = '\0';
	while (words_more(&words)) {
		int more;

		words_begin(&words);
		while ((more = words_take(&words, status, raw)) == 1)
			;
		for (int i = 0; i < words.argc; i++)
			at += (size_t)snprintf(got + at, sizeof(got) - at, "<%s>", words.argv[i]);
		assert_null(words.argv[words.argc]);
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s",
				       more == -EINVAL	? "!quote"
				       : more == -E2BIG ? "!long"
							: ";");
		if (more)
			break;
	}
	return got;
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(split("", 0, false), "");
	assert_string_equal(split("  \t ", 0, false), ";");
	assert_string_equal(split("a  b\tc ", 0, false), "<a><b><c>;");
	assert_string_equal(split("a;b ; c;", 0, false), "<a>;<b>;<c>;");
	assert_string_equal(split(";;a", 0, false), ";;<a>;");
	assert_string_equal(split("a # b; c", 0, false), "<a>;");
	assert_string_equal(split("#a", 0, false), ";");
	assert_string_equal(split("a#b;c#", 0, false), "<a#b>;<c#>;");
}

static void test_quotes(void **state)
{
	(void)state;
	assert_string_equal(split("'a b;c#d' \"e; f\"", 0, false), "<a b;c#d><e; f>;");
	assert_string_equal(split("'AB''CD' \"A\"\"B\" a'b'\"c\"d", 0, false), "<ABCD><AB><abcd>;");
	assert_string_equal(split("'' \"\" ''\"\"", 0, false), "<><><>;");
	assert_string_equal(split("\"a\\\"b\\\\c\\$?\\n\" 'd\\'e", 0, false),
			    "<a\"b\\c$?\\n><d\\e>;");
	assert_string_equal(split("a\\ b \\; \\# \\' \\", 0, false), "<a b><;><#><'><\\>;");
	assert_string_equal(split("\"it's\" 'say \"x\"'", 0, false), "<it's><say \"x\">;");
	assert_string_equal(split("a 'b", 0, false), "<a>!quote");
	assert_string_equal(split("a \"b; c", 0, false), "<a>!quote");
}

static void test_status(void **state)
{
	(void)state;
	assert_string_equal(split("$? \"$?\" '$?' a$?b $ $x \\$?", 127, false),
			    "<127><127><$?><a127b><$><$x><$?>;");
	assert_string_equal(split("$?", -5, false), "<-5>;");
}

/* Options have quotes of their own: those of a shell only say where the word ends. */
static void test_raw(void **state)
{
	(void)state;
	assert_string_equal(split("a=\"b; \\\"c\" 'd e' $?;f", 1, true),
			    "<a=\"b; \\\"c\"><'d e'><$?>;<f>;");
	assert_string_equal(split("a \"b c", 0, true), "<a><\"b c>;");
}

static void test_bounds(void **state)
{
	char line[4 * WORDS_TEXT_MAX];

	(void)state;
	memset(line, 'x', sizeof(line));
	line[WORDS_TEXT_MAX - 1] = '\0';
	split(line, 0, false);
	assert_int_equal(strlen(got), WORDS_TEXT_MAX - 1 + 3);
	line[WORDS_TEXT_MAX - 1] = 'x';
	line[WORDS_TEXT_MAX] = '\0';
	assert_string_equal(split(line, 0, false), "!long");
	for (unsigned i = 0; i < sizeof(line) - 1; i++)
		line[i] = i % 2 ? ' ' : 'a';
	line[2 * WORDS_MAX] = '\0';
	split(line, 0, false);
	assert_int_equal(strlen(got), 3 * WORDS_MAX + 1);
	line[2 * WORDS_MAX] = 'a';
	line[2 * WORDS_MAX + 1] = '\0';
	split(line, 0, false);
	assert_non_null(strstr(got, "!long"));
	/* $? takes more than it has. */
	for (unsigned i = 0; i < WORDS_TEXT_MAX; i++)
		line[i] = "$?"[i % 2];
	line[WORDS_TEXT_MAX] = '\0';
	assert_string_equal(split(line, 1000000, false), "!long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),  cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_status), cmocka_unit_test(test_raw),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
