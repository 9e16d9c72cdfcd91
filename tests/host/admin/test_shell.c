/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/shell.c admin/command.c admin/complete.c admin/line_edit.c admin/input.c */
/* test-sources: admin/attach.c admin/vm_commands.c admin/help.c admin/machine_commands.c */
/* test-sources: admin/plug_commands.c admin/words.c admin/pager.c admin/terminal.c */
/* test-sources: admin/vm_arg.c admin/text_commands.c admin/define.c admin/paste.c */
/* test-sources: admin/loadmod.c admin/loadmod_xmodem.c admin/xmodem.c admin/base64.c lib/parse.c */
/* test-sources: admin/transfer.c admin/ymodem.c admin/progress.c */
/* test-sources: tests/host/admin/fake_machine.c admin/sendkey.c */
/* test-sources: vmm/vm_console.c lib/ring.c tests/host/admin/fake.c tests/host/vmm/fake.c */
/* The shell as a whole: what is typed, and what is then on the screen. */
#include "tests/host/admin/fake.h"
#include "vmm/device.h"
#include "vmm/help_topic.h"

#include "kernel/boot_info.h"
#include "tests/host/vmm/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void cheeses(help_topic_fn fn, void *opaque)
{
	static const struct device_key keys[] = {
		{.name = "weight", .kind = KEY_SIZE, .help = "how much"}, {}};

	fn(opaque, &(struct help_entry){"brie", "soft", "PATH", "to the shop", keys});
}

HELP_TOPIC(cheese_topic, .name = "cheese", .entry = "cheese", .help = "what is eaten",
	   .each = cheeses);

#define LEAVE "\x1d"

static void expect_shown(const char *text)
{
	if (!strstr(fake_screen, text))
		fail_msg("'%s' is not in:\n%s", text, fake_screen);
}

static void test_prompt_and_help(void **state)
{
	(void)state;
	fake_shell(false, "help\r");
	expect_shown("`help` lists the commands.");
	expect_shown("alcazar> help");
	expect_shown("  list  ");
	expect_shown("  destroy VM  ");
	fake_shell(false,
		   "help start\rhelp nope\rhelp device\rhelp device uart\rhelp device nope\r");
	expect_shown("  start VM                 start a VM");
	expect_shown("nope: no such command; `help` lists what there is");
	expect_shown("uart                     a port");
	expect_shown("  io           number         first port (default 0x3f8)");
	expect_shown("nope: no such type of device");
	fake_shell(false, "help\rhelp cheese\rhelp cheese brie\rhelp cheese gouda\r");
	expect_shown("`help cheese`: what is eaten");
	expect_shown("  brie                     soft");
	expect_shown("brie: soft");
	expect_shown("  PATH                        to the shop");
	expect_shown("  weight       size           how much (required)");
	expect_shown("gouda: no such cheese; `help cheese` lists what there is");
}

static void test_bad_lines(void **state)
{
	(void)state;
	fake_shell(
		false,
		"frobnicate now\r  \rlist too many\rstart\rstart nope\r"
		"a b c d e f g h i j\rlist 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 "
		"22 23 24 25 26 27 28 29 30 31 32\r");
	expect_shown("frobnicate: no such command; `help` lists what there is");
	expect_shown("usage: list\n");
	expect_shown("usage: start VM");
	expect_shown("nope: no such VM; `list` shows them");
	expect_shown("a: no such command");
	expect_shown("list: too many words");
}

static void test_life_cycle(void **state)
{
	(void)state;
	fake_shell(false,
		   "list\rstart demo\rlist\rpause demo\rresume demo\rreset demo\rdestroy demo\r");
	expect_shown("demo                 defined     1    256 MiB");
	expect_shown("vm demo is started");
	expect_shown("demo                 running     1    256 MiB");
	expect_shown("vm demo is paused");
	expect_shown("vm demo goes on");
	expect_shown("vm demo is reset");
	expect_shown("vm demo is destroyed");
	fake_start_error = -12;
	fake_shell(false, "start demo\r");
	expect_shown("start demo: failed (error 12), see the log");
}

