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
 * How functions that PCI's front-end shows come, are reset, vanish and go, on
 * the real bus and device manager; and what is refused.
 */
#include "devices/hostdev/host_device.h"
#include "devices/pci/pci_function.h"
#include "tests/host/devices/front_testdev.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "kernel/boot_info.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_resets(void **state)
{
	unsigned pm = front_cap(dev, PCI_CAP_PM);
	uint64_t regs = front_bar(dev, TESTDEV_REGS);

	(void)state;
	set_reg(TESTDEV_SCRATCH, 1);
	command(TESTDEV_INTX_UP);
	front_config_out(dev, pm + 4, 2, 3); /* D3hot: it answers nothing */
	assert_int_equal(front_read(regs, 4), UINT32_MAX);
	assert_false(front_line(front_gsi(dev)));
	front_config_out(dev, pm + 4, 2, 0);
	front_set_bar(dev, TESTDEV_REGS, regs);
	front_command(dev, ON);
	assert_int_equal(reg(TESTDEV_RESETS), 3);
	assert_int_equal(reg(TESTDEV_SCRATCH) | reg(TESTDEV_INTX), 0);
	/* The VM's: BARs have their addresses again. */
	set_reg(TESTDEV_SCRATCH, 1);
	front_set_bar(dev, TESTDEV_REGS, 0xd0000000);
	front_reset();
	assert_true(front_bar(dev, TESTDEV_REGS) == regs);
	assert_int_equal(reg(TESTDEV_RESETS), 4);
	assert_int_equal(reg(TESTDEV_SCRATCH), 0);
}

static void check_gone(uint64_t regs, uint64_t io, uint64_t table)
{
	unsigned offset;

	for (offset = 0; offset < 256; offset++)
		assert_int_equal(front_config(dev, offset, 1), 0xff);
	assert_int_equal(front_read(regs, 4), UINT32_MAX);
	assert_int_equal(front_read(table, 4), UINT32_MAX);
	assert_int_equal(front_in(io, 4), UINT32_MAX);
	front_write(regs + TESTDEV_COMMAND, 4, TESTDEV_INTX_UP);
	front_out(io, 4, 0);
	front_command(dev, ON);
	front_set_bar(dev, TESTDEV_REGS, 0xd0000000);
	assert_int_equal(front_read(0xd0000000, 4), UINT32_MAX);
	assert_false(front_line(front_gsi(dev)));
}

/* Pulled out while its interrupt is up: nobody is there any more, also after a reset. */
static void test_vanish(void **state)
{
	uint64_t regs = front_bar(dev, TESTDEV_REGS), io = front_bar(dev, TESTDEV_IO);
	uint64_t table = front_bar(dev, TESTDEV_MSIX);

	(void)state;
	command(TESTDEV_INTX_UP);
	command(TESTDEV_VANISH);
	assert_true(fake_logged("front: its host device has vanished"));
	check_gone(regs, io, table);
	front_reset();
	check_gone(regs, io, table);
	/* Its place is taken until it is taken away; then another may have it. */
	assert_int_equal(front_add("other", TESTDEV "addr = 1\n"), -EBUSY);
	plug_remove("front");
	dev = front_make(TESTDEV "addr = 1\n");
	assert_int_equal(reg(TESTDEV_ID), TESTDEV_ID_VALUE);
}

/* Taken away with all in flight and every line up; what is late harms nobody. */
static void test_goes_while_in_use(void **state)
{
	struct plug_state before;
	unsigned edu;

	(void)state;
	front_end();
	front_start();
	plug_take_state(&before);
	assert_int_equal(front_add("edu", "hostdev = edu:\naddr = 3\n"), 0);
	assert_int_equal(front_add("test", TESTDEV), 0);
	front_reset();
	edu = front_find(EDU_ID);
	dev = front_find(REGS_ID);
	front_command(edu, ON);
	front_command(dev, ON);
	command(TESTDEV_INTX_UP);
	front_write(front_bar(edu, 0) + 0x60, 4, 1);
	front_write(front_bar(edu, 0) + 0x08, 4, 5);
	front_write(front_bar(edu, 0) + 0x98, 4, 7);
	assert_true(front_line(front_gsi(edu)) && front_line(front_gsi(dev)));
	plug_remove("edu");
	plug_remove("test");
	assert_false(front_line(19) || front_line(17));
	plug_use();
	assert_int_equal(front_config(dev, 0, 4), UINT32_MAX);
	before.objects = plug_objects(); /* tables that stay */
	front_reset();
	{
		struct plug_state after;

		plug_take_state(&after);
		after.objects = before.objects;
		if (memcmp(&before, &after, sizeof(after)))
			fail_msg("not as before: %s", plug_difference(&before, &after));
	}
}

