/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/panic_card.c lib/crc32c.c */
/* What a panic leaves for the next start; memory that holds anything. */
#include "kernel/panic_card.h"
#include "kernel/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* On the heap, so that the sanitizer sees a step beyond its end. */
static char *memory;
static char said[65536];

void log_msg(enum log_level level, const char *fmt, ...)
{
	size_t at = strlen(said);
	va_list args;

	assert_int_equal(level, LOG_WARN);
	va_start(args, fmt);
	vsnprintf(said + at, sizeof(said) - at, fmt, args);
	va_end(args);
	strcat(said, "\n");
}

static int setup(void **state)
{
	(void)state;
	memory = calloc(1, PANIC_CARD_SIZE);
	said[0] = '\0';
	panic_card_open(memory);
	return strlen(said) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static void add(const char *text)
{
	panic_card_add(text, strlen(text));
}

#define HEAD "the machine's last run ended in a panic, which said:\n"

static void test_shown_once(void **state)
{
	(void)state;
	add("\nPANIC: out of tea\n");
	add("rip 0\n");
	add("cut");
	panic_card_open(memory);
	assert_string_equal(said, HEAD "| PANIC: out of tea\n| rip 0\n| cut\n");
	said[0] = '\0';
	panic_card_open(memory);
	assert_string_equal(said, "");
	/* The next one begins anew. */
	add("again\n");
	panic_card_open(memory);
	assert_string_equal(said, HEAD "| again\n");
}

static void test_full(void **state)
{
	char *line;

	(void)state;
	for (unsigned i = 0; i < PANIC_CARD_SIZE; i++)
		add("a line of 20 bytes.\n");
	add("the last word\n");
	panic_card_open(memory);
	line = strstr(said, "| ");
	assert_non_null(line);
	assert_int_equal((said + strlen(said) - line) / 22, (PANIC_CARD_SIZE - 16) / 20);
	assert_null(strstr(said, "the last word"));
}

/* A bit of it is wrong, wherever. */
static void test_damaged(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 8 * (16 + 6); bit++) {
		add("PANIC\n");
		memory[bit / 8] ^= 1 << bit % 8;
		panic_card_open(memory);
		assert_string_equal(said, "");
	}
}

static void test_anything(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 200; seed++) {
		add("PANIC\n");
		/* All but the magic number. */
		srand(seed);
		for (unsigned i = 8; i < PANIC_CARD_SIZE; i++)
			memory[i] = rand() >> 8;
		panic_card_open(memory);
		assert_string_equal(said, "");
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_shown_once),
		TEST(test_full),
		TEST(test_damaged),
		TEST(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