/* A terminal that answers says how large it is, and the guest is told; of others, nothing. */
static void test_console_size(void **state)
{
	(void)state;
	fake_terminal = "\x1b[5;40R";
	fake_person = true;
	fake_shell(false, "set paging auto\rhelp\rqstart demo\rconsole demo\r" LEAVE);
	assert_int_equal(fake_guest_columns, 40);
	assert_int_equal(fake_guest_rows, 5);
	fake_guest_columns = 0;
	fake_terminal = NULL;
	fake_shell(false, "help\rconsole demo\r" LEAVE);
	assert_int_equal(fake_guest_columns, 0);
}

static void test_console(void **state)
{
	(void)state;
	fake_shell(false, "console demo\r");
	expect_shown("vm demo has no console: it is not started");
	fake_guest_says("kept text\r\n");
	fake_shell(false, "start demo\rconsole demo\rls -l\r" LEAVE "list\r");
	expect_shown("-- attached to vm demo; Ctrl-] returns to the alcazar> prompt --\n"
		     "kept text\r\n");
	expect_shown("-- left vm demo; `console demo` attaches again --");
	expect_shown("alcazar> list");
	assert_string_equal(fake_guest_heard, "ls -l\r");
}

static void test_the_guest_ends(void **state)
{
	(void)state;
	fake_guest_ends_when_it_hears('q');
	fake_shell(false, "start demo\rconsole demo\rabcq");
	expect_shown("Power down\n-- vm demo has ended; back at the alcazar> prompt --");
	expect_shown("alcazar> ");
	fake_shell(false, "list\r");
	expect_shown("stopped");
	/* What it said is kept for who comes later. */
	fake_shell(false, "console demo\r");
	expect_shown("-- vm demo has ended; what it said last: --\n"
		     "Power down\n-- vm demo has ended; back at the alcazar> prompt --");
}

static void test_the_guest_crashes(void **state)
{
	(void)state;
	fake_guest_crashes_when_it_hears('q');
	fake_shell(false, "start demo\rconsole demo\rabcq");
	expect_shown("Power down\n-- vm demo has crashed; back at the alcazar> prompt --");
	/* What it said is kept. */
	fake_shell(false, "console demo\r");
	expect_shown("Power down\n-- vm demo has crashed; back at the alcazar> prompt --");
}

static void test_a_deaf_guest_keeps_nobody(void **state)
{
	char keys[16384]; /* more than waits for a guest */

	(void)state;
	fake_guest_deaf = true;
	memset(keys, 'x', sizeof(keys));
	memcpy(keys, "start demo\rconsole demo\r", 24);
	memcpy(keys + sizeof(keys) - 7, LEAVE "list\r", 7);
	fake_shell(false, keys);
	expect_shown("-- left vm demo;");
	expect_shown("alcazar> list");
	fake_guest_deaf = false;
}

/* Typed faster than the guest takes it: all of it arrives. */
static void test_paste(void **state)
{
	static const char begin[] = "start demo\rconsole demo\r";
	const size_t n = sizeof(begin) - 1;
	char keys[8192] = ""; /* likewise */
	size_t i;

	(void)state;
	memcpy(keys, begin, n);
	for (i = n; i < sizeof(keys) - 1; i++)
		keys[i] = (char)('a' + i % 26);
	fake_guest_heard[0] = '\0';
	fake_shell(false, keys);
	assert_string_equal(fake_guest_heard, keys + n);
}

static void test_autostart(void **state)
{
	(void)state;
	fake_guest_says("booting\n");
	fake_shell(true, LEAVE);
	expect_shown("-- attached to vm demo; Ctrl-] returns to the alcazar> prompt --\nbooting");
	expect_shown("-- left vm demo;");
}

static void test_completion(void **state)
{
	(void)state;
	fake_shell(false, "hel\t\r");
	expect_shown("alcazar> help ");
	fake_shell(false, "start d\t\r");
	expect_shown("alcazar> start demo ");
	expect_shown("vm demo is started");
	fake_shell(false, "re\t");
	expect_shown("alcazar> re");
	expect_shown("reset  ");
	expect_shown("reboot  ");
	fake_shell(false, "device_add demo u\tio\t1,i\t\r");
	expect_shown("alcazar> device_add demo uart,io=1,i");
	expect_shown("id=  io=  ");
	fake_shell(false, "set pa\t\rhelp sen\t\rlist;shut\tde\t\r");
	expect_shown("paging   auto");
	expect_shown("for example: sendkey linux");
	expect_shown("alcazar> list;shutdown demo ");
	fake_shell(false, "xyz\tlist q\t \t\r");
	expect_shown("xyzlist q");
}

