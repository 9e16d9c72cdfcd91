/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci vmm/irq.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_world.c tests/host/devices/pci_card.c */
/* test-sources: tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* What every function does: its header, callbacks, coming and going. */
#include "tests/host/devices/pci_card.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_header(void **state)
{
	(void)state;
	w->config[PCI_STATUS + 1] = 0x02; /* medium devsel */
	w->config[PCI_COMMAND] = 0x07;	  /* what only software sets is not taken */
	add_card();
	power_on();
	assert_int_equal(config_in(DEVFN, PCI_STATUS, 2), 0x0200);
	config_out(DEVFN, PCI_VENDOR_ID, 4, 0);
	assert_int_equal(config_in(DEVFN, PCI_VENDOR_ID, 4), 0x00011234);
	config_out(DEVFN, PCI_INTERRUPT_LINE, 2, 0xffff);
	assert_int_equal(config_in(DEVFN, PCI_INTERRUPT_LINE, 2), 0x01ff);
	config_out(DEVFN, PCI_CACHE_LINE, 4, 0xffff1010);
	assert_int_equal(config_in(DEVFN, PCI_CACHE_LINE, 4), 0x00001010);
	fake_reset();
	assert_int_equal(config_in(DEVFN, PCI_CACHE_LINE, 4), 0);
	assert_int_equal(config_in(DEVFN, PCI_INTERRUPT_LINE, 1), 11); /* 3.0, pin A: line 3 */
}

