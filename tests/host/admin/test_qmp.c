/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/shell.c admin/command.c admin/complete.c admin/line_edit.c admin/input.c */
/* test-sources: admin/attach.c admin/vm_commands.c admin/help.c admin/machine_commands.c */
/* test-sources: admin/plug_commands.c admin/words.c admin/pager.c admin/terminal.c */
/* test-sources: admin/vm_arg.c admin/text_commands.c admin/dominfo.c lib/parse.c admin/qmp */
/* test-sources: tests/host/admin/fake_machine.c tests/host/admin/qmp_world.c */
/* test-sources: vmm/vm_console.c lib/ring.c tests/host/admin/fake.c tests/host/vmm/fake.c */
/* The protocol for programs: what is typed, and what comes back. */
#include "tests/host/admin/fake.h"
#include "tests/host/admin/qmp_world.h"
#include "tests/host/vmm/fake.h"

#include "admin/qmp/qmp.h"
#include "kernel/boot_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CAPABILITIES "{\"execute\": \"qmp_capabilities\"}\r"
#define QUIT	     "{\"execute\": \"qmp_quit\"}\r"

static void expect_shown(const char *text)
{
	if (!strstr(fake_screen, text))
		fail_msg("'%s' is not in:\n%.4000s", text, fake_screen);
}

/* How many lines of the screen begin with @text. */
static unsigned count(const char *text)
{
	unsigned n = 0;

	for (const char *line = fake_screen; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		n += !strncmp(line, text, strlen(text));
	}
	return n;
}

/* One request in the shell: one answer, which has @wanted in it. */
static void ask(const char *request, const char *wanted)
{
	char keys[QMP_LINE_MAX * 2];

	snprintf(keys, sizeof(keys), "%s\r", request);
	fake_shell(false, keys);
	expect_shown(wanted);
	assert_int_equal(count("{\"return\"") + count("{\"error\""), 1);
	/* The prompt is there again; the last one is that of the Ctrl-C that ends all tests. */
	assert_int_equal(count("alcazar> \n"), 3);
}

static void test_requests_in_the_shell(void **state)
{
	(void)state;
	ask("{\"execute\": \"list\", \"id\": 7}",
	    "\n{\"return\": [{\"name\": \"demo\", \"id\": 1, \"state\": \"defined\", \"running\": "
	    "false, \"vcpus\": 1, \"memory\": 268435456}], \"id\": 7}\n");
	ask("{\"execute\":\"start\",\"arguments\":{\"vm\":\"demo\"},\"id\":{\"a\" : [1,null]}}",
	    "{\"return\": {\"output\": \"vm demo is started\\n\"}, \"id\": {\"a\" : [1,null]}}\n");
	ask("{\"id\":\"\\u00e9\\\"\",\"execute\":\"query_status\"}",
	    "\"state\": \"running\", \"running\": true, \"vcpus\": 1, \"memory\": 268435456}], "
	    "\"id\": \"\\u00e9\\\"\"}\n");
	ask("{\"execute\": \"echo\", \"arguments\": {\"text\": [\"a\", \"b \\u00e9\\n\", 5, "
	    "true]}}",
	    "{\"return\": {\"output\": \"a b \xc3\xa9\\n 5 true\\n\"}}\n");
	ask("{\"execute\": \"human-monitor-command\", \"arguments\": "
	    "{\"command-line\": \"echo 'a  b'; echo c\"}}",
	    "{\"return\": \"a  b\\nc\\n\"}\n");
	fake_shell(false, "{x\b\x7flist\r");
	assert_int_equal(count("{"), 0);
	expect_shown("NAME  ");
	/* What was typed before it was given up is none. */
	fake_shell(false, "{\"execute\": \x03list\r");
	assert_int_equal(count("{"), 0);
	expect_shown("NAME  ");
}

static void test_errors(void **state)
{
	(void)state;
	ask("{\"execute\": \"nope\", \"id\": 1}", "{\"error\": {\"class\": \"CommandNotFound\", "
						  "\"desc\": \"The command nope has not been "
						  "found\"}, \"id\": 1}\n");
	ask("{\"execute\": \"start\", \"arguments\": {\"vm\": \"a\\u0001\\\"b\"}}",
	    "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"a\\u0001\\\"b: no such VM; "
	    "`list` "
	    "shows them\"}}\n");
	ask("{\"execute\": \"device_del\", \"arguments\": {\"id\": \"com9\"}}", "DeviceNotFound");
	ask("{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"nope\"}}",
	    "CommandNotFound");
	ask("{\"execute\": \"console\", \"arguments\": {\"vm\": \"demo\"}}",
	    "GenericError\", \"desc\": \"console talks with a terminal");
	ask("{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"qmp\"}}",
	    "qmp: it talks with a terminal");
	ask("{\"execute\": \"reset\", \"arguments\": {\"vm\": \"demo\"}}",
	    "\"GenericError\", \"desc\": \"reset demo: failed (error 22), see the log\"}}\n");
	ask("{\"execute\": \"flood\"}", "the answer is too long");
}

