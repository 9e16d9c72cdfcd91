/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: drivers/ports.c kernel/boot_info.c */
/* Which of the machine's ports no guest may have. */
#include "drivers/ports.h"

#include "arch/x86_64/acpi.h"
#include "arch/x86_64/paging.h"
#include "drivers/serial_claim.h"
#include "kernel/boot_info.h"
#include "kernel/page_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct acpi_info acpi_info;

static int claims; /* of any UART */

const char *serial_claim(uint16_t first, uint32_t count, const void *owner, const char *user)
{
	assert_ptr_equal(owner, &claims);
	assert_string_equal(user, "vm v's d");
	if (first <= 0x3ff && first + count > 0x3f8)
		return "the serial console";
	claims++;
	return NULL;
}

void serial_release(uint16_t first, uint32_t count, const void *owner)
{
	(void)first;
	(void)count;
	assert_ptr_equal(owner, &claims);
	claims--;
}

/* What is refused is not claimed, and what was claimed is released. */
static const char *ports_user(uint16_t first, uint32_t count)
{
	const char *user = ports_claim(first, count, &claims, "vm v's d");

	assert_int_equal(claims, !user);
	if (!user)
		ports_release(first, count, &claims);
	assert_int_equal(claims, 0);
	return user;
}

static uint64_t screen = UINT64_MAX; /* what we have mapped */

bool paging_uses_device(uint64_t phys, uint64_t size)
{
	assert_true(phys % PAGE_SIZE == 0 && size == PAGE_SIZE);
	return phys == screen;
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
	assert_non_null(ports_user(0, 0x10000));
	assert_non_null(ports_user(0x1f, 2));
	assert_non_null(ports_user(0xa1, 1));
	assert_non_null(ports_user(0xcf0, 9));
	assert_non_null(ports_user(0xcff, 0x100));
	assert_string_equal(ports_user(0x605, 1), "power management");
	assert_string_equal(ports_user(0x600, 5), "power management");
	assert_string_equal(ports_user(0xb2, 1), "power management");
	assert_string_equal(ports_user(0x64, 1),
			    "the keyboard controller, which resets the machine");
	assert_string_equal(ports_user(0x60, 5), "the causes of NMIs");
	assert_string_equal(ports_user(0x61, 1), "the causes of NMIs");
	assert_string_equal(ports_user(0x92, 1), "the fast reset");
	assert_string_equal(ports_user(0x70, 1), "the clock and the switch of NMIs");
	assert_string_equal(ports_user(0x71, 1), "the clock and the switch of NMIs");
	assert_string_equal(ports_user(0x74, 1), "the clock and the switch of NMIs");
}

/* By the FADT, where that has another one than all PCs. */
static void test_reset_port(void **state)
{
	(void)state;
	acpi_info.power.reset_port = 0x440;
	acpi_info.power.reset_port_known = true;
	assert_string_equal(ports_user(0x440, 1), "the reset register");
	assert_string_equal(ports_user(0x43f, 2), "the reset register");
	assert_null(ports_user(0x441, 1));
	acpi_info.power.reset_port_known = false;
	assert_null(ports_user(0x430, 0x20));
}

/* Its registers, while we write to it. */
static void test_screen(void **state)
{
	(void)state;
	boot_info.fb = (struct boot_framebuffer){.present = true, .text = true, .phys = 0xb8000};
	assert_null(ports_user(0x3b0, 0x40));
	screen = 0xb8000;
	assert_string_equal(ports_user(0x3d4, 1), "the registers of its screen");
	assert_string_equal(ports_user(0x3d5, 1), "the registers of its screen");
	assert_string_equal(ports_user(0x3c0, 1), "the registers of its screen");
	assert_null(ports_user(0x3e0, 8));
	boot_info.fb.present = false;
	assert_null(ports_user(0x3d4, 1));
}

static void test_others(void **state)
{
	(void)state;
	acpi_info.power.pm1a_control = 0x604;
	acpi_info.power.smi_command = 0;
	assert_null(ports_user(0x22, 0x3f));
	assert_null(ports_user(0x62, 2));
	assert_null(ports_user(0x65, 0xb));
	assert_null(ports_user(0x78, 0x1a));
	assert_null(ports_user(0x93, 0xd));
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
		cmocka_unit_test(test_reset_port),
		cmocka_unit_test(test_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
