/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/progress.c */
/* What a person sees of a command that takes long, and who sees nothing of it. */
#include "admin/progress.h"

#include "admin/command.h"
#include "admin/input.h"
#include "admin/terminal.h"
#include "kernel/console.h"
#include "kernel/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct time_scale time_scale = {
	.tsc_khz = 1000000, .ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};
uint64_t fake_tsc;
static char line[CONSOLE_EDIT_MAX + 1];
static unsigned shown, ended;
static bool held, person, ctrl_c;

void console_edit(const char *text, size_t cursor)
{
	if (!text) {
		ended++;
		return;
	}
	assert_int_equal(cursor, strlen(text));
	snprintf(line, sizeof(line), "%s", text);
	shown++;
}

bool command_is_held(void)
{
	return held;
}

bool terminal_is_known(void)
{
	return person;
}

bool input_skip(uint8_t byte)
{
	assert_int_equal(byte, 3);
	return ctrl_c;
}

static struct progress start(bool for_person, bool for_program)
{
	struct progress p;

	shown = ended = 0;
	fake_tsc = 7 * NSEC_PER_SEC;
	person = for_person;
	held = for_program;
	progress_begin(&p, "save");
	return p;
}

static void test_a_person_sees(void **state)
{
	struct progress p = start(true, false);

	(void)state;
	fake_tsc += 249 * NSEC_PER_MSEC;
	progress_update(&p, 1 << 20, 10 << 20);
	assert_int_equal(shown, 0);
	fake_tsc += NSEC_PER_MSEC;
	progress_update(&p, 1 << 20, 10 << 20);
	assert_string_equal(line, "save: 10 %, 4096 KiB/s, 2 s left; Ctrl-C gives up");
	progress_update(&p, 2 << 20, 10 << 20);
	assert_int_equal(shown, 1);
	fake_tsc += 750 * NSEC_PER_MSEC;
	progress_update(&p, 5 << 20, 0);
	assert_string_equal(line, "save: 5120 KiB, 5120 KiB/s; Ctrl-C gives up");
	fake_tsc += NSEC_PER_SEC;
	progress_update(&p, UINT64_C(1) << 60, UINT64_C(1) << 60);
	assert_non_null(strstr(line, "save: 100 %, "));
	assert_non_null(strstr(line, " 0 s left"));
	progress_end(&p);
	assert_int_equal(ended, 1);
}

static void test_nothing_done(void **state)
{
	struct progress p = start(true, false);

	(void)state;
	fake_tsc += NSEC_PER_SEC;
	progress_update(&p, 0, 4 << 20);
	assert_string_equal(line, "save: 0 %, 0 KiB/s, 4096 s left; Ctrl-C gives up");
}

static void test_a_program_does_not(void **state)
{
	(void)state;
	for (int program = 0; program < 2; program++) {
		struct progress p = start(program, program);

		fake_tsc += NSEC_PER_SEC;
		progress_update(&p, 1 << 20, 10 << 20);
		progress_end(&p);
		assert_int_equal(shown + ended, 0);
	}
}

static void test_ctrl_c(void **state)
{
	(void)state;
	start(false, false);
	assert_false(progress_cancelled());
	ctrl_c = true;
	assert_true(progress_cancelled());
	held = true;
	assert_false(progress_cancelled());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_person_sees),
		cmocka_unit_test(test_nothing_done),
		cmocka_unit_test(test_a_program_does_not),
		cmocka_unit_test(test_ctrl_c),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