/* A host device that sees in which order it goes. */
static struct {
	unsigned resets, drains;
	bool used; /* when the owner's resources went, the guest's was still in its hands */
} watched;

static void watch_released(void *opaque)
{
	(void)opaque;
	watched.used = watched.resets < 2 || watched.drains < watched.resets;
}

static int watch_open(struct host_device *hd, const char *path, const struct host_args *args)
{
	(void)path;
	(void)args;
	memset(&watched, 0, sizeof(watched));
	hd->regions[HOST_REGION_CONFIG].size = 256;
	return device_own(hd->owner, watch_released, NULL);
}

static int watch_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		      uint64_t *value)
{
	(void)hd;
	(void)region;
	*value = offset ? 0 : 0x1234;
	(void)width;
	return 0;
}

static int watch_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		       uint64_t value)
{
	(void)hd;
	(void)region;
	(void)offset;
	(void)width;
	(void)value;
	return 0;
}

static void watch_reset(struct host_device *hd)
{
	(void)hd;
	watched.resets++;
}

static void watch_drain(struct host_device *hd)
{
	(void)hd;
	watched.drains++;
}

static void watch_close(struct host_device *hd)
{
	(void)hd;
}

HOST_SCHEME(watch_scheme, .name = "watch", .help = "", .bus = HOST_BUS_PCI, .open = watch_open,
	    .close = watch_close, .read = watch_read, .write = watch_write, .reset = watch_reset,
	    .drain = watch_drain);

/* Its timers and backends go when it uses nothing of the guest's any more: what it does for that
 * might arm one, or call one. */
static void test_stops_first(void **state)
{
	(void)state;
	assert_int_equal(front_add("watched", "hostdev = watch:\naddr = 5\n"), 0);
	assert_int_equal(watched.resets, 1);
	watched.used = true;
	plug_remove("watched");
	assert_false(watched.used);
	assert_int_equal(watched.resets, 2);
}

/* In a VM that runs, it comes without addresses, and is one like the others. */
static void test_hot_plug(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(front_add("hot", TESTDEV "addr = 1f.7\n"), 0);
		dev = 0xff;
		assert_int_equal(front_config(dev, 0, 4), REGS_ID);
		assert_true(front_bar(dev, 0) == 0 && front_bar(dev, 2) == 0);
		assert_int_equal(front_config(dev, PCI_COMMAND, 2), 0);
		front_set_bar(dev, TESTDEV_REGS, 0xd0000000);
		front_command(dev, ON);
		assert_int_equal(reg(TESTDEV_ID), TESTDEV_ID_VALUE);
		plug_remove("hot");
		assert_int_equal(front_config(dev, 0, 4), UINT32_MAX);
		assert_int_equal(front_read(0xd0000000, 4), UINT32_MAX);
	}
}

/* A driver that sees the function as soon as it is on the bus: nothing of what it does is lost. */

#define EARLY	   0x30u
#define EARLY_REGS 0xc8000000u

static void early_driver(void *opaque, const struct pci_bus *bus, unsigned slot, bool occupied)
{
	(void)opaque;
	(void)bus;
	if (!occupied || slot != EARLY >> 3)
		return;
	front_set_bar(EARLY, TESTDEV_REGS, EARLY_REGS);
	front_command(EARLY, ON);
	front_write(EARLY_REGS + TESTDEV_SCRATCH, 4, 7);
}

static struct pci_slot_listener early = {.changed = early_driver};

static int early_create(struct device *device, const struct device_config *config)
{
	(void)config;
	return device_provide(device, PCI_SLOTS_KIND, &early);
}

DEVICE_TYPE(early_type, .name = "early", .help = "tells a driver of functions",
	    .create = early_create);

static void test_used_at_once(void **state)
{
	(void)state;
	assert_int_equal(plug_add("early", "e", ""), 0);
	assert_int_equal(front_add("now", TESTDEV "addr = 6\n"), 0);
	assert_int_equal(front_read(EARLY_REGS + TESTDEV_SCRATCH, 4), 7);
	assert_int_equal(front_read(EARLY_REGS + TESTDEV_RESETS, 4), 1);
	plug_remove("now");
	plug_remove("e");
}

