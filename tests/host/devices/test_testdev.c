/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/hostdev/testdev.c devices/hostdev/testdev_command.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c vmm/device_key_value.c lib/parse.c vmm/irq.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/devices/fake_front.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* `testdev:` as docs/testdev.md has it, and with it what all host devices are asked to keep to. */
#include "devices/hostdev/testdev_regs.h"
#include "devices/pci/pci_regs.h"
#include "tests/host/devices/fake.h"
#include "tests/host/devices/fake_front.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONFIG HOST_REGION_CONFIG
#define ROM    HOST_REGION_ROM

/* RAM as it is mapped, with its end within a granule. */
static uint8_t *granules[] = {fake_ram};
static struct guest_memory ram = {
	.size = FAKE_RAM_SIZE,
	.low_end = FAKE_RAM_SIZE - 0x1000,
	.high_end = GUEST_HIGH_BASE,
	.granules = granules,
	.granule_count = 1,
};

static uint32_t in(uint64_t offset)
{
	return (uint32_t)fake_front_read(TESTDEV_REGS, offset, 4);
}

static uint64_t in64(uint64_t offset)
{
	return in(offset) | (uint64_t)in(offset + 4) << 32;
}

static void out(uint64_t offset, uint32_t value)
{
	fake_front_write(TESTDEV_REGS, offset, 4, value);
}

static void command(uint32_t c)
{
	out(TESTDEV_COMMAND, c);
}

static void open_url(const char *url)
{
	assert_true(fake_front_open(url));
	fake_vm.memory = &ram;
}

static int setup(void **state)
{
	(void)state;
	open_url("testdev:");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_front_close();
	return 0;
}

static void test_regions(void **state)
{
	const struct host_region *r = fake_front.hd->regions;

	(void)state;
	assert_true(r[0].size == 0x1000 && !r[0].io && !r[0].wide && !r[0].prefetchable);
	assert_true(r[1].size == 0x40 && r[1].io);
	assert_true(r[2].size == 0x10000 && r[2].wide && r[2].prefetchable && !r[2].pages);
	assert_true(r[3].size == 0);
	assert_true(r[4].size == 0x4000 && !r[4].wide && r[4].prefetchable && r[4].pages);
	assert_true(r[5].size == 0x10000 && !r[5].prefetchable);
	assert_true(r[ROM].size == 0x1000 && r[CONFIG].size == 256);
}

static void test_arguments(void **state)
{
	const struct host_region *r;
	unsigned msix;

	(void)state;
	open_url("testdev:?big=8G&rom=0&vectors=2048&mapped=off");
	r = fake_front.hd->regions;
	assert_true(r[2].size == UINT64_C(8) << 30 && r[ROM].size == 0 && !r[4].pages);
	msix = fake_front_cap(PCI_CAP_MSIX);
	assert_int_equal(fake_front_read(CONFIG, msix + 2, 2), 2047);
	assert_int_equal(fake_front_read(CONFIG, msix + 4, 4), 5);
	assert_int_equal(fake_front_read(CONFIG, msix + 8, 4), 0x8005);
	fake_front_close();
}

static void refuse(const char *url, const char *message)
{
	assert_false(fake_front_open(url));
	if (!strstr(fake_last_log, message))
		fail_msg("expected '%s' in: %s", message, fake_last_log);
	fake_end();
}

static void test_bad_arguments(void **state)
{
	(void)state;
	refuse("testdev:?big=12K", "argument big: expected a power of two");
	refuse("testdev:?big=2K", "argument big: expected a number of bytes");
	refuse("testdev:?rom=3000", "argument rom: expected a power of two");
	refuse("testdev:?rom=1K", "argument rom: expected a power of two from 2048");
	refuse("testdev:?rom=2M", "argument rom: expected a number of bytes");
	refuse("testdev:?vectors=0", "argument vectors: expected a number");
	refuse("testdev:?vectors=2049", "argument vectors: expected a number");
	refuse("testdev:?mapped=maybe", "argument mapped: expected true or false");
	refuse("testdev:?color=red", "'color' is no argument of it: expected big, rom, vectors");
	refuse("testdev:here", "takes no path");
}

