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
 * PCI's front-end with a host device that misbehaves: one that fails, lies, is
 * malformed, or is late.
 */
#include "devices/hostdev/host_device.h"
#include "devices/pci/pci_regs.h"
#include "tests/host/devices/front_world.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ODD    "hostdev = odd:\n"
#define ODD_ID 0xbeef1234u
#define STALE  0x57a1e57a1eULL

static struct odd {
	uint8_t config[4096];
	uint64_t config_size;
	struct host_region regions[HOST_REGION_CONFIG];
	int err;	   /* of accesses … */
	unsigned err_from; /* … to the configuration from here on; of all others, too */
	bool vanishes;	   /* while it is opened */
	bool raises;	   /* its interrupt, while it is opened */
	struct host_device *hd;
	unsigned open, resets;
	uint64_t written_offset, written_value;
	unsigned written_width;
} odd;

static int odd_open(struct host_device *hd, const char *path, const struct host_args *args)
{
	(void)path;
	(void)args;
	memcpy(hd->regions, odd.regions, sizeof(odd.regions));
	hd->regions[HOST_REGION_CONFIG].size = odd.config_size;
	odd.hd = hd;
	odd.open++;
	/* Nobody sees it yet, and it need not know. */
	host_device_intx(hd, odd.raises);
	host_device_message(hd, 0);
	assert_int_equal(host_device_irq_mode(hd), HOST_IRQ_INTX);
	assert_int_equal(host_device_dma_read(hd, 0, &(char){0}, 1), -EACCES);
	if (odd.vanishes)
		host_device_vanish(hd);
	return 0;
}

/* It may be called until here. */
static void odd_close(struct host_device *hd)
{
	host_device_intx(hd, true);
	host_device_message(hd, 0);
	assert_int_equal(host_device_dma_write(hd, 0, "x", 1), -EACCES);
	host_device_irq_mode(hd);
	odd.open--;
}

/* An error with something in *@value all the same. */
static int odd_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		    uint64_t *value)
{
	(void)hd;
	*value = STALE;
	if (odd.err && (region != HOST_REGION_CONFIG || offset >= odd.err_from))
		return odd.err;
	*value = 0;
	if (region == HOST_REGION_CONFIG)
		memcpy(value, odd.config + offset, width);
	return 0;
}

static int odd_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		     uint64_t value)
{
	(void)hd;
	if (region == HOST_REGION_CONFIG) {
		odd.written_offset = offset;
		odd.written_value = value;
		odd.written_width = width;
	}
	return odd.err;
}

static void odd_reset(struct host_device *hd)
{
	(void)hd;
	odd.resets++;
}

HOST_SCHEME(odd_scheme, .name = "odd", .help = "for tests", .bus = HOST_BUS_PCI, .open = odd_open,
	    .close = odd_close, .read = odd_read, .write = odd_write, .reset = odd_reset);

static void put(unsigned offset, uint32_t value, unsigned width)
{
	memcpy(odd.config + offset, &value, width);
}

static int setup(void **state)
{
	(void)state;
	odd = (struct odd){.config_size = 256, .err_from = 64};
	put(PCI_VENDOR_ID, ODD_ID, 4);
	put(PCI_INTERRUPT_PIN, 1, 1);
	odd.regions[0].size = 4096;
	front_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	front_end();
	assert_int_equal(odd.open, 0);
	return 0;
}

static void refuse(int err, const char *message)
{
	struct plug_state before, after;

	plug_take_state(&before);
	fake_log_clear();
	assert_int_equal(front_add("bad", ODD), err);
	if (!fake_logged(message))
		fail_msg("expected '%s' in: %s", message, fake_log);
	plug_take_state(&after);
	if (memcmp(&before, &after, sizeof(after)))
		fail_msg("not as before: %s", plug_difference(&before, &after));
	assert_int_equal(odd.open, 0);
}

