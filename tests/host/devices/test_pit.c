/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/pit.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

static unsigned pulses;

static void sink_set(void *opaque, unsigned line, bool level)
{
	(void)opaque;
	if (line == 0 && level)
		pulses++;
}

static struct irq_sink sink = {.set = sink_set};

static int setup(void **state)
{
	(void)state;
	fake_start(1);
	assert_int_equal(irq_add_sink(&fake_vm, &sink), 0);
	assert_non_null(fake_create("pit", "pit", NULL));
	pulses = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void program(unsigned channel, uint8_t control, uint16_t count)
{
	fake_outb(0x43, (uint8_t)(channel << 6 | control));
	fake_outb((uint16_t)(0x40 + channel), (uint8_t)count);
	fake_outb((uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

static unsigned count(unsigned channel)
{
	unsigned low;

	fake_outb(0x43, (uint8_t)(channel << 6));
	low = fake_inb((uint16_t)(0x40 + channel));
	return fake_inb((uint16_t)(0x40 + channel)) << 8 | low;
}

static void test_periodic(void **state)
{
	(void)state;
	fake_advance(1000 * MS);
	assert_int_equal(pulses, 0);
	program(0, 0x34, 11932); /* 100 Hz */
	fake_advance(1000 * MS);
	assert_int_equal(pulses, 99); /* 11932 ticks are a little more than 10 ms */
	fake_advance(10 * MS);
	assert_int_equal(pulses, 100);
	program(0, 0x36, 0);
	pulses = 0;
	fake_advance(1000 * MS);
	assert_int_equal(pulses, 18);
	fake_outb(0x43, 0x30); /* stops it */
	fake_advance(1000 * MS);
	assert_int_equal(pulses, 18);
}

static void test_one_shot(void **state)
{
	(void)state;
	program(0, 0x30, 11931);
	assert_true(count(0) <= 11931);
	fake_advance(5 * MS);
	assert_in_range(count(0), 5960, 5970);
	assert_int_equal(pulses, 0);
	fake_advance(5 * MS);
	assert_int_equal(pulses, 1);
	fake_advance(1000 * MS);
	assert_int_equal(pulses, 1);
	program(0, 0x38, 11931);
	fake_advance(20 * MS);
	assert_int_equal(pulses, 2);
}

/* As Linux calibrates the TSC: counter 2, mode 0, by way of port 0x61. */
static void test_gate_and_speaker(void **state)
{
	(void)state;
	fake_outb(0x61, (fake_inb(0x61) & ~0x02) | 0x01);
	program(2, 0x30, 59659);
	assert_int_equal(fake_inb(0x61) & 0x20, 0);
	fake_advance(49 * MS);
	assert_int_equal(fake_inb(0x61) & 0x20, 0);
	fake_outb(0x61, 0); /* stands still */
	fake_advance(49 * MS);
	assert_int_equal(fake_inb(0x61) & 0x20, 0);
	fake_outb(0x61, 1);
	fake_advance(2 * MS);
	assert_int_equal(fake_inb(0x61) & 0x20, 0x20);
	assert_int_equal(fake_inb(0x61) & 0x0f, 1);
	/* A one-shot triggered by the gate. */
	fake_outb(0x61, 0);
	program(2, 0x32, 1193);
	assert_int_equal(fake_inb(0x61) & 0x20, 0x20);
	fake_outb(0x61, 1);
	assert_int_equal(fake_inb(0x61) & 0x20, 0);
	fake_advance(2 * MS);
	assert_int_equal(fake_inb(0x61) & 0x20, 0x20);
}

static void test_refresh_toggles(void **state)
{
	unsigned i, toggles = 0;
	uint8_t last = fake_inb(0x61), now;

	(void)state;
	for (i = 0; i < 1000; i++, last = now) {
		fake_advance(1000);
		now = fake_inb(0x61);
		toggles += (now ^ last) >> 4 & 1;
	}
	assert_in_range(toggles, 65, 68);
}

static void test_read_back(void **state)
{
	(void)state;
	program(1, 0x34, 1000);
	fake_outb(0x43, 0xc4); /* count and status of counter 1 */
	fake_advance(1 * MS);
	fake_outb(0x43, 0xc4); /* ignored: the first is not read yet */
	assert_int_equal(fake_inb(0x41), 0xb4);
	assert_int_equal(fake_inb(0x41) | fake_inb(0x41) << 8, 1000);
	fake_outb(0x43, 0x74);
	fake_outb(0x43, 0xe4);
	assert_int_equal(fake_inb(0x41), 0x80 | 0x40 | 0x34);
}

static void test_bcd_and_bytes(void **state)
{
	(void)state;
	program(1, 0x35, 0x1234);
	assert_int_equal(count(1), 0x1234);
	fake_advance(100000); /* 119 ticks */
	assert_int_equal(count(1), 0x1115);
	fake_outb(0x43, 0x54); /* low byte only */
	fake_outb(0x41, 100);
	assert_int_equal(fake_inb(0x41), 100);
	fake_outb(0x43, 0x64); /* high byte only */
	fake_outb(0x41, 2);
	fake_advance(1000);
	assert_int_equal(fake_inb(0x41), 1);
	assert_int_equal(fake_inb(0x43), 0);
}

/* Ticks that nobody had time for are one, and the next is in phase; the counter knows the time. */
static void test_missed_ticks_are_one(void **state)
{
	(void)state;
	program(0, 0x34, 11932); /* 10 ms and 100 ns */
	fake_advance(10 * MS + MS / 2);
	assert_int_equal(pulses, 1);
	fake_now += 35 * MS; /* the machine's CPU was another's */
	fake_advance(0);
	assert_int_equal(pulses, 2);
	assert_in_range(count(0), 5300, 5400); /* 4.5 ms to go */
	fake_advance(4 * MS);
	assert_int_equal(pulses, 2);
	fake_advance(MS);
	assert_int_equal(pulses, 3);
	fake_advance(100 * MS);
	assert_int_equal(pulses, 13);
}

static void test_floods_are_bounded(void **state)
{
	(void)state;
	program(0, 0x34, 1);
	fake_advance(10 * MS);
	assert_in_range(pulses, 150, 201);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_periodic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_shot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gate_and_speaker, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refresh_toggles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bcd_and_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missed_ticks_are_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_floods_are_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