static void test_configuration(void **state)
{
	unsigned cap = fake_front_cap(PCI_CAP_VENDOR), msi = fake_front_cap(PCI_CAP_MSI);

	(void)state;
	assert_int_equal(fake_front_read(CONFIG, 0, 4), 0x7e571234);
	assert_int_equal(fake_front_read(CONFIG, 8, 4), 0xff000001);
	assert_int_equal(fake_front_read(CONFIG, 0x3d, 1), 1);
	assert_int_equal(fake_front_read(CONFIG, PCI_STATUS, 2), PCI_STATUS_CAPABILITIES);
	assert_int_equal(fake_front_read(CONFIG, msi + 2, 2), 0x184);
	assert_int_equal(fake_front_read(CONFIG, fake_front_cap(PCI_CAP_PM) + 2, 2), 3);
	assert_int_equal(fake_front_read(CONFIG, cap + 2, 1), TESTDEV_CAP_SIZE);
	/* Registers that change. */
	out(TESTDEV_VOLATILE, 0xcafe1234);
	assert_int_equal(fake_front_read(CONFIG, cap + TESTDEV_CAP_VOLATILE, 4), 0xcafe1234);
	assert_int_equal(fake_front_read(CONFIG, cap + TESTDEV_CAP_VOLATILE + 2, 2), 0xcafe);
	fake_front_write(CONFIG, cap + TESTDEV_CAP_VOLATILE, 4, 1);
	fake_front_write(CONFIG, cap + TESTDEV_CAP_MAILBOX, 4, 0x11223344);
	fake_front_write(CONFIG, cap + TESTDEV_CAP_MAILBOX + 3, 1, 0x55);
	assert_int_equal(fake_front_read(CONFIG, cap + TESTDEV_CAP_MAILBOX, 4), 0x55223344);
	assert_int_equal(fake_front_read(CONFIG, cap + TESTDEV_CAP_VOLATILE, 4), 0xcafe1234);
	assert_int_equal(fake_front_read(CONFIG, cap + TESTDEV_CAP_WRITES, 4), 3);
	fake_front_write(CONFIG, 0, 4, 0);
	assert_int_equal(fake_front_read(CONFIG, 0, 4), 0x7e571234);
	assert_int_equal(fake_front_read(CONFIG, 254, 4), UINT32_MAX);
	assert_int_equal(fake_front_read(CONFIG, 0, 8), UINT64_MAX);
}

static void test_registers(void **state)
{
	(void)state;
	assert_int_equal(in(TESTDEV_ID), TESTDEV_ID_VALUE);
	out(TESTDEV_ID, 0);
	out(TESTDEV_SCRATCH, 0x12345678);
	assert_int_equal(in(TESTDEV_SCRATCH), 0x12345678);
	assert_int_equal(in(TESTDEV_ID), TESTDEV_ID_VALUE);
	assert_int_equal(in(0xc0), 0);
	/* What is no access of a register fails, and so does what is broken. */
	assert_int_equal(fake_front_read(0, TESTDEV_SCRATCH, 2), 0xffff);
	assert_int_equal(fake_front_read(0, TESTDEV_SCRATCH + 2, 4), UINT32_MAX);
	assert_int_equal(fake_front_read(0, TESTDEV_ID, 8), UINT64_MAX);
	fake_front_write(0, TESTDEV_SCRATCH, 1, 0);
	assert_int_equal(in(TESTDEV_SCRATCH), 0x12345678);
	assert_int_equal(in(TESTDEV_BROKEN), UINT32_MAX);
	out(TESTDEV_BROKEN, 0);
}

static void test_accesses_are_within_the_region(void **state)
{
	uint64_t value = 7;

	(void)state;
	assert_int_equal(host_device_read(fake_front.hd, 0, 0xffe, 4, &value), -ERANGE);
	assert_int_equal(host_device_read(fake_front.hd, 0, 0x1000, 1, &value), -ERANGE);
	assert_int_equal(host_device_read(fake_front.hd, 0, UINT64_MAX, 4, &value), -ERANGE);
	assert_int_equal(host_device_read(fake_front.hd, 3, 0, 1, &value), -ERANGE);
	assert_int_equal(host_device_read(fake_front.hd, 8, 0, 1, &value), -ERANGE);
	assert_int_equal(host_device_write(fake_front.hd, 1, 0x3d, 4, 0), -ERANGE);
	assert_int_equal(host_device_write(fake_front.hd, 7, 0x100, 1, 0), -ERANGE);
	assert_int_equal(value, 7);
}

/* Every width at every offset of what is kept; the last byte is as good as the first. */
static void check_kept(unsigned region, uint64_t from, uint64_t end, unsigned widest)
{
	uint64_t at, value;
	unsigned width;

	for (width = 1; width <= widest; width *= 2)
		for (at = from; at + width <= end; at++) {
			value = 0x8877665544332211 * (at | 1);
			fake_front_write(region, at, width, value);
			assert_int_equal(fake_front_read(region, at, width),
					 value & (UINT64_MAX >> (64 - 8 * width)));
		}
}