static void test_multi_function(void **state)
{
	struct world_function *second = world_function("second");

	(void)state;
	add_card();
	assert_int_equal(config_in(DEVFN, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(world_add(second, bus, DEVFN + 1), 0);
	assert_int_equal(config_in(DEVFN, PCI_HEADER_TYPE, 1), 0x80);
	assert_int_equal(config_in(DEVFN + 1, PCI_HEADER_TYPE, 1), 0x80);
	fake_reset();
	assert_int_equal(config_in(DEVFN, PCI_HEADER_TYPE, 1), 0x80);
	world_remove(second);
	assert_int_equal(config_in(DEVFN, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(config_in(DEVFN + 1, PCI_VENDOR_ID, 4), UINT32_MAX);
	world_remove(w);
	second = world_function("hidden");
	assert_int_equal(world_add(second, bus, DEVFN + 2), 0);
	fake_reset();
	assert_non_null(strstr(fake_last_log, "there is no 03.0"));
}

/* Told what is written, asked for what is volatile. */
static void read_volatile(void *opaque, unsigned offset, unsigned width, uint32_t *value)
{
	(void)opaque;
	if (offset <= 0x80 && 0x80 < offset + width)
		*value ^= UINT32_C(0x5a) << (8 * (0x80 - offset));
}

static void test_callbacks(void **state)
{
	static struct pci_function_ops ops;

	(void)state;
	ops = *w->desc.ops;
	ops.config_read = read_volatile;
	w->desc.ops = &ops;
	w->config[0x80] = 0x10;
	add_card();
	assert_int_equal(config_in(DEVFN, 0x80, 4), 0x4a);
	assert_int_equal(ecam_in(DEVFN, 0x7c, 8), UINT64_C(0x4a00000000));
	world_story(w);
	config_out(DEVFN, 0x81, 2, 0xbeef);
	assert_string_equal(world_story(w), "w81/2=beef ");
	ecam_out(DEVFN, 0x7f, 4, 0x44332211);
	assert_string_equal(world_story(w), "w7f/1=11 w80/2=3322 w82/1=44 ");
	assert_int_equal(pci_function_config(w->f, 0x80, 1), 0x10);
}

static void test_ecam(void **state)
{
	unsigned offset;

	(void)state;
	w->desc.config_size = PCI_CONFIG_SIZE_EXT;
	for (offset = 0x40; offset < PCI_CONFIG_SIZE_EXT; offset++)
		w->config[offset] = (uint8_t)(offset * 7);
	memset(w->config + PCI_EXT_FIRST, 0, 4);
	add_card();
	for (offset = 0; offset < PCI_CONFIG_SIZE; offset += 4)
		assert_int_equal(ecam_in(DEVFN, offset, 4), config_in(DEVFN, offset, 4));
	assert_int_equal(ecam_in(DEVFN, 0xfff, 1), (uint8_t)(0xfff * 7));
	assert_int_equal(ecam_in(DEVFN, 0x101, 2), 0);
	/* Across the end of the function, and where there is none. */
	assert_int_equal(ecam_in(DEVFN, 0xfff, 2), 0xff00 | (uint8_t)(0xfff * 7));
	assert_int_equal(ecam_in(DEVFN + 1, 0, 8), UINT64_MAX);
	assert_int_equal(ecam_in(0x0100, 0, 4), UINT32_MAX);
	/* 256 bytes behind mechanism #1's functions. */
	assert_int_equal(ecam_in(0, 0x100, 4), UINT32_MAX);
	ecam_out(0, 0x100, 4, 0);
	assert_int_equal(ecam_in(0, 0, 8), UINT64_C(0x0000000600081b36));
}

/* What a device may not ask for. */

static void check_bad_pages(void)
{
	static uint8_t pages[0x3000] __attribute__((aligned(0x200000)));
	static const struct pci_bar bad[] = {
		{.size = 0x4000, .pages = pages},
		{.size = 0x4000, .pages = pages, .pages_size = 0x800},
		{.size = 0x4000, .pages = pages + 1, .pages_size = 0x1000},
		{.size = 0x4000, .pages = pages, .pages_offset = 8, .pages_size = 0x1000},
		{.size = 0x4000, .pages = pages, .pages_offset = 0x2000, .pages_size = 0x3000},
		{.size = 0x4000, .pages = pages, .pages_offset = 0x4000, .pages_size = 0x1000},
		{.size = 0x1000, .io = true, .pages = pages, .pages_size = 0x1000},
		/* From 2 MiB on in large pages, or it takes too long. */
		{.size = 0x400000, .pages = pages + 0x1000, .pages_size = 0x200000},
		{.size = 0x400000, .pages = pages, .pages_offset = 0x1000, .pages_size = 0x200000},
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		world_bar(w, 0, bad[i]);
		check_refused("expected whole ones within");
	}
}

static void test_bad_bars(void **state)
{
	(void)state;
	world_bar(w, 0, (struct pci_bar){.size = 0x1001});
	check_refused("power of two");
	world_bar(w, 0, (struct pci_bar){.size = 8});
	check_refused("0x10 to");
	world_bar(w, 0, (struct pci_bar){.size = 2, .io = true});
	check_refused("0x4 to");
	world_bar(w, 0, (struct pci_bar){.size = 0x2000, .io = true});
	check_refused("to 0x1000");
	world_bar(w, 0, (struct pci_bar){.size = BIT(30)});
	check_refused("to 0x20000000");
	world_bar(w, 0, (struct pci_bar){.size = BIT(41), .wide = true});
	check_refused("to 0x10000000000");
	world_bar(w, 5, (struct pci_bar){.size = 0x1000, .wide = true});
	check_refused("next one's place");
	world_bar(w, 0, (struct pci_bar){.size = 0x1000, .wide = true});
	world_bar(w, 1, (struct pci_bar){.size = 0x1000});
	check_refused("is a 64-bit one's");
	world_bar(w, 0, (struct pci_bar){.size = 0x10, .io = true, .prefetchable = true});
	check_refused("not prefetchable");
	check_bad_pages();
	world_bar(w, PCI_BAR_ROM, (struct pci_bar){.size = 0x400});
	check_refused("ROM");
	world_bar(w, PCI_BAR_ROM, (struct pci_bar){.size = 0x2000000});
	check_refused("ROM");
	w->desc.bars[0] = (struct pci_bar){.size = 0x1000};
	check_refused("without handlers");
	w->desc.config_size = 300;
	check_refused("256 nor 4096");
	w->desc.config_size = PCI_CONFIG_SIZE;
	w->config[PCI_HEADER_TYPE] = 2;
	check_refused("unknown type");
	w->config[PCI_HEADER_TYPE] = 1;
	world_bar(w, 2, (struct pci_bar){.size = 0x1000});
	check_refused("two BARs");
	w->config[PCI_HEADER_TYPE] = 0;
	w->config[PCI_INTERRUPT_PIN] = 5;
	check_refused("pin");
	w->config[PCI_INTERRUPT_PIN] = 1;
	add_card();
}

static void check_address(const char *text, int err, uint8_t devfn)
{
	uint8_t out = 0;

	assert_int_equal(pci_address_parse(&w->dev, bus, "addr", text, &out), err);
	if (!err)
		assert_int_equal(out, devfn);
	else
		assert_non_null(strstr(fake_last_log, "key addr"));
}

static void test_addresses(void **state)
{
	unsigned i;

	(void)state;
	check_address("", 0, PCI_DEVFN(1, 0));
	check_address("3", 0, PCI_DEVFN(3, 0));
	check_address("1F.7", 0, 0xff);
	check_address("0a.1", 0, PCI_DEVFN(10, 1));
	check_address("20", -EINVAL, 0);
	check_address("100000000", -EINVAL, 0);
	check_address("1.8", -EINVAL, 0);
	check_address("1.", -EINVAL, 0);
	check_address(".1", -EINVAL, 0);
	check_address("1.0.0", -EINVAL, 0);
	check_address(" 1", -EINVAL, 0);
	check_address("0x1", -EINVAL, 0);
	for (i = 1; i < PCI_SLOTS; i++)
		assert_int_equal(world_add(world_function("filler"), bus, PCI_DEVFN(i, i % 8)), 0);
	check_address("", -ENOSPC, 0);
}

/* Gone: its BARs, its configuration, its interrupt; what still calls does no harm. */
static void test_removal(void **state)
{
	uint64_t mem, io;

	(void)state;
	add_card();
	power_on();
	mem = bar_address(1);
	io = bar_address(0);
	config_out(DEVFN, PCI_COMMAND, 2, 7);
	pci_function_intx(w->f, true);
	assert_true(fake_line(19));
	world_remove(w);
	assert_false(fake_line(19));
	check_memory(mem, "");
	check_port((uint16_t)io, "");
	assert_int_equal(config_in(DEVFN, 0, 4), UINT32_MAX);
	config_out(DEVFN, PCI_COMMAND, 2, 7);
	pci_function_intx(w->f, false);
	pci_function_intx(w->f, true);
	assert_false(fake_line(19));
	assert_false(pci_function_master(w->f));
	assert_string_equal(world_story(w), "");
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, card_setup, card_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_header),  TEST(test_multi_function), TEST(test_callbacks),
		TEST(test_ecam),    TEST(test_bad_bars),       TEST(test_addresses),
		TEST(test_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
