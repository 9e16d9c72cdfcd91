/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci vmm/irq.c devices/chipset/ioapic.c devices/chipset/pic.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: devices/chipset/acpi.c devices/chipset/acpi_tables.c devices/chipset/bios_stub.c */
/* test-sources: devices/chipset/acpi_dsdt.c devices/chipset/acpi_pci.c devices/chipset/aml.c */
/* test-sources: devices/chipset/acpi_hotplug.c */
/* test-sources: devices/chipset/mp_table.c devices/chipset/lapic.c */
/* test-sources: devices/chipset/lapic_state.c */
/* test-sources: devices/chipset/lapic_access.c devices/chipset/lapic_msr.c */
/* test-sources: devices/chipset/lapic_ipi.c devices/chipset/lapic_timer.c */
/* test-sources: devices/chipset/lapic_virtual.c */
/* test-sources: tests/host/devices/pci_world.c tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/* Interrupt pins of PCI functions, routed as the built tables say. */
#include "devices/chipset/acpi_tables.h"
#include "tests/host/devices/pci_one_card.h"
#include "vmm/loader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t status(void)
{
	return config_in(DEVFN, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT;
}

/* Pins. */

static void test_pin(void **state)
{
	(void)state;
	add();
	pci_function_intx(w->f, true);
	assert_true(fake_line(19));
	assert_true(fake_line(11));
	assert_int_equal(status(), PCI_STATUS_INTERRUPT);
	/* The guest turns it off: the status stays. */
	config_out(DEVFN, PCI_COMMAND, 2, PCI_COMMAND_INTX);
	assert_false(fake_line(19));
	assert_int_equal(status(), PCI_STATUS_INTERRUPT);
	/* What is written to the status does not end it. */
	config_out(DEVFN, PCI_STATUS, 2, 0xffff);
	assert_int_equal(status(), PCI_STATUS_INTERRUPT);
	config_out(DEVFN, PCI_COMMAND, 2, 0);
	assert_true(fake_line(19));
	pci_function_intx(w->f, false);
	assert_false(fake_line(19));
	assert_false(fake_line(11));
	assert_int_equal(status(), 0);
}

static void test_no_pin(void **state)
{
	unsigned i;

	(void)state;
	w->config[PCI_INTERRUPT_PIN] = 0;
	add();
	pci_function_intx(w->f, true);
	for (i = 0; i < IRQ_LINES; i++)
		assert_false(fake_line(i));
	assert_int_equal(status(), 0);
	assert_int_equal(config_in(DEVFN, PCI_INTERRUPT_LINE, 2), 0);
}

/* Two on one line: it is high while one of them wants it, and both hear of its end. */
static void test_shared(void **state)
{
	struct world_function *other = world_function("other");
	struct world_function *far = world_function("far");

	(void)state;
	add();
	assert_int_equal(world_add(other, bus, PCI_DEVFN(7, 0)), 0);
	assert_int_equal(world_add(far, bus, PCI_DEVFN(4, 0)), 0);
	pci_function_intx(w->f, true);
	pci_function_intx(other->f, true);
	pci_function_intx(w->f, true);
	pci_function_intx(w->f, false);
	assert_true(fake_line(19));
	world_story(w);
	world_story(other);
	irq_line_eoi(&fake_vm, 19);
	assert_string_equal(world_story(w), "eoi ");
	assert_string_equal(world_story(other), "eoi ");
	assert_string_equal(world_story(far), "");
	pci_function_intx(other->f, false);
	assert_false(fake_line(19));
	/* At the 8259s two lines of four share one input. */
	pci_function_intx(far->f, true);
	assert_true(fake_line(16));
	assert_true(fake_line(10));
	irq_line_eoi(&fake_vm, 10);
	assert_string_equal(world_story(far), "eoi ");
	assert_string_equal(world_story(w), "");
}

/* A package of AML (ACPI 6.4, 20.2.5.4): four integers. */
static const uint8_t *take_integer(const uint8_t *p, uint64_t *value)
{
	unsigned n = *p == 0x0a ? 1 : *p == 0x0b ? 2 : *p == 0x0c ? 4 : 0;

	*value = *p;
	if (n) {
		*value = 0;
		memcpy(value, p + 1, n);
	} else {
		assert_in_range(*p, 0, 1);
	}
	return p + 1 + n;
}

static const uint8_t *find_name(const char *name)
{
	const uint8_t *p;

	for (p = fake_ram + 0xe0000; p < fake_ram + 0xe8000; p++)
		if (p[0] == 0x08 && !memcmp(p + 1, name, 4))
			return p + 5;
	fail_msg("no %s", name);
	return NULL;
}

/* Where the built table says that pin @pin of device @device leads. */
static unsigned routed(const char *table, unsigned device, unsigned pin)
{
	const uint8_t *p = find_name(table);
	uint64_t values[4];
	unsigned i, n;

	assert_int_equal(p[0], 0x12);
	n = p[4];
	for (p += 5; n--;) {
		assert_int_equal(p[0], 0x12);
		assert_int_equal(p[4], 4);
		p += 5;
		for (i = 0; i < 4; i++)
			p = take_integer(p, &values[i]);
		assert_int_equal(values[2], 0);
		if (values[0] == (device << 16 | 0xffff) && values[1] == pin)
			return (unsigned)values[3];
	}
	fail_msg("no route");
	return 0;
}

/* And what the MP table says. */
static unsigned routed_mp(unsigned device, unsigned pin)
{
	const uint8_t *table = fake_ram + 0xf0010, *entry = table + 44;
	unsigned i, entries = table[34] | table[35] << 8;

	for (i = 0; i < entries; i++, entry += entry[0] ? 8 : 20)
		if (entry[0] == 3 && entry[4] == 0 && entry[5] == (device << 2 | pin)) {
			assert_int_equal(entry[2], 0x0f); /* low, level */
			return entry[7];
		}
	fail_msg("no route");
	return 0;
}

/* All pins of all devices raise what the built tables tell, at both controllers. */
static void test_routes(void **state)
{
	struct world_function *one;
	struct firmware_tables *tables;
	unsigned slot, pin, i;

	(void)state;
	irq_clear_controller(&fake_vm);
	assert_non_null(fake_create("lapic", "lapic", NULL));
	assert_non_null(fake_create("ioapic", "ioapic", NULL));
	assert_non_null(fake_create("acpi", "acpi", NULL));
	tables = device_iface(&fake_vm, FIRMWARE_ID, FIRMWARE_KIND);
	assert_int_equal(tables->build(tables), 0);
	for (slot = 1; slot < PCI_SLOTS; slot++)
		for (pin = 0; pin < PCI_PINS; pin++) {
			one = world_function("one");
			one->config[PCI_INTERRUPT_PIN] = (uint8_t)(pin + 1);
			assert_int_equal(world_add(one, bus, PCI_DEVFN(slot, pin)), 0);
			pci_function_intx(one->f, true);
			for (i = 0; i < IRQ_LINES; i++)
				assert_int_equal(fake_line(i),
						 i == routed("PRTA", slot, pin) ||
							 i == routed("PRTP", slot, pin));
			assert_int_equal(routed_mp(slot, pin), routed("PRTA", slot, pin));
			assert_int_equal(config_in(PCI_DEVFN(slot, pin), PCI_INTERRUPT_LINE, 1),
					 routed("PRTP", slot, pin));
			pci_function_intx(one->f, false);
		}
}

/* From the pin to the vector, level-triggered, as a kernel sets the I/O APIC up. */
static void test_through_the_ioapic(void **state)
{
	(void)state;
	irq_clear_controller(&fake_vm);
	assert_non_null(fake_create("lapic", "lapic", NULL));
	assert_non_null(fake_create("ioapic", "ioapic", NULL));
	add();
	fake_mmio_write(0, 0xfee000f0, 4, 0x1ff);
	fake_mmio_write(0, 0xfec00000, 4, 0x10 + 2 * 19);
	fake_mmio_write(0, 0xfec00010, 4, 0xa051); /* level, active low, vector 0x51 */
	pci_function_intx(w->f, true);
	assert_int_equal(fake_interrupt(0), 0x51);
	world_story(w);
	fake_mmio_write(0, 0xfee000b0, 4, 0);
	assert_string_equal(world_story(w), "eoi ");
	assert_int_equal(fake_interrupt(0), 0x51); /* it is still high */
	pci_function_intx(w->f, false);
	fake_mmio_write(0, 0xfee000b0, 4, 0);
	assert_int_equal(fake_interrupt(0), -1);
}

/* Firmware has made levels of PCI's inputs at the 8259s. */
static void test_elcr(void **state)
{
	(void)state;
	assert_non_null(fake_create("pic", "pic", NULL));
	fake_reset();
	assert_int_equal(fake_inb(0x4d0), 0);
	assert_int_equal(fake_inb(0x4d1), 0x0c);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pin),
		TEST(test_no_pin),
		TEST(test_shared),
		TEST(test_routes),
		TEST(test_through_the_ioapic),
		TEST(test_elcr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
