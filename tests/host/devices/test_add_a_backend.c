/* SPDX-License-Identifier: BSD-2-Clause */
/* The example of docs/add-a-backend.md, which make takes out of that page. */
/* test-sources: build/docs/add-a-backend.c devices/hostdev/host_device.c */
/* test-sources: devices/hostdev/host_args.c devices/hostdev/host_config.c */
/* test-sources: vmm/device_key_value.c lib/parse.c vmm/irq.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/devices/fake_front.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"
#include "tests/host/devices/fake_front.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESS 0x00
#define RESULT	0x08
#define STATUS	0x0c
#define GO	0x10
#define DONE	1
#define FAILED	2

static int setup(void **state)
{
	unsigned i;

	(void)state;
	if (!fake_front_open("sum:?max=1K"))
		return -1;
	for (i = 0; i < 4096; i++)
		fake_ram[0x1000 + i] = (uint8_t)(i + 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_front_close();
	return 0;
}

static uint64_t sum(uint64_t address, uint32_t count)
{
	fake_front_write(0, ADDRESS, 8, address);
	fake_front_write(0, GO, 4, count);
	return fake_front_read(0, STATUS, 4);
}

static void test_adds_up(void **state)
{
	(void)state;
	assert_int_equal(sum(0x1000, 10), DONE);
	assert_int_equal(fake_front_read(0, RESULT, 4), 55);
	assert_true(fake_front.level);
	fake_front_write(0, STATUS, 4, 0);
	assert_false(fake_front.level);
	assert_int_equal(sum(0x1000, 1024), DONE);
	assert_int_equal(fake_front_read(0, RESULT, 4), 4 * 255 * 128);
	assert_int_equal(sum(0x1000, 0), DONE);
	assert_int_equal(fake_front_read(0, RESULT, 4), 0);
}

static void test_messages(void **state)
{
	(void)state;
	fake_front.mode = HOST_IRQ_MSI;
	assert_int_equal(sum(0x1000, 10), DONE);
	assert_int_equal(fake_front.messages, 1);
	assert_false(fake_front.level);
	fake_front_write(0, STATUS, 4, 0);
	assert_int_equal(fake_front.messages, 1);
}

static void test_refuses(void **state)
{
	(void)state;
	assert_int_equal(sum(0x1000, 1025), FAILED);
	assert_int_equal(sum(FAKE_RAM_SIZE - 1, 2), FAILED);
	fake_front.master = false;
	assert_int_equal(sum(0x1000, 1), FAILED);
	assert_int_equal(fake_front_read(0, RESULT, 8), UINT64_MAX);
	assert_int_equal(fake_front_read(0, GO, 4), UINT32_MAX);
}

static void test_reset(void **state)
{
	(void)state;
	sum(0x1000, 10);
	host_device_reset(fake_front.hd);
	assert_false(fake_front.level);
	assert_int_equal(fake_front_read(0, ADDRESS, 8), 0);
	assert_int_equal(fake_front_read(0, RESULT, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_adds_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
