/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/checkpoint/place.c lib/crc32c.c kernel/fast_crc32c.c */
/* test-sources: tests/host/fake/drivers/fake_serial_port.c */
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
/* test-sources: tests/host/fake/kernel/fake_work.c tests/host/devices/plug_bars.c */
/* test-sources: tests/host/devices/plug_sockets.c tests/host/devices/front_world.c */
/* test-sources: tests/host/devices/plug_machine.c tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/*
 * BARs whose pages the guest reaches without an exit: where they are mapped and
 * where not, that whatever moves takes them away at once, and that nobody
 * reaches them when they are freed: plug_bars.c sees to that.
 */
#include "tests/host/devices/front_testdev.h"
#include "tests/host/devices/plug_bars.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BIG   "hostdev = testdev:?big-mapped=on\n"
#define FREE  0xd8000000u
#define OTHER 0xd9000000u
#define FAR   (UINT64_C(64) << 30)
#define LAPIC 0xfee00000u

static unsigned other; /* another testdev's address */

/* Time for what is mapped late. */
static uint8_t *mapped(uint64_t gpa)
{
	plug_use();
	return plug_bar_at(gpa);
}

static bool is_mapped(uint64_t base, uint64_t size)
{
	return mapped(base) && plug_bar_at(base + size - 1) && !plug_bar_at(base - 1) &&
	       !plug_bar_at(base + size);
}

static void move(unsigned bar, uint64_t to)
{
	front_set_bar(dev, bar, to);
}

/* As firmware left it: a write without an exit is read with one, and the other way round. */
static void test_mapped(void **state)
{
	uint64_t pages = front_bar(dev, TESTDEV_PAGES);

	(void)state;
	assert_true(is_mapped(pages, TESTDEV_PAGES_SIZE));
	assert_false(mapped(front_bar(dev, TESTDEV_REGS)));
	assert_false(mapped(front_bar(dev, TESTDEV_BIG)));
	command(TESTDEV_CLEAR);
	*mapped(pages + 0x1234) = 0x5a;
	assert_int_equal(front_read(pages + 0x1234, 1), 0x5a);
	front_write(pages + TESTDEV_PAGES_SIZE - 1, 1, 0xa5);
	assert_int_equal(*mapped(pages + TESTDEV_PAGES_SIZE - 1), 0xa5);
	assert_int_equal(count(TESTDEV_PAGES, false, 0), 1); /* what exits is counted */
	assert_int_equal(count(TESTDEV_PAGES, true, 0), 1);
}

static void test_not_wanted(void **state)
{
	(void)state;
	front_end();
	begin("hostdev = testdev:?mapped=off\n");
	assert_false(mapped(front_bar(dev, TESTDEV_PAGES)));
	move(TESTDEV_PAGES, FREE);
	assert_false(mapped(FREE));
	assert_int_equal(plug_flushes, 0);
}

/* What was mapped is gone when the guest's write is done, and comes to where it is now later. */
static void test_moves(void **state)
{
	uint64_t pages = front_bar(dev, TESTDEV_PAGES);
	unsigned flushes;

	(void)state;
	*mapped(pages) = 0x77;
	flushes = plug_flushes;
	move(TESTDEV_PAGES, FREE);
	assert_null(plug_bar_at(pages));
	assert_int_equal(plug_flushes, flushes + 1);
	assert_null(plug_bar_at(FREE));
	assert_int_equal(front_read(FREE, 1), 0x77); /* meanwhile it exits */
	assert_true(is_mapped(FREE, TESTDEV_PAGES_SIZE));
	assert_int_equal(*mapped(FREE), 0x77);
	/* Asking for the size moves nothing. */
	front_config_out(dev, PCI_BAR0 + 4 * TESTDEV_PAGES, 4, UINT32_MAX);
	assert_non_null(plug_bar_at(FREE));
	move(TESTDEV_PAGES, FREE);
	assert_non_null(plug_bar_at(FREE));
	assert_int_equal(plug_flushes, flushes + 1);
	/* Moved on before it was there. */
	move(TESTDEV_PAGES, OTHER);
	move(TESTDEV_PAGES, FREE);
	move(TESTDEV_PAGES, pages);
	assert_true(is_mapped(pages, TESTDEV_PAGES_SIZE));
	assert_null(plug_bar_at(FREE));
	assert_null(plug_bar_at(OTHER));
}

