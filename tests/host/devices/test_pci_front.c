/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/checkpoint/place.c lib/crc32c.c kernel/fast_crc32c.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c vmm/device_defer.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/char_frontend.c vmm/console_frontend.c vmm/irq.c */
/* test-sources: vmm/block_frontend.c vmm/net_frontend.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c vmm/vm_config_sections.c */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c vmm/hook/hook_mapped.c vmm/vm_console.c vmm/load/e820.c */
/* test-sources: lib/range_map.c lib/ini.c lib/parse.c lib/ring.c lib/date.c kernel/time.c */
/* test-sources: tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/devices/plug_world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: tests/host/fake/drivers/fake_serial_port.c */
/* test-sources: tests/host/devices/plug_bars.c */
/* test-sources: tests/host/devices/plug_sockets.c tests/host/devices/front_world.c */
/* test-sources: tests/host/devices/plug_machine.c tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/*
 * PCI's front-end on the real bus, device manager and hook maps, with
 * `testdev:` behind it, which tells what reached it, and `edu:`.
 */
#include "tests/host/devices/front_testdev.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_shape(void **state)
{
	(void)state;
	assert_int_equal(dev, 1 << 3);
	assert_int_equal(device_find(plug_vm, "front")->counts[DEVICE_HOSTDEV], 1);
	assert_int_equal(front_config(dev, 0, 4), REGS_ID);
	assert_int_equal(front_config(dev, 8, 4), 0xff000001);
	assert_int_equal(front_config(dev, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(front_config(dev, PCI_INTERRUPT_PIN, 1), 1);
	assert_int_equal(size_of(0x10), 0xfffff000);
	assert_int_equal(size_of(0x14), 0xffffffc1);
	assert_int_equal(size_of(0x18), 0xffff000c);
	assert_int_equal(size_of(0x1c), 0xffffffff);
	assert_int_equal(size_of(0x20), 0xffffc008);
	assert_int_equal(size_of(0x24), 0xffff0000);
	assert_int_equal(size_of(ROM_REG) & ~1u, 0xfffff000);
	assert_true(front_bar(dev, 2) >= UINT64_C(1) << 32);
	assert_int_equal(reg(TESTDEV_RESETS), 2); /* it came, and the VM was reset */
}

/* Any width reaches (region, offset), and the last byte as the first. */
static void check_region(unsigned bar, uint64_t size, unsigned widest)
{
	bool io = bar == TESTDEV_IO;
	uint64_t base = front_bar(dev, bar), at;
	unsigned width, log2;

	for (log2 = 0, width = 1; width <= widest; width *= 2, log2++) {
		/* Ports: an access that is not aligned is done in pieces. */
		uint64_t offsets[] = {0, io ? 4 : 1, io ? 8 : 3, size / 2, size - width};

		command(TESTDEV_CLEAR);
		for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
			uint64_t value = (0x1122334455667788 ^ offsets[i]) &
					 (UINT64_MAX >> (64 - 8 * width));

			at = base + offsets[i];
			if (io)
				front_out(at, width, (uint32_t)value);
			else
				front_write(at, width, value);
			assert_true((io ? front_in(at, width) : front_read(at, width)) == value);
		}
		assert_int_equal(count(bar, true, log2), ARRAY_SIZE(offsets));
		assert_int_equal(count(bar, false, log2), ARRAY_SIZE(offsets));
	}
}

static void test_regions(void **state)
{
	uint64_t base = front_bar(dev, TESTDEV_BIG), last = 0x10000 - 8;

	(void)state;
	check_region(TESTDEV_IO, TESTDEV_IO_SIZE, 4);
	check_region(TESTDEV_PAGES, TESTDEV_PAGES_SIZE, 8);
	assert_true(front_read(base + last, 8) == last);
	front_write(base + last, 8, 0x55aa);
	assert_int_equal(reg(TESTDEV_LAST_OFFSET), last);
	assert_int_equal(reg(TESTDEV_LAST_VALUE), 0x55aa);
	/* Behind the last byte, and before the first, there is nobody. */
	assert_true(front_read(base + 0x10000, 1) == 0xff);
	assert_true(front_read(base + 0x10000 - 1, 2) == 0xff00);
	assert_true(front_read(base - 1, 1) == 0xff);
}

static void test_big(void **state)
{
	uint64_t last = (UINT64_C(8) << 30) - 8, base;

	(void)state;
	front_end();
	begin("hostdev = testdev:?big=8G\n");
	base = front_bar(dev, TESTDEV_BIG);
	assert_int_equal(size_of(0x18), 0x0000000c);
	assert_int_equal(size_of(0x1c), 0xfffffffe);
	assert_true(front_read(base + last, 8) == last);
	base = UINT64_C(0x4000000000);
	front_set_bar(dev, TESTDEV_BIG, base);
	assert_true(front_read(base + last, 8) == last);
}

/* Of each kind: where it is now, where it was, and that sizing moved nothing. */
static void check_move(unsigned bar, uint64_t to)
{
	uint64_t from = front_bar(dev, bar);
	bool io = bar == TESTDEV_IO;

	assert_true(from && from != to);
	if (io)
		front_out(from + 0x10, 4, 0x12345678);
	else
		front_write(from + 0x10, 4, 0x12345678);
	size_of(PCI_BAR0 + 4 * bar);
	assert_true(front_bar(dev, bar) == from);
	front_set_bar(dev, bar, to);
	assert_int_equal(io ? front_in(to + 0x10, 4) : front_read(to + 0x10, 4), 0x12345678);
	assert_int_equal(io ? front_in(from + 0x10, 4) : front_read(from + 0x10, 4), UINT32_MAX);
	front_set_bar(dev, bar, from);
	assert_int_equal(io ? front_in(from + 0x10, 4) : front_read(from + 0x10, 4), 0x12345678);
	assert_int_equal(io ? front_in(to + 0x10, 4) : front_read(to + 0x10, 4), UINT32_MAX);
}

static void test_moves(void **state)
{
	(void)state;
	check_move(TESTDEV_IO, 0xe000);
	check_move(TESTDEV_PAGES, 0xd0000000);
	check_move(TESTDEV_BIG, 0xd1000000);
	check_move(TESTDEV_BIG, UINT64_C(0x123400000000));
	front_set_bar(dev, TESTDEV_REGS, 0xd2000000);
	assert_int_equal(front_read(0xd2000000, 4), TESTDEV_ID_VALUE);
}

/* A BAR without an address hooks nothing, least of all at 0. */
static void test_nothing_at_0(void **state)
{
	(void)state;
	front_write(0x10, 4, 0x5a5a5a5a);
	front_set_bar(dev, TESTDEV_IO, 0);
	front_set_bar(dev, TESTDEV_REGS, 0);
	front_set_bar(dev, TESTDEV_PAGES, 0);
	front_set_bar(dev, TESTDEV_BIG, 0);
	assert_int_equal(front_in(0, 4), UINT32_MAX);
	assert_int_equal(front_in(0x20, 4), UINT32_MAX);
	assert_true(front_read(0x10, 4) == 0x5a5a5a5a);
	front_set_bar(dev, TESTDEV_REGS, 0xd0000000);
	assert_int_equal(reg(TESTDEV_ID), TESTDEV_ID_VALUE);
}

static void test_decoding(void **state)
{
	uint64_t regs = front_bar(dev, TESTDEV_REGS), io = front_bar(dev, TESTDEV_IO);

	(void)state;
	front_out(io, 1, 0x5a);
	front_command(dev, PCI_COMMAND_MEMORY);
	assert_int_equal(front_in(io, 1), 0xff);
	front_out(io, 1, 0);
	assert_int_equal(front_read(regs, 4), TESTDEV_ID_VALUE);
	front_command(dev, PCI_COMMAND_IO);
	assert_int_equal(front_in(io, 1), 0x5a);
	assert_int_equal(front_read(regs, 4), UINT32_MAX);
	front_command(dev, 0);
	assert_int_equal(front_in(io, 1), 0xff);
}

static void test_rom(void **state)
{
	uint64_t base = 0xd0000000;

	(void)state;
	front_config_out(dev, ROM_REG, 4, (uint32_t)base);
	assert_int_equal(front_read(base, 2), 0xffff);
	front_config_out(dev, ROM_REG, 4, (uint32_t)base | 1);
	assert_int_equal(front_read(base, 2), 0xaa55);
	assert_int_equal(front_read(base + 0xfff, 1), TESTDEV_ROM_BYTE(0xfff));
	front_write(base, 2, 0);
	assert_int_equal(front_read(base, 2), 0xaa55);
	front_command(dev, 0);
	assert_int_equal(front_read(base, 2), 0xffff);
}

/* An enable bit of what is not there. */
static void test_no_rom(void **state)
{
	(void)state;
	front_end();
	begin(TESTDEV "rom = off\n");
	front_config_out(dev, ROM_REG, 4, UINT32_MAX);
	assert_int_equal(front_config(dev, ROM_REG, 4), 0);
	assert_int_equal(front_read(0xfffff800, 4), UINT32_MAX);
	front_end();
	begin("hostdev = testdev:?rom=0\n");
	front_config_out(dev, ROM_REG, 4, 0xd0000001);
	assert_int_equal(front_config(dev, ROM_REG, 4), 0);
	assert_int_equal(front_read(0xd0000000, 4), UINT32_MAX);
}

static void test_rom_of_a_module(void **state)
{
	static uint8_t image[3000];
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)(i * 3);
	front_end();
	fake_add_module("rom.bin", image, sizeof(image));
	begin(TESTDEV "rom = module:rom.bin\n");
	assert_int_equal(size_of(ROM_REG) & ~1u, 0xfffff000);
	front_config_out(dev, ROM_REG, 4, 0xd0000001);
	for (i = 0; i < sizeof(image); i++)
		assert_int_equal(front_read(0xd0000000 + i, 1), image[i]);
	/* Across the image's end, and behind it. */
	assert_int_equal(front_read(0xd0000000 + sizeof(image) - 2, 4),
			 0xffff0000u | image[2998] | image[2999] << 8);
	assert_int_equal(front_read(0xd0000fff, 1), 0xff);
	fake_clear_modules();
}

