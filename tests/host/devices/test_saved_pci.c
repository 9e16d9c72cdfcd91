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
/* test-sources: vmm/device_state.c vmm/device_state_load.c */
/*
 * PCI devices that were saved and go on in another VM: where their BARs answer,
 * what their pins do, messages that wait, what is behind a bridge; and states
 * that are no function's.
 */
#include "tests/host/devices/front_testdev.h"
#include "tests/host/devices/plug_bars.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <stdio.h>
#include <string.h>

#define FREE	0xd8000000u
#define OTHER	0xd9000000u
#define VECTORS 8 /* of a testdev */
#define KEPT	4

/* What was saved of a VM's devices. */
static struct {
	const char *id;
	uint8_t *data;
	size_t len;
} kept[KEPT];
static unsigned kept_count;

static void take(const char *id)
{
	const struct device *d = device_find(plug_vm, id);
	const struct device_state *type = d->type->saved;

	assert_non_null(type);
	assert_null(device_state_lacks(type, d->state));
	device_state_pre_save(type, d->state);
	kept[kept_count].id = id;
	kept[kept_count].len = device_state_save(type, d->state, NULL, 0);
	kept[kept_count].data = malloc(kept[kept_count].len);
	device_state_save(type, d->state, kept[kept_count].data, kept[kept_count].len);
	kept_count++;
}

static void give(void)
{
	char why[256];
	unsigned i;

	for (i = 0; i < kept_count; i++) {
		struct device *d = device_find(plug_vm, kept[i].id);

		if (device_state_check(d->type->saved, d->state, kept[i].data, kept[i].len, why,
				       sizeof(why)))
			fail_msg("%s: %s", d->id, why);
		assert_int_equal(device_state_load(d->type->saved, d->state, kept[i].data,
						   kept[i].len, why, sizeof(why)),
				 0);
	}
	for (i = 0; i < kept_count; i++) {
		struct device *d = device_find(plug_vm, kept[i].id);

		assert_null(device_state_post_load(d->type->saved, d->state));
		free(kept[i].data);
	}
	kept_count = 0;
}

/* The testdev goes to another VM. */
static void move_vm(void)
{
	take("pci0");
	take("front");
	front_end();
	begin(TESTDEV);
	give();
	plug_use();
}

static void test_bars(void **state)
{
	(void)state;
	front_set_bar(dev, TESTDEV_PAGES, FREE);
	front_set_bar(dev, TESTDEV_REGS, OTHER);
	set_reg(TESTDEV_SCRATCH, 0x12345678);
	plug_use();
	*plug_bar_at(FREE + 7) = 0x5a;
	front_write(front_bar(dev, TESTDEV_BIG) + 16, 4, 0x600df00d);
	front_out(front_bar(dev, TESTDEV_IO) + 5, 1, 0x77);
	front_config_out(dev, front_cap(dev, PCI_CAP_VENDOR) + TESTDEV_CAP_MAILBOX, 4, 0xcafe);
	move_vm();
	assert_int_equal(front_bar(dev, TESTDEV_REGS), OTHER);
	assert_int_equal(front_read(OTHER + TESTDEV_SCRATCH, 4), 0x12345678);
	assert_int_equal(*plug_bar_at(FREE + 7), 0x5a);
	assert_int_equal(front_read(front_bar(dev, TESTDEV_BIG) + 16, 4), 0x600df00d);
	assert_int_equal(front_in(front_bar(dev, TESTDEV_IO) + 5, 1), 0x77);
	assert_int_equal(front_config(dev, front_cap(dev, PCI_CAP_VENDOR) + TESTDEV_CAP_MAILBOX, 4),
			 0xcafe);
}

/* Between asking for a BAR's size and setting it anew: it answers where it did. */
static void test_while_sizing(void **state)
{
	uint64_t regs = front_bar(dev, TESTDEV_REGS);

	(void)state;
	set_reg(TESTDEV_SCRATCH, 77);
	front_config_out(dev, PCI_BAR0, 4, UINT32_MAX);
	move_vm();
	assert_int_equal(front_config(dev, PCI_BAR0, 4), ~(TESTDEV_REGS_SIZE - 1));
	assert_int_equal(front_read(regs + TESTDEV_SCRATCH, 4), 77);
	front_config_out(dev, PCI_BAR0, 4, FREE);
	assert_int_equal(front_read(FREE + TESTDEV_SCRATCH, 4), 77);
}

static void test_decoding_is_off(void **state)
{
	uint64_t regs = front_bar(dev, TESTDEV_REGS);

	(void)state;
	front_command(dev, PCI_COMMAND_MASTER);
	move_vm();
	assert_int_equal(front_read(regs + TESTDEV_ID, 4), UINT32_MAX);
	assert_null(plug_bar_at(front_bar(dev, TESTDEV_PAGES)));
	front_command(dev, ON);
	assert_int_equal(reg(TESTDEV_ID), TESTDEV_ID_VALUE);
}

