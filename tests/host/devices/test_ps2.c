/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/ps2.c devices/chipset/ps2_port.c devices/chipset/ps2_keys.c */
/* test-sources: vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"
#include "vmm/keyboard.h"

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

static int type(uint8_t key, bool down)
{
	const struct keyboard *k = device_iface(&fake_vm, "ps2", KEYBOARD_KIND);
	const struct key_event event = {key, down};

	return k->keys(k->opaque, &event, 1);
}

/* As Linux finds it: the keyboard speaks set 2, and the controller makes set 1 of it. */
static void test_translated(void **state)
{
	(void)state;
	command(0x60);
	fake_outb(0x60, 0x65);
	assert_int_equal(type(KEY_SHIFT, true), 0);
	assert_true(fake_line(1));
	assert_int_equal(get(false), 0x2a);
	assert_int_equal(type(KEY_SHIFT, false), 0);
	assert_int_equal(type(KEY_UP, true), 0);
	assert_int_equal(type(KEY_UP, false), 0);
	assert_int_equal(get(false), 0xaa);
	assert_int_equal(get(false), 0xe0);
	assert_int_equal(get(false), 0x48);
	assert_int_equal(get(false), 0xe0);
	assert_int_equal(get(false), 0xc8);
	nothing();
	assert_false(fake_line(1));
	for (uint8_t key = 1; key <= KEY_F12; key++) {
		if (key == 0x55)
			continue;
		assert_int_equal(type(key, true), 0);
		assert_int_equal(type(key, false), 0);
		assert_int_equal(get(false), key);
		assert_int_equal(get(false), key | 0x80);
	}
	assert_int_equal(type(0x55, true), 0); /* there is none */
	nothing();
	keyboard(0xf2);
	assert_int_equal(get(false), 0xfa);
	assert_int_equal(get(false), 0xab);
	assert_int_equal(get(false), 0x41);
}

static void test_sets(void **state)
{
	(void)state;
	command(0x60);
	fake_outb(0x60, 0x01);
	assert_int_equal(type(KEY_DELETE, true), 0);
	assert_int_equal(type(KEY_DELETE, false), 0);
	assert_int_equal(get(false), 0xe0);
	assert_int_equal(get(false), 0x71);
	assert_int_equal(get(false), 0xe0);
	assert_int_equal(get(false), 0xf0);
	assert_int_equal(get(false), 0x71);
	keyboard(0xf0);
	assert_int_equal(get(false), 0xfa);
	keyboard(1);
	assert_int_equal(get(false), 0xfa);
	assert_int_equal(type(KEY_ENTER, false), 0);
	assert_int_equal(get(false), 0x9c);
	keyboard(0xf5); /* not looked at … */
	assert_int_equal(get(false), 0xfa);
	assert_int_equal(type(KEY_ENTER, true), 0);
	nothing();
	keyboard(0xf4); /* … and again */
	assert_int_equal(get(false), 0xfa);
	assert_int_equal(type(KEY_ENTER, true), 0);
	assert_int_equal(get(false), 0x5a);
	command(0xad); /* the line is shut: what is typed waits */
	assert_int_equal(type(KEY_ENTER, true), 0);
	nothing();
	command(0xae);
	assert_int_equal(get(false), 0x5a);
}

static unsigned ready_calls;

static void ready(void *opaque)
{
	(void)opaque;
	ready_calls++;
}

/* What the guest does not take is refused, and told when it takes again. */
static void test_full(void **state)
{
	const struct keyboard *k = device_iface(&fake_vm, "ps2", KEYBOARD_KIND);
	unsigned n = 0;

	(void)state;
	ready_calls = 0;
	k->listen(k->opaque, ready, NULL);
	while (!type(KEY_SPACE, true))
		n++;
	assert_int_equal(n, 17); /* one is in the output buffer */
	while (--n) {
		assert_int_equal(ready_calls, 0);
		assert_int_equal(get(false), KEY_SPACE);
	}
	assert_int_equal(get(false), KEY_SPACE);
	nothing();
	assert_int_equal(ready_calls, 1);
	k->listen(k->opaque, NULL, NULL);
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
		cmocka_unit_test_setup_teardown(test_translated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mouse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
