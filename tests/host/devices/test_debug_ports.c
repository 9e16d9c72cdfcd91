/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/debug_exit.c devices/chipset/debug_console.c */
/* test-sources: devices/guest_lines.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
	const char *keys[] = {"io=0x402", NULL};

	(void)state;
	fake_start(1);
	assert_non_null(fake_create("debug-exit", "exit", NULL));
	assert_non_null(fake_create("debug-console", "console", keys));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void test_exit(void **state)
{
	(void)state;
	assert_int_equal(fake_in(0xf4, 1), 0xff);
	fake_out(0xf4, 4, 42);
	assert_int_equal(fake_requests, 1 << VM_REQUEST_POWEROFF);
}

static void test_console(void **state)
{
	const char *s = "hello\033\n";
	int i;

	(void)state;
	assert_int_equal(fake_inb(0x402), 0x02);
	while (*s)
		fake_outb(0x402, (uint8_t)*s++);
	assert_string_equal(fake_last_log, "hello");
	for (i = 0; i < 1000; i++)
		fake_outb(0x402, 'x');
	fake_reset();
}

static void test_console_flood(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		fake_outb(0x402, i < 500 ? 'a' : 'b');
		fake_outb(0x402, '\n');
	}
	assert_string_equal(fake_last_log, "a");
	fake_advance(1000000000);
	fake_outb(0x402, 'c');
	fake_outb(0x402, '\n');
	assert_string_equal(fake_last_log, "c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_exit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_console, setup, teardown),
		cmocka_unit_test_setup_teardown(test_console_flood, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