/* A chip that was loaded knows of the level: it is told of what follows. */
static void test_pin(void **state)
{
	unsigned gsi = front_gsi(dev);

	(void)state;
	command(TESTDEV_INTX_UP);
	assert_true(front_line(gsi));
	move_vm();
	assert_int_equal(reg(TESTDEV_INTX), 1);
	assert_true(front_config(dev, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	assert_false(front_line(gsi));
	command(TESTDEV_INTX_UP); /* no edge */
	assert_false(front_line(gsi));
	command(TESTDEV_INTX_DOWN);
	command(TESTDEV_INTX_UP);
	assert_true(front_line(gsi));
}

static void set_entry(unsigned vector, uint32_t word, uint32_t value)
{
	front_write(front_bar(dev, TESTDEV_MSIX) + vector * 16 + word * 4, 4, value);
}

static void test_pending_message(void **state)
{
	unsigned cap = front_cap(dev, PCI_CAP_MSIX);

	(void)state;
	front_config_out(dev, cap + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
	set_entry(3, 0, MSG);
	set_entry(3, 2, 0x4143);
	set_reg(TESTDEV_VECTOR, 3);
	command(TESTDEV_MESSAGE);
	move_vm();
	assert_int_equal(front_messages, 0);
	assert_int_equal(front_read(front_bar(dev, TESTDEV_MSIX) + TESTDEV_MSIX_PBA, 8), 1 << 3);
	set_entry(3, PCI_MSIX_ENTRY_CONTROL, 0);
	assert_int_equal(front_messages, 1);
	assert_int_equal(front_message_address, MSG);
	assert_int_equal(front_message_data, 0x4143);
	command(TESTDEV_MESSAGE);
	assert_int_equal(front_messages, 2);
}

static void start_bridged(void)
{
	front_end();
	front_start();
	assert_int_equal(plug_add("pci-bridge", "bridge", "addr = 4\n"), 0);
	assert_int_equal(front_add("front", TESTDEV "bus = bridge\naddr = 2\n"), 0);
	front_reset();
	dev = 1 << 8 | 2 << 3;
	assert_int_equal(front_config(dev, PCI_VENDOR_ID, 4), REGS_ID);
}

/* Its bus has another number, and another window. */
static void test_bridge(void **state)
{
	const unsigned bridge = 4 << 3;

	(void)state;
	start_bridged();
	front_config_out(bridge, PCI_BRIDGE_SUBORDINATE, 1, 9);
	front_config_out(bridge, PCI_BRIDGE_SECONDARY, 1, 9);
	front_config_out(bridge, PCI_BRIDGE_MEMORY_BASE, 4, FREE >> 16 | (FREE & 0xfff00000));
	front_command(bridge, ON);
	dev = 9 << 8 | 2 << 3;
	front_command(dev, ON);
	front_set_bar(dev, TESTDEV_REGS, FREE);
	set_reg(TESTDEV_SCRATCH, 99);
	take("pci0");
	take("bridge");
	take("front");
	start_bridged();
	give();
	dev = 9 << 8 | 2 << 3;
	assert_int_equal(front_config(dev, PCI_VENDOR_ID, 4), REGS_ID);
	assert_int_equal(front_read(FREE + TESTDEV_SCRATCH, 4), 99);
}

/* Pulled out: it stays so. */
static void test_vanished(void **state)
{
	(void)state;
	command(TESTDEV_VANISH);
	assert_int_equal(front_config(dev, PCI_VENDOR_ID, 4), UINT32_MAX);
	take("pci0");
	take("front");
	front_end();
	begin(TESTDEV);
	give();
	assert_int_equal(front_config(dev, PCI_VENDOR_ID, 4), UINT32_MAX);
}

/* @at bytes behind the name of field @name of the front, @mask is turned: why it is refused. */
static const char *refusal(const char *name, size_t at, uint8_t mask)
{
	static char why[256];
	struct device *d;
	uint8_t *field;

	take("front");
	d = device_find(plug_vm, "front");
	field = memmem(kept[0].data, kept[0].len, name, strlen(name));
	assert_non_null(field);
	field[strlen(name) + 4 + at] ^= mask; /* behind the count */
	strcpy(why, "nothing");
	(void)!device_state_check(d->type->saved, d->state, kept[0].data, kept[0].len, why,
				  sizeof(why));
	free(kept[0].data);
	kept_count = 0;
	return why;
}

static void test_refused(void **state)
{
	const size_t pending = VECTORS * 16;

	(void)state;
	assert_non_null(strstr(refusal("config", PCI_VENDOR_ID, 1), "config: another function's"));
	assert_non_null(strstr(refusal("config", PCI_BAR0 + 1, 1), "config: another function's"));
	assert_non_null(strstr(refusal("config", PCI_HEADER_TYPE, 0x80), "another function's"));
	assert_string_equal(refusal("config", PCI_COMMAND, PCI_COMMAND_MASTER), "nothing");
	assert_non_null(strstr(refusal("msix", pending + 1, 1), "a vector that is not there"));
	assert_non_null(strstr(refusal("msix", 12, 2), "an entry that cannot be"));
	assert_non_null(strstr(refusal("msix", 0, 2), "an entry that cannot be"));
	assert_string_equal(refusal("msix", pending, 0x80), "nothing");
	assert_non_null(strstr(refusal("sizing", 0, 2), "sizing has a value"));
	assert_non_null(strstr(refusal("base", 0, 1), "base has a value"));
	assert_non_null(strstr(refusal("base", 4, 1), "base has a value"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bars),     TEST(test_while_sizing),	 TEST(test_decoding_is_off),
		TEST(test_pin),	     TEST(test_pending_message), TEST(test_bridge),
		TEST(test_vanished), TEST(test_refused),
	};

	if (plug_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