static void test_decoding(void **state)
{
	uint64_t pages = front_bar(dev, TESTDEV_PAGES);
	unsigned pm = front_cap(dev, PCI_CAP_PM);

	(void)state;
	assert_non_null(mapped(pages));
	front_command(dev, ON & ~PCI_COMMAND_MEMORY);
	assert_null(plug_bar_at(pages));
	assert_null(mapped(pages));
	front_command(dev, ON);
	assert_non_null(mapped(pages));
	front_command(dev, PCI_COMMAND_MEMORY); /* the others do not matter */
	assert_non_null(plug_bar_at(pages));
	front_config_out(dev, pm + 4, 2, 3);
	assert_null(plug_bar_at(pages));
	front_config_out(dev, pm + 4, 2, 0);
	assert_null(mapped(pages));
	move(TESTDEV_PAGES, pages);
	front_command(dev, ON);
	*mapped(pages) = 1;
	front_reset();
	front_command(dev, ON);
	assert_int_equal(*mapped(front_bar(dev, TESTDEV_PAGES)), 0);
}

/* Only what it keeps, of a BAR that moves in 64 bits. */
static void test_part(void **state)
{
	uint64_t big;

	(void)state;
	front_end();
	begin(BIG);
	big = front_bar(dev, TESTDEV_BIG);
	assert_true(is_mapped(big, TESTDEV_BIG_KEPT));
	memset(mapped(big), 0x33, 8);
	assert_int_equal(front_read(big, 4), 0x33333333);
	/* Across its end. */
	*mapped(big + TESTDEV_BIG_KEPT - 1) = 0x44;
	assert_int_equal(front_read(big + TESTDEV_BIG_KEPT - 1, 2), 0x0044);
	assert_int_equal(front_read(big + 0x2000, 4), 0x2000);
	move(TESTDEV_BIG, FAR);
	assert_true(is_mapped(FAR, TESTDEV_BIG_KEPT));
	/* As far as nested tables reach, and beyond. */
	move(TESTDEV_BIG, BIT(48) - 0x10000);
	assert_true(is_mapped(BIT(48) - 0x10000, TESTDEV_BIG_KEPT));
	move(TESTDEV_BIG, BIT(48));
	assert_null(mapped(BIT(48)));
	assert_int_equal(front_read(BIT(48), 4), 0x33333333);
	move(TESTDEV_BIG, UINT64_MAX - 0xffff);
	assert_null(mapped(BIT(52) - 0x10000));
	assert_int_equal(front_read(FAR, 4), UINT32_MAX);
}

static void test_over_others(void **state)
{
	struct hook lapic = {.first = LAPIC, .last = LAPIC + 0xfff, .ops = &hook_mapped_ops};

	(void)state;
	/* RAM: its last pages, and around the VGA's window, which is nobody's here. */
	move(TESTDEV_PAGES, 0x1fc000);
	assert_null(mapped(0x1fc000));
	move(TESTDEV_PAGES, 0x200000);
	assert_non_null(mapped(0x200000));
	move(TESTDEV_PAGES, 0x9c000);
	assert_null(mapped(0x9c000));
	move(TESTDEV_PAGES, 0xbc000);
	assert_true(is_mapped(0xbc000, TESTDEV_PAGES_SIZE));
	move(TESTDEV_PAGES, 0xc0000);
	assert_null(mapped(0xc0000));
	/* Configuration spaces. */
	move(TESTDEV_PAGES, (uint32_t)GUEST_PCI_CONFIG);
	assert_null(mapped(GUEST_PCI_CONFIG));
	/* Hooks that are there, come and go: any byte of theirs counts. */
	lapic.first += 0x3ff8;
	lapic.last = lapic.first + 7;
	move(TESTDEV_PAGES, LAPIC);
	assert_non_null(mapped(LAPIC));
	assert_int_equal(hook_memory_add(plug_vm, &lapic, HOOK_MEMORY_FULL), 0);
	assert_null(plug_bar_at(LAPIC));
	assert_null(mapped(LAPIC));
	hook_memory_remove(plug_vm, &lapic);
	assert_non_null(mapped(LAPIC));
	move(TESTDEV_PAGES, 0);
	assert_null(mapped(0));
}

static uint64_t other_pages(uint64_t to)
{
	front_set_bar(other, TESTDEV_PAGES, to);
	plug_use();
	return to;
}