static void test_kept_bytes(void **state)
{
	(void)state;
	check_kept(TESTDEV_IO, 0, 0x40, 4);
	check_kept(TESTDEV_PAGES, 0, 64, 8);
	check_kept(TESTDEV_PAGES, 0x4000 - 64, 0x4000, 8);
	check_kept(TESTDEV_BIG, 0, TESTDEV_BIG_KEPT, 8);
	/* The guest's own way to them. */
	((uint8_t *)fake_front.hd->regions[4].pages)[0x3fff] = 0x5a;
	assert_int_equal(fake_front_read(TESTDEV_PAGES, 0x3fff, 1), 0x5a);
}

static void test_big(void **state)
{
	uint64_t last = (UINT64_C(8) << 30) - 8;

	(void)state;
	fake_front_close();
	open_url("testdev:?big=8G");
	assert_int_equal(fake_front_read(TESTDEV_BIG, last, 8), last);
	assert_int_equal(fake_front_read(TESTDEV_BIG, last + 4, 4), last >> 32);
	assert_int_equal(fake_front_read(TESTDEV_BIG, 0x123450, 4), 0x123450);
	assert_int_equal(fake_front_read(TESTDEV_BIG, 0x123451, 1), 0x34);
	fake_front_write(TESTDEV_BIG, last, 8, 0x1122334455667788);
	assert_int_equal(fake_front_read(TESTDEV_BIG, last, 8), last);
	assert_int_equal(in64(TESTDEV_LAST_OFFSET), last);
	assert_int_equal(in64(TESTDEV_LAST_VALUE), 0x1122334455667788);
	/* Across the end of what is kept. */
	fake_front_write(TESTDEV_BIG, 0xffe, 4, 0xaabbccdd);
	assert_int_equal(fake_front_read(TESTDEV_BIG, 0xffc, 4), 0xccdd0000);
	assert_int_equal(fake_front_read(TESTDEV_BIG, 0xffe, 4), 0x1000ccdd);
}

static void test_rom(void **state)
{
	unsigned i, at = (unsigned)fake_front_read(ROM, 0x18, 2);

	(void)state;
	assert_int_equal(fake_front_read(ROM, 0, 2), 0xaa55);
	assert_int_equal(fake_front_read(ROM, 2, 1), 8);
	assert_int_equal(fake_front_read(ROM, at, 4), 0x52494350); /* PCIR */
	assert_int_equal(fake_front_read(ROM, at + 4, 4), 0x7e571234);
	assert_int_equal(fake_front_read(ROM, at + 0x0a, 2), 0x18);
	assert_int_equal(fake_front_read(ROM, at + 0x0d, 1), 0);
	assert_int_equal(fake_front_read(ROM, at + 0x0f, 1), 0xff);
	assert_int_equal(fake_front_read(ROM, at + 0x10, 2), 8);
	assert_int_equal(fake_front_read(ROM, at + 0x14, 2), 0x80ff);
	for (i = TESTDEV_ROM_HEADER; i < 0x1000; i++)
		assert_int_equal(fake_front_read(ROM, i, 1), TESTDEV_ROM_BYTE(i));
	fake_front_write(ROM, 0x100, 4, 0);
	assert_int_equal(fake_front_read(ROM, 0x100, 1), TESTDEV_ROM_BYTE(0x100));
}

static void test_interrupts(void **state)
{
	(void)state;
	command(TESTDEV_INTX_UP);
	assert_true(fake_front.level);
	assert_int_equal(in(TESTDEV_INTX), 1);
	host_device_eoi(fake_front.hd);
	assert_int_equal(in(TESTDEV_EOIS), 1);
	command(TESTDEV_INTX_DOWN);
	assert_false(fake_front.level);
	assert_int_equal(in(TESTDEV_INTX), 0);
	out(TESTDEV_VECTOR, 6);
	command(TESTDEV_MESSAGE);
	assert_int_equal(fake_front.messages, 1);
	assert_int_equal(fake_front.last_vector, 6);
	fake_front.mode = HOST_IRQ_MSIX;
	assert_int_equal(in(TESTDEV_IRQ_MODE), 2);
	command(0);
	command(UINT32_MAX);
}

