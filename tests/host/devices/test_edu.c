/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/hostdev/edu.c devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c devices/hostdev/null.c */
/* test-sources: vmm/device_key_value.c lib/parse.c vmm/irq.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/devices/fake_front.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* `edu:` as QEMU documents it (docs/specs/edu.rst), and `null:`. */
#include "kernel/time.h"
#include "tests/host/devices/fake.h"
#include "tests/host/devices/fake_front.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID	   0x00
#define LIVENESS   0x04
#define FACTORIAL  0x08
#define STATUS	   0x20
#define IRQ_STATUS 0x24
#define IRQ_RAISE  0x60
#define IRQ_ACK	   0x64
#define SOURCE	   0x80
#define TARGET	   0x88
#define COUNT	   0x90
#define COMMAND	   0x98
#define BUFFER	   0x40000
#define DMA_MS	   100

static uint32_t in(uint64_t offset)
{
	return (uint32_t)fake_front_read(0, offset, 4);
}

static void out(uint64_t offset, uint32_t value)
{
	fake_front_write(0, offset, 4, value);
}

static int setup(void **state)
{
	(void)state;
	return fake_front_open("edu:") ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fake_front_close();
	return 0;
}

static void test_identity(void **state)
{
	unsigned msi = fake_front_cap(0x05);

	(void)state;
	assert_int_equal(fake_front_read(7, 0, 4), 0x11e81234);
	assert_int_equal(fake_front_read(7, 8, 4), 0x00ff0010);
	assert_int_equal(fake_front_read(7, 0x2c, 4), 0x11001af4);
	assert_int_equal(fake_front_read(7, 0x3d, 1), 1);
	assert_int_equal(fake_front_read(7, msi + 2, 2), 0x80);
	assert_int_equal(fake_front_read(7, msi + 1, 1), 0);
	assert_int_equal(fake_front.hd->regions[0].size, 1 << 20);
	assert_int_equal(in(ID), 0x010000ed);
	out(ID, 0);
	assert_int_equal(in(ID), 0x010000ed);
}

static void test_liveness(void **state)
{
	(void)state;
	out(LIVENESS, 0x12345678);
	assert_int_equal(in(LIVENESS), ~0x12345678u);
}

static void test_widths_and_holes(void **state)
{
	(void)state;
	out(LIVENESS, 1);
	fake_front_write(0, LIVENESS, 8, 7);
	fake_front_write(0, LIVENESS, 2, 7);
	assert_int_equal(in(LIVENESS), ~1u);
	assert_int_equal(fake_front_read(0, LIVENESS, 8), UINT64_MAX);
	assert_int_equal(fake_front_read(0, LIVENESS, 1), 0xff);
	assert_int_equal(in(0x0c), UINT32_MAX);
	assert_int_equal(in(0xa0), UINT32_MAX);
	assert_int_equal(in(BUFFER), UINT32_MAX);
	assert_int_equal(in(0xffffc), UINT32_MAX);
	fake_front_write(0, SOURCE, 8, 0x1122334455667788);
	assert_int_equal(fake_front_read(0, SOURCE, 8), 0x1122334455667788);
	assert_int_equal(in(SOURCE), 0x55667788);
	assert_int_equal(in(SOURCE + 4), UINT32_MAX);
	out(SOURCE, 5);
	assert_int_equal(fake_front_read(0, SOURCE, 8), 5);
	assert_int_equal(fake_front_read(0, SOURCE, 2), 0xffff);
}

static uint32_t factorial(uint32_t n)
{
	out(FACTORIAL, n);
	assert_int_equal(in(STATUS)&1, 1);
	fake_advance(NSEC_PER_MSEC);
	assert_int_equal(in(STATUS)&1, 0);
	return in(FACTORIAL);
}

static void test_factorial(void **state)
{
	uint32_t n, expected = 1;

	(void)state;
	for (n = 0; n < 40; n++, expected *= n)
		assert_int_equal(factorial(n), expected);
	assert_int_equal(factorial(UINT32_MAX), 0);
	/* While it computes, another number is ignored. */
	out(FACTORIAL, 5);
	out(FACTORIAL, 6);
	fake_advance(NSEC_PER_MSEC);
	assert_int_equal(in(FACTORIAL), 120);
	assert_int_equal(in(IRQ_STATUS), 0);
	assert_false(fake_front.level);
}