static void test_configuration(void **state)
{
	unsigned cap = front_cap(dev, PCI_CAP_VENDOR);
	uint32_t writes = front_config(dev, cap + TESTDEV_CAP_WRITES, 4), i;

	(void)state;
	/* Read there each time. */
	set_reg(TESTDEV_VOLATILE, 0x1111);
	assert_int_equal(front_config(dev, cap + TESTDEV_CAP_VOLATILE, 4), 0x1111);
	set_reg(TESTDEV_VOLATILE, 0x22220000);
	assert_int_equal(front_config(dev, cap + TESTDEV_CAP_VOLATILE + 2, 2), 0x2222);
	assert_int_equal(front_config(dev, cap + TESTDEV_CAP_VOLATILE + 3, 1), 0x22);
	/* Forwarded with all bits of the offset. */
	for (i = 0; i < 4; i++)
		front_config_out(dev, cap + TESTDEV_CAP_MAILBOX + i, 1, 0x50 + i);
	assert_int_equal(front_config(dev, cap + TESTDEV_CAP_MAILBOX, 4), 0x53525150);
	front_config_out(dev, cap + TESTDEV_CAP_MAILBOX + 2, 2, 0xaabb);
	assert_int_equal(front_config(dev, cap + TESTDEV_CAP_MAILBOX, 4), 0xaabb5150);
	front_config_out(dev, cap + TESTDEV_CAP_VOLATILE, 4, 0);
	assert_int_equal(front_config(dev, cap + TESTDEV_CAP_VOLATILE, 4), 0x22220000);
	/* What is the bus's is forwarded as well, and is the bus's. */
	front_command(dev, ON | PCI_COMMAND_SERR);
	assert_int_equal(front_config(dev, PCI_COMMAND, 2), ON | PCI_COMMAND_SERR);
	front_config_out(dev, 0, 4, 0);
	assert_int_equal(front_config(dev, 0, 4), REGS_ID);
	assert_int_equal(front_config(dev, cap + TESTDEV_CAP_WRITES, 4), writes + 8);
	/* Nobody is behind byte 255. */
	assert_int_equal(front_config(dev, 256, 4), UINT32_MAX);
	assert_int_equal(front_read(GUEST_PCI_CONFIG + dev * 4096u + 254, 4) & 0xffff0000,
			 0xffff0000);
}