static void test_devices_come_and_go(void **state)
{
	(void)state;
	fake_shell(false, "device_add uart,id=u\rdevice_del u\rstart demo\r"
			  "device_add uart,id=u,io=0x2f8,name=\"a, b;\\\"c\",x=1,,2\r");
	expect_shown("vm demo is defined: `start` it first");
	expect_shown("vm demo has no device u; `info devices");
	expect_shown("vm demo has device u\n");
	assert_string_equal(fake_plugged, "uart u device_add:3:io=<0x2f8> "
					  "device_add:4:name=<a, b;\"c> device_add:5:x=<1,2>");
	fake_shell(false, "device_del demo u;device_del u\rdevice_add demo uart,id=busy;"
			  "device_del busy\rdevice_add nope,id=u\r");
	expect_shown("vm demo has no device u any more\nvm demo has no device u; `info");
	expect_shown("vm demo has device busy\nvm demo keeps device busy, see the log\n");
	expect_shown("device_add nope: failed (error 2), see the log");
	fake_shell(false, "device_add other uart,id=u\rdevice_add uart,io\rdevice_add uart,=1\r"
			  "device_add uart,io=1\rdevice_add uart,id=a,id=b\rdevice_add uart,\"\r"
			  "device_add id=a,uart\rdevice_add uart,id=a,type=b\rdevice_add\r");
	expect_shown("other: no such VM");
	expect_shown("device_add: io: expected key=value");
	expect_shown("device_add: =1: expected key=value");
	expect_shown("device_add: id: expected id=ID, which no other device of the VM has");
	expect_shown("device_add: id: expected one id");
	expect_shown("device_add: quotes: expected \" to close it");
	expect_shown("device_add: id=a: expected TYPE,id=ID,key=value");
	expect_shown("device_add: type: expected it as the first word, alone");
	expect_shown("usage: device_add [VM] TYPE,id=ID[,KEY=VALUE]");
	fake_shell(false, "device_add u\tid=t\rdevice_del t\t\rinfo\r");
	expect_shown("alcazar> device_add uart,id=t\n");
	expect_shown("alcazar> device_del t \n");
	expect_shown("vm demo has no device t any more");
}

/* A guest that listens is asked once; who says it again means it. */
static void test_guest_is_asked_to_let_go(void **state)
{
	(void)state;
	fake_guest_listens = true;
	fake_shell(false, "device_add uart,id=u\rstart demo\rdevice_add uart,id=u\rdevice_del u\r");
	expect_shown("vm demo was asked to let go of device u; say it again to take it\n");
	fake_shell(false, "device_del u\rdevice_del u\r");
	expect_shown("vm demo has no device u any more\n");
	expect_shown("vm demo has no device u; `info devices demo`");
}

/* labgrid's UBootDriver sends this, and looks for lines that are the marker, and the status. */
static void test_labgrid(void **state)
{
	(void)state;
	fake_shell(false, "echo 'ABCD''EFGH'; list; echo \"$?\"; echo 'ABCD''EFGH';\r");
	expect_shown("\nABCDEFGH\nNAME ");
	expect_shown("MiB\n0\nABCDEFGH\nalcazar> ");
	fake_shell(false, "echo 'ABCD''EFGH'; nonsense; echo \"$?\"; echo 'ABCD''EFGH';\r");
	expect_shown("\nABCDEFGH\nnonsense: no such command; `help` lists what there is\n127\n"
		     "ABCDEFGH\n");
}

static void test_status(void **state)
{
	(void)state;
	fake_shell(false, "start nobody; echo a$?; list x;echo b$?;list;echo 'c'$?;"
			  "echo '$?' \"d$?\" \\$? # start $?\r");
	expect_shown("\na3\n");
	expect_shown("\nb2\n");
	expect_shown("\nc0\n");
	expect_shown("\n$? d0 $?\n");
	fake_shell(false, "echo 'open; list\recho a\\ b  'c  d'\"e\"f\recho\r# all of it\r");
	expect_shown("echo: a quote is not closed\n");
	expect_shown("\na b c  def\n");
}

static const char long_answer[] = "help\r";

