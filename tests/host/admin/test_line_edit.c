/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/line_edit.c */
/* The line editor, key by key; and that no bytes at all upset it. */
#include "admin/line_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT  "\x1b[D"

static struct line_edit edit;

/* Types @keys; the last event that was not NOTHING. Enter keeps the line and starts a new one. */
static enum line_edit_event type(const char *keys)
{
	enum line_edit_event event, last = LINE_EDIT_NOTHING;

	for (; *keys; keys++) {
		event = line_edit_feed(&edit, (uint8_t)*keys);
		if (event != LINE_EDIT_NOTHING)
			last = event;
		if (event == LINE_EDIT_DONE)
			line_edit_reset(&edit, true);
	}
	return last;
}

/* After @keys on an empty line: the text, the cursor as |. */
static void expect(const char *keys, const char *expected)
{
	char shown[LINE_EDIT_MAX + 2];

	line_edit_reset(&edit, false);
	type(keys);
	memcpy(shown, edit.text, edit.cursor);
	shown[edit.cursor] = '|';
	strcpy(shown + edit.cursor + 1, edit.text + edit.cursor);
	assert_string_equal(shown, expected);
	assert_int_equal(edit.len, strlen(edit.text));
}

static void test_typing(void **state)
{
	(void)state;
	expect("list", "list|");
	expect("lisst\b\bt", "list|");
	expect("\b\x7f", "|");
	expect("a\xc3\xa4\x01z", "z|a");
	expect("ab" LEFT "x", "ax|b");
	expect("ab" LEFT LEFT LEFT "x", "x|ab");
	expect("ab" RIGHT "x", "abx|");
	expect("ab" LEFT LEFT RIGHT RIGHT RIGHT "x", "abx|");
	expect("abc" LEFT LEFT "\b", "|bc");
	expect("abc\x1b[H"
	       "x\x1b[Fy",
	       "xabcy|");
	expect("abc\x1b[1~x\x1b[4~y", "xabcy|");
	expect("abc\x1bOHx\x1bOFy", "xabcy|");
	expect("abc" LEFT LEFT "\x1b[3~", "a|c");
	expect("abc\x1b[3~", "abc|");
	expect("abc" LEFT "\x15", "|c");
	expect("abc" LEFT LEFT "\x0b", "a|");
	expect("abc\x01x\x05y", "xabcy|");
}

static void test_unknown_sequences_do_nothing(void **state)
{
	(void)state;
	expect("a\x1b[1;5Cb", "ab|");
	expect("a\x1b[?25hb", "ab|");
	expect("a\x1b[200~b", "ab|");
	expect("a\x1b[99999999~b", "ab|");
	expect("a\x1b\x1b[Db", "b|a");
	expect("a\x1b[\rb", "b|");
}

static void test_words_and_other_keys(void **state)
{
	(void)state;
	expect("start linux\x17", "start |");
	expect("start linux  \x17x", "start x|");
	expect("start linux" LEFT "\x17", "start |x");
	expect("\x17", "|");
	expect("ab\x02x\x06y", "axby|");
	expect("a\x1b[24;80Rb", "ab|");
	expect("a\x1b[24;80;1Rb", "ab|");
}

static void test_search(void **state)
{
	(void)state;
	memset(&edit, 0, sizeof(edit));
	type("start linux\rlist\rstart other\r");
	expect("\x12st", "start other|");
	expect("\x12st\x12", "list|");
	expect("\x12st\x12\x12", "start linux|");
	expect("\x12st\x12\x12\x12", "start linux|");
	expect("\x12li", "list|");
	expect("\x12lin", "start linux|");
	expect("\x12lin\b", "list|");
	expect("\x12zzz", "|");
	expect("draft\x12list\x03", "draft|");
	expect("draft\x12list\x07y", "drafty|");
	expect("\x12other\x01x", "x|start other");
	line_edit_reset(&edit, false);
	type("\x12li");
	assert_true(edit.searching);
	assert_string_equal(edit.search, "li");
	assert_int_equal(type("\x1b"), LINE_EDIT_CHANGED);
	assert_false(edit.searching);
	line_edit_reset(&edit, false);
	type("\x12oth");
	assert_int_equal(line_edit_feed(&edit, '\r'), LINE_EDIT_DONE);
	assert_string_equal(edit.text, "start other");
	line_edit_reset(&edit, false);
	for (unsigned i = 0; i < 2 * LINE_EDIT_SEARCH; i++)
		type(i ? "x" : "\x12");
	assert_true(edit.search_len <= LINE_EDIT_SEARCH);
}

