/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: boot/cmdline.c */
/* boot/cmdline.c: what grub.cfg may say, and what it may get wrong. */
#include "boot/cmdline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct cmdline cmdline;
static int complaints;
static char last_word[256];

static void complain(const char *word, const char *expected)
{
	complaints++;
	strncpy(last_word, word, sizeof(last_word) - 1);
	assert_true(strlen(expected) > 0);
}

static void parse(const char *text)
{
	complaints = 0;
	cmdline_parse(text, &cmdline, complain);
}

static void test_defaults(void **state)
{
	(void)state;
	parse("");
	assert_int_equal(complaints, 0);
	assert_true(cmdline.consoles & CMDLINE_CONSOLE_COM1);
	assert_int_equal(cmdline.loglevel, LOG_INFO);
	assert_int_equal(cmdline.cpus, UINT32_MAX);
	assert_true(cmdline.autostart);
	assert_true(cmdline.apicv);
	assert_false(cmdline.msr_areas);
	cmdline_parse("nonsense", &cmdline, NULL);
}

static void test_all(void **state)
{
	(void)state;
	parse("  console=com2,fb loglevel=debug\tcpus=12 autostart=no apicv=no "
	      "msr-areas=yes");
	assert_int_equal(complaints, 0);
	assert_int_equal(cmdline.consoles, CMDLINE_CONSOLE_COM2 | CMDLINE_CONSOLE_FB);
	assert_int_equal(cmdline.logs, cmdline.consoles);
	assert_int_equal(cmdline.loglevel, LOG_DEBUG);
	assert_int_equal(cmdline.cpus, 12);
	assert_false(cmdline.autostart);
	assert_false(cmdline.apicv);
	assert_true(cmdline.msr_areas);
}

static void test_log_elsewhere(void **state)
{
	(void)state;
	parse("log=com2 console=com1,vga");
	assert_int_equal(complaints, 0);
	assert_int_equal(cmdline.consoles, CMDLINE_CONSOLE_COM1 | CMDLINE_CONSOLE_VGA);
	assert_int_equal(cmdline.logs, CMDLINE_CONSOLE_COM2);
	parse("console=com2 log=none");
	assert_int_equal(cmdline.logs, 0);
	parse("console=com2 log=com9");
	assert_int_equal(complaints, 1);
	assert_int_equal(cmdline.logs, CMDLINE_CONSOLE_COM2);
}

static void test_mistakes(void **state)
{
	static const char *const wrong[] = {
		"console=",
		"console=com3",
		"console=com1,",
		"console=com",
		"loglevel=inf",
		"loglevel=",
		"cpus=0",
		"cpus=",
		"cpus=-1",
		"cpus=4x",
		"cpus=9999999",
		"autostart=maybe",
		"autostart",
		"apicv=1",
		"msr-areas=2",
		"Cpus=1",
		"=",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		parse(wrong[i]);
		assert_int_equal(complaints, 1);
		assert_string_equal(last_word, wrong[i]);
		assert_int_equal(cmdline.cpus, UINT32_MAX);
		assert_true(cmdline.consoles & CMDLINE_CONSOLE_COM1);
	}
	/* The rest of the line counts. */
	parse("cpus=zero loglevel=warn");
	assert_int_equal(complaints, 1);
	assert_int_equal(cmdline.loglevel, LOG_WARN);
}

static void test_long_word(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text + 900, " cpus=3", 8);
	parse(text);
	assert_int_equal(complaints, 1);
	assert_int_equal(cmdline.cpus, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),      cmocka_unit_test(test_all),
		cmocka_unit_test(test_log_elsewhere), cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_long_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
