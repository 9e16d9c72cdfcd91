/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/log.c kernel/time.c lib/ring.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_cpus.c */
#include "kernel/log.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "tests/host/fake/arch/x86_64/fake_cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What came to the consoles last. */
static char shown[1024];
static unsigned shown_lines;

void console_write_line(const char *line, size_t len)
{
	assert_true(len < sizeof(shown));
	memcpy(shown, line, len);
	shown[len] = '\0';
	shown_lines++;
}

static int setup(void **state)
{
	(void)state;
	fake_cpus_init(1);
	log_debug("the clock starts");
	shown_lines = 0;
	log_set_level(LOG_INFO);
	return 0;
}

static void test_format(void **state)
{
	(void)state;
	fake_cpus_advance(1234567 * NSEC_PER_USEC);
	log_info("vm %s: %d vCPUs", "linux", 2);
	assert_string_equal(shown, "[    1.234567] vm linux: 2 vCPUs\n");
	log_error("svm: %s", "no");
	assert_string_equal(shown, "[    1.234567] error: svm: no\n");
	log_warn("w");
	assert_string_equal(shown, "[    1.234567] warning: w\n");
}

static void test_levels(void **state)
{
	(void)state;
	log_debug("unseen");
	assert_int_equal(shown_lines, 0);
	log_set_level(LOG_DEBUG);
	log_debug("seen");
	assert_int_equal(shown_lines, 1);
	log_set_level(LOG_ERROR);
	log_warn("unseen");
	assert_int_equal(shown_lines, 1);
}

static void test_control_characters_are_disarmed(void **state)
{
	(void)state;
	log_info("a\nb\x1b[2Jc\x7f\xc3\xa9");
	assert_non_null(strstr(shown, "] a?b?[2Jc?\xc3\xa9\n"));
}

static void test_long_lines_are_cut(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[240] = '\0';
	log_info("%s", text);
	assert_null(strstr(shown, "…"));
	assert_int_equal(strlen(strchr(shown, 'x')), 241);
	text[240] = 'x';
	text[399] = '\0';
	log_info("%s", text);
	assert_string_equal(strchr(shown, 'x') + 240, "…\n");
}

static unsigned kept, kept_next;

static void check_line(void *opaque, const char *text)
{
	unsigned n;

	assert_null(opaque);
	assert_null(strchr(text, '\n'));
	if (sscanf(text, "[%*u.%*u] line %u", &n) != 1)
		return;
	if (kept)
		assert_int_equal(n, kept_next);
	kept_next = n + 1;
	kept++;
}

static void test_ring_drops_whole_lines_from_the_front(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		log_info("line %u%*s", i, (int)(i % 97), "");
	kept = 0;
	log_for_each(check_line, NULL);
	assert_int_equal(kept_next, 5000);
	assert_in_range(kept, 500, 1500);
}

static void log_more(void *opaque, const char *text)
{
	(void)text;
	++*(unsigned *)opaque;
	for (int i = 0; i < 10; i++)
		log_debug("line while lines are read");
}

static void test_for_each_ends_when_its_reader_logs(void **state)
{
	unsigned lines = 0;

	(void)state;
	log_for_each(log_more, &lines);
	assert_in_range(lines, 10, 2000);
}

static char last[8192];

static void keep_line(void *opaque, const char *text)
{
	assert_ptr_equal(opaque, last);
	assert_true(strlen(last) + strlen(text) + 2 < sizeof(last));
	strcat(strcat(last, text), "|");
}

static void test_last_lines(void **state)
{
	(void)state;
	fake_cpus_advance(NSEC_PER_SEC);
	/* Also where the ring's end lies within them. */
	for (unsigned i = 0; i < 1000; i++) {
		log_debug("%*s", (int)(i % 211), "");
		log_debug("one");
		log_debug("two %u", i);
		last[0] = '\0';
		log_last(2, keep_line, last);
		assert_non_null(strstr(last, "debug: one|["));
		assert_int_equal(atoi(strstr(last, "two ") + 4), i);
		assert_ptr_equal(strchr(strchr(last, '|') + 1, '|') + 1, last + strlen(last));
	}
	/* As many as it can. */
	last[0] = '\0';
	log_last(1000, keep_line, last);
	assert_int_equal(last[strlen(last) - 1], '|');
	last[0] = '\0';
	log_last(0, keep_line, last);
	assert_string_equal(last, "");
}

/* Who follows the log has each line once, and no half one of what is gone. */
static void test_followed(void **state)
{
	char line[LOG_LINE_MAX];
	size_t at = log_end();

	(void)state;
	assert_int_equal(log_read(&at, line), 0);
	log_info("one");
	log_debug("two");
	assert_int_equal(log_read(&at, line), strcspn(line, "\n") + 1);
	assert_non_null(strstr(line, "] one\n"));
	assert_true(log_read(&at, line) > 0);
	assert_non_null(strstr(line, "] debug: two\n"));
	assert_int_equal(log_read(&at, line), 0);
	for (unsigned i = 0; i < 3000; i++)
		log_debug("%*s", (int)(i % 211), "");
	assert_true(log_read(&at, line) > 0);
	assert_int_equal(line[0], '[');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_format, setup),
		cmocka_unit_test_setup(test_levels, setup),
		cmocka_unit_test_setup(test_control_characters_are_disarmed, setup),
		cmocka_unit_test_setup(test_long_lines_are_cut, setup),
		cmocka_unit_test_setup(test_ring_drops_whole_lines_from_the_front, setup),
		cmocka_unit_test_setup(test_for_each_ends_when_its_reader_logs, setup),
		cmocka_unit_test_setup(test_last_lines, setup),
		cmocka_unit_test_setup(test_followed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
