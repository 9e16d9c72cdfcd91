/* SPDX-License-Identifier: BSD-2-Clause */
/* The example of docs/add-a-device.md, which make takes out of that page. */
/* test-sources: build/docs/add-a-device.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/acpi_node.h"
#include "kernel/time.h"
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALARM  0x700
#define STATUS (ALARM + 4)
#define IRQ    7

static int setup(void **state)
{
	const char *const keys[] = {"irq=7", NULL};

	(void)state;
	fake_start(1);
	assert_non_null(fake_create("alarm", "alarm0", keys));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void test_rings(void **state)
{
	(void)state;
	assert_int_equal(fake_in(ALARM, 4), 0);
	fake_out(ALARM, 4, 1000);
	fake_advance(400 * NSEC_PER_MSEC);
	assert_int_equal(fake_in(ALARM, 4), 600);
	assert_false(fake_line(IRQ));
	fake_advance(600 * NSEC_PER_MSEC);
	assert_true(fake_line(IRQ));
	assert_int_equal(fake_in(STATUS, 4), 1);
	fake_out(STATUS, 4, 0);
	assert_false(fake_line(IRQ));
	fake_advance(10 * NSEC_PER_SEC);
	assert_false(fake_line(IRQ));
}

static void test_is_moved_and_turned_off(void **state)
{
	(void)state;
	fake_out(ALARM, 4, 10);
	fake_out(ALARM, 4, 1000);
	fake_advance(500 * NSEC_PER_MSEC);
	assert_false(fake_line(IRQ));
	fake_out(ALARM, 4, 0);
	fake_advance(NSEC_PER_SEC);
	assert_false(fake_line(IRQ));
}

static void test_odd_accesses_float(void **state)
{
	(void)state;
	assert_int_equal(fake_inb(ALARM), 0xff);
	assert_int_equal(fake_in(ALARM + 2, 4), 0xffffffff);
	fake_outb(STATUS, 1);
}

static void test_reset_silences(void **state)
{
	(void)state;
	fake_out(ALARM, 4, 1);
	fake_advance(NSEC_PER_MSEC);
	assert_true(fake_line(IRQ));
	fake_out(ALARM, 4, 5);
	fake_reset();
	assert_false(fake_line(IRQ));
	fake_advance(NSEC_PER_SEC);
	assert_false(fake_line(IRQ));
}

/* What Linux finds it by. */
static void test_is_in_acpi(void **state)
{
	const struct acpi_node *node = device_iface(&fake_vm, "alarm0", ACPI_NODE_KIND);

	(void)state;
	assert_non_null(node);
	assert_string_equal(node->hid, "ALRM0001");
	assert_int_equal(node->io[0].port, ALARM);
	assert_int_equal(node->io[0].count, 8);
	assert_int_equal(node->irqs, 1 << IRQ);
	assert_null(node->next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_is_moved_and_turned_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_accesses_float, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_silences, setup, teardown),
		cmocka_unit_test_setup_teardown(test_is_in_acpi, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