static void test_factorial_interrupt(void **state)
{
	(void)state;
	out(STATUS, 0xff);
	assert_int_equal(in(STATUS), 0x80);
	assert_int_equal(factorial(5), 120);
	assert_true(fake_front.level);
	assert_int_equal(in(IRQ_STATUS), 1);
	out(IRQ_ACK, 1);
	assert_false(fake_front.level);
	out(STATUS, 0);
	factorial(5);
	assert_false(fake_front.level);
}

static void test_raise_and_acknowledge(void **state)
{
	(void)state;
	out(IRQ_RAISE, 0);
	assert_false(fake_front.level);
	out(IRQ_RAISE, 0x30);
	out(IRQ_RAISE, 0x01);
	assert_int_equal(in(IRQ_STATUS), 0x31);
	out(IRQ_ACK, 0x11);
	assert_int_equal(in(IRQ_STATUS), 0x20);
	assert_true(fake_front.level);
	out(IRQ_ACK, 0xff);
	assert_false(fake_front.level);
	assert_int_equal(in(IRQ_RAISE), UINT32_MAX);
	assert_int_equal(in(IRQ_ACK), UINT32_MAX);
}

static void test_msi(void **state)
{
	(void)state;
	fake_front.mode = HOST_IRQ_MSI;
	out(IRQ_RAISE, 2);
	out(IRQ_RAISE, 2);
	assert_int_equal(fake_front.messages, 2);
	assert_int_equal(fake_front.last_vector, 0);
	assert_false(fake_front.level);
	out(IRQ_ACK, 2);
	assert_int_equal(in(IRQ_STATUS), 0);
}

static void transfer(uint64_t source, uint64_t target, uint64_t count, uint32_t command)
{
	fake_front_write(0, SOURCE, 8, source);
	fake_front_write(0, TARGET, 8, target);
	fake_front_write(0, COUNT, 8, count);
	out(COMMAND, command);
	assert_int_equal(in(COMMAND)&1, 1);
	fake_advance((DMA_MS - 1) * NSEC_PER_MSEC);
	assert_int_equal(in(COMMAND)&1, 1);
	fake_advance(NSEC_PER_MSEC);
	assert_int_equal(in(COMMAND), command & ~1u);
}

static void test_dma(void **state)
{
	(void)state;
	memset(fake_ram + 0x1000, 0xa5, 100);
	transfer(0x1000, BUFFER + 8, 100, 1);
	transfer(BUFFER, 0x2000, 0x1000, 3);
	assert_int_equal(fake_ram[0x2007], 0);
	assert_memory_equal(fake_ram + 0x1000, fake_ram + 0x2008, 100);
	assert_int_equal(fake_ram[0x2008 + 100], 0);
	assert_false(fake_front.level);
	transfer(0x1000, BUFFER, 1, 5);
	assert_true(fake_front.level);
	assert_int_equal(in(IRQ_STATUS), 0x100);
}

static void test_dma_registers_while_it_runs(void **state)
{
	(void)state;
	out(COMMAND, 6); /* without the start bit: nothing */
	assert_int_equal(in(COMMAND), 0);
	fake_ram[0x1000] = 0x77;
	fake_front_write(0, SOURCE, 8, 0x1000);
	fake_front_write(0, TARGET, 8, BUFFER);
	out(COUNT, 1);
	out(COMMAND, 1);
	out(SOURCE, 0x3000);
	out(COMMAND, 7);
	assert_int_equal(in(SOURCE), 0x1000);
	fake_advance(DMA_MS * NSEC_PER_MSEC);
	assert_int_equal(in(COMMAND), 0);
	assert_false(fake_front.level);
	transfer(BUFFER, 0x2000, 1, 3);
	assert_int_equal(fake_ram[0x2000], 0x77);
}

