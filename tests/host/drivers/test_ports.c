/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: drivers/ports.c */
/* Which of the machine's ports no guest may have. */
#include "drivers/ports.h"

#include "arch/x86_64/acpi.h"
#include "drivers/serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct acpi_info acpi_info;

bool serial_console_has(uint16_t first, uint32_t count)
{
	return first <= 0x3ff && first + count > 0x3f8;
}

uint8_t io_in8(uint16_t port)
{
	fail_msg("%#x is read", port);
	return 0;
}

void io_out8(uint16_t port, uint8_t value)
{
	fail_msg("%#x is written %#x", port, value);
}

static void test_ours(void **state)
{
	(void)state;
	acpi_info.power.pm1a_control = 0x604;
	acpi_info.power.smi_command = 0xb2;
	assert_string_equal(ports_user(0x3f8, 1), "the serial console");
	assert_string_equal(ports_user(0, 0x10000), "the serial console");
	assert_non_null(ports_user(0x1f, 2));
	assert_non_null(ports_user(0xa1, 1));
	assert_non_null(ports_user(0xcf0, 9));
	assert_non_null(ports_user(0xcff, 0x100));
	assert_string_equal(ports_user(0x605, 1), "power management");
	assert_string_equal(ports_user(0x600, 5), "power management");
	assert_string_equal(ports_user(0xb2, 1), "power management");
}

static void test_others(void **state)
{
	(void)state;
	acpi_info.power.pm1a_control = 0x604;
	acpi_info.power.smi_command = 0;
	assert_null(ports_user(0x22, 0x7e));
	assert_null(ports_user(0x400, 0x204));
	assert_null(ports_user(0x606, 0x6f2));
	assert_null(ports_user(0xd00, 0xf300));
	assert_null(ports_user(0, 1));
	assert_null(ports_user(0x2f8, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