static void test_addresses(void **state)
{
	(void)state;
	assert_int_equal(front_add("a", TESTDEV "addr = 4.1\n"), 0);
	assert_int_equal(front_add("b", "hostdev = edu:\naddr = 4.0\n"), 0);
	assert_int_equal(front_add("c", TESTDEV), 0);
	assert_int_equal(front_config(0x21, 0, 4), REGS_ID);
	assert_int_equal(front_config(0x20, 0, 4), EDU_ID);
	assert_int_equal(front_config(0x20, PCI_HEADER_TYPE, 1), PCI_HEADER_MULTI);
	assert_int_equal(front_config(0x10, 0, 4), REGS_ID);
}

static void test_null(void **state)
{
	unsigned devfn;

	(void)state;
	front_end();
	front_start();
	assert_int_equal(front_add("empty", "hostdev = null:\naddr = 5\n"), 0);
	assert_true(fake_logged("nobody is there: slot 05.0 stays empty"));
	front_reset();
	for (devfn = 8; devfn < 256; devfn++)
		assert_int_equal(front_config(devfn, 0, 4), UINT32_MAX);
	plug_remove("empty");
}

static void refuse(const char *keys, int err, const char *message)
{
	struct plug_state before, after;

	plug_take_state(&before);
	fake_log_clear();
	assert_int_equal(front_add("bad", keys), err);
	if (!fake_logged(message))
		fail_msg("expected '%s' in: %s", message, fake_log);
	plug_take_state(&after);
	if (memcmp(&before, &after, sizeof(after)))
		fail_msg("%s: not as before: %s", keys, plug_difference(&before, &after));
	assert_null(device_find(plug_vm, "bad"));
}

static void test_errors(void **state)
{
	static uint8_t huge[1];

	(void)state;
	fake_add_module("huge.rom", huge, (16 << 20) + 1);
	fake_add_module("empty.rom", huge, 0);
	refuse("", -EINVAL, "hostdev");
	refuse("hostdev = ghost:\n", -ENOENT, "hostdev: 'ghost:': no host device of that scheme");
	refuse("hostdev = testdev\n", -EINVAL, "hostdev: 'testdev': expected a host device's URL");
	refuse("hostdev = testdev:?big=3\n", -EINVAL, "hostdev: argument big: expected");
	refuse("hostdev = testdev:x\n", -EINVAL, "hostdev: testdev: takes no path");
	refuse("hostdev = testdev:?big=2T\n", -EINVAL, "hostdev: argument big: expected");
	refuse(TESTDEV "bus = nowhere\n", -ENOENT, "bus: device bad needs device nowhere");
	refuse(TESTDEV "bus = front\n", -ENOENT, "key bus: device front has no PCI bus");
	refuse(TESTDEV "addr = 1\n", -EBUSY, "wants PCI function 01.0, which is device front's");
	refuse(TESTDEV "addr = 20\n", -EINVAL, "key addr: '20': expected DEVICE.FUNCTION");
	refuse(TESTDEV "addr = 1.8\n", -EINVAL, "key addr: '1.8'");
	refuse(TESTDEV "rom = maybe\n", -ENOENT, "rom: expected on, off or module:NAME");
	refuse(TESTDEV "rom = module:nope\n", -ENOENT, "rom: expected on, off or module:NAME");
	refuse(TESTDEV "rom = module:huge.rom\n", -EINVAL, "rom: 'module:huge.rom' has 16777217");
	refuse(TESTDEV "rom = module:empty.rom\n", -EINVAL, "rom: 'module:empty.rom' has 0 bytes");
	fake_add_module("disk.img", huge, 512);
	assert_true(boot_module_use(boot_module_find("disk.img"), true));
	refuse(TESTDEV "rom = module:disk.img\n", -EBUSY,
	       "rom: a VM's disk writes to 'module:disk.img' now");
	assert_true(boot_module_is_written(boot_module_find("disk.img")));
	/* One that is refused reads it no more. */
	boot_module_unuse(boot_module_find("disk.img"));
	refuse(TESTDEV "rom = module:disk.img\naddr = 1\n", -EBUSY, "wants PCI function 01.0");
	assert_true(boot_module_use(boot_module_find("disk.img"), true));
	fake_clear_modules();
	/* What is there is not disturbed. */
	assert_int_equal(reg(TESTDEV_ID), TESTDEV_ID_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_resets),   TEST(test_vanish),	      TEST(test_goes_while_in_use),
		TEST(test_hot_plug), TEST(test_addresses),    TEST(test_null),
		TEST(test_errors),   TEST(test_used_at_once), TEST(test_stops_first),
	};

	if (plug_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
