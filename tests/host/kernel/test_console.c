/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/console.c */
/* kernel/console.c with a sink that keeps what it gets. */
#include "kernel/console.h"

#include "kernel/time.h"
#include "kernel/timer.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ERASE "\r\x1b[K"

static char out[8192], log_out[8192];

static void keep(char *where, const char *s, size_t len)
{
	assert_true(strlen(where) + len < sizeof(out));
	strncat(where, s, len);
}

static bool input_stopped;
static char taken[64];

/* A tick a nanosecond; the timer is fired by hand. */

struct time_scale time_scale = {.ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};
static struct timer *armed;

void timer_init(struct timer *timer, timer_fn fn)
{
	timer->fn = fn;
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
	assert_true(deadline <= time_tsc() + 100000000);
	armed = timer;
}

void console_input_stop(void)
{
	input_stopped = true;
}

static void write_out(struct console_sink *sink, const char *s, size_t len)
{
	keep(sink->interactive ? out : log_out, s, len);
}

static struct console_sink terminal = {.name = "t", .write = write_out, .interactive = true};
static struct console_sink printer = {.name = "p", .write = write_out};

static int setup_all(void **state)
{
	(void)state;
	console_register(&terminal);
	console_register(&printer);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	console_edit(NULL, 0);
	console_write("\n", 1);
	memset(out, 0, sizeof(out));
	memset(log_out, 0, sizeof(log_out));
	return 0;
}

static void log_line(const char *line)
{
	console_write_line(line, strlen(line));
}

static void test_lines_go_to_all_the_shell_to_the_interactive(void **state)
{
	(void)state;
	console_printf("value %d\n", 42);
	log_line("log\n");
	assert_string_equal(out, "value 42\nlog\n");
	assert_string_equal(log_out, "log\n");
}

static void take_upper(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		strncat(taken, &(char){(char)toupper(s[i])}, 1);
}

/* What the shell writes, and nothing else. */
static void test_redirection(void **state)
{
	(void)state;
	console_redirect(take_upper);
	console_printf("value %d\n", 42);
	console_write("x", 1);
	log_line("log\n");
	console_write_guest("guest\n", 6);
	console_edit("prompt", 6);
	console_edit(NULL, 0);
	console_redirect(NULL);
	console_write("y", 1);
	assert_string_equal(taken, "VALUE 42\nX");
	assert_string_equal(out, "log\nguest\nprompt\ny");
}

static void test_line_starts_at_the_left(void **state)
{
	(void)state;
	console_write("half a line", 11);
	log_line("log\n");
	log_line("log\n");
	assert_string_equal(out, "half a line\nlog\nlog\n");
}

static void test_typing_costs_one_character(void **state)
{
	(void)state;
	console_edit("> ", 2);
	console_edit("> h", 3);
	console_edit("> he", 4);
	assert_string_equal(out, "> he");
	console_edit("> h", 3);
	assert_string_equal(out, "> he" ERASE "> h");
	console_edit(NULL, 0);
	assert_string_equal(out, "> he" ERASE "> h\n");
}

static void test_cursor_inside_the_line(void **state)
{
	(void)state;
	console_edit("> help", 3);
	assert_string_equal(out, "> help\b\b\b");
	console_edit("> hxelp", 4);
	assert_string_equal(out, "> help\b\b\b" ERASE "> hxelp\b\b\b");
}

static void test_log_goes_above_the_edited_line(void **state)
{
	(void)state;
	console_edit("> help", 5);
	log_line("log\n");
	assert_string_equal(out, "> help\b" ERASE "log\n> help\b");
	assert_string_equal(log_out, "log\n");
	console_edit(NULL, 0);
	log_line("more\n");
	assert_string_equal(out, "> help\b" ERASE "log\n> help\b\nmore\n");
}

static void test_long_line_is_bounded(void **state)
{
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[599] = '\0';
	console_edit(text, 599);
	assert_int_equal(strlen(out), CONSOLE_EDIT_MAX);
	log_line("log\n");
	assert_int_equal(strlen(out), 2 * CONSOLE_EDIT_MAX + strlen(ERASE "log\n"));
}

static void test_printf_is_cut(void **state)
{
	(void)state;
	console_printf("%1000d", 1);
	assert_int_equal(strlen(out), 511);
}

