/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: drivers/screen.c drivers/font.c */
/* drivers/screen.c on cells that the test keeps; the letters of the font. */
#include "drivers/screen.h"
#include "drivers/font.h"
#include "kernel/log.h"
#include "kernel/page_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDTH  10
#define HEIGHT 4

static struct screen screen;
/* What was drawn, with a newline behind each row. */
static char drawn[HEIGHT][WIDTH + 1];
static unsigned cursor_x, cursor_y, draws;

static void draw(struct screen *s, unsigned x, unsigned y, char c, bool cursor)
{
	assert_ptr_equal(s, &screen);
	assert_true(x < WIDTH && y < HEIGHT && c >= ' ' && c < 0x7f);
	drawn[y][x] = c;
	if (cursor) {
		cursor_x = x;
		cursor_y = y;
	}
	draws++;
}

void console_register(struct console_sink *sink)
{
	assert_ptr_equal(sink, &screen.sink);
}

void log_for_each(void (*line)(void *opaque, const char *text), void *opaque)
{
	line(opaque, "[0] early");
	line(opaque, "[0] debug: x");
}

static bool no_memory;
static void *pages;

void page_owner_register(struct page_owner *owner, const char *name)
{
	owner->name = name;
}

void *page_alloc_zeroed(struct page_owner *owner, unsigned order)
{
	(void)owner;
	pages = no_memory ? NULL : calloc(1, PAGE_SIZE << order);
	return pages;
}

static void write_text(const char *s)
{
	draws = 0;
	screen.sink.write(&screen.sink, s, strlen(s));
}

static void assert_rows(const char *a, const char *b, const char *c, const char *d)
{
	const char *rows[] = {a, b, c, d};

	for (int i = 0; i < HEIGHT; i++) {
		char row[WIDTH + 1];
		int end = WIDTH;

		memcpy(row, drawn[i], WIDTH);
		while (end && row[end - 1] == ' ')
			end--;
		row[end] = '\0';
		assert_string_equal(row, rows[i]);
	}
}

static int setup(void **state)
{
	(void)state;
	memset(&screen, 0, sizeof(screen));
	memset(drawn, '#', sizeof(drawn));
	screen.width = WIDTH;
	screen.height = HEIGHT;
	screen.draw = draw;
	free(pages);
	no_memory = true;
	assert_false(screen_register(&screen, "test"));
	no_memory = false;
	assert_true(screen_register(&screen, "test"));
	return 0;
}

static void test_shows_the_log_so_far(void **state)
{
	(void)state;
	assert_rows("[0] early", "", "", "");
	assert_int_equal(cursor_y, 1);
}

static void test_wraps_and_scrolls(void **state)
{
	(void)state;
	write_text("0123456789abc\n");
	assert_rows("[0] early", "0123456789", "abc", "");
	write_text("d\ne\n0123456789");
	assert_rows("abc", "d", "e", "0123456789");
	assert_int_equal(cursor_x, WIDTH - 1);
	write_text("\n");
	assert_rows("d", "e", "0123456789", "");
}

static void test_draws_only_what_changes(void **state)
{
	(void)state;
	write_text("x");
	assert_int_equal(draws, 3);
	write_text("");
	assert_int_equal(draws, 2);
}

static void test_editing(void **state)
{
	(void)state;
	write_text("> help\b\b");
	assert_int_equal(cursor_x, 4);
	write_text("\r\x1b[K");
	assert_rows("[0] early", "", "", "");
	write_text("a\tb");
	assert_rows("[0] early", "a       b", "", "");
	write_text("\r\b\b\b\bc");
	assert_rows("[0] early", "c       b", "", "");
}

static void test_sequences(void **state)
{
	(void)state;
	write_text("\x1b[2J\x1b[2;3Hx\x1b[1;1Hy\x1b[31;1mz\x1b[0m");
	assert_rows("yz", "  x", "", "");
	write_text("\x1b[9B\x1b[9CA\x1b[99A\x1b[99DB");
	assert_rows("Bz", "  x", "", "         A");
	write_text("\x1b[J");
	assert_rows("B", "", "", "");
	write_text("\x1b(\x1b[?25h\x1b[1;2;3;4;5q\xc3\xa9\xe2\x80\xa6");
	assert_rows("B??", "", "", "");
}

/* What the shell asks a terminal by is not to be seen. */
static void test_the_cursor_is_put_back(void **state)
{
	(void)state;
	write_text("\x1b[2J\x1b[H> \x1b"
		   "7\x1b[999;999H\x1b[6n\x1b"
		   "8help");
	assert_rows("> help", "", "", "");
	assert_int_equal(cursor_x, 6);
}

static void test_random_bytes(void **state)
{
	(void)state;
	srandom(6);
	for (int i = 0; i < 200000; i++) {
		/* Mostly what begins and makes up sequences. */
		static const char usual[] = "\x1b[;0123456789ABCDHJKm\r\n\b\t xyz";
		char c = random() % 4 ? usual[random() % (sizeof(usual) - 1)] : (char)random();

		screen.sink.write(&screen.sink, &c, 1);
	}
}

static void test_letters_differ(void **state)
{
	(void)state;
	for (int a = 0; a <= FONT_LAST - FONT_FIRST; a++)
		for (int b = 0; b < a; b++)
			assert_memory_not_equal(font_rows[a], font_rows[b], FONT_HEIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_shows_the_log_so_far, setup),
		cmocka_unit_test_setup(test_wraps_and_scrolls, setup),
		cmocka_unit_test_setup(test_draws_only_what_changes, setup),
		cmocka_unit_test_setup(test_editing, setup),
		cmocka_unit_test_setup(test_sequences, setup),
		cmocka_unit_test_setup(test_the_cursor_is_put_back, setup),
		cmocka_unit_test_setup(test_random_bytes, setup),
		cmocka_unit_test(test_letters_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