static void test_arguments(void **state)
{
	(void)state;
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": 1, \"b\": 2, \"c\": 3}}", "return");
	assert_true(qmp_world_ran());
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": 1, \"option\": \"on\"}}", "return");
	assert_true(qmp_world_ran());
	ask("{\"execute\": \"run-it\"}", "Parameter 'a' is missing");
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": 1, \"c\": 3}}",
	    "Parameter 'c' needs the one before it");
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": null}}", "Parameter 'a': expected");
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": {}}}", "Parameter 'a': expected");
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\\u0000\"}}", "Parameter 'a': exp");
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": [[1]]}}", "Parameter 'a': expected");
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": [1, 2, 3, 4, 5]}}", "usage: run-it");
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": [1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,"
	    "9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4]}}",
	    "Parameter 'a' has too many values");
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": 1, \"z\": 3}}",
	    "Parameter 'z' is unexpected");
	assert_false(qmp_world_ran());
	fake_shell(false, "start demo\r");
	ask("{\"execute\": \"device-add\", \"arguments\": {\"driver\": \"uart\", \"id\": \"u\", "
	    "\"io\": 760, \"name\": \"a, b;\\\"c\"}}",
	    "vm demo has device u");
	assert_string_equal(fake_plugged,
			    "uart u device_add:3:io=<760> device_add:4:name=<a, b;\"c>");
	ask("{\"execute\": \"device_add\", \"arguments\": {\"type\": \"uart\", \"a=b\": 1}}",
	    "Parameter 'a=b' does not fit");
	ask("{\"execute\": \"query-devices\", \"arguments\": {\"vm\": \"demo\"}}",
	    "{\"return\": [{\"id\": \"u\", \"type\": \"uart\", \"taken\": {}}]}\n");
	ask("{\"execute\": \"device_del\", \"arguments\": {\"id\": \"u\"}}",
	    "no device u any more");
}

static void test_no_requests(void **state)
{
	static const char *const lines[] = {
		"{",
		"{\"execute\"",
		"{\"execute\": \"run-it\"",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1}]",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1}}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1}} {}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1},}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1}, \"id\"}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1} \"id\": 1}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1},, \"id\": 1}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1}, \"execute\": \"list\"}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1, \"a\": 2}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 01}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1.}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1e}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": -}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": truth}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": [1 2]}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": [1, ]}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\xff\"}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\xc3\"}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\xc0\x80\"}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\xed\xa0\x80\"}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\x01\"}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\\ud800\"}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\\ud800\\u0041\"}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": \"\\x41\"}}",
		"{\"execute\": \"run-it\", \"arguments\": {\"a\": 1}, \"other\": 1}",
		"{\"execute\": \"run-it\", \"arguments\": [1]}",
		"{\"execute\": [\"run-it\"], \"arguments\": {\"a\": 1}}",
		"{\"execute\": 5}",
		"{}",
		"{'execute': 'run-it'}",
		"{{\"execute\": 1}: 2}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ask(lines[i], "{\"error\": {\"class\": \"GenericError\"");
	assert_false(qmp_world_ran());
	ask("{\"execute\": \"run-it\", \"arguments\": {\"a\": -1.5e+3, \"b\": \"\\ud83d\\ude00\"}}",
	    "return");
}

/* Deep, wide and long ones. */
static void test_bounds(void **state)
{
	char line[QMP_LINE_MAX * 2] = "{\"execute\": \"run-it\", \"id\": ";
	size_t at = strlen(line);

	(void)state;
	memset(line + at, '[', 200);
	memset(line + at + 200, ']', 200);
	line[at + 400] = '}';
	ask(line, "16 levels deep at most");
	for (size_t i = 0; i < 300; i++)
		memcpy(line + at + 2 * i, i ? ",1" : "[1", 2);
	memcpy(line + at + 600, "]}", 3);
	ask(line, "too many values");
	memset(line + at, ' ', QMP_LINE_MAX);
	strcpy(line + QMP_LINE_MAX - 2, "1}");
	ask(line, "Parameter 'a' is missing\"}, \"id\": 1}\n");
	strcpy(line + QMP_LINE_MAX - 2, " 1}");
	ask(line, "the line is longer than 4096 bytes");
	strcpy(line + QMP_LINE_MAX, "}\r{\"execute\": \"list\"}");
	fake_shell(false, strcat(line, "\r"));
	assert_int_equal(count("{\"error\""), 1);
	assert_int_equal(count("{\"return\": [{\"name\": \"demo\""), 1);
	/* It has not the id of the one before. */
	snprintf(line, sizeof(line), "%s{\"execute\": \"list\", \"id\": 5}\r%05000d\r%s",
		 CAPABILITIES, 1, QUIT);
	fake_shell(false, line);
	expect_shown("is longer than 4096 bytes\"}}\n{\"return\": {}}\n");
}