static void test_bad_configuration(void **state)
{
	(void)state;
	odd.config_size = 0;
	refuse(-EINVAL, "hostdev: its configuration space has 0 bytes: expected 256 or 4096");
	odd.config_size = 128;
	refuse(-EINVAL, "has 128 bytes");
	odd.config_size = UINT64_MAX;
	refuse(-EINVAL, "bytes: expected 256 or 4096");
	odd.config_size = 256;
	odd.err = -EIO;
	refuse(-EIO, "hostdev: its configuration space cannot be read at 0x40 (error 5)");
	odd.err = 0;
	odd.vanishes = true;
	refuse(-ENODEV, "hostdev: its configuration space cannot be read at 0");
}

/* Lists of capabilities that lead nowhere or in circles. */
static void test_bad_capabilities(void **state)
{
	unsigned i;

	(void)state;
	put(PCI_CAPABILITIES, 0x40, 1);
	put(0x40, PCI_CAP_VENDOR | 0x4000, 2);
	refuse(-EINVAL, "the list of PCI capabilities has no end");
	put(0x40, PCI_CAP_VENDOR | 0x0400, 2);
	refuse(-EINVAL, "PCI capability at 0x4, within the header");
	for (i = 0; i < 256; i++) {
		put(0x40, PCI_CAP_MSIX | 0xf800, 2);
		put(0xf8, i, 1);
		if (!front_add("odd", ODD))
			plug_remove("odd");
	}
	put(PCI_CAPABILITIES, 0xff, 1);
	put(0xfc, PCI_CAP_PM | 0xfc00, 2);
	refuse(-EINVAL, "PCI capability");
}

static void test_bad_regions(void **state)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));

	(void)state;
	odd.regions[0] = (struct host_region){.size = 8192,
					      .pages = page,
					      .pages_size = 4096,
					      .doorbell_offset = 4092,
					      .doorbell_size = 8};
	refuse(-EINVAL, "region 0 has a doorbell among its pages");
	odd.regions[0] = (struct host_region){};
	odd.regions[0].size = 4095;
	refuse(-EINVAL, "the size of a BAR is no power of two");
	odd.regions[0].size = 8;
	refuse(-EINVAL, "BAR 0 of 0x8 bytes: expected 0x10");
	odd.regions[0].size = 4096;
	odd.regions[5] = (struct host_region){.size = 4096, .wide = true};
	refuse(-EINVAL, "a 64-bit BAR needs the next one's place");
	odd.regions[5] = (struct host_region){.size = UINT64_C(1) << 41};
	refuse(-EINVAL, "BAR 5 of 0x20000000000 bytes");
	odd.regions[5] = (struct host_region){.size = 0x10000, .io = true};
	refuse(-EINVAL, "BAR 5 of 0x10000 bytes");
	odd.regions[5] = (struct host_region){};
	odd.regions[6] = (struct host_region){.size = 32 << 20};
	refuse(-EINVAL, "ROM: expected 32-bit memory of 2 KiB to 16 MiB");
}

/* All ones, whatever it left behind, and told. */
static void test_failing_accesses(void **state)
{
	unsigned dev = front_make(ODD);
	uint64_t base = front_bar(dev, 0);

	(void)state;
	front_command(dev, PCI_COMMAND_MEMORY);
	put(0x50, 0x12345678, 4);
	assert_int_equal(front_config(dev, 0x50, 4), 0x12345678);
	odd.err = -EIO;
	fake_log_clear();
	assert_int_equal(front_config(dev, 0x50, 4), UINT32_MAX);
	assert_int_equal(front_config(dev, 0x51, 1), 0xff);
	assert_true(front_read(base, 8) == UINT64_MAX);
	assert_int_equal(front_read(base + 2, 2), 0xffff);
	front_write(base, 4, 1);
	front_config_out(dev, 0x50, 4, 1);
	/* What is the bus's is there all the same. */
	assert_int_equal(front_config(dev, 0, 4), ODD_ID);
	odd.err = 0;
	assert_int_equal(front_config(dev, 0x50, 4), 0x12345678);
}

