/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci vmm/irq.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_world.c tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* Buses behind bridges: numbers, windows, what firmware assigns, interrupts, coming and going. */
#include "kernel/command.h"
#include "tests/host/devices/pci_info_fake.h"
#include "tests/host/devices/pci_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BRIDGE PCI_DEVFN(1, 0)
#define BUS(n) ((uint16_t)((n) << 8))

static struct device *add_bridge(const char *id, const char *bus, const char *addr)
{
	char bus_key[64], addr_key[64];
	const char *keys[] = {bus_key, addr_key, NULL};

	snprintf(bus_key, sizeof(bus_key), "bus=%s", bus);
	snprintf(addr_key, sizeof(addr_key), "addr=%s", addr);
	return fake_create("pci-bridge", id, keys);
}

static struct world_function *card(const char *id, const char *bus, uint8_t devfn)
{
	struct world_function *w = world_function(id);

	world_bar(w, 0, (struct pci_bar){.size = 0x100, .io = true});
	world_bar(w, 1, (struct pci_bar){.size = 0x400000});
	world_bar(w, 2, (struct pci_bar){.size = 0x10000, .wide = true, .prefetchable = true});
	assert_int_equal(world_add(w, world_bus(bus), devfn), 0);
	return w;
}

static int setup(void **state)
{
	(void)state;
	world_start();
	assert_non_null(add_bridge("br1", "pci0", ""));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

static uint64_t region(const struct world_function *w, unsigned n)
{
	return w->f->regions[n].base;
}

static bool seen(struct world_function *w, uint64_t gpa)
{
	world_story(w);
	fake_mmio_read(0, gpa, 4);
	return *world_story(w);
}

static bool seen_port(struct world_function *w, uint64_t port)
{
	world_story(w);
	fake_inb((uint16_t)port);
	return *world_story(w);
}

/* As firmware leaves it: found without any enumeration, and all BARs answer. */
static void test_assigned(void **state)
{
	struct world_function *w = card("card", "br1", PCI_DEVFN(0, 0)), *deep;

	(void)state;
	assert_non_null(add_bridge("br2", "br1", "4"));
	deep = card("deep", "br2", PCI_DEVFN(31, 7));
	fake_reset();
	assert_int_equal(config_in(BRIDGE, 0, 4), 0x00011b36);
	assert_int_equal(config_in(BRIDGE, PCI_CLASS, 3 + 1) & 0xffffff, PCI_CLASS_PCI_BRIDGE);
	assert_int_equal(config_in(BRIDGE, PCI_HEADER_TYPE, 1), 1);
	assert_int_equal(config_in(BRIDGE, PCI_BRIDGE_PRIMARY, 4), 0x00020100);
	assert_int_equal(config_in(BUS(1) | PCI_DEVFN(4, 0), PCI_BRIDGE_PRIMARY, 4), 0x00020201);
	assert_int_equal(config_in(BUS(1), 0, 4), 0x00011234);
	assert_int_equal(config_in(BUS(2) | 0xff, 0, 4), 0x00011234);
	assert_int_equal(ecam_in(BUS(2) | 0xff, 0, 4), 0x00011234);
	assert_int_equal(config_in(BUS(3), 0, 4), UINT32_MAX);
	assert_true(seen(w, region(w, 1)) && seen(w, region(w, 2)) && seen_port(w, region(w, 0)));
	assert_true(seen(deep, region(deep, 1)) && seen(deep, region(deep, 2) + 0xfffc));
	assert_true(seen(deep, region(deep, 1) + 0x3ffffc) && seen_port(deep, region(deep, 0)));
	assert_true(region(deep, 2) >= BIT(32));
	assert_int_equal(pci_bus_number(world_bus("br2")), 2);
}

static void test_buses(void **state)
{
	(void)state;
	card("card", "br1", PCI_DEVFN(2, 0));
	assert_non_null(add_bridge("br2", "br1", "4"));
	card("deep", "br2", PCI_DEVFN(3, 0));
	/* None has a number before somebody gives it. */
	assert_int_equal(pci_bus_number(world_bus("br1")), -1);
	assert_int_equal(config_in(BUS(1) | PCI_DEVFN(2, 0), 0, 4), UINT32_MAX);
	config_out(BRIDGE, PCI_BRIDGE_PRIMARY, 4, 0x00401000);
	assert_int_equal(config_in(BUS(0x10) | PCI_DEVFN(2, 0), 0, 4), 0x00011234);
	config_out(BUS(0x10) | PCI_DEVFN(4, 0), PCI_BRIDGE_PRIMARY, 4, 0x00302010);
	assert_int_equal(config_in(BUS(0x20) | PCI_DEVFN(3, 0), 0, 4), 0x00011234);
	/* Beyond what its parent passes on. */
	config_out(BRIDGE, PCI_BRIDGE_SUBORDINATE, 1, 0x1f);
	assert_int_equal(config_in(BUS(0x20) | PCI_DEVFN(3, 0), 0, 4), UINT32_MAX);
	config_out(BRIDGE, PCI_BRIDGE_SUBORDINATE, 1, 0xff);
	assert_int_equal(config_in(BUS(0x20) | PCI_DEVFN(3, 0), 0, 4), 0x00011234);
	/* A number that is another's, its parent's, the root's. */
	config_out(BUS(0x10) | PCI_DEVFN(4, 0), PCI_BRIDGE_SECONDARY, 1, 0x10);
	assert_int_equal(config_in(BUS(0x10) | PCI_DEVFN(2, 0), 0, 4), 0x00011234);
	assert_int_equal(pci_bus_number(world_bus("br2")), -1);
	config_out(BRIDGE, PCI_BRIDGE_SECONDARY, 1, 0);
	assert_int_equal(config_in(0, 0, 4), 0x00081b36);
	assert_int_equal(pci_bus_number(world_bus("br1")), -1);
}

static void test_windows(void **state)
{
	struct world_function *w = card("card", "br1", PCI_DEVFN(0, 0));
	uint64_t mem, io, wide;

	(void)state;
	fake_reset();
	mem = region(w, 1);
	io = region(w, 0);
	wide = region(w, 2);
	/* The bridge's own bits. */
	config_out(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_true(seen(w, mem) && !seen_port(w, io));
	config_out(BRIDGE, PCI_COMMAND, 2, PCI_COMMAND_IO);
	assert_true(!seen(w, mem) && !seen(w, wide) && seen_port(w, io));
	config_out(BRIDGE, PCI_COMMAND, 2, 7);
	/* A window that ends within the BAR. */
	config_out(BRIDGE, PCI_BRIDGE_MEMORY_LIMIT, 2, (uint32_t)(mem >> 16) & 0xfff0);
	assert_true(seen(w, mem + 0xffffc) && !seen(w, mem + 0x100000));
	config_out(BRIDGE, PCI_BRIDGE_MEMORY_BASE, 4, 0x0000fff0);
	assert_true(!seen(w, mem) && seen(w, wide));
	assert_int_equal(config_in(BRIDGE, PCI_BRIDGE_MEMORY_BASE, 4), 0x0000fff0);
	config_out(BRIDGE, PCI_BRIDGE_PREF_LIMIT, 2, 0);
	config_out(BRIDGE, PCI_BRIDGE_PREF_LIMIT_HI, 4, 0);
	assert_int_equal(config_in(BRIDGE, PCI_BRIDGE_PREF_LIMIT, 2), 1);
	assert_false(seen(w, wide));
	config_out(BRIDGE, PCI_BRIDGE_IO_BASE, 2, 0x00f0);
	assert_false(seen_port(w, io));
	config_out(BRIDGE, PCI_BRIDGE_IO_BASE, 2, 0xffff);
	assert_int_equal(config_in(BRIDGE, PCI_BRIDGE_IO_BASE, 2), 0xf0f0);
	config_out(BUS(1), PCI_BAR0, 4, 0xff00);
	assert_true(seen_port(w, 0xffff));
	/* The prefetchable window takes what the other does not. */
	config_out(BRIDGE, PCI_BRIDGE_PREF_BASE, 4, 0xd0f0d000);
	config_out(BRIDGE, PCI_BRIDGE_PREF_BASE_HI, 4, 0);
	config_out(BUS(1), PCI_BAR0 + 4, 4, 0xd0400000);
	assert_true(seen(w, 0xd0400000));
}

/* Two buses and the root, filled: nothing lies on anything else, all within its windows. */
static void test_no_overlaps(void **state)
{
	struct pci_root *root = world_bus("pci0")->root;
	const struct pci_map *map = root->maps[PCI_MEMORY];
	unsigned i, n, count = 0;
	char id[8];

	(void)state;
	assert_non_null(add_bridge("br2", "pci0", "2"));
	assert_non_null(add_bridge("br3", "br1", "1f"));
	for (i = 0; i < 9; i++) {
		static const char *const buses[] = {"br1", "br2", "br3"};
		struct world_function *w;

		snprintf(id, sizeof(id), "c%u", i);
		w = card(id, buses[i % 3], PCI_DEVFN(3 + i / 3, 0));
		assert_ptr_equal(w->f->bus->root, root);
	}
	card("c9", "pci0", PCI_DEVFN(9, 0));
	fake_reset();
	map = root->maps[PCI_MEMORY];
	/* A window is as large as its BAR: neither cut off by a bridge nor by a neighbour. */
	for (n = 0; n < PCI_SPACES; n++)
		for (i = 0; i < root->maps[n]->count; i++) {
			const struct pci_window *win = &root->maps[n]->windows[i];

			assert_int_equal(win->last - win->first + 1, win->region->desc.size);
			assert_int_equal(win->first % win->region->desc.size, 0);
			count++;
		}
	assert_int_equal(count, 30);
	assert_int_equal(map->count, 20);
	for (i = 0; i < map->count; i++)
		assert_true(map->windows[i].last < WORLD_ECAM ||
			    map->windows[i].first >= WORLD_ECAM + 0x10000000);
	assert_string_equal(fake_last_log, "");
}

/* More than there is room for: what does not fit is told of, and off. */
static void test_does_not_fit(void **state)
{
	struct world_function *w[4];
	unsigned i, found = 0, lines;
	char id[8];

	(void)state;
	for (i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "big%u", i);
		w[i] = world_function(id);
		world_bar(w[i], 0, (struct pci_bar){.size = 0x10000000});
		world_bar(w[i], 1, (struct pci_bar){.size = 0x20, .io = true});
		assert_int_equal(world_add(w[i], world_bus("pci0"), PCI_DEVFN(3 + i, 0)), 0);
	}
	lines = fake_unlimited;
	fake_reset();
	assert_non_null(strstr(fake_last_log, "no address is left for BAR 0"));
	assert_int_equal(fake_unlimited, lines); /* limited: a guest may reset all day */
	for (i = 0; i < 4; i++) {
		uint32_t command = config_in(PCI_DEVFN(3 + i, 0), PCI_COMMAND, 2);

		found += region(w[i], 0) != 0;
		assert_int_equal(command, region(w[i], 0) ? 3 : 1);
		assert_true(seen_port(w[i], region(w[i], 1)));
	}
	assert_in_range(found, 1, 2); /* the bridge wants some of the first hole */
}

static void test_interrupts_turn(void **state)
{
	struct world_function *w = card("card", "br1", PCI_DEVFN(2, 0)), *deep;

	(void)state;
	assert_non_null(add_bridge("br2", "br1", "4"));
	deep = card("deep", "br2", PCI_DEVFN(3, 0));
	/* Pin A of device 2 is the bridge's pin C, and that of device 1 is line 3. */
	pci_function_intx(w->f, true);
	assert_true(fake_line(16 + (0 + 2 + 1) % 4));
	pci_function_intx(w->f, false);
	pci_function_intx(deep->f, true);
	assert_true(fake_line(16 + (0 + 3 + 4 + 1) % 4));
	assert_false(fake_line(19));
}

static void test_master(void **state)
{
	struct world_function *w = card("card", "br1", PCI_DEVFN(0, 0));

	(void)state;
	fake_reset();
	assert_false(pci_function_master(w->f));
	config_out(BUS(1), PCI_COMMAND, 2, 7);
	assert_true(pci_function_master(w->f));
	config_out(BRIDGE, PCI_COMMAND, 2, 3);
	assert_false(pci_function_master(w->f));
}

static void test_secondary_reset(void **state)
{
	struct world_function *w = card("card", "br1", PCI_DEVFN(0, 0)), *deep, *beside;

	(void)state;
	assert_non_null(add_bridge("br2", "br1", "4"));
	deep = card("deep", "br2", PCI_DEVFN(0, 0));
	beside = card("beside", "pci0", PCI_DEVFN(9, 0));
	fake_reset();
	world_story(w);
	world_story(deep);
	world_story(beside);
	config_out(BRIDGE, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RESET);
	assert_string_equal(world_story(w), "c0 reset ");
	assert_string_equal(world_story(deep), "c0 reset ");
	assert_string_equal(world_story(beside), "");
	assert_int_equal(region(w, 1), 0);
	assert_int_equal(config_in(BUS(1), PCI_COMMAND, 2), 0);
	assert_int_equal(config_in(BUS(2), 0, 4), UINT32_MAX); /* br2 has forgotten its numbers */
	assert_int_equal(config_in(BRIDGE, PCI_BRIDGE_SECONDARY, 1), 1);
	/* Once, when the bit rises. */
	config_out(BRIDGE, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RESET);
	config_out(BRIDGE, PCI_BRIDGE_CONTROL, 2, 0);
	assert_string_equal(world_story(w), "");
}

static void test_depth(void **state)
{
	char id[8], above[8];
	unsigned i;

	(void)state;
	for (i = 2; i <= PCI_DEPTH_MAX; i++) {
		snprintf(id, sizeof(id), "br%u", i);
		snprintf(above, sizeof(above), "br%u", i - 1);
		assert_non_null(add_bridge(id, above, ""));
	}
	card("card", "br8", PCI_DEVFN(0, 0));
	assert_null(add_bridge("br9", "br8", ""));
	assert_non_null(strstr(fake_last_log, "enough"));
	fake_reset();
	assert_int_equal(config_in(BUS(8), 0, 4), 0x00011234);
}

static void test_refused(void **state)
{
	(void)state;
	assert_null(add_bridge("br2", "pci0", "1"));
	assert_non_null(strstr(fake_last_log, "which is device br1's"));
	assert_null(add_bridge("br2", "pci0", "20"));
	assert_non_null(strstr(fake_last_log, "key addr"));
	assert_null(add_bridge("br2", "nobody", ""));
	assert_non_null(strstr(fake_last_log, "key bus"));
}

/* What ACPI's hot plug will hear. */

static char slots[256];

static void changed(void *opaque, const struct pci_bus *bus, unsigned slot, bool occupied)
{
	size_t at = strlen(slots);

	assert_ptr_equal(opaque, slots);
	snprintf(slots + at, sizeof(slots) - at, "%c%d:%x/%x ", occupied ? '+' : '-',
		 pci_bus_number(bus), slot, pci_bus_slots(bus));
}

static void name_of(void *opaque, struct device *dev)
{
	strcat(opaque, dev->id);
}

static void test_slots(void **state)
{
	static struct pci_slot_listener listener = {.changed = changed, .opaque = slots};
	struct world_function *w, *second;
	struct device acpi = {.id = "acpi", .vm = &fake_vm};
	char ids[64] = "";

	(void)state;
	fake_reset();
	slots[0] = 0;
	assert_int_equal(device_provide(&acpi, PCI_SLOTS_KIND, &listener), 0);
	w = card("a", "pci0", PCI_DEVFN(5, 0));
	assert_string_equal(slots, "+0:5/23 ");
	second = card("b", "pci0", PCI_DEVFN(5, 3));
	pci_bus_slot_devices(world_bus("pci0"), 5, name_of, ids);
	assert_string_equal(ids, "ab");
	world_remove(w);
	assert_string_equal(slots, "+0:5/23 ");
	world_remove(second);
	assert_string_equal(slots, "+0:5/23 -0:5/3 ");
	card("c", "br1", PCI_DEVFN(0x1e, 0));
	assert_string_equal(slots, "+0:5/23 -0:5/3 +1:1e/40000000 ");
	/* While the VM is made or taken apart, nobody is told. */
	fake_vm.state = VM_DEFINED;
	card("d", "br1", PCI_DEVFN(0x1f, 0));
	fake_vm.state = VM_RUNNING;
	assert_string_equal(slots, "+0:5/23 -0:5/3 +1:1e/40000000 ");
}

/* A card in a VM that runs: the guest gives it what it needs. */
static void test_plugged_in(void **state)
{
	struct world_function *w;

	(void)state;
	fake_reset();
	w = card("late", "br1", PCI_DEVFN(7, 0));
	assert_int_equal(config_in(BUS(1) | PCI_DEVFN(7, 0), PCI_COMMAND, 2), 0);
	assert_int_equal(region(w, 1), 0);
	/* Its bridge has kept some room. */
	config_out(BUS(1) | PCI_DEVFN(7, 0), PCI_BAR0, 4,
		   config_in(BRIDGE, PCI_BRIDGE_IO_BASE, 1) << 8);
	config_out(BUS(1) | PCI_DEVFN(7, 0), PCI_COMMAND, 2, 1);
	assert_true(seen_port(w, config_in(BRIDGE, PCI_BRIDGE_IO_BASE, 1) << 8));
	world_remove(w);
	assert_false(seen_port(w, config_in(BRIDGE, PCI_BRIDGE_IO_BASE, 1) << 8));
}

static void test_info(void **state)
{
	struct world_function *w = world_function("card");
	char *argv[] = {"pci", "fake", NULL};

	(void)state;
	world_cap(w, 0x40, PCI_CAP_PM);
	world_cap(w, 0x50, PCI_CAP_MSI);
	world_cap(w, 0x70, PCI_CAP_MSIX);
	w->config[0x74] = 1;
	w->config[0x79] = 8;
	w->config[0x78] = 1;
	world_bar(w, 1, (struct pci_bar){.size = 0x1000});
	assert_int_equal(world_add(w, world_bus("br1"), PCI_DEVFN(2, 0)), 0);
	fake_reset();
	config_out(BUS(1) | PCI_DEVFN(2, 0), 0x52, 2, 1);
	fake_vm.devices = (struct device_manager *)argv; /* there is one: the fakes' */
	fake_console[0] = 0;
	TABLE_START(info_topics)->run(argv);
	assert_non_null(strstr(fake_console, "00:00.0 0600: 1b36:0008 pci0, memory, master\n"));
	assert_non_null(strstr(fake_console, "\n00:01.0 0604: 1b36:0001 br1, ports, memory, "
					     "master\n  buses 01 to 01 behind it\n"));
	assert_non_null(strstr(fake_console, "\n  01:02.0 0000: 1234:0001 card, memory\n"
					     "    INTA: GSI 19, ISA IRQ 11\n"
					     "    BAR 1 memory of 0x1000 at 0x"));
	assert_non_null(strstr(fake_console, "    cap 70 MSI-X off, 1 vectors, 1 masked, 0 "
					     "pending, table in BAR 1\n"
					     "    cap 50 MSI on, 1 of 1 vectors\n"
					     "    cap 40 power management, D0\n"));
	argv[1] = "other";
	fake_console[0] = 0;
	TABLE_START(info_topics)->run(argv);
	assert_string_equal(fake_console, "other: no such VM; `list` shows them\n");
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_assigned),	TEST(test_buses),	    TEST(test_windows),
		TEST(test_no_overlaps), TEST(test_does_not_fit),    TEST(test_interrupts_turn),
		TEST(test_master),	TEST(test_secondary_reset), TEST(test_depth),
		TEST(test_refused),	TEST(test_slots),	    TEST(test_plugged_in),
		TEST(test_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