static void test_events(void **state)
{
	(void)state;
	line_edit_reset(&edit, false);
	assert_int_equal(type("a"), LINE_EDIT_CHANGED);
	assert_int_equal(type("\x04"), LINE_EDIT_NOTHING);
	assert_int_equal(type("\t"), LINE_EDIT_TAB);
	assert_int_equal(type("\x0c"), LINE_EDIT_CLEAR);
	assert_int_equal(type("\x1b[50;132R"), LINE_EDIT_SIZE);
	assert_int_equal(edit.params[0], 50);
	assert_int_equal(edit.params[1], 132);
	assert_int_equal(type("\x1b[99999999;1R"), LINE_EDIT_SIZE);
	assert_int_equal(type("\x03"), LINE_EDIT_CANCEL);
	assert_int_equal(type("\r"), LINE_EDIT_DONE);
	assert_int_equal(type("\n"), LINE_EDIT_NOTHING); /* of the CR */
	assert_int_equal(type("\n"), LINE_EDIT_DONE);
}

static void test_history(void **state)
{
	(void)state;
	memset(&edit, 0, sizeof(edit));
	type("one\rtwo\rtwo\r\r");
	assert_int_equal(edit.history, 2);
	expect(UP, "two|");
	expect(UP UP, "one|");
	expect(UP UP UP, "one|");
	expect("draft" UP UP DOWN DOWN, "draft|");
	expect("x" UP DOWN DOWN "y", "xy|");
	expect(UP "!", "two!|");
	expect(UP, "two|");
}

static void test_history_is_bounded(void **state)
{
	char line[4] = "a\r";
	unsigned i;

	(void)state;
	memset(&edit, 0, sizeof(edit));
	for (i = 0; i < 2 * LINE_EDIT_HISTORY; i++) {
		line[0] = (char)('A' + i);
		type(line);
	}
	assert_int_equal(edit.history, LINE_EDIT_HISTORY);
	for (i = 0; i < 2 * LINE_EDIT_HISTORY; i++)
		type(UP);
	assert_int_equal(edit.text[0], 'A' + LINE_EDIT_HISTORY);
}

static void test_length_is_bounded(void **state)
{
	unsigned i;

	(void)state;
	line_edit_reset(&edit, false);
	for (i = 0; i < LINE_EDIT_MAX + 10; i++)
		type("x");
	assert_int_equal(edit.len, LINE_EDIT_MAX);
	type(LEFT);
	line_edit_insert(&edit, "abc");
	assert_int_equal(edit.len, LINE_EDIT_MAX);
	type("\b");
	line_edit_insert(&edit, "abc");
	assert_int_equal(edit.len, LINE_EDIT_MAX);
	assert_int_equal(edit.text[LINE_EDIT_MAX - 2], 'a');
}

static void test_any_bytes(void **state)
{
	unsigned i, n;

	(void)state;
	srand(1);
	for (i = 0; i < 200000; i++) {
		n = (unsigned)rand();
		/* Escape sequences more often than chance would have them. */
		if (line_edit_feed(&edit, n % 8 ? (uint8_t)(n >> 8)
						: "\x1b[3~ABCD"[(n >> 8) % 8]) == LINE_EDIT_DONE)
			line_edit_reset(&edit, true);
		assert_true(edit.cursor <= edit.len && edit.len <= LINE_EDIT_MAX);
		assert_int_equal(edit.text[edit.len], '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_typing),
		cmocka_unit_test(test_unknown_sequences_do_nothing),
		cmocka_unit_test(test_words_and_other_keys),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_history_is_bounded),
		cmocka_unit_test(test_length_is_bounded),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
