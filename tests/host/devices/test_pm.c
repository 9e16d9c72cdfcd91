/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/pm.c devices/chipset/reset_control.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/acpi_node.h"
#include "tests/host/devices/fake.h"
#include "vmm/power_button.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static int setup(void **state)
{
	(void)state;
	fake_start(1);
	assert_non_null(fake_create("pm", "pm", NULL));
	assert_non_null(fake_create("reset-control", "reset", NULL));
	return 0;
}

static int setup24(void **state)
{
	const char *keys[] = {"timer-bits=24", "io=0xb000", NULL};

	(void)state;
	fake_start(1);
	assert_non_null(fake_create("pm", "pm", keys));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void test_timer(void **state)
{
	uint32_t a = fake_in(0x608, 4), b;

	(void)state;
	fake_advance(SECOND);
	b = fake_in(0x608, 4);
	assert_in_range(b - a, 3579544, 3579546);
	assert_int_equal(fake_in(0x609, 1), b >> 8 & 0xff);
	fake_advance(1300 * SECOND);
	assert_true(fake_in(0x608, 4) < b + 1300 * UINT64_C(3579546));
}

static void test_timer_interrupt(void **state)
{
	(void)state;
	fake_advance(SECOND);
	assert_int_equal(fake_in(0xb000, 2), 0);
	fake_out(0xb002, 2, 1);
	fake_advance(SECOND);
	assert_false(fake_line(9));
	fake_advance(SECOND);
	assert_true(fake_line(9)); /* 2^23 ticks are 2.34 s */
	assert_int_equal(fake_in(0xb000, 2), 1);
	fake_out(0xb000, 2, 1);
	assert_false(fake_line(9));
	fake_advance(3 * SECOND);
	assert_true(fake_line(9));
	assert_true(fake_in(0xb008, 4) < 1u << 24);
}

static void test_power_off(void **state)
{
	(void)state;
	assert_int_equal(fake_in(0x604, 2), 1);
	fake_out(0x604, 2, 0x2000 | 1 << 10);
	assert_string_not_equal(fake_last_log, "");
	fake_last_log[0] = 0;
	fake_out(0x604, 2, 0x2000 | 1 << 10); /* once is enough */
	assert_string_equal(fake_last_log, "");
	assert_int_equal(fake_requests, 0);
	fake_out(0x604, 2, 5 << 10);
	assert_int_equal(fake_requests, 0);
	assert_int_equal(fake_in(0x604, 2), 5 << 10 | 1);
	fake_out(0x604, 2, 0x2000 | 5 << 10);
	assert_int_equal(fake_requests, 1 << VM_REQUEST_POWEROFF);
}

/* What the administrator presses is an event like another, masked until the guest wants it. */
static void test_power_button(void **state)
{
	const struct power_button *button = device_iface(&fake_vm, "pm", POWER_BUTTON_KIND);

	(void)state;
	assert_non_null(button);
	button->press(button->opaque);
	assert_int_equal(fake_in(0x600, 2), 0x0100);
	assert_false(fake_line(9));
	fake_out(0x602, 2, 0x0100);
	assert_true(fake_line(9));
	fake_out(0x600, 2, 0x0001);
	assert_true(fake_line(9));
	fake_out(0x601, 1, 0x01);
	assert_false(fake_line(9));
	assert_int_equal(fake_in(0x600, 2), 0);
	button->press(button->opaque);
	button->press(button->opaque);
	assert_true(fake_line(9));
	assert_int_equal(fake_requests, 0);
}

static void test_registers(void **state)
{
	(void)state;
	fake_out(0x602, 2, 0xffff);
	assert_int_equal(fake_in(0x602, 2), 0x0521);
	fake_out(0x603, 1, 0);
	assert_int_equal(fake_in(0x600, 4), 0x00210000);
	fake_out(0x620, 4, 0x12345678);
	assert_int_equal(fake_in(0x620, 4), 0);
	fake_out(0x624, 4, 0x12345678);
	assert_int_equal(fake_in(0x624, 4), 0x12345678);
}

/* An event that a device raises: its status stays until the guest clears it, and interrupts while
 * it is enabled. */
static void test_general_purpose_events(void **state)
{
	const struct acpi_gpe *gpe = device_iface(&fake_vm, "pm", ACPI_GPE_KIND);

	(void)state;
	assert_non_null(gpe);
	gpe->raise(gpe->opaque, 1);
	gpe->raise(gpe->opaque, 31);
	assert_int_equal(fake_in(0x620, 4), 0x80000002);
	assert_false(fake_line(9));
	assert_false(gpe->enabled(gpe->opaque, 1));
	fake_out(0x624, 1, 0x02);
	assert_true(gpe->enabled(gpe->opaque, 1));
	assert_true(fake_line(9));
	fake_out(0x620, 1, 0xfd); /* others' bits do not clear it */
	assert_true(fake_line(9));
	fake_out(0x620, 1, 0x02);
	assert_false(fake_line(9));
	assert_int_equal(fake_in(0x620, 4), 0x80000000);
	gpe->raise(gpe->opaque, 1);
	assert_true(fake_line(9));
	fake_reset();
	assert_false(fake_line(9));
	assert_int_equal(fake_in(0x620, 4), 0);
}

static void test_reset_register(void **state)
{
	(void)state;
	fake_out(0xcf8, 4, 0x80000600);
	fake_out(0xcf9, 1, 0x02);
	assert_int_equal(fake_requests, 0);
	assert_int_equal(fake_in(0xcf9, 1), 0x02);
	assert_int_equal(fake_in(0xcf8, 4), FAKE_FLOATING);
	fake_out(0xcf9, 1, 0x06);
	assert_int_equal(fake_requests, 1 << VM_REQUEST_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_interrupt, setup24, teardown),
		cmocka_unit_test_setup_teardown(test_power_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_power_button, setup, teardown),
		cmocka_unit_test_setup_teardown(test_general_purpose_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_register, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
