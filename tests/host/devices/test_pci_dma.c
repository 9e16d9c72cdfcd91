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
/* DMA through PCI's front-end: bus mastering, RAM, and windows that it is to stay in. */
#include "tests/host/devices/front_testdev.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint32_t copy(uint64_t from, uint64_t to, uint32_t len)
{
	set_reg(TESTDEV_DMA_SOURCE, (uint32_t)from);
	set_reg(TESTDEV_DMA_TARGET, (uint32_t)to);
	set_reg(TESTDEV_DMA_TARGET + 4, (uint32_t)(to >> 32));
	set_reg(TESTDEV_DMA_LENGTH, len);
	command(TESTDEV_DMA);
	return reg(TESTDEV_DMA_RESULT);
}

static void test_dma(void **state)
{
	(void)state;
	front_write(0x1000, 8, 0x1122334455667788);
	assert_int_equal(copy(0x1000, 0x2000, 8), TESTDEV_DMA_OK);
	assert_true(front_read(0x2000, 8) == 0x1122334455667788);
	assert_int_equal(copy(0x1000, 0x1fffff, 8), TESTDEV_DMA_NOT_RAM);
	assert_int_equal(copy(0x1000, front_bar(dev, TESTDEV_BIG), 8), TESTDEV_DMA_NOT_RAM);
	front_command(dev, PCI_COMMAND_MEMORY);
	assert_int_equal(copy(0x1000, 0x3000, 8), TESTDEV_DMA_REFUSED);
	assert_true(front_read(0x3000, 8) == 0);
	front_command(dev, ON);
	assert_int_equal(copy(0x1000, 0x3000, 8), TESTDEV_DMA_OK);
}

/* Into, out of and within a window, at its edges, by copies and by what is mapped. */
static void test_window(void **state)
{
	(void)state;
	front_end();
	begin(TESTDEV "dma = 0x10000+64K\n");
	assert_int_equal(device_find(plug_vm, "front")->counts[DEVICE_DMA], 1);
	front_write(0x10000, 8, 0x1122334455667788);
	assert_int_equal(copy(0x10000, 0x1fff8, 8), TESTDEV_DMA_OK);
	assert_true(front_read(0x1fff8, 8) == 0x1122334455667788);
	assert_null(strstr(fake_log, "beyond its window"));
	assert_int_equal(copy(0x10000, 0x1fff9, 8), TESTDEV_DMA_NOT_RAM);
	assert_true(front_read(0x1fff8, 8) == 0x1122334455667788);
	assert_non_null(strstr(fake_log, "DMA to 0x1fff9+0x8: beyond its window 0x10000+0x10000"));
	assert_int_equal(copy(0x10000, 0xfff8, 8), TESTDEV_DMA_NOT_RAM);
	assert_int_equal(copy(0xfff8, 0x10000, 8), TESTDEV_DMA_NOT_RAM);
	assert_int_equal(copy(0xfffc, 0x10000, 8), TESTDEV_DMA_NOT_RAM);
	assert_int_equal(copy(0x10000, 0x20000, 8), TESTDEV_DMA_NOT_RAM);
	command(TESTDEV_DMA_MAPPED);
	assert_int_equal(reg(TESTDEV_DMA_RESULT), TESTDEV_DMA_NOT_RAM);
	set_reg(TESTDEV_DMA_TARGET, 0x10008);
	command(TESTDEV_DMA_MAPPED);
	assert_int_equal(reg(TESTDEV_DMA_RESULT), TESTDEV_DMA_OK);
	assert_true(front_read(0x10008, 8) == 0x1122334455667788);
}

static void refused(const char *keys, int err, const char *why)
{
	fake_log_clear();
	assert_int_equal(front_add("other", keys), err);
	if (!strstr(fake_log, why))
		fail_msg("%s", fake_log);
	assert_null(device_find(plug_vm, "other"));
}

/* What is no window, and what another has: both are named, and nothing is kept. */
static void test_no_window(void **state)
{
	(void)state;
	front_end();
	begin(TESTDEV "dma = 0x10000+64K\n");
	refused(TESTDEV "dma = 0x10000\n", -EINVAL, "expected BASE+SIZE, got '0x10000'");
	refused(TESTDEV "dma = +64K\n", -EINVAL, "expected BASE+SIZE");
	refused(TESTDEV "dma = 0x10000+\n", -EINVAL, "expected BASE+SIZE");
	refused(TESTDEV "dma = 0x10000+0\n", -EINVAL, "expected BASE+SIZE");
	refused(TESTDEV "dma = 0x00000000000000010000+4K\n", -EINVAL, "expected BASE+SIZE");
	refused(TESTDEV "dma = 0x10000000000+4K\n", -EINVAL, "expected RAM of the VM");
	refused(TESTDEV "dma = 0xfffffffffffff000+8K\n", -EINVAL, "expected RAM of the VM");
	refused(TESTDEV "dma = 0x1f000+4K\n", -EBUSY,
		"other: DMA window 0x1f000+0x1000: device front");
	refused(TESTDEV "dma = 0xf000+8K\n", -EBUSY, "device front has some of it");
	refused(TESTDEV "dma = 0x8000+256K\n", -EBUSY, "device front has some of it");
	assert_int_equal(front_add("second", TESTDEV "dma = 0x20000+4K\n"), 0);
	assert_int_equal(front_add("free", TESTDEV), 0);
	refused(TESTDEV "dma = 0x20fff+1\n", -EBUSY, "device second has");
	assert_int_equal(device_destroy(device_find(plug_vm, "front")), 0);
	assert_int_equal(front_add("next", TESTDEV "dma = 0x10000+64K\n"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dma),
		TEST(test_window),
		TEST(test_no_window),
	};

	if (plug_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
