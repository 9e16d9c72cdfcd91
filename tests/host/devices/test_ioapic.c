/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/ioapic.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define IOAPIC 0xfec00000

static struct irq_line lines[IRQ_LINES];
static unsigned sent;
static uint64_t sent_address;
static uint32_t sent_data;

static void on_message(void *opaque, uint64_t address, uint32_t data)
{
	(void)opaque;
	sent++;
	sent_address = address;
	sent_data = data;
}

static const struct irq_controller_ops controller = {.message = on_message};

static void wr(uint8_t reg, uint32_t value)
{
	fake_mmio_write(0, IOAPIC, 4, reg);
	fake_mmio_write(0, IOAPIC + 0x10, 4, value);
}

static uint32_t rd(uint8_t reg)
{
	fake_mmio_write(0, IOAPIC, 4, reg);
	return (uint32_t)fake_mmio_read(0, IOAPIC + 0x10, 4);
}

static int setup(void **state)
{
	unsigned i;

	(void)state;
	fake_start(1);
	assert_int_equal(irq_set_controller(&fake_vm, &controller, NULL), 0);
	assert_non_null(fake_create("ioapic", "ioapic", NULL));
	for (i = 0; i < IRQ_LINES; i++) {
		lines[i] = (struct irq_line){0};
		assert_int_equal(irq_line_attach(&fake_vm, &lines[i], i), 0);
	}
	sent = 0;
	return 0;
}

static int teardown(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < IRQ_LINES; i++)
		irq_line_detach(&lines[i]);
	fake_end();
	return 0;
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(rd(1), 0x00170020);
	wr(0, UINT32_MAX);
	assert_int_equal(rd(0), 0x0f000000);
	assert_int_equal(rd(0x10), 0x10000);
	wr(0x3e, UINT32_MAX);
	wr(0x3f, UINT32_MAX);
	assert_int_equal(rd(0x3e), 0x1afff);
	assert_int_equal(rd(0x3f), 0xff000000);
	assert_int_equal(rd(0x40), UINT32_MAX);
	wr(0xff, 1);
}

static void test_edges(void **state)
{
	(void)state;
	irq_line_pulse(&lines[4]);
	assert_int_equal(sent, 0);
	wr(0x10 + 9, 3u << 24);
	wr(0x10 + 8, 0x31);
	assert_int_equal(sent, 0);
	irq_line_set(&lines[4], true);
	assert_int_equal(sent, 1);
	assert_int_equal(sent_address, 0xfee03000);
	assert_int_equal(sent_data, 0x31);
	irq_line_set(&lines[4], false);
	assert_int_equal(sent, 1);
	/* ISA IRQ 0 is on pin 2; lowest priority, logical. */
	wr(0x10 + 5, 0xffu << 24);
	wr(0x10 + 4, 0x930);
	irq_line_pulse(&lines[0]);
	assert_int_equal(sent_address, 0xfeeff004);
	assert_int_equal(sent_data, 0x130);
	irq_line_pulse(&lines[2]);
	assert_int_equal(sent, 2);
}

static void test_levels(void **state)
{
	(void)state;
	irq_line_set(&lines[9], true);
	wr(0x10 + 18, 0x8039);
	assert_int_equal(sent, 1);
	assert_int_equal(sent_data, 0xc039);
	assert_int_equal(rd(0x10 + 18), 0xc039);
	irq_broadcast_eoi(&fake_vm, 0x38);
	assert_int_equal(sent, 1);
	irq_broadcast_eoi(&fake_vm, 0x39); /* still asserted */
	assert_int_equal(sent, 2);
	irq_line_set(&lines[9], false);
	fake_mmio_write(0, IOAPIC + 0x40, 4, 0x39);
	assert_int_equal(sent, 2);
	assert_int_equal(rd(0x10 + 18), 0x8039);
	/* A stuck remote IRR goes by way of edge. */
	irq_line_set(&lines[9], true);
	assert_int_equal(sent, 3);
	wr(0x10 + 18, 0x10039);
	wr(0x10 + 18, 0x18039);
	assert_int_equal(sent, 3);
	wr(0x10 + 18, 0x8039);
	assert_int_equal(sent, 4);
}

static void test_modes(void **state)
{
	(void)state;
	wr(0x10 + 10, 0x8400); /* NMI is an edge, whatever is said */
	irq_line_set(&lines[5], true);
	assert_int_equal(sent_data, 0x400);
	assert_int_equal(rd(0x10 + 10), 0x8400);
	wr(0x10 + 12, 0x700);
	irq_line_pulse(&lines[6]);
	assert_int_equal(sent_data, 0x700);
	fake_reset();
	assert_int_equal(rd(0x10 + 12), 0x10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