static unsigned count(const char *text)
{
	unsigned n = 0;

	for (const char *s = fake_screen; (s = strstr(s, text)); s++)
		n++;
	return n;
}

static void test_pages(void **state)
{
	char keys[64];

	(void)state;
	/* Nobody answers: nothing is held up. */
	fake_shell(false, long_answer);
	assert_int_equal(count("--More--"), 0);
	expect_shown("\x1b[6n");
	/* A terminal of 10 rows does; then a page, a line, and no more. */
	fake_terminal = "\x1b[10;80R";
	fake_person = true;
	snprintf(keys, sizeof(keys), "%s \rq", long_answer);
	fake_shell(false, keys);
	assert_int_equal(count("--More--"), 3);
	assert_null(strstr(fake_screen, "Ctrl-] leaves a VM's console"));
	/* Another key is the next line's. */
	fake_shell(false, "help\rlist\r");
	assert_int_equal(count("--More--"), 1);
	expect_shown("alcazar> list\n");
	fake_shell(false, "list\r");
	assert_int_equal(count("--More--"), 0);
	/* What was typed ahead nobody reads by pages, and whoever does not answer any more neither.
	 */
	fake_person = false;
	fake_shell(false, "help\rlist\r");
	assert_int_equal(count("--More--"), 0);
	expect_shown("demo                 defined");
	fake_person = true;
	fake_shell(false, "\t");
	fake_terminal = NULL;
	fake_shell(false, "help\rlist\r");
	assert_int_equal(count("--More--"), 0);
	fake_terminal = "\x1b[10;80R";
	/* Set. */
	fake_shell(false, "set paging off\rhelp\r");
	assert_int_equal(count("--More--"), 0);
	fake_terminal = NULL;
	fake_shell(false, "set paging on\rhelp\rlist\r");
	assert_int_equal(count("--More--"), 1);
	expect_shown("demo                 defined");
	fake_shell(false, "set paging auto;set paging;set paging x;set x;set\r");
	expect_shown("paging   auto   auto|on|off: ");
	expect_shown("set paging x: expected auto|on|off");
	expect_shown("set x: no such setting; `set` lists them");
	expect_shown("log      info   error|warn|info|debug: ");
}

static void test_settings(void **state)
{
	(void)state;
	fake_shell(false, "set log debug;set log;set colour on\rlist\rset colour off\r");
	expect_shown("log      debug ");
	expect_shown("\x1b[1;32malcazar>\x1b[m list");
	fake_shell(false, "set log info\r");
	assert_null(strstr(fake_screen, "\x1b[1;"));
}

static void test_buttons(void **state)
{
	(void)state;
	fake_shell(false, "shutdown demo;shutdown nobody\rstart demo;shutdown demo;"
			  "sendkey demo a ctrl-alt-delete f12;sendkey demo nokey;"
			  "sendkey demo a-b-c-d-e;sendkey demo a--b;sendkey demo -\r");
	expect_shown("vm demo is defined: `start` it first");
	expect_shown("nobody: no such VM");
	expect_shown("vm demo: its power button is pressed");
	assert_string_equal(fake_pressed, "button +1e -1e +1d +38 +d3 -d3 -38 -1d +58 -58 ");
	expect_shown("sendkey: nokey: expected up to 4 keys with - between them");
	expect_shown("sendkey: a-b-c-d-e: expected");
	expect_shown("sendkey: a--b: expected");
	expect_shown("sendkey: -: expected");
	fake_keyboard_error = -11; /* EAGAIN */
	fake_shell(false, "sendkey demo a b;echo s$?\r");
	expect_shown("vm demo does not take its keyboard's keys\ns1\n");
	fake_bare = true;
	fake_shell(false, "sendkey demo a;shutdown demo\r");
	expect_shown("vm demo has no keyboard");
	expect_shown("vm demo has no power button");
}

