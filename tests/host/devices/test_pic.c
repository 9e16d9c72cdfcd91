/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/pic.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct irq_line lines[16];
static unsigned eois;

static void on_eoi(void *opaque)
{
	struct irq_line *line = opaque;

	eois++;
	irq_line_set(line, false);
}

static void program(uint8_t icw4)
{
	static const uint16_t ports[2] = {0x20, 0xa0};
	unsigned i;

	for (i = 0; i < 2; i++) {
		fake_outb(ports[i], 0x11);
		fake_outb(ports[i] + 1, i ? 0x28 : 0x20);
		fake_outb(ports[i] + 1, i ? 2 : 4);
		fake_outb(ports[i] + 1, icw4);
	}
}

static int setup(void **state)
{
	unsigned i;

	(void)state;
	fake_start(1);
	assert_non_null(fake_create("pic", "pic", NULL));
	for (i = 0; i < 16; i++) {
		lines[i] = (struct irq_line){0};
		assert_int_equal(irq_line_attach(&fake_vm, &lines[i], i), 0);
	}
	eois = 0;
	program(1);
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 16; i++)
		irq_line_detach(&lines[i]);
	fake_end();
	return 0;
}

static void test_nesting(void **state)
{
	(void)state;
	irq_line_pulse(&lines[4]);
	assert_true(fake_take_requests(0) & VCPU_REQ_IRQ);
	irq_line_pulse(&lines[12]);
	irq_line_pulse(&lines[1]);
	assert_int_equal(fake_interrupt(0), 0x21);
	assert_int_equal(fake_interrupt(0), -1);
	irq_line_pulse(&lines[0]);
	assert_int_equal(fake_interrupt(0), 0x20);
	fake_outb(0x20, 0x0b);
	assert_int_equal(fake_inb(0x20), 0x03);
	fake_outb(0x20, 0x0a);
	assert_int_equal(fake_inb(0x20), 0x14);
	fake_outb(0x20, 0x20);
	assert_int_equal(fake_interrupt(0), -1);
	fake_outb(0x20, 0x61); /* specific */
	assert_true(fake_take_requests(0) & VCPU_REQ_IRQ);
	assert_int_equal(fake_interrupt(0), 0x2c);
	fake_outb(0xa0, 0x20);
	fake_outb(0x20, 0x20);
	assert_int_equal(fake_interrupt(0), 0x24);
	fake_outb(0x20, 0x20);
	assert_int_equal(fake_interrupt(0), -1);
}

static void test_masks(void **state)
{
	(void)state;
	fake_outb(0x21, 0x10);
	irq_line_pulse(&lines[4]);
	assert_int_equal(fake_interrupt(0), -1);
	assert_int_equal(fake_inb(0x21), 0x10);
	fake_outb(0x21, 0);
	assert_int_equal(fake_interrupt(0), 0x24);
	irq_line_pulse(&lines[6]);
	assert_int_equal(fake_interrupt(0), -1);
	/* Special mask: what is masked no longer blocks. */
	fake_outb(0x21, 0x10);
	fake_outb(0x20, 0x68);
	assert_int_equal(fake_interrupt(0), 0x26);
}

static void test_levels(void **state)
{
	(void)state;
	fake_outb(0x4d1, 0xff);
	assert_int_equal(fake_inb(0x4d1), 0xde);
	fake_out(0x4d0, 2, 0x0eff);
	assert_int_equal(fake_in(0x4d0, 2), 0x0ef8 & 0xdeff);
	lines[11].eoi = on_eoi;
	lines[11].opaque = &lines[11];
	irq_line_set(&lines[11], true);
	assert_int_equal(fake_interrupt(0), 0x2b);
	assert_int_equal(eois, 0);
	fake_outb(0xa0, 0x20);
	assert_int_equal(eois, 1);
	fake_outb(0x20, 0x20);
	assert_int_equal(fake_interrupt(0), -1);
	/* One that goes away before it is taken asks for nothing. */
	irq_line_set(&lines[11], true);
	irq_line_set(&lines[11], false);
	assert_int_equal(fake_interrupt(0), -1);
}

static void test_auto_eoi_and_rotation(void **state)
{
	(void)state;
	program(3);
	irq_line_pulse(&lines[3]);
	irq_line_pulse(&lines[5]);
	assert_int_equal(fake_interrupt(0), 0x23);
	assert_int_equal(fake_interrupt(0), 0x25);
	program(1);
	irq_line_pulse(&lines[3]);
	irq_line_pulse(&lines[5]);
	assert_int_equal(fake_interrupt(0), 0x23);
	fake_outb(0x20, 0xa0); /* 3 goes last */
	irq_line_pulse(&lines[3]);
	irq_line_pulse(&lines[4]);
	assert_int_equal(fake_interrupt(0), 0x24);
	fake_outb(0x20, 0x20);
	assert_int_equal(fake_interrupt(0), 0x25);
	fake_outb(0x20, 0x20);
	assert_int_equal(fake_interrupt(0), 0x23);
	fake_outb(0x20, 0xc7); /* 0 first again */
	irq_line_pulse(&lines[0]);
	assert_int_equal(fake_interrupt(0), 0x20);
}

static void test_poll(void **state)
{
	(void)state;
	fake_outb(0x20, 0x0c);
	assert_int_equal(fake_inb(0x20), 0);
	irq_line_pulse(&lines[14]);
	fake_outb(0x20, 0x0c);
	assert_int_equal(fake_inb(0x20), 0x82);
	fake_outb(0xa0, 0x0c);
	assert_int_equal(fake_inb(0xa0), 0x86);
	assert_int_equal(fake_interrupt(0), -1);
	fake_outb(0xa0, 0x0b);
	assert_int_equal(fake_inb(0xa0), 0x40);
}

static void test_special_fully_nested(void **state)
{
	(void)state;
	irq_line_pulse(&lines[12]);
	assert_int_equal(fake_interrupt(0), 0x2c);
	irq_line_pulse(&lines[8]);
	assert_int_equal(fake_interrupt(0), -1);
	program(0x11);
	irq_line_pulse(&lines[12]);
	assert_int_equal(fake_interrupt(0), 0x2c);
	irq_line_pulse(&lines[8]);
	assert_int_equal(fake_interrupt(0), 0x28);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nesting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_masks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_auto_eoi_and_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_poll, setup, teardown),
		cmocka_unit_test_setup_teardown(test_special_fully_nested, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