static uint32_t copy(uint32_t how, uint64_t from, uint64_t to, uint32_t len)
{
	out(TESTDEV_DMA_SOURCE, (uint32_t)from);
	out(TESTDEV_DMA_SOURCE + 4, (uint32_t)(from >> 32));
	out(TESTDEV_DMA_TARGET, (uint32_t)to);
	out(TESTDEV_DMA_TARGET + 4, (uint32_t)(to >> 32));
	out(TESTDEV_DMA_LENGTH, len);
	command(how);
	return in(TESTDEV_DMA_RESULT);
}

static void test_dma(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 10000; i++)
		fake_ram[0x1001 + i] = (uint8_t)(i * 7);
	assert_int_equal(copy(TESTDEV_DMA, 0x1001, 0x80003, 10000), TESTDEV_DMA_OK);
	assert_memory_equal(fake_ram + 0x1001, fake_ram + 0x80003, 10000);
	assert_int_equal(copy(TESTDEV_DMA_MAPPED, 0x1001, 0x60003, 10000), TESTDEV_DMA_OK);
	assert_memory_equal(fake_ram + 0x1001, fake_ram + 0x60003, 10000);
	assert_int_equal(fake_ram[0x80002] | fake_ram[0x80003 + 10000], 0);
	assert_int_equal(in(TESTDEV_DMA_COPIED), 20000);
	assert_int_equal(copy(TESTDEV_DMA, 0, 0x20000, TESTDEV_DMA_MAX), TESTDEV_DMA_OK);
	assert_int_equal(copy(TESTDEV_DMA, 0, 0x20000, TESTDEV_DMA_MAX + 1), TESTDEV_DMA_LONG);
	assert_int_equal(in(TESTDEV_DMA_SOURCE + 4), 0);
}

/* Not a byte of what lies beyond RAM, and none without bus mastering. */
static void test_dma_is_bounded(void **state)
{
	static const uint64_t beyond[] = {FAKE_RAM_SIZE - 4, FAKE_RAM_SIZE, UINT64_C(1) << 40,
					  UINT64_MAX - 3, UINT64_MAX};
	static const uint32_t commands[] = {TESTDEV_DMA, TESTDEV_DMA_MAPPED};
	unsigned i, c;

	(void)state;
	memset(fake_ram, 0x11, FAKE_RAM_SIZE);
	for (i = 0; i < ARRAY_SIZE(beyond); i++)
		for (c = 0; c < ARRAY_SIZE(commands); c++) {
			assert_int_equal(copy(commands[c], beyond[i], 0x1000, 8),
					 TESTDEV_DMA_NOT_RAM);
			assert_int_equal(copy(commands[c], 0x1000, beyond[i], 8),
					 TESTDEV_DMA_NOT_RAM);
		}
	assert_int_equal(copy(TESTDEV_DMA_MAPPED, 0x9fffc, 0x1000, 8), TESTDEV_DMA_NOT_RAM);
	fake_front.master = false;
	fake_ram[0x1000] = 0x22;
	assert_int_equal(copy(TESTDEV_DMA, 0x1000, 0x2000, 8), TESTDEV_DMA_REFUSED);
	assert_int_equal(copy(TESTDEV_DMA_MAPPED, 0x1000, 0x2000, 8), TESTDEV_DMA_NOT_RAM);
	assert_int_equal(fake_ram[0x2000], 0x11);
	assert_int_equal(in(TESTDEV_DMA_COPIED), 0);
}

static void test_doorbell(void **state)
{
	unsigned writes = TESTDEV_COUNT(0, 1, 2);

	(void)state;
	command(TESTDEV_CLEAR);
	fake_front_write(0, TESTDEV_DOORBELL, 4, 0x1234);
	fake_front_write(0, TESTDEV_DOORBELL + 0xfe, 2, 0x77);
	fake_front_write(0, TESTDEV_DOORBELL + 0x100, 4, 0x99); /* behind the last */
	fake_front_write(0, TESTDEV_DOORBELL - 4, 4, 0x99);
	assert_int_equal(in(TESTDEV_DOORBELLS), 2);
	assert_int_equal(in(TESTDEV_DOORBELL_OFFSET), 0xfe);
	assert_int_equal(in(TESTDEV_DOORBELL_VALUE), 0x77);
	/* The fast path is not the slow one. */
	assert_int_equal(in(writes), 2);
}