static void test_extended_configuration(void **state)
{
	unsigned dev;

	(void)state;
	odd.config_size = 4096;
	put(PCI_CAPABILITIES, 0x40, 1);
	put(0x40, 0x00020010, 4); /* PCI Express, version 2 */
	put(0x100, 0x15010001, 4);
	put(0x150, 0x0001000b, 4);
	dev = front_make(ODD);
	assert_int_equal(front_config(dev, 0x100, 4), 0x15010001);
	/* The vendor's own, live to the last byte. */
	put(0x158, 0x1111, 4);
	put(0xffc, 0x22222222, 4);
	assert_int_equal(front_config(dev, 0x158, 4), 0x1111);
	assert_int_equal(front_config(dev, 0xffc, 4), 0x22222222);
	put(0xffc, 0x33333333, 4);
	assert_int_equal(front_config(dev, 0xffc, 4), 0x33333333);
	assert_int_equal(front_config(dev, 0xfff, 1), 0x33);
	front_config_out(dev, 0xffe, 2, 0xabcd);
	assert_int_equal(odd.written_offset, 0xffe);
	assert_int_equal(odd.written_value, 0xabcd);
	assert_int_equal(odd.written_width, 2);
	/* AER is the bus's: what the device would say there is not asked for. */
	put(0x108, 0x44444444, 4);
	assert_int_equal(front_config(dev, 0x108, 4), 0);
	put(0x44, 0x55555555, 4);
	assert_int_equal(front_config(dev, 0x44, 4), 0);
}

/* A function-level reset is the host device's, too. */
static void test_function_level_reset(void **state)
{
	unsigned dev, before;

	(void)state;
	put(PCI_CAPABILITIES, 0x40, 1);
	put(0x40, 0x00020010, 4);
	put(0x44, PCI_PCIE_DEVICE_CAPS_FLR, 4);
	dev = front_make(ODD);
	before = odd.resets;
	front_command(dev, PCI_COMMAND_MEMORY);
	front_config_out(dev, 0x40 + PCI_PCIE_DEVICE_CONTROL, 2, 1);
	assert_int_equal(odd.resets, before);
	front_config_out(dev, 0x40 + PCI_PCIE_DEVICE_CONTROL, 2, PCI_PCIE_DEVICE_FLR);
	assert_int_equal(odd.resets, before + 1);
	assert_int_equal(front_config(dev, PCI_COMMAND, 2), 0);
	assert_int_equal(front_config(dev, 0, 4), ODD_ID);
}

/* Raised when nobody saw it, it is not up. */
static void test_early_interrupt(void **state)
{
	unsigned dev;

	(void)state;
	odd.raises = true;
	dev = front_make(ODD);
	assert_false(front_line(front_gsi(dev)));
	host_device_intx(odd.hd, true);
	assert_true(front_line(front_gsi(dev)));
	host_device_vanish(odd.hd);
	assert_false(front_line(front_gsi(dev)));
	host_device_intx(odd.hd, true);
	assert_false(front_line(front_gsi(dev)));
	assert_int_equal(host_device_dma_write(odd.hd, 0, "x", 1), -EACCES);
}

/* Its line goes down with its front, whatever it asks for until it is closed. */
static void test_close_in_use(void **state)
{
	unsigned dev = front_make(ODD);

	(void)state;
	host_device_intx(odd.hd, true);
	assert_true(front_line(front_gsi(dev)));
	plug_remove("front");
	assert_false(front_line(17));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bad_configuration),
		TEST(test_bad_capabilities),
		TEST(test_bad_regions),
		TEST(test_failing_accesses),
		TEST(test_extended_configuration),
		TEST(test_function_level_reset),
		TEST(test_early_interrupt),
		TEST(test_close_in_use),
	};

	if (plug_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
