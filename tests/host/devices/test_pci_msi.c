/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci vmm/irq.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_world.c tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* Interrupts of PCI functions by messages: MSI, MSI-X. */
#include "tests/host/devices/pci_one_card.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MSI  0x50 /* where the capability is */
#define MSIX 0x70

static void check_no_message(void)
{
	uint64_t address;
	uint32_t data;

	assert_false(world_message(&address, &data));
}

static void check_message(uint64_t address, uint32_t data)
{
	uint64_t a = 0;
	uint32_t d = 0;

	assert_true(world_message(&a, &d));
	assert_int_equal(a, address);
	assert_int_equal(d, data);
	check_no_message();
}

/* MSI. */

static void add_msi(uint16_t control)
{
	world_cap(w, MSI, PCI_CAP_MSI);
	memcpy(w->config + MSI + PCI_MSI_CONTROL, &control, sizeof(control));
	add();
}

static void test_msi_32(void **state)
{
	(void)state;
	add_msi(0);
	assert_int_equal(pci_function_irq_mode(w->f), PCI_IRQ_INTX);
	pci_function_message(w->f, 0);
	check_no_message();
	config_out(DEVFN, MSI + 4, 4, 0xfee01003);
	assert_int_equal(config_in(DEVFN, MSI + 4, 4), 0xfee01000);
	config_out(DEVFN, MSI + 8, 4, 0xffff4041);
	assert_int_equal(config_in(DEVFN, MSI + 8, 4), 0x4041);
	pci_function_intx(w->f, true);
	assert_true(fake_line(19));
	config_out(DEVFN, MSI + 2, 2, 0xffff);
	assert_int_equal(config_in(DEVFN, MSI + 2, 2), 0x71);
	assert_int_equal(pci_function_irq_mode(w->f), PCI_IRQ_MSI);
	/* With messages on, the pin is quiet. */
	assert_false(fake_line(19));
	pci_function_message(w->f, 0);
	check_message(0xfee01000, 0x4041);
	/* It asked for one vector, whatever it was given. */
	pci_function_message(w->f, 3);
	check_message(0xfee01000, 0x4041);
	config_out(DEVFN, MSI + 2, 2, 0);
	assert_true(fake_line(19));
	pci_function_message(w->f, 0);
	check_no_message();
}

static void test_msi_64(void **state)
{
	(void)state;
	add_msi(PCI_MSI_WIDE | 0x6); /* 8 vectors */
	config_out(DEVFN, MSI + 4, 4, 0xfee00000);
	config_out(DEVFN, MSI + 8, 4, 1);
	config_out(DEVFN, MSI + 12, 2, 0x4047);
	config_out(DEVFN, MSI + 2, 2, 0x31);
	pci_function_message(w->f, 5);
	check_message(UINT64_C(0x1fee00000), 0x4045);
	/* Given two of the eight. */
	config_out(DEVFN, MSI + 2, 2, 0x11);
	pci_function_message(w->f, 5);
	check_message(UINT64_C(0x1fee00000), 0x4047);
	pci_function_message(w->f, 4);
	check_message(UINT64_C(0x1fee00000), 0x4046);
}

static void test_msi_masks(void **state)
{
	(void)state;
	add_msi(PCI_MSI_WIDE | PCI_MSI_MASKS | 0x4); /* 4 vectors */
	config_out(DEVFN, MSI + 4, 4, 0xfee00000);
	config_out(DEVFN, MSI + 12, 2, 0x40);
	config_out(DEVFN, MSI + 16, 4, 0x6);
	config_out(DEVFN, MSI + 2, 2, 0x21);
	pci_function_message(w->f, 1);
	pci_function_message(w->f, 2);
	pci_function_message(w->f, 2);
	check_no_message();
	assert_int_equal(config_in(DEVFN, MSI + 20, 4), 0x6);
	config_out(DEVFN, MSI + 20, 4, 0); /* read-only */
	assert_int_equal(config_in(DEVFN, MSI + 20, 4), 0x6);
	config_out(DEVFN, MSI + 16, 4, 0x2);
	check_message(0xfee00000, 0x42);
	assert_int_equal(config_in(DEVFN, MSI + 20, 4), 0x2);
	config_out(DEVFN, MSI + 16, 1, 0);
	check_message(0xfee00000, 0x41);
	assert_int_equal(config_in(DEVFN, MSI + 20, 4), 0);
}

