/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that does anything to PCI's front-end with `testdev:` and `edu:`
 * behind it: configuration by both mechanisms, BARs wherever they are, what
 * lies around them, ends of interrupts, while time passes, fronts come and go
 * and the VM is reset. Nothing but RAM and the devices is touched, a function's
 * id is its own or nobody's, and at the end nothing is left.
 */
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
#include "devices/hostdev/testdev_regs.h"
#include "devices/pci/pci_regs.h"
#include "tests/host/devices/front_world.h"
#include "tests/host/devices/plug_bars.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_memory.h"

#include <stdlib.h>
#include <string.h>

#define FRONTS	    3
#define STEP_NS	    (7 * 1000 * 1000)
#define OPS_MAX	    600
#define TEST_PCI_ID (TESTDEV_VENDOR | (uint32_t)TESTDEV_DEVICE << 16)
#define EDU_PCI_ID  0x11e81234u

static const struct {
	const char *id, *keys;
	unsigned devfn;
	uint32_t pci_id;
} fronts[FRONTS] = {
	{"test", "hostdev = testdev:\naddr = 1\n", 0x08, TEST_PCI_ID},
	{"edu", "hostdev = edu:\naddr = 2.0\n", 0x10, EDU_PCI_ID},
	{"big", "hostdev = testdev:?big=8G&mapped=no&big-mapped=on\naddr = 2.1\n", 0x11,
	 TEST_PCI_ID},
};

/* Somebody else who comes and goes, over BARs as elsewhere. */
static struct hook hook = {.ops = &hook_mapped_ops, .owner = "hook"};
static bool hooked;
static uint8_t hook_bytes[8];

struct input {
	const uint8_t *data;
	size_t left;
};

static uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	n = MIN(n, in->left);
	memcpy(&value, in->data, n);
	in->data += n;
	in->left -= n;
	return value;
}

static void add(unsigned n)
{
	if (!device_find(plug_vm, fronts[n].id) && front_add(fronts[n].id, fronts[n].keys))
		abort();
}

static void check_id(unsigned n)
{
	uint32_t id = front_config(fronts[n].devfn, PCI_VENDOR_ID, 4);
	bool there = device_find(plug_vm, fronts[n].id) != NULL;

	if (id != UINT32_MAX && (!there || id != fronts[n].pci_id))
		abort();
}

static void do_config(struct input *in, unsigned n, bool write, unsigned width)
{
	/* One more bit than there are offsets: what is behind 256 goes by ECAM. */
	unsigned offset = (unsigned)take(in, 1) | ((unsigned)take(in, 1) & 1 ? 0x100 : 0);
	uint32_t value = write ? (uint32_t)take(in, width) : 0;

	if (write)
		front_config_out(fronts[n].devfn, offset, width, value);
	else
		front_config(fronts[n].devfn, offset, width);
	check_id(n);
}

/* What is reached without an exit is what an exit finds. */
static void check_mapped(uint64_t at)
{
	uint8_t *direct = plug_bar_at(at);

	if (!direct)
		return;
	*direct = (uint8_t)(*direct + 1);
	if (front_read(at, 1) != *direct)
		abort();
}

static void do_hook(uint64_t at)
{
	if (hooked)
		hook_memory_remove(plug_vm, &hook);
	hook.first = at & (BIT(52) - 1);
	hook.last = hook.first + 7;
	hook.opaque = hook_bytes;
	hooked = !hooked && !hook_memory_add(plug_vm, &hook, HOOK_MEMORY_FULL);
}

/* At a BAR, or right before it; where the guest has put it, RAM included. */
static void do_bar(struct input *in, unsigned n, bool write, unsigned width)
{
	unsigned bar = (unsigned)take(in, 1) % 7, reg = PCI_BAR0 + 4 * bar;
	bool rom = bar == 6;
	uint64_t base = rom ? front_config(fronts[n].devfn, PCI_ROM, 4) & PCI_ROM_MASK
			    : front_bar(fronts[n].devfn, bar);
	bool io = !rom && front_config(fronts[n].devfn, reg, 4) & PCI_BAR_IO;
	uint64_t at = base + take(in, 2) - 4, value = write ? take(in, width) : 0;

	if (io && write)
		front_out(at & 0xffff, MIN(width, 4u), (uint32_t)value);
	else if (io)
		front_in(at & 0xffff, MIN(width, 4u));
	else if (write)
		front_write(at & (BIT(52) - 1), width, value);
	else
		front_read(at & (BIT(52) - 1), width);
	if (!io)
		check_mapped(at & (BIT(52) - 1));
}

/* A driver's own way, which random bytes hardly find: decoding on, and a register of BAR 0. */
static void do_register(struct input *in, unsigned n)
{
	unsigned offset = (unsigned)take(in, 1);
	uint32_t value = (uint32_t)take(in, 2);

	front_command(fronts[n].devfn, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	front_write(front_bar(fronts[n].devfn, 0) + offset, 4, value);
}

static void do_life(struct input *in, unsigned n)
{
	switch (take(in, 1) % 8) {
	case 0:
		if (device_find(plug_vm, fronts[n].id))
			plug_remove(fronts[n].id);
		break;
	case 1:
		add(n);
		break;
	case 2:
		front_reset();
		break;
	case 3:
		irq_line_eoi(plug_vm, (unsigned)take(in, 1) % IRQ_LINES);
		break;
	case 4:
		do_hook(front_bar(fronts[n].devfn, (unsigned)take(in, 1) % 6) + take(in, 2));
		break;
	case 5:
		plug_use(); /* what is left to tasks */
		break;
	default:
		fake_run_until(fake_tsc + STEP_NS * take(in, 1));
	}
	check_id(n);
}

static void do_one(struct input *in)
{
	unsigned op = (unsigned)take(in, 1), n = op % FRONTS, width = 1u << (op >> 2 & 3);
	bool write = op & 0x10;

	switch (op >> 5) {
	case 0:
	case 1:
		do_config(in, n, write, MIN(width, 4u));
		break;
	case 2:
	case 3:
	case 4:
		do_bar(in, n, write, width);
		break;
	case 5:
	case 6:
		do_register(in, n);
		break;
	default:
		do_life(in, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct input in = {data, size};
	unsigned i;

	if (!ready && plug_init())
		abort();
	ready = true;
	front_start();
	for (i = 0; i < FRONTS; i++)
		add(i);
	front_reset();
	for (i = 0; in.left && i < OPS_MAX; i++)
		do_one(&in);
	if (hooked)
		do_hook(0);
	for (i = 0; i < FRONTS; i++)
		if (device_find(plug_vm, fronts[i].id))
			plug_remove(fronts[i].id);
	front_end();
	return 0;
}
