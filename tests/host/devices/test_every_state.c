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
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/devices/plug_world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: tests/host/fake/drivers/fake_serial_port.c */
/* test-sources: tests/host/devices/plug_bars.c tests/host/devices/plug_needs.c */
/* test-sources: tests/host/devices/plug_drive.c */
/* test-sources: tests/host/devices/plug_sockets.c tests/host/devices/plug_machine.c */
/* test-sources: tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/* test-sources: vmm/device_state.c vmm/device_state_load.c tests/host/devices/saved.c */
/*
 * Every device type that is linked in, and pci-front of every host device: what is saved of it in
 * the middle of its work is, loaded into a new one, the same; with a bit of it turned it is
 * refused, or is a state that the device goes on from.
 */
#include "tests/host/devices/plug_drive.h"
#include "tests/host/devices/plug_world.h"
#include "tests/host/devices/saved.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	uint32_t first, count;
} ports[] = {{0x20, 2}, {0x40, 4},   {0x60, 5},	 {0x70, 2},  {0x92, 1},	  {0xa0, 2},   {0xe9, 1},
	     {0xf4, 1}, {0x3b0, 48}, {0x3f8, 8}, {0x4d0, 2}, {0x510, 12}, {0x600, 40}, {0xcf8, 8}},
  msrs[] = {{0x1b, 1},	{0x179, 2},  {0x200, 16},     {0x250, 1},      {0x2ff, 1},
	    {0x6e0, 1}, {0x800, 64}, {0x4b564d00, 2}, {0xc0010010, 16}};

static const struct plug_need *need;
static const char *type_name;
static struct device *dev;

/* What it passes through to the machine could not be saved. */
static const struct plug_need generic = {
	"generic", "", "memory = 0xfd001000-0xfd001fff:forward=1\nhostdev = scratch:?memory=4K\n"};

static struct device *make(void)
{
	plug_start(need->before, false);
	if (plug_add(type_name, "d", need->keys))
		fail_msg("%s: %s", type_name, fake_log);
	plug_vm->state = VM_RUNNING;
	dev = device_find(plug_vm, "d");
	return dev;
}

static void use_msrs(struct vcpu *vcpu)
{
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
		for (uint32_t m = msrs[i].first; m < msrs[i].first + msrs[i].count; m++)
			if (hook_msr_read(vcpu, m, &value) == 0)
				(void)!hook_msr_write(vcpu, m, value ^ m);
}

static void use(void)
{
	struct vcpu *vcpu = plug_vm->vcpus[0];

	use_msrs(vcpu);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		for (uint32_t p = ports[i].first; p < ports[i].first + ports[i].count; p++) {
			uint32_t value = hook_io_read(vcpu, (uint16_t)p, 1);

			hook_io_write(vcpu, (uint16_t)p, 1, (value ^ p * 29) & 0xff);
		}
	plug_drive();
	plug_use();
}

static void end(void)
{
	plug_end();
}

/* It may be seen by a VM that runs before create() has returned. Host devices count resets in what
 * they save: test_pci_front_life. */
static void comes_as_after_a_reset(void)
{
	make();
	saved_take(dev);
	if (dev->type->reset && strcmp(type_name, "pci-front")) {
		dev->type->reset(dev);
		if (!saved_is(dev))
			fail_msg("%s: it does not come as after a reset", type_name);
	}
	end();
}

static void go_through(void)
{
	make();
	use();
	saved_take(dev);
	end();
	make();
	saved_give(dev);
	use();
	end();
	saved_flips(make, use, end);
}

static void each_type(void *opaque, const struct device_type *type)
{
	unsigned *count = opaque;

	if (!type->saved)
		fail_msg("%s: a VM with such a device cannot be saved", type->name);
	type_name = type->name;
	need = strcmp(type_name, "generic") ? plug_need_of(type_name) : &generic;
	comes_as_after_a_reset();
	go_through();
	++*count;
}

static void test_every_state(void **state)
{
	unsigned count = 0;

	(void)state;
	device_type_for_each(each_type, &count);
	assert_true(count >= 20);
}

static void test_every_front(void **state)
{
	(void)state;
	type_name = "pci-front";
	for (need = plug_fronts; need->type; need++)
		go_through();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state),
		cmocka_unit_test(test_every_front),
	};

	if (plug_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
