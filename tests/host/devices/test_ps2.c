/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/ps2.c devices/chipset/ps2_port.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void command(uint8_t value)
{
	fake_outb(0x64, value);
}

/* The next byte, which must be there, and from where. */
static uint8_t get(bool mouse)
{
	uint8_t status = fake_inb(0x64);

	assert_int_equal(status & 0x21, mouse ? 0x21 : 0x01);
	return fake_inb(0x60);
}

static void nothing(void)
{
	assert_int_equal(fake_inb(0x64) & 1, 0);
}

static void keyboard(uint8_t value)
{
	fake_outb(0x60, value);
}

static void mouse(uint8_t value)
{
	command(0xd4);
	fake_outb(0x60, value);
}

static int setup(void **state)
{
	(void)state;
	fake_start(1);
	assert_non_null(fake_create("ps2", "ps2", NULL));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

/* In the order in which Linux' i8042 driver looks. */
static void test_controller(void **state)
{
	(void)state;
	nothing();
	command(0x20);
	assert_int_equal(get(false), 0x64);
	command(0xaa);
	assert_int_equal(get(false), 0x55);
	command(0xab);
	assert_int_equal(get(false), 0);
	command(0xd3);
	fake_outb(0x60, 0x5a);
	assert_int_equal(get(true), 0x5a);
	command(0xa9);
	assert_int_equal(get(false), 0);
	command(0x60);
	fake_outb(0x60, 0x03);
	command(0xd3);
	fake_outb(0x60, 0xa5);
	assert_true(fake_line(12));
	assert_int_equal(get(true), 0xa5);
	assert_false(fake_line(12));
	command(0x60);
	fake_outb(0x60, 0xff);
	command(0x20);
	assert_int_equal(get(false), 0x77);
	command(0x6f);
	fake_outb(0x60, 0x12);
	command(0x2f);
	assert_int_equal(get(false), 0x12);
	nothing();
}

static void test_keyboard(void **state)
{
	(void)state;
	command(0x60);
	fake_outb(0x60, 0x01);
	keyboard(0xff);
	assert_true(fake_line(1));
	assert_int_equal(get(false), 0xfa);
	assert_true(fake_line(1)); /* the next is there */
	assert_int_equal(get(false), 0xaa);
	assert_false(fake_line(1));
	keyboard(0xf2);
	assert_int_equal(get(false), 0xfa);
	assert_int_equal(get(false), 0xab);
	assert_int_equal(get(false), 0x83);
	keyboard(0xed);
	assert_int_equal(get(false), 0xfa);
	keyboard(0x07);
	assert_int_equal(get(false), 0xfa);
	keyboard(0xf0);
	assert_int_equal(get(false), 0xfa);
	keyboard(0);
	assert_int_equal(get(false), 0xfa);
	assert_int_equal(get(false), 2);
	keyboard(0xee);
	assert_int_equal(get(false), 0xee);
	keyboard(0x11);
	assert_int_equal(get(false), 0xfe);
	nothing();
}

static void test_mouse(void **state)
{
	(void)state;
	mouse(0xff);
	assert_int_equal(get(true), 0xfa);
	assert_int_equal(get(true), 0xaa);
	assert_int_equal(get(true), 0x00);
	mouse(0xf3);
	assert_int_equal(get(true), 0xfa);
	mouse(80);
	assert_int_equal(get(true), 0xfa);
	mouse(0xf4);
	assert_int_equal(get(true), 0xfa);
	mouse(0xe9);
	assert_int_equal(get(true), 0xfa);
	assert_int_equal(get(true), 0x20);
	assert_int_equal(get(true), 2);
	assert_int_equal(get(true), 80);
	mouse(0xf2);
	assert_int_equal(get(true), 0xfa);
	assert_int_equal(get(true), 0);
	nothing();
}

static void test_resets(void **state)
{
	(void)state;
	command(0xff); /* pulses nothing */
	fake_outb(0x92, 0x02);
	assert_int_equal(fake_inb(0x92), 0x02);
	assert_int_equal(fake_requests, 0);
	command(0xfe);
	assert_int_equal(fake_requests, 1 << VM_REQUEST_RESET);
	fake_requests = 0;
	fake_outb(0x92, 0x03);
	assert_int_equal(fake_requests, 1 << VM_REQUEST_RESET);
	fake_requests = 0;
	command(0xd1);
	fake_outb(0x60, 0xdf); /* A20 */
	assert_int_equal(fake_requests, 0);
	command(0xd0);
	assert_int_equal(get(false) & 3, 3);
	command(0xd1);
	fake_outb(0x60, 0xde);
	assert_int_equal(fake_requests, 1 << VM_REQUEST_RESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_controller, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keyboard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mouse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