static void test_long_answers(void **state)
{
	const char *start;

	(void)state;
	fake_shell(false, "{\"execute\": \"query-schema\"}\r");
	assert_int_equal(count("{\"return\": [{\"name\": "), 1);
	expect_shown("{\"name\": \"run-it\", \"help\": \"\", \"synopsis\": \"A [B [C]] [on|off]\", "
		     "\"returns\": \"output\", \"arguments\": [{\"name\": \"a\", \"type\": "
		     "\"string\", \"optional\": false}, {\"name\": \"b\", \"type\": \"string\", "
		     "\"optional\": true}, {\"name\": \"c\", \"type\": \"string\", \"optional\": "
		     "true}, {\"name\": \"option\", \"type\": \"string\", \"optional\": true, "
		     "\"choices\": [\"on\", \"off\"]}]}");
	assert_null(strstr(fake_screen, "\"name\": \"console\""));
	fake_shell(false, "{\"execute\": \"query-commands\"}\r");
	expect_shown("{\"name\": \"say_much\"}");
	fake_shell(false, "{\"execute\": \"say-much\"}\r");
	start = strstr(fake_screen, "{\"return\": {\"output\": \"line 0 of what");
	assert_non_null(start);
	assert_non_null(strstr(start, "\\n"
				      "line 300 of what is much to say: \\\"\\\\\\t\\u0001"
				      "\\ufffd\xc3\xa9\\nline 301"));
	assert_string_equal(strchr(start, '\n') - 3, "\"}}\nalcazar> \n\nalcazar> \n");
}

static void test_the_protocols_line(void **state)
{
	(void)state;
	fake_shell(false, "lis" CAPABILITIES);
	assert_int_equal(count("{\"QMP\""), 0);
	fake_shell(false, CAPABILITIES "{\"execute\": \"list\", \"id\": 1}\n\r\n  \r"
				       "list\r\x7f\r{\"exe\x03\x1d\r" CAPABILITIES QUIT "list\r");
	expect_shown(
		"\n{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 1, \"major\": 0}, "
		"\"package\": \"Alcazar 0.1.0\"}, \"capabilities\": []}}\n{\"return\": {}}\n"
		"{\"return\": [{\"name\": \"demo\"");
	expect_shown("\"id\": 1}\n{\"error\": {\"class\": \"GenericError\", \"desc\": \"no "
		     "request: expected one JSON object, in UTF-8, each name once, 16 levels deep "
		     "at most; {\\\"execute\\\": \\\"qmp_quit\\\"} leads back to the shell\"}}\n"
		     "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no request");
	expect_shown("{\"error\": {\"class\": \"GenericError\", \"desc\": \"the line was given up");
	assert_int_equal(count("{\"QMP\""), 1);
	assert_int_equal(count("{\"error\""), 3);
	expect_shown("{\"return\": {}}\n{\"return\": {}}\nalcazar> \n");
	expect_shown("NAME  ");
	fake_shell(false, "qmp\r{\"execute\": \"run-it\"}\r" QUIT);
	expect_shown("alcazar> qmp\n\n{\"QMP\": ");
	expect_shown("Parameter 'a' is missing\"}}\n{\"return\": {}}\nalcazar> \n");
}

static void test_events(void **state)
{
	(void)state;
	fake_shell(false, CAPABILITIES "{\"execute\": \"happen\", \"id\": 5}\r" QUIT);
	expect_shown("{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 10000000");
	expect_shown("\"data\": {\"vm\": \"demo\"}}\n{\"event\": \"GUEST_PANICKED\"");
	expect_shown("\"data\": {\"vm\": \"demo\", \"action\": \"pause\", \"reason\": \"a "
		     "\\\"triple\\\" fault\"}}\n{\"event\": \"DEVICE_DELETED\"");
	expect_shown("\"data\": {\"vm\": \"demo\", \"device\": \"com2\"}}\n{\"event\": \"RESET\"");
	expect_shown("\"data\": {\"vm\": \"demo\", \"guest\": true}}\n"
		     "{\"return\": {\"output\": \"\"}, \"id\": 5}\n");
	assert_null(strstr(fake_screen, "\"LOG\""));
	/* So many that some are lost, which is told. */
	fake_shell(false,
		   CAPABILITIES "{\"execute\": \"happen\", \"arguments\": {\"count\": 70}}\r" QUIT);
	assert_int_equal(count("{\"event\": \"STOP\""), 64);
	expect_shown("{\"event\": \"EVENTS_LOST\"");
	expect_shown("\"data\": {\"count\": 9}}\n{\"return\"");
	/* The line itself has lost something, which was told or not before this began. */
	fake_losses++;
	fake_shell(false, CAPABILITIES "{\"exe\x13\x11"
				       "cute\": \"lose\"}\r" QUIT);
	assert_int_equal(count("{\"event\": \"OUTPUT_LOST\""), 1);
	expect_shown("\"data\": {\"count\": 2}}\n");
	/* Nobody has asked. */
	fake_shell(false, "{\"execute\": \"happen\"}\rqmp\r{\"execute\": \"happen\"}\r" QUIT);
	assert_int_equal(count("{\"event\""), 0);
}