static void test_define(void **state)
{
	(void)state;
	fake_shell(false, "define\r[vm \"x\"]\r\n  cpuss\b = 2\n\t# \xc3\xa4\x01\r.\rlist\r");
	assert_string_equal(fake_defined, "pasted config: [vm \"x\"]\n  cpus = 2\n\t# \xc3\xa4\n");
	expect_shown("demo                 defined");
	fake_shell(false, "define\rbad\r.\recho s$?\rdefine\rx\x03 list\r");
	expect_shown("define: pasted config: failed (error 22), see the log");
	expect_shown("s1\n");
	expect_shown("define: given up, nothing is defined");
	expect_shown("demo                 defined");
	fake_add_module("some.cfg", "[vm \"y\"]", 8);
	fake_shell(false, "define some.cfg\rdefine other\rdefine so\t\r");
	assert_string_equal(fake_defined, "some.cfg: [vm \"y\"]");
	expect_shown("define: other: no such module; `info modules` lists them");
	expect_shown("alcazar> define some.cfg ");
	fake_clear_modules();
	fake_shell(false, "undefine demo;start demo;undefine demo;undefine nobody\r");
	expect_shown("vm demo is undefined");
	expect_shown("undefine demo: failed (error 16), see the log");
}

static void test_loadmod(void **state)
{
	const struct boot_module *module;

	(void)state;
	fake_shell(false, "loadmod hello\rSGVsbG8s\nIHdvcm\nxkIQ==\n.\nlist\r");
	expect_shown("module hello: 13 bytes, CRC-32 ebe6c6e6\n");
	expect_shown("demo                 defined");
	module = boot_module_find("hello");
	assert_non_null(module);
	assert_memory_equal(module->data, "Hello, world!", 13);
	fake_shell(false, "loadmod hello\rloadmod a/b\rloadmod\rloadmod bad\rSGVs*\nlist\n.\n");
	expect_shown("loadmod: hello: there is a module of that name");
	expect_shown("loadmod: a/b: expected a name of letters");
	expect_shown("usage: loadmod NAME [base64|xmodem|ymodem [SIZE]]");
	expect_shown("loadmod: bad: not base64 from begin to end; nothing is kept");
	assert_null(strstr(fake_screen, "NAME  "));
	fake_shell(false, "loadmod cut\rSGVsb\n.\nloadmod pad\rSGVsbG8=x\n.\nloadmod no\rSGVs\x03"
			  "loadmod none\r.\r");
	expect_shown("loadmod: cut: not base64");
	expect_shown("loadmod: pad: not base64");
	expect_shown("loadmod: no: given up; nothing is kept of 0 bytes");
	expect_shown("module none: 0 bytes, CRC-32 00000000\n");
	assert_null(boot_module_find("no"));
	fake_shell(false, "loadmod x zmodem\rloadmod x base64 5\rloadmod x xmodem 0\r"
			  "loadmod x xmodem 257M\rloadmod x xmodem y\recho s$?\r"
			  "loadmod x x\t\x03loadmod x base64\rSGVs\n.\nloadmod z xmodem\r");
	expect_shown("loadmod: zmodem: expected base64|xmodem|ymodem");
	expect_shown("loadmod: 5: expected the size of a file that comes by xmodem");
	expect_shown("loadmod: 0: expected the size");
	expect_shown("loadmod: 257M: expected the size");
	expect_shown("loadmod: y: expected the size");
	expect_shown("s1\n");
	expect_shown("loadmod x xmodem ");
	expect_shown("module x: 3 bytes");
	expect_shown("CCCCCCCCCCCCCCCCCCCC");
	expect_shown("loadmod: z: nobody began at the other end; nothing is kept of 0 bytes");
	fake_clear_modules();
}

static void test_machine(void **state)
{
	(void)state;
	fake_shell(false, "dmesg\rreboot\rpoweroff\r");
	expect_shown("[    0.000001] first line\n");
	expect_shown("This machine cannot switch itself off");
}

static void test_garbage(void **state)
{
	char keys[512];
	unsigned i, j;

	(void)state;
	srand(2);
	for (i = 0; i < 500; i++) {
		for (j = 0; j < sizeof(keys) - 1; j++)
			keys[j] = (char)(1 + rand() % 255);
		keys[j] = '\0';
		fake_shell(i % 2, keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_prompt_and_help, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_bad_lines, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_life_cycle, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_console, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_the_guest_ends, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_the_guest_crashes, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_a_deaf_guest_keeps_nobody, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(test_paste, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_autostart, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_completion, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_devices_come_and_go, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(test_guest_is_asked_to_let_go, fake_setup,
						fake_teardown),
		cmocka_unit_test_setup_teardown(test_labgrid, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_status, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_pages, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_settings, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_buttons, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_define, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_loadmod, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_machine, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_garbage, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_console_size, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
