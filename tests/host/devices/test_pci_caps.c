/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci vmm/irq.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_world.c tests/host/devices/pci_card.c */
/* test-sources: tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* Capabilities but for interrupts': power management, PCI Express, AER; lists that are refused. */
#include "tests/host/devices/pci_card.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Power management. */

static void add_pm(uint8_t flags)
{
	world_cap(w, 0x40, PCI_CAP_PM);
	w->config[0x42] = 3;
	w->config[0x44] = flags;
	add_card();
	power_on();
}

static void test_power(void **state)
{
	uint64_t mem;

	(void)state;
	add_pm(0);
	mem = bar_address(1);
	assert_int_equal(config_in(DEVFN, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES,
			 PCI_STATUS_CAPABILITIES);
	config_out(DEVFN, PCI_COMMAND, 2, 7);
	assert_true(pci_function_master(w->f));
	/* D1 and D2, which it has not. */
	config_out(DEVFN, 0x44, 2, 1);
	config_out(DEVFN, 0x44, 2, 2);
	assert_int_equal(config_in(DEVFN, 0x44, 2), 0);
	world_story(w);
	config_out(DEVFN, 0x44, 2, 3);
	assert_string_equal(world_story(w), "c400 w44/2=3 ");
	assert_false(pci_function_master(w->f));
	check_memory(mem, "");
	assert_int_equal(bar_address(1), mem);
	/* It comes back reset, with nothing decoded. */
	world_story(w);
	config_out(DEVFN, 0x44, 2, 0);
	assert_string_equal(world_story(w), "c0 reset w44/2=0 ");
	assert_int_equal(bar_address(1), 0);
	assert_int_equal(config_in(DEVFN, PCI_COMMAND, 2), 0);
}

static void test_power_without_reset(void **state)
{
	uint64_t mem;

	(void)state;
	add_pm(PCI_PM_NO_SOFT_RESET);
	mem = bar_address(1);
	config_out(DEVFN, 0x44, 1, 3);
	check_memory(mem, "");
	config_out(DEVFN, 0x44, 1, 0);
	assert_null(strstr(world_story(w), "reset"));
	check_memory(mem, "r0/4 ");
}

static void test_pcie(void **state)
{
	uint64_t mem;

	(void)state;
	world_cap(w, 0x60, PCI_CAP_PCIE);
	w->config[0x62] = 0x02;	    /* an endpoint, version 2 */
	w->config[0x64 + 3] = 0x10; /* FLR */
	w->config[0x6a] = 0x0f;	    /* errors that were seen */
	add_card();
	power_on();
	mem = bar_address(1);
	config_out(DEVFN, 0x68, 2, 0x7fff);
	assert_int_equal(config_in(DEVFN, 0x68, 4), 0x000f7fff);
	config_out(DEVFN, 0x6a, 2, 0x05);
	assert_int_equal(config_in(DEVFN, 0x6a, 2), 0x0a);
	check_memory(mem, "r0/4 ");
	world_story(w);
	config_out(DEVFN, 0x69, 1, 0x80);
	assert_string_equal(world_story(w), "c0 reset w69/1=80 ");
	assert_int_equal(config_in(DEVFN, 0x68, 2), 0);
	check_memory(mem, "");
	/* Not where it is not told of. */
	config_out(DEVFN, 0x64, 4, 0);
	assert_int_equal(config_in(DEVFN, 0x64, 4), 0x10000000);
}

static void test_extended(void **state)
{
	(void)state;
	w->desc.config_size = PCI_CONFIG_SIZE_EXT;
	w->config[0x100] = PCI_EXT_AER;
	w->config[0x102] = 1;
	w->config[0x103] = 0x15;
	w->config[0x104] = 0x10; /* a data link protocol error was seen */
	w->config[0x10c] = 0x30;
	w->config[0x150] = 3; /* serial number */
	w->config[0x154] = 0x77;
	add_card();
	ecam_out(DEVFN, 0x104, 4, UINT32_MAX);
	assert_int_equal(ecam_in(DEVFN, 0x104, 4), 0);
	ecam_out(DEVFN, 0x108, 4, UINT32_MAX);
	assert_int_equal(ecam_in(DEVFN, 0x108, 4), PCI_AER_UNCORRECTED);
	ecam_out(DEVFN, 0x154, 4, UINT32_MAX);
	assert_int_equal(ecam_in(DEVFN, 0x154, 4), 0x77);
	ecam_out(DEVFN, 0x100, 4, 0);
	assert_int_equal(ecam_in(DEVFN, 0x100, 4), 0x15010001);
}

/* Lists that have no end, or lead out of the space. */
static void test_bad_capabilities(void **state)
{
	unsigned i;

	(void)state;
	world_cap(w, 0x40, PCI_CAP_VENDOR);
	w->config[0x41] = 0x40;
	check_refused("no end");
	w->config[PCI_CAPABILITIES] = 0x10;
	check_refused("within the header");
	world_cap(w, 0xfc, PCI_CAP_PM);
	check_refused("PM at 0xfc reaches beyond");
	world_cap(w, 0xf0, PCI_CAP_MSI);
	w->config[0xf2] = 0x80; /* 64-bit: 0xe bytes and two reserved ones: it fits */
	w->config[0xf3] = 0x01; /* with masks it does not */
	check_refused("MSI at 0xf0 reaches beyond");
	world_cap(w, 0xf8, PCI_CAP_MSIX);
	check_refused("MSI-X at 0xf8 reaches beyond");
	world_cap(w, 0xe0, PCI_CAP_PCIE);
	w->config[0xe2] = 2;
	check_refused("PCI Express at 0xe0 reaches beyond");
	w->desc.config_size = PCI_CONFIG_SIZE_EXT;
	w->config[0x100] = PCI_EXT_AER;
	w->config[0x103] = 0x10;
	check_refused("no end");
	w->config[0x102] = 0xc0;
	w->config[0x103] = 0xff;
	w->config[0xffc] = PCI_EXT_AER;
	check_refused("AER at 0xffc reaches beyond");
	w->config[0x103] = 0x04;
	check_refused("at 0x40");
	/* As long as can be. */
	for (i = 0; i < 48; i++)
		world_cap(w, (uint8_t)(0x40 + 4 * i), PCI_CAP_VENDOR);
	add_card();
}

static void test_bad_msix(void **state)
{
	static uint8_t page[0x1000] __attribute__((aligned(0x1000)));

	(void)state;
	world_cap(w, 0x50, PCI_CAP_MSIX);
	check_refused("MSI-X: table of 1 entries"); /* there is no BAR 0 */
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x100, .io = true});
	w->config[0x58] = 0x80;
	check_refused("MSI-X");
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x1000});
	w->config[0x52] = 0xff; /* 256 entries fill it */
	w->config[0x59] = 0x10;
	check_refused("MSI-X");
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x1000});
	w->config[0x52] = 1;
	w->config[0x58] = 0x18; /* into the table's second entry */
	check_refused("apart");
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x1000});
	w->config[0x54] = 0x07;
	check_refused("MSI-X");
	/* Table, then pending bits, where the guest would reach them without us. */
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x4000, .pages = page, .pages_size = 0x1000});
	w->config[0x59] = 0x20;
	check_refused("no MSI-X there");
	world_cap(w, 0x50, PCI_CAP_MSIX);
	world_bar(w, 0, (struct pci_bar){.size = 0x4000, .pages = page, .pages_size = 0x1000});
	w->config[0x55] = 0x10;
	w->config[0x58] = 0xf8;
	w->config[0x59] = 0x0f;
	check_refused("no MSI-X there");
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, card_setup, card_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_power),    TEST(test_power_without_reset), TEST(test_pcie),
		TEST(test_extended), TEST(test_bad_capabilities),    TEST(test_bad_msix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