static void test_dma_within_its_buffer(void **state)
{
	(void)state;
	memset(fake_ram, 0x11, 0x4000);
	transfer(0x1000, BUFFER + 1, 0x1000, 1);
	transfer(0x1000, BUFFER - 1, 1, 1);
	transfer(0x1000, BUFFER, UINT64_MAX, 1);
	transfer(0x1000, UINT64_MAX, 2, 1);
	transfer(0x1000, 0, 4, 1);
	assert_non_null(strstr(fake_last_log, "outside its buffer"));
	transfer(BUFFER + 0x1000, 0x1000, 1, 3);
	transfer(BUFFER - 8, 0x1000, 16, 7);
	assert_int_equal(fake_ram[0x1000], 0x11);
	assert_int_equal(in(IRQ_STATUS), 0x100); /* it ends like any other */
	transfer(BUFFER, 0x2000, 0x1000, 3);	 /* nothing came in */
	assert_int_equal(fake_ram[0x2000], 0);
	assert_int_equal(fake_ram[0x2fff], 0);
}

static void test_dma_is_refused(void **state)
{
	(void)state;
	memset(fake_ram, 0x11, 0x4000);
	transfer(BUFFER, FAKE_RAM_SIZE - 4, 8, 3);
	assert_non_null(strstr(fake_last_log, "not RAM"));
	fake_front.master = false;
	transfer(BUFFER, 0x1000, 8, 3);
	assert_non_null(strstr(fake_last_log, "bus mastering is off"));
	assert_int_equal(fake_ram[0x1000], 0x11);
}

/* 28 bits of an address, unless told otherwise. */
static void test_dma_mask(void **state)
{
	(void)state;
	fake_ram[0x1000] = 0x42;
	transfer(0xabcd10001000, BUFFER, 1, 1);
	transfer(BUFFER, 0x2000, 1, 3);
	assert_int_equal(fake_ram[0x2000], 0x42);
	fake_front_close();
	assert_true(fake_front_open("edu:?dma_mask=0xffff"));
	transfer(BUFFER, 0x12000, 1, 3);
	fake_ram[0x2000] = 0x42;
	transfer(0xf2000, BUFFER, 1, 1);
	transfer(BUFFER, 0x3000, 1, 3);
	assert_int_equal(fake_ram[0x3000], 0x42);
}

static void test_reset(void **state)
{
	(void)state;
	memset(fake_ram, 0x11, 0x4000);
	transfer(0x1000, BUFFER, 8, 1);
	out(LIVENESS, 1);
	out(STATUS, 0x80);
	out(IRQ_RAISE, 1);
	out(FACTORIAL, 5);
	out(SOURCE, BUFFER);
	out(TARGET, 0x2000);
	out(COMMAND, 3);
	host_device_reset(fake_front.hd);
	assert_false(fake_front.level);
	fake_advance(NSEC_PER_SEC);
	assert_int_equal(in(LIVENESS) | in(STATUS) | in(IRQ_STATUS) | in(FACTORIAL), 0);
	assert_int_equal(in(SOURCE) | in(TARGET) | in(COUNT) | in(COMMAND), 0);
	transfer(BUFFER, 0x2000, 8, 3);
	assert_int_equal(fake_ram[0x2000], 0);
}

/* Closed with all of it in flight: what comes late finds nothing freed. */
static void test_close_in_flight(void **state)
{
	(void)state;
	out(FACTORIAL, 5);
	out(SOURCE, BUFFER);
	out(COUNT, 8);
	out(COMMAND, 3);
}

static void test_null(void **state)
{
	unsigned region, offset;

	(void)state;
	assert_true(fake_front_open("null:"));
	for (region = 0; region < 7; region++)
		assert_int_equal(fake_front.hd->regions[region].size, 0);
	for (offset = 0; offset < 256; offset += 4) {
		fake_front_write(7, offset, 4, 0);
		assert_int_equal(fake_front_read(7, offset, 4), UINT32_MAX);
	}
	host_device_reset(fake_front.hd);
	host_device_eoi(fake_front.hd);
	fake_front_close();
	assert_false(fake_front_open("null:x"));
	assert_non_null(strstr(fake_last_log, "takes no path, got 'x'"));
	fake_end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_identity),
		TEST(test_liveness),
		TEST(test_widths_and_holes),
		TEST(test_factorial),
		TEST(test_factorial_interrupt),
		TEST(test_raise_and_acknowledge),
		TEST(test_msi),
		TEST(test_dma),
		TEST(test_dma_registers_while_it_runs),
		TEST(test_dma_within_its_buffer),
		TEST(test_dma_is_refused),
		TEST(test_dma_mask),
		TEST(test_reset),
		TEST(test_close_in_flight),
		cmocka_unit_test(test_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