static void test_no_master(void **state)
{
	(void)state;
	add_msi(0);
	config_out(DEVFN, MSI + 4, 4, 0xfee00000);
	config_out(DEVFN, MSI + 2, 2, 1);
	config_out(DEVFN, PCI_COMMAND, 2, 0);
	assert_false(pci_function_master(w->f));
	pci_function_message(w->f, 0);
	check_no_message();
	config_out(DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_true(pci_function_master(w->f));
	check_no_message();
	pci_function_message(w->f, 0);
	check_message(0xfee00000, 0);
}

/* MSI-X. */

#define VECTORS 66u
#define TABLE	0x1000u
#define PBA	0x800u
#define BASE	UINT64_C(0xd0000000)

static void add_msix(void)
{
	world_cap(w, MSIX, PCI_CAP_MSIX);
	w->config[MSIX + 2] = VECTORS - 1;
	w->config[MSIX + 4] = 1;
	w->config[MSIX + 5] = TABLE >> 8;
	w->config[MSIX + 8] = 1;
	w->config[MSIX + 9] = PBA >> 8;
	world_bar(w, 1, (struct pci_bar){.size = 0x2000});
	add();
	config_out(DEVFN, PCI_BAR0 + 4, 4, (uint32_t)BASE);
	world_story(w);
}

static void set_entry(unsigned vector, uint64_t address, uint32_t data, uint32_t control)
{
	fake_mmio_write(0, BASE + TABLE + 16 * vector, 8, address);
	fake_mmio_write(0, BASE + TABLE + 16 * vector + 8, 4, data);
	fake_mmio_write(0, BASE + TABLE + 16 * vector + 12, 4, control);
}

static void test_msix_table(void **state)
{
	unsigned i;

	(void)state;
	add_msix();
	for (i = 0; i < VECTORS; i++) {
		assert_int_equal(fake_mmio_read(0, BASE + TABLE + 16 * i, 8), 0);
		assert_int_equal(fake_mmio_read(0, BASE + TABLE + 16 * i + 12, 4), 1);
	}
	set_entry(1, UINT64_C(0x12345678fee01003), 0xcafe, 0xffffffff);
	assert_int_equal(fake_mmio_read(0, BASE + TABLE + 16, 8), UINT64_C(0x12345678fee01000));
	assert_int_equal(fake_mmio_read(0, BASE + TABLE + 24, 8), UINT64_C(0x10000cafe));
	assert_int_equal(fake_mmio_read(0, BASE + TABLE + 15, 4), 0xe0100000);
	assert_int_equal(fake_mmio_read(0, BASE + TABLE + 17, 1), 0x10);
	fake_mmio_write(0, BASE + TABLE + 24, 1, 0x11);
	assert_int_equal(fake_mmio_read(0, BASE + TABLE + 24, 4), 0xca11);
	assert_string_equal(world_story(w), "");
	/* What is beside it is the device's; an access over the end is of both. */
	assert_int_equal(fake_mmio_read(0, BASE + TABLE - 4, 8), 0xfffefdfc);
	world_story(w);
	fake_mmio_read(0, BASE + TABLE - 8, 4);
	fake_mmio_write(0, BASE + TABLE + 16 * VECTORS, 4, 7);
	assert_string_equal(world_story(w), "rff8/4 W1420/4=7 ");
	fake_mmio_write(0, BASE + TABLE + 16 * VECTORS - 4, 8, UINT64_C(0x0a0b0c0d00000000));
	assert_string_equal(world_story(w), "W1420/1=d W1421/1=c W1422/1=b W1423/1=a ");
	assert_int_equal(fake_mmio_read(0, BASE + TABLE + 16 * VECTORS - 4, 4), 0);
	fake_reset();
	config_out(DEVFN, PCI_BAR0 + 4, 4, (uint32_t)BASE);
	assert_int_equal(fake_mmio_read(0, BASE + TABLE + 24, 8), UINT64_C(0x100000000));
}

static void test_msix_messages(void **state)
{
	(void)state;
	add_msix();
	set_entry(0, 0xfee00000, 0x30, 0);
	set_entry(65, UINT64_C(0x1fee02000), 0x31, 0);
	pci_function_message(w->f, 65);
	check_no_message(); /* it is off */
	pci_function_intx(w->f, true);
	config_out(DEVFN, MSIX + 2, 2, 0xffff);
	assert_int_equal(config_in(DEVFN, MSIX + 2, 2), 0xc000 | (VECTORS - 1));
	assert_int_equal(pci_function_irq_mode(w->f), PCI_IRQ_MSIX);
	assert_false(fake_line(19));
	config_out(DEVFN, MSIX + 2, 2, 0x8000);
	pci_function_message(w->f, 65);
	check_message(UINT64_C(0x1fee02000), 0x31);
	pci_function_message(w->f, 0);
	check_message(0xfee00000, 0x30);
	/* No such vector; bus mastering off. */
	pci_function_message(w->f, VECTORS);
	pci_function_message(w->f, UINT32_MAX);
	config_out(DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pci_function_message(w->f, 0);
	check_no_message();
	assert_int_equal(fake_mmio_read(0, BASE + PBA, 8), 0);
}

static void test_msix_masks(void **state)
{
	(void)state;
	add_msix();
	set_entry(2, 0xfee00000, 0x32, 1);
	set_entry(64, 0xfee00000, 0x40, 0);
	config_out(DEVFN, MSIX + 2, 2, 0x8000);
	pci_function_message(w->f, 2);
	pci_function_message(w->f, 2);
	check_no_message();
	assert_int_equal(fake_mmio_read(0, BASE + PBA, 8), 4);
	fake_mmio_write(0, BASE + PBA, 8, 0); /* read-only */
	assert_int_equal(fake_mmio_read(0, BASE + PBA, 4), 4);
	fake_mmio_write(0, BASE + TABLE + 2 * 16 + 12, 4, 0);
	check_message(0xfee00000, 0x32);
	assert_int_equal(fake_mmio_read(0, BASE + PBA, 8), 0);
	/* All of them at once, and the second word of the pending bits. */
	config_out(DEVFN, MSIX + 3, 1, 0xc0);
	pci_function_message(w->f, 64);
	pci_function_message(w->f, 2);
	check_no_message();
	assert_int_equal(fake_mmio_read(0, BASE + PBA + 8, 8), 1);
	assert_int_equal(fake_mmio_read(0, BASE + PBA, 1), 4);
	fake_mmio_write(0, BASE + TABLE + 2 * 16 + 12, 4, 1);
	config_out(DEVFN, MSIX + 3, 1, 0x80);
	check_message(0xfee00000, 0x40);
	fake_mmio_write(0, BASE + TABLE + 2 * 16 + 12, 1, 0);
	check_message(0xfee00000, 0x32);
	assert_string_equal(world_story(w), "w72/2=8000 w73/1=c0 w73/1=80 ");
}

/* The table moves with its BAR. */
static void test_msix_moves(void **state)
{
	(void)state;
	add_msix();
	set_entry(0, 0xfee00000, 0x30, 0);
	config_out(DEVFN, PCI_BAR0 + 4, 4, 0xd8000000);
	assert_int_equal(fake_mmio_read(0, BASE + TABLE, 4), UINT32_MAX);
	assert_int_equal(fake_mmio_read(0, 0xd8000000 + TABLE, 4), 0xfee00000);
	assert_int_equal(fake_mmio_read(0, 0xd8000000 + TABLE + 8, 4), 0x30);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_msi_32),     TEST(test_msi_64),     TEST(test_msi_masks),
		TEST(test_no_master),  TEST(test_msix_table), TEST(test_msix_messages),
		TEST(test_msix_masks), TEST(test_msix_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
