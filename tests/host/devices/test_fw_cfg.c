/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/chipset/fw_cfg.c vmm/load/e820.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void item(uint16_t key, void *to, size_t n)
{
	uint8_t *p = to;

	fake_out(0x510, 2, key);
	while (n--)
		*p++ = fake_inb(0x511);
}

static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
	const uint32_t at = 0x1000;
	uint32_t request[2] = {__builtin_bswap32(control), __builtin_bswap32(length)}, answer;

	address = __builtin_bswap64(address);
	memcpy(fake_ram + at, request, 8);
	memcpy(fake_ram + at + 8, &address, 8);
	fake_out(0x514, 4, 0);
	fake_out(0x518, 4, __builtin_bswap32(at));
	memcpy(&answer, fake_ram + at, 4);
	return __builtin_bswap32(answer);
}

static int setup(void **state)
{
	(void)state;
	fake_start(3);
	assert_non_null(fake_create("fw-cfg", "fw-cfg", NULL));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void test_items(void **state)
{
	char signature[6];
	uint64_t ram;
	uint32_t id;
	uint16_t cpus;

	(void)state;
	item(0, signature, 6);
	assert_memory_equal(signature, "QEMU\0\0", 6);
	item(1, &id, 4);
	assert_int_equal(id, 3);
	item(3, &ram, 8);
	assert_int_equal(ram, FAKE_RAM_SIZE);
	item(5, &cpus, 2);
	assert_int_equal(cpus, 3);
	item(0x7777, &id, 4);
	assert_int_equal(id, 0);
}

static void test_files(void **state)
{
	uint8_t dir[68], entry[20];
	uint16_t key;
	uint64_t size;

	(void)state;
	item(0x19, dir, sizeof(dir));
	assert_int_equal(dir[3], 1);
	assert_int_equal(dir[7] % 20, 0);
	assert_string_equal((char *)dir + 12, "etc/e820");
	key = (uint16_t)(dir[8] << 8 | dir[9]);
	item(key, entry, sizeof(entry));
	memcpy(&size, entry + 8, 8);
	assert_int_equal(size, 0x9fc00);
	assert_int_equal(entry[16], 1);
}

static void test_dma(void **state)
{
	(void)state;
	assert_int_equal(__builtin_bswap32(fake_in(0x514, 4)), 0x51454d55);
	assert_int_equal(__builtin_bswap32(fake_in(0x518, 4)), 0x20434647);
	memset(fake_ram + 0x2000, 0xcc, 16);
	assert_int_equal(dma(0x0000000a, 8, 0x2000), 0);
	assert_memory_equal(fake_ram + 0x2000, "QEMU\0\0\0\0\xcc", 9);
	assert_int_equal(dma(0x0000000c, 2, 0), 0); /* select and skip */
	assert_int_equal(dma(0x00000002, 2, 0x2000), 0);
	assert_memory_equal(fake_ram + 0x2000, "MU", 2);
	assert_int_equal(dma(0x00000010, 2, 0x2000), 1);
	assert_int_equal(dma(0x00000002, UINT32_MAX, 0x2000), 1);
	assert_int_equal(dma(0x00000002, 300, FAKE_RAM_SIZE - 10), 1);
	assert_int_equal(dma(0x00000004, UINT32_MAX, 0), 0);
	assert_int_equal(dma(0x00000004, UINT32_MAX, 0), 0);
	assert_int_equal(dma(0x00000002, 4, 0x2000), 0);
	fake_out(0x514, 4, UINT32_MAX);
	fake_out(0x518, 4, UINT32_MAX);
	memset(fake_ram + 0x2000, 0x10, 4);	       /* WRITE: refused */
	fake_out(0x518, 4, __builtin_bswap32(0x2000)); /* the low half alone: below 4 GiB */
	assert_memory_equal(fake_ram + 0x2000, "\0\0\0\1", 4);
}

/* vCPUs have reached a device that comes while they run. */
static void test_reset_takes_the_lock(void **state)
{
	const struct spinlock *lock; /* the first of its state */
	uint32_t taken;
	uint8_t first;

	(void)state;
	fake_end();
	fake_start(1);
	lock = fake_create("fw-cfg", "fw-cfg", NULL)->state;
	item(1, &first, 1);
	taken = lock->next;
	fake_reset();
	assert_int_equal(lock->next, taken + 1);
	assert_int_equal(lock->owner, lock->next);
	assert_int_equal(fake_inb(0x511), 'Q');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_items, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_takes_the_lock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
