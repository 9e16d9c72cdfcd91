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
/* test-sources: tests/host/devices/plug_sockets.c tests/host/devices/plug_machine.c */
/* test-sources: tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/*
 * Every device type that is linked in comes and goes, with each of its
 * allocations failing in turn, and a second one of it after the same things:
 * nothing is left, and the VM's maps, lines and chips are as before.
 */
#include "tests/host/devices/plug_needs.h"
#include "tests/host/devices/plug_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int add(const char *type, const char *id)
{
	return plug_add(type, id, plug_need_of(type)->keys);
}

static void expect_same(const char *type, const char *when, const struct plug_state *before)
{
	struct plug_state after;

	plug_take_state(&after);
	if (memcmp(before, &after, sizeof(after)))
		fail_msg("%s: the VM is not as before %s: %s", type, when,
			 plug_difference(before, &after));
}

/* In a VM where none of it has been: also the tables that stay are made here. */
static void each_allocation_fails(const char *type, bool runs)
{
	struct plug_state before;
	long left;
	int err;

	for (left = 0;; left++) {
		plug_start(plug_need_of(type)->before, runs);
		plug_take_state(&before);
		fake_memory_left = left;
		err = add(type, "d");
		fake_memory_left = -1;
		if (!err)
			break;
		if (err != -ENOMEM || left > 2000)
			fail_msg("%s: cannot be made (error %d), say in needs[] what it takes: %s",
				 type, -err, fake_log);
		before.objects = plug_objects(); /* leaves of tables stay with the VM */
		expect_same(type, "a create() without memory", &before);
		plug_end();
	}
	assert_true(left >= 2);
	plug_end();
}

static void comes_and_goes(const char *type, bool runs)
{
	struct plug_state before, with_one;

	plug_start(plug_need_of(type)->before, runs);
	assert_int_equal(add(type, "d"), 0);
	plug_remove("d");
	plug_use();
	plug_take_state(&before);
	assert_int_equal(add(type, "d"), 0);
	plug_use();
	plug_take_state(&with_one);
	fake_log_clear();
	if (add(type, "twin")) {
		/* What is there once says whose it is and who wants it. */
		if (!fake_logged("twin") || !(fake_logged(" d") || fake_logged(" f ")))
			fail_msg("%s: a conflict that does not name both: %s", type, fake_log);
		expect_same(type, "a create() that is refused", &with_one);
	} else {
		plug_remove("twin");
		plug_use();
		expect_same(type, "a second one came and went", &with_one);
	}
	plug_remove("d");
	plug_use();
	expect_same(type, "it came and went", &before);
	plug_end();
}

static void stays_as_it_is(const char *type)
{
	plug_start("", true);
	assert_int_equal(add(type, "d"), -EBUSY);
	assert_true(fake_logged("neither comes nor goes while the VM runs"));
	plug_end();
}

static void each_type(void *opaque, const struct device_type *type)
{
	unsigned *count = opaque;

	++*count;
	each_allocation_fails(type->name, !type->fixed);
	comes_and_goes(type->name, !type->fixed);
	if (type->fixed)
		stays_as_it_is(type->name);
}

static void test_every_type(void **state)
{
	unsigned count = 0;

	(void)state;
	device_type_for_each(each_type, &count);
	assert_true(count >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_type)};

	if (plug_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