static void guest(const char *s)
{
	console_write_guest(s, strlen(s));
}

static void test_log_waits_for_a_guests_line(void **state)
{
	(void)state;
	guest("half");
	log_line("log\n");
	log_line("more\n");
	guest(" a");
	assert_string_equal(out, "half a");
	guest(" line\nnext\nli");
	assert_string_equal(out, "half a line\nlog\nmore\nnext\nli");
	assert_string_equal(log_out, "log\nmore\n");
	guest("ne\n");
	log_line("at once\n");
	assert_string_equal(out, "half a line\nlog\nmore\nnext\nline\nat once\n");
}

static void test_log_does_not_wait_for_ever(void **state)
{
	(void)state;
	guest("login: ");
	armed = NULL;
	log_line("log\n");
	assert_non_null(armed);
	armed->fn(armed);
	assert_string_equal(out, "login: \nlog\n");
	armed->fn(armed);
	guest("x");
	armed->fn(armed);
	assert_string_equal(out, "login: \nlog\nx");
}

static void test_held_lines_go_before_anything_of_ours(void **state)
{
	(void)state;
	guest("login: ");
	log_line("log\n");
	console_printf("left\n");
	assert_string_equal(out, "login: \nlog\nleft\n");
	guest("# ");
	log_line("log\n");
	console_edit("> ", 2);
	assert_string_equal(out, "login: \nlog\nleft\n# \nlog\n> ");
	log_line("log\n");
	assert_string_equal(out, "login: \nlog\nleft\n# \nlog\n> " ERASE "log\n> ");
}

static void test_more_is_not_held_than_there_is_space_for(void **state)
{
	char line[301];
	unsigned i;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	line[299] = '\n';
	line[300] = '\0';
	guest("# ");
	for (i = 0; i < 13; i++)
		log_line(line);
	assert_string_equal(out, "# ");
	log_line(line);
	assert_int_equal(strlen(out), 3 + 14 * 300);
	assert_int_equal(strlen(log_out), 14 * 300);
}

/* The line carries something else: the log waits, and comes when that is over. */
static void test_muted(void **state)
{
	(void)state;
	guest("half");
	log_line("before\n");
	console_mute(true);
	assert_string_equal(out, "half\nbefore\n");
	console_write("C", 1);
	armed = NULL;
	log_line("log\n");
	if (armed)
		armed->fn(armed);
	console_write("A", 1);
	guest("B");
	terminal.lost = true;
	console_printf("%c", 'D');
	assert_string_equal(out, "half\nbefore\nCABD");
	terminal.lost = false;
	console_mute(false);
	assert_string_equal(out, "half\nbefore\nCABD\nlog\n");
	assert_string_equal(log_out, "before\nlog\n");
	log_line("more\n");
	assert_string_equal(out, "half\nbefore\nCABD\nlog\nmore\n");
}

/* Of lines that have the prompt; of a printer nobody would miss it. */
static void test_losses(void **state)
{
	unsigned before = console_losses();

	(void)state;
	printer.losses++;
	assert_int_equal(console_losses(), before);
	terminal.losses += 2;
	assert_int_equal(console_losses(), before + 2);
	/* One that has the log alone from now on. */
	console_set_takes("t", false, true);
	assert_int_equal(console_losses(), 0);
	console_set_takes("t", true, true);
	assert_int_equal(console_losses(), before + 2);
}

static void test_muted_for_long(void **state)
{
	char line[1001];
	unsigned i;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	line[999] = '\n';
	line[1000] = '\0';
	console_mute(true);
	for (i = 0; i < 6; i++)
		log_line(line);
	log_line("a short one\n");
	assert_string_equal(out, "");
	console_mute(false);
	assert_int_equal(strlen(out), 4000 + strlen("-- 3 lines more: `dmesg` has the log --\n"));
	assert_string_equal(out + 4000, "-- 3 lines more: `dmesg` has the log --\n");
	console_mute(true);
	console_mute(false);
	log_line("a short one\n");
	assert_non_null(strstr(out, " --\na short one\n"));
}

static void test_emergency_unmutes(void **state)
{
	(void)state;
	console_mute(true);
	log_line("log\n");
	console_write_emergency("end", 3);
	assert_string_equal(out, "log\nend");
}