static void test_counters(void **state)
{
	unsigned region, log2;

	(void)state;
	out(TESTDEV_SCRATCH, 0);
	for (log2 = 0; log2 < 4; log2++)
		fake_front_read(TESTDEV_BIG, 0, 1u << log2);
	command(TESTDEV_CLEAR);
	for (region = 1; region < HOST_REGIONS; region++)
		for (log2 = 0; log2 < (region == TESTDEV_IO ? 3 : 4); log2++) {
			if (region == 3)
				continue;
			for (unsigned i = 0; i <= region + log2; i++)
				fake_front_read(region, 0, 1u << log2);
			for (unsigned i = 0; i < region; i++)
				fake_front_write(region, 8, 1u << log2, 0);
			assert_int_equal(in(TESTDEV_COUNT(region, 0, log2)), region + log2 + 1);
			assert_int_equal(in(TESTDEV_COUNT(region, 1, log2)), region);
		}
	assert_int_equal(in(TESTDEV_COUNT(3, 0, 0)), 0);
}

static void test_reset(void **state)
{
	unsigned cap = fake_front_cap(PCI_CAP_VENDOR);

	(void)state;
	out(TESTDEV_SCRATCH, 1);
	out(TESTDEV_VOLATILE, 1);
	fake_front_write(CONFIG, cap + TESTDEV_CAP_MAILBOX, 4, 1);
	fake_front_write(TESTDEV_IO, 0x3f, 1, 1);
	fake_front_write(TESTDEV_BIG, 0xfff, 1, 1);
	fake_front_write(TESTDEV_PAGES, 0x3fff, 1, 1);
	command(TESTDEV_INTX_UP);
	host_device_reset(fake_front.hd);
	assert_false(fake_front.level);
	assert_int_equal(in(TESTDEV_RESETS), 1);
	assert_int_equal(in(TESTDEV_SCRATCH) | in(TESTDEV_VOLATILE) | in(TESTDEV_INTX), 0);
	assert_int_equal(fake_front_read(CONFIG, cap + TESTDEV_CAP_MAILBOX, 4), 0);
	assert_int_equal(fake_front_read(CONFIG, cap + TESTDEV_CAP_WRITES, 4), 0);
	assert_int_equal(fake_front_read(TESTDEV_IO, 0x3f, 1), 0);
	assert_int_equal(fake_front_read(TESTDEV_BIG, 0xfff, 1), 0);
	assert_int_equal(fake_front_read(TESTDEV_PAGES, 0x3fff, 1), 0);
	host_device_reset(fake_front.hd);
	assert_int_equal(in(TESTDEV_RESETS), 2);
}

static void test_vanish(void **state)
{
	uint64_t value = 7;

	(void)state;
	memset(fake_ram, 0x11, 0x4000);
	out(TESTDEV_DMA_TARGET, 0x1000);
	out(TESTDEV_DMA_LENGTH, 8);
	command(TESTDEV_VANISH);
	assert_true(fake_front.vanished);
	assert_int_equal(host_device_read(fake_front.hd, 0, 0, 4, &value), -ENODEV);
	assert_int_equal(value, 7);
	assert_int_equal(host_device_read(fake_front.hd, CONFIG, 0, 4, &value), -ENODEV);
	assert_int_equal(host_device_write(fake_front.hd, 0, TESTDEV_COMMAND, 4, TESTDEV_DMA),
			 -ENODEV);
	assert_int_equal(host_device_write(fake_front.hd, 0, TESTDEV_DOORBELL, 4, 1), -ENODEV);
	assert_int_equal(host_device_dma_write(fake_front.hd, 0x1000, &value, 8), -EACCES);
	assert_int_equal(host_device_dma_read(fake_front.hd, 0x1000, &value, 8), -EACCES);
	assert_null(host_device_dma_map(fake_front.hd, 0x1000, 8, false));
	assert_int_equal(fake_ram[0x1000], 0x11);
	fake_front.vanished = false;
	host_device_vanish(fake_front.hd);
	assert_false(fake_front.vanished); /* told once */
	host_device_reset(fake_front.hd);
	assert_int_equal(in(TESTDEV_ID), UINT32_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_regions),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_bad_arguments),
		TEST(test_configuration),
		TEST(test_registers),
		TEST(test_accesses_are_within_the_region),
		TEST(test_kept_bytes),
		TEST(test_big),
		TEST(test_rom),
		TEST(test_interrupts),
		TEST(test_dma),
		TEST(test_dma_is_bounded),
		TEST(test_doorbell),
		TEST(test_counters),
		TEST(test_reset),
		TEST(test_vanish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