static void test_the_log_as_events(void **state)
{
	(void)state;
	fake_shell(false, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"log\": true}}\r"
			  "{\"execute\": \"happen\"}\r"
			  "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"log\": \"of\"}}\r"
			  "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"log\": false}}\r"
			  "{\"execute\": \"happen\"}\r" QUIT);
	assert_int_equal(count("{\"event\": \"LOG\""), 1);
	expect_shown("\"data\": {\"line\": \"[ 1.0] line ");
	expect_shown("Parameter 'log': expected true or false");
	assert_int_equal(count("{\"event\": \"RESET\""), 2);
	assert_int_equal(count("{\"event\": \"EVENTS_LOST\""), 0);
	/* More of it than is kept. */
	fake_shell(false, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"log\": true}}\r"
			  "{\"execute\": \"log-much\"}\r" QUIT);
	assert_int_equal(count("{\"event\": \"LOG\""), 2);
	assert_int_equal(count("{\"event\": \"EVENTS_LOST\""), 1);
	expect_shown("\"data\": {\"log_bytes\": 8964}}\n{\"event\": \"LOG\"");
}

static void test_a_console(void **state)
{
	(void)state;
	fake_guest_says("caf\xc3\xa9 \xff\"\r\n");
	fake_guest_ends_when_it_hears('q');
	fake_shell(false, "{\"execute\": \"console-attach\", \"arguments\": {\"vm\": \"demo\"}}\r");
	expect_shown("console-attach: qmp_capabilities comes before it");
	fake_shell(
		false, CAPABILITIES
		"{\"execute\": \"console-write\", \"arguments\": {\"text\": \"a\"}}\r"
		"{\"execute\": \"console-attach\", \"arguments\": {\"vm\": \"demo\"}}\r"
		"{\"execute\": \"start\", \"arguments\": {\"vm\": \"demo\"}}\r"
		"{\"execute\": \"console-attach\", \"arguments\": {\"vm\": \"demo\"}}\r"
		"{\"execute\": \"console-write\", \"arguments\": {\"text\": \"ab\\r\"}}\r"
		"{\"execute\": \"console-write\", \"arguments\": {\"text\": \"q\"}}\r\r\r\r" QUIT);
	expect_shown("console-write: console-attach comes before it");
	expect_shown("vm demo has no such console");
	expect_shown(
		"\"data\": {\"vm\": \"demo\", \"text\": \"caf\xc3\xa9 \\ufffd\\\"\\u000d\\n\"}}\n");
	expect_shown("{\"return\": {\"taken\": 3}}\n");
	expect_shown("\"text\": \"Power down\"}}\n");
	expect_shown("{\"event\": \"CONSOLE_CLOSED\"");
	assert_string_equal(fake_guest_heard, "ab\rq");
}

/* A machine that is short of memory says so, and the shell goes on. */
/* What a guest writes to is no text to be read. */
static void test_module_of_a_disk(void **state)
{
	(void)state;
	fake_add_module("some.cfg", "[vm \"y\"]", 8);
	assert_true(boot_module_use(boot_module_find("some.cfg"), true));
	fake_shell(false, "{\"execute\": \"define\", \"arguments\": {\"module\": \"some.cfg\"}}\r");
	expect_shown("\"desc\": \"some.cfg: a VM's disk writes to it\"");
	fake_clear_modules();
}

static void test_no_memory(void **state)
{
	(void)state;
	for (int n = 0; n < 3; n++) {
		fake_memory_left = n;
		fake_shell(false, "{\"execute\": \"list\"}\r{\"execute\": \"qmp_quit\"}\r");
		fake_memory_left = -1;
		expect_shown("alcazar> ");
		assert_true(count("{\"error\"") + count("{\"return\"") >= 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests_in_the_shell, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(test_errors, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_arguments, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_no_requests, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_bounds, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_long_answers, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_the_protocols_line, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_events, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_the_log_as_events, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_a_console, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_module_of_a_disk, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