static void test_emergency_goes_behind_what_was_held(void **state)
{
	(void)state;
	guest("# ");
	log_line("log\n");
	console_write_emergency("end", 3);
	assert_string_equal(out, "# \nlog\nend");
	assert_string_equal(log_out, "log\nend");
}

static void test_emergency_goes_everywhere(void **state)
{
	(void)state;
	console_write_emergency("end", 3);
	assert_string_equal(out, "end");
	assert_string_equal(log_out, "end");
	assert_true(input_stopped);
}

/* A line that is framed: each stream as it is, nothing drawn in the shell's around log lines. */

static char streams[3][256];
static unsigned begun, ended;

static void framing_begin(struct console_sink *sink)
{
	assert_ptr_equal(sink, &terminal);
	begun++;
}

static void framing_end(struct console_sink *sink)
{
	assert_ptr_equal(sink, &terminal);
	ended++;
}

static void framing_output(struct console_sink *sink, unsigned stream, const char *s, size_t len)
{
	assert_ptr_equal(sink, &terminal);
	assert_true(stream < ARRAY_SIZE(streams));
	strncat(streams[stream], s, len);
}

static const struct console_framing framing = {
	.begin = framing_begin, .end = framing_end, .output = framing_output};

static void test_framing(void **state)
{
	(void)state;
	console_edit("alcazar> l", 10);
	out[0] = '\0';
	console_set_framing(&terminal, &framing);
	log_line("log\n");
	console_edit("alcazar> li", 11);
	console_write_stream(&terminal, 2, "other", 5);
	console_write_stream(&printer, 2, "nothing", 7);
	console_mute(true);
	log_line("more\n");
	console_mute(false);
	console_write_emergency("PANIC\n", 6);
	assert_string_equal(out, "");
	assert_string_equal(streams[0], ERASE "alcazar> li");
	assert_string_equal(streams[1], "log\nmore\nPANIC\n");
	assert_string_equal(streams[2], "other");
	assert_string_equal(log_out, "log\nmore\nPANIC\n");
	console_set_framing(&terminal, NULL);
	assert_int_equal(begun, 1);
	assert_int_equal(ended, 1);
	assert_string_equal(out, ERASE "alcazar> li");
	console_write_stream(&terminal, 2, "nobody", 6);
	assert_string_equal(streams[2], "other");
}

/* The log goes elsewhere: the shell's line is its own, but for what must be seen. */
static void test_quiet(void **state)
{
	(void)state;
	console_set_takes("t", true, false);
	console_set_takes("nobody", false, false);
	console_edit("alcazar> l", 10);
	log_line("log\n");
	console_edit("alcazar> li", 11);
	console_edit(NULL, 0);
	console_write_emergency("PANIC\n", 6);
	console_set_takes("t", true, true);
	assert_string_equal(out, "alcazar> li\nPANIC\n");
	assert_string_equal(log_out, "log\nPANIC\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines_go_to_all_the_shell_to_the_interactive, setup),
		cmocka_unit_test_setup(test_redirection, setup),
		cmocka_unit_test_setup(test_framing, setup),
		cmocka_unit_test_setup(test_quiet, setup),
		cmocka_unit_test_setup(test_line_starts_at_the_left, setup),
		cmocka_unit_test_setup(test_typing_costs_one_character, setup),
		cmocka_unit_test_setup(test_cursor_inside_the_line, setup),
		cmocka_unit_test_setup(test_log_goes_above_the_edited_line, setup),
		cmocka_unit_test_setup(test_long_line_is_bounded, setup),
		cmocka_unit_test_setup(test_printf_is_cut, setup),
		cmocka_unit_test_setup(test_log_waits_for_a_guests_line, setup),
		cmocka_unit_test_setup(test_log_does_not_wait_for_ever, setup),
		cmocka_unit_test_setup(test_held_lines_go_before_anything_of_ours, setup),
		cmocka_unit_test_setup(test_more_is_not_held_than_there_is_space_for, setup),
		cmocka_unit_test_setup(test_muted, setup),
		cmocka_unit_test_setup(test_losses, setup),
		cmocka_unit_test_setup(test_muted_for_long, setup),
		cmocka_unit_test_setup(test_emergency_unmutes, setup),
		cmocka_unit_test_setup(test_emergency_goes_everywhere, setup),
		cmocka_unit_test_setup(test_emergency_goes_behind_what_was_held, setup),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