static void test_overlaps(void **state)
{
	(void)state;
	assert_int_equal(front_add("other", TESTDEV "addr = 2\n"), 0);
	other = 2 << 3;
	move(TESTDEV_PAGES, FREE);
	front_command(other, ON);
	other_pages(OTHER);
	assert_true(is_mapped(FREE, TESTDEV_PAGES_SIZE) && is_mapped(OTHER, TESTDEV_PAGES_SIZE));
	front_set_bar(other, TESTDEV_PAGES, FREE);
	assert_null(plug_bar_at(FREE));
	assert_null(plug_bar_at(OTHER));
	assert_null(mapped(FREE));
	/* A small one within it; and one that has it in itself. */
	other_pages(OTHER);
	assert_non_null(plug_bar_at(FREE));
	front_set_bar(other, TESTDEV_REGS, FREE + 0x1000);
	assert_null(mapped(FREE));
	front_set_bar(other, TESTDEV_REGS, FREE + TESTDEV_PAGES_SIZE);
	assert_true(is_mapped(FREE, TESTDEV_PAGES_SIZE));
	front_set_bar(other, TESTDEV_MSIX, FREE);
	assert_null(mapped(FREE));
	front_command(other, 0);
	assert_non_null(mapped(FREE));
	assert_null(plug_bar_at(OTHER));
}

static void test_bridge(void **state)
{
	unsigned bridge, card;

	(void)state;
	assert_int_equal(plug_add("pci-bridge", "br1", "addr = 4\n"), 0);
	assert_int_equal(front_add("behind", TESTDEV "bus = br1\naddr = 0\n"), 0);
	front_reset();
	bridge = 4 << 3;
	card = front_config(bridge, PCI_BRIDGE_SECONDARY, 1) << 8;
	front_command(card, ON);
	front_command(bridge, ON);
	assert_non_null(mapped(front_bar(card, TESTDEV_PAGES)));
	front_command(bridge, 0);
	assert_null(plug_bar_at(front_bar(card, TESTDEV_PAGES)));
	front_command(bridge, ON);
	assert_non_null(mapped(front_bar(card, TESTDEV_PAGES)));
	front_config_out(bridge, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RESET);
	assert_null(plug_bar_at(front_bar(card, TESTDEV_PAGES)));
}

static void test_goes(void **state)
{
	uint64_t pages = front_bar(dev, TESTDEV_PAGES);

	(void)state;
	assert_non_null(mapped(pages));
	plug_remove("front");
	assert_null(plug_bar_at(pages));
	/* Taken away by the guest, whose other vCPUs may still have it cached; before it is there.
	 */
	dev = front_make(TESTDEV "addr = 1\n");
	front_command(dev, ON);
	assert_non_null(mapped(front_bar(dev, TESTDEV_PAGES)));
	front_command(dev, 0);
	plug_remove("front");
	dev = front_make(TESTDEV "addr = 1\n");
	front_command(dev, ON);
	move(TESTDEV_PAGES, FREE);
	plug_remove("front");
	assert_null(mapped(FREE));
}

static void test_vanishes(void **state)
{
	uint64_t pages = front_bar(dev, TESTDEV_PAGES);
	unsigned flushes;

	(void)state;
	assert_non_null(mapped(pages));
	flushes = plug_flushes;
	command(TESTDEV_VANISH);
	assert_null(plug_bar_at(pages));
	assert_int_equal(plug_flushes, flushes + 1);
	assert_true(front_read(pages, 8) == UINT64_MAX);
	front_reset();
	assert_null(mapped(pages));
	plug_remove("front");
}

/* It stays slow, until something moves. */
static void test_no_memory(void **state)
{
	uint64_t pages = front_bar(dev, TESTDEV_PAGES);

	(void)state;
	front_command(dev, 0);
	front_command(dev, ON);
	fake_memory_left = 0;
	assert_null(mapped(pages));
	fake_memory_left = -1;
	assert_null(mapped(pages));
	front_write(pages, 4, 0x1234);
	assert_int_equal(front_read(pages, 4), 0x1234);
	move(TESTDEV_REGS, FREE);
	assert_non_null(mapped(pages));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mapped),   TEST(test_not_wanted), TEST(test_moves),
		TEST(test_decoding), TEST(test_part),	    TEST(test_over_others),
		TEST(test_overlaps), TEST(test_bridge),	    TEST(test_goes),
		TEST(test_vanishes), TEST(test_no_memory),
	};

	if (plug_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