static void test_intx(void **state)
{
	unsigned gsi = front_gsi(dev);

	(void)state;
	command(TESTDEV_INTX_UP);
	assert_true(front_line(gsi));
	assert_int_equal(reg(TESTDEV_EOIS), 0);
	irq_line_eoi(plug_vm, gsi);
	assert_int_equal(reg(TESTDEV_EOIS), 1);
	assert_true(front_line(gsi));
	assert_int_equal(front_config(dev, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
			 PCI_STATUS_INTERRUPT);
	front_command(dev, ON | PCI_COMMAND_INTX);
	assert_false(front_line(gsi));
	front_command(dev, ON);
	assert_true(front_line(gsi));
	command(TESTDEV_INTX_DOWN);
	assert_false(front_line(gsi));
}

static void message(unsigned vector)
{
	set_reg(TESTDEV_VECTOR, vector);
	command(TESTDEV_MESSAGE);
}

static void test_msi(void **state)
{
	unsigned cap = front_cap(dev, PCI_CAP_MSI);

	(void)state;
	message(0);
	assert_int_equal(front_messages, 0);
	front_config_out(dev, cap + 4, 4, MSG);
	front_config_out(dev, cap + 12, 2, 0x40);
	front_config_out(dev, cap + 2, 2, 2 << 4 | 1); /* four vectors */
	assert_int_equal(reg(TESTDEV_IRQ_MODE), 1);
	command(TESTDEV_INTX_UP);
	assert_false(front_line(front_gsi(dev)));
	message(3);
	assert_int_equal(front_messages, 1);
	assert_true(front_message_address == MSG && front_message_data == 0x43);
	front_config_out(dev, cap + 16, 4, 1 << 2);
	message(2);
	assert_int_equal(front_messages, 1);
	assert_int_equal(front_config(dev, cap + 20, 4), 1 << 2);
	front_config_out(dev, cap + 16, 4, 0);
	assert_int_equal(front_messages, 2);
	assert_int_equal(front_message_data, 0x42);
	front_command(dev, PCI_COMMAND_MEMORY);
	message(1);
	assert_int_equal(front_messages, 2);
}

static void test_msix(void **state)
{
	unsigned cap = front_cap(dev, PCI_CAP_MSIX);
	uint64_t table = front_bar(dev, TESTDEV_MSIX), pba = table + TESTDEV_MSIX_PBA;

	(void)state;
	front_write(table + 16 * 7, 8, MSG);
	front_write(table + 16 * 7 + 8, 4, 0x77);
	front_config_out(dev, cap + 2, 2, 0x8000);
	assert_int_equal(reg(TESTDEV_IRQ_MODE), 2);
	message(7); /* masked, as all are at first */
	assert_int_equal(front_messages, 0);
	assert_int_equal(front_read(pba, 8), 0x80);
	front_write(table + 16 * 7 + 12, 4, 0);
	assert_int_equal(front_messages, 1);
	assert_true(front_message_address == MSG && front_message_data == 0x77);
	assert_int_equal(front_read(pba, 8), 0);
	message(8); /* there are 8 */
	message(UINT32_MAX);
	assert_int_equal(front_messages, 1);
	/* The table and the pending bits are none of the device's accesses, what is beside is. */
	assert_int_equal(count(TESTDEV_MSIX, true, 2) + count(TESTDEV_MSIX, false, 3), 0);
	front_read(table + 0x4000, 4);
	assert_int_equal(count(TESTDEV_MSIX, false, 2), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shape),	  TEST(test_regions),	   TEST(test_big),
		TEST(test_moves),	  TEST(test_nothing_at_0), TEST(test_decoding),
		TEST(test_rom),		  TEST(test_no_rom),	   TEST(test_rom_of_a_module),
		TEST(test_configuration), TEST(test_intx),	   TEST(test_msi),
		TEST(test_msix),
	};

	if (plug_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
