/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/hostdev/scratch.c devices/hostdev/host_device.c */
/* test-sources: devices/hostdev/host_args.c vmm/device_key_value.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: devices/generic.c devices/generic_ranges.c lib/parse.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* The scratch: host device behind a generic one. */
#include "devices/hostdev/machine_memory.h"
#include "devices/hostdev/machine_ports.h"
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE	 0xe0000000u
#define COUNTERS 0xe0010000u

/* Nothing of the machine is passed through here. */

int machine_ports_claim(struct device *dev, uint16_t first, uint32_t count)
{
	(void)dev;
	fail_msg("ports %#x, %u", first, count);
	return 0;
}

void machine_ports_release(struct vm *vm, uint16_t first, uint32_t count)
{
	(void)vm;
	fail_msg("ports %#x, %u", first, count);
}

void machine_ports_open(struct vm *vm, uint16_t first, uint32_t count)
{
	(void)vm;
	fail_msg("ports %#x, %u", first, count);
}

void machine_ports_close(struct vm *vm, uint16_t first, uint32_t count)
{
	machine_ports_open(vm, first, count);
}

uint32_t machine_ports_read(uint16_t port, unsigned width)
{
	fail_msg("port %#x, %u", port, width);
	return 0;
}

void machine_ports_write(uint16_t port, unsigned width, uint32_t value)
{
	fail_msg("port %#x, %u: %#x", port, width, value);
}

int machine_memory_claim(struct device *dev, struct machine_memory *m, uint64_t first,
			 uint64_t last)
{
	(void)dev;
	(void)m;
	fail_msg("memory %#lx-%#lx", first, last);
	return 0;
}

int machine_memory_open(struct device *dev, struct machine_memory *m)
{
	return machine_memory_claim(dev, m, m->first, m->last);
}

uint64_t machine_memory_read(const struct machine_memory *m, uint64_t offset, unsigned width)
{
	fail_msg("memory %#lx, %u", m->first + offset, width);
	return 0;
}

void machine_memory_write(const struct machine_memory *m, uint64_t offset, unsigned width,
			  uint64_t value)
{
	fail_msg("memory %#lx, %u: %#lx", m->first + offset, width, value);
}

static int setup(void **state)
{
	(void)state;
	fake_start(2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static struct device *make(const char *ports, const char *memory, const char *args)
{
	char keys[3][256];
	const char *const list[] = {keys[0], keys[1], keys[2], NULL};

	snprintf(keys[0], sizeof(keys[0]), "ports=%s", ports);
	snprintf(keys[1], sizeof(keys[1]), "memory=%s", memory);
	snprintf(keys[2], sizeof(keys[2]), "hostdev=scratch:%s", args);
	return fake_create("generic", "pad", list);
}

static void test_memory(void **state)
{
	(void)state;
	assert_non_null(make("", "0xe0000000-0xe0000fff:forward=1", "?memory=4K"));
	assert_int_equal(fake_mmio_read(0, BASE, 8), 0);
	fake_mmio_write(0, BASE + 0xff8, 8, 0x8877665544332211);
	assert_int_equal(fake_mmio_read(1, BASE + 0xfff, 1), 0x88);
	assert_int_equal(fake_mmio_read(0, BASE + 0xff9, 4), 0x55443322);
	fake_mmio_write(1, BASE + 0xff9, 2, 0xabcd);
	assert_int_equal(fake_mmio_read(0, BASE + 0xff8, 8), 0x8877665544abcd11);
	/* Beyond it. */
	assert_int_equal(fake_mmio_read(0, BASE + 0xffe, 4), 0xffff8877);
}

static void test_ports_beside_memory(void **state)
{
	(void)state;
	assert_non_null(make("0x300-0x30f:forward", "0xe0000000-0xe000000f:forward=1",
			     "?memory=16&ports=16"));
	for (unsigned i = 0; i < 16; i += 4) {
		fake_out((uint16_t)(0x300 + i), 4, 0x11111111 * (i / 4 + 1));
		fake_mmio_write(0, BASE + i, 4, 0x01010101 * (i + 1));
	}
	assert_int_equal(fake_in(0x300, 1), 0x11);
	assert_int_equal(fake_in(0x30e, 2), 0x4444);
	assert_int_equal(fake_mmio_read(0, BASE, 4), 0x01010101);
	assert_int_equal(fake_mmio_read(0, BASE + 15, 1), 13);
}

static void test_counters(void **state)
{
	(void)state;
	assert_non_null(make("0x300:forward", "0xe0010000-0xe001000f:forward=2", "?ports=1"));
	for (unsigned i = 0; i < 5; i++)
		fake_out(0x300, 1, i);
	for (unsigned i = 0; i < 3; i++)
		fake_in(0x300, 1);
	assert_int_equal(fake_mmio_read(0, COUNTERS, 8), 3);
	assert_int_equal(fake_mmio_read(0, COUNTERS + 8, 4), 5);
	/* Neither looking at them nor writing to them counts. */
	fake_mmio_write(0, COUNTERS, 8, 77);
	assert_int_equal(fake_mmio_read(0, COUNTERS, 8), 3);
	assert_int_equal(fake_mmio_read(0, COUNTERS + 8, 8), 5);
}

static void refuse(const char *args, const char *message)
{
	assert_null(make("", "", args));
	if (!strstr(fake_last_log, message))
		fail_msg("expected '%s' in: %s", message, fake_last_log);
	fake_end();
	fake_start(2);
}

static void test_arguments(void **state)
{
	(void)state;
	refuse("?memory", "argument memory has no value");
	refuse("?memory=1048577", "argument memory: expected a number of bytes (K, M, G) from 0");
	refuse("?ports=4097", "argument ports: expected");
	refuse("?ports=16&disk=4", "'disk' is no argument of it: expected ports, memory");
	refuse("here", "scratch: takes no path, got 'here'");
	assert_non_null(make("", "", "?memory=1M&ports=4K"));
}

static void test_nothing(void **state)
{
	(void)state;
	assert_null(make("0x300:forward", "", ""));
	assert_non_null(strstr(fake_last_log, "has no region 0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_memory),   TEST(test_ports_beside_memory),
		TEST(test_counters), TEST(test_arguments),
		TEST(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
