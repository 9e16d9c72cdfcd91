/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/shell.c admin/command.c admin/complete.c admin/line_edit.c admin/input.c */
/* test-sources: admin/attach.c admin/vm_commands.c admin/help.c admin/machine_commands.c */
/* test-sources: admin/plug_commands.c */
/* test-sources: vmm/vm_console.c lib/ring.c tests/host/admin/fake.c tests/host/vmm/fake.c */
/* The shell as a whole: what is typed, and what is then on the screen. */
#include "tests/host/admin/fake.h"
#include "vmm/device.h"
#include "vmm/help_topic.h"

#include <setjmp.h>
#include <stdarg.h>
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
	fake_shell(false, "frobnicate now\r  \rlist too many\rstart\rstart nope\r"
			  "a b c d e f g h i j\rlist 1 2 3 4 5 6 7 8 9\r");
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
	char keys[4096];

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
	char keys[4096] = "";
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
	fake_shell(false, "xyz\tlist q\t \t\r");
	expect_shown("xyzlist q");
}

static void test_devices_come_and_go(void **state)
{
	(void)state;
	fake_shell(false, "device_add uart,id=u\rdevice_del u\rstart demo\r"
			  "device_add uart,id=u,io=0x2f8,name=\"a, b;\\\"c\",x=1,,2\r");
	expect_shown("vm demo is defined: `start` it first");
	expect_shown("vm demo has no device u; `info devices demo` shows them");
	expect_shown("vm demo has device u\n");
	assert_string_equal(fake_plugged, "uart u device_add:3:io=<0x2f8> "
					  "device_add:4:name=<a, b;\"c> device_add:5:x=<1,2>");
	fake_shell(false, "device_del demo u;device_del u\rdevice_add demo uart,id=busy;"
			  "device_del busy\rdevice_add nope,id=u\r");
	expect_shown("vm demo has no device u any more\nvm demo has no device u; `info");
	expect_shown("vm demo has device busy\ndevice_del busy: failed (error 16), see the log");
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
		cmocka_unit_test_setup_teardown(test_machine, fake_setup, fake_teardown),
		cmocka_unit_test_setup_teardown(test_garbage, fake_setup, fake_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
