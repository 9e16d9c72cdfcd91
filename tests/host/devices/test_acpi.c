/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables by their own rules, and by ACPICA's compiler where it is installed. */
/* test-sources: devices/chipset/acpi.c devices/chipset/acpi_tables.c devices/chipset/bios_stub.c */
/* test-sources: devices/chipset/acpi_dsdt.c devices/chipset/acpi_pci.c */
/* test-sources: devices/chipset/acpi_hotplug.c devices/chipset/aml.c devices/chipset/mp_table.c */
/* test-sources: devices/chipset/lapic.c devices/chipset/lapic_access.c */
/* test-sources: devices/chipset/lapic_state.c */
/* test-sources: devices/chipset/lapic_msr.c devices/chipset/lapic_ipi.c */
/* test-sources: devices/chipset/lapic_timer.c devices/chipset/lapic_virtual.c */
/* test-sources: devices/chipset/ioapic.c devices/chipset/pic.c */
/* test-sources: devices/chipset/pit.c devices/chipset/pm.c devices/chipset/reset_control.c */
/* test-sources: devices/pci tests/host/devices/pci_info_fake.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: devices/serial/uart16550.c devices/serial/uart16550_line.c vmm/char_frontend.c */
/* test-sources: vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "devices/chipset/acpi_tables.h"

#include "tests/host/devices/fake.h"
#include "vmm/loader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct firmware_tables *tables;

static uint8_t sum(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

static const struct acpi_rsdp *build(void)
{
	const struct acpi_rsdp *rsdp;

	tables = device_iface(&fake_vm, FIRMWARE_ID, FIRMWARE_KIND);
	assert_non_null(tables);
	assert_int_equal(tables->build(tables), 0);
	assert_in_range(tables->rsdp, 0xe0000, 0xfffff);
	assert_int_equal(tables->rsdp % 16, 0);
	rsdp = (const void *)(fake_ram + tables->rsdp);
	assert_memory_equal(rsdp->signature, "RSD PTR ", 8);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, 36), 0);
	return rsdp;
}

static const void *table(const struct acpi_rsdp *rsdp, const char *signature)
{
	const struct acpi_header *xsdt = (const void *)(fake_ram + rsdp->xsdt);
	const struct acpi_header *rsdt = (const void *)(fake_ram + rsdp->rsdt), *t;
	size_t i, n = (xsdt->length - sizeof(*xsdt)) / 8;
	uint64_t at;
	uint32_t at32;

	assert_int_equal(sum(xsdt, xsdt->length), 0);
	assert_int_equal(sum(rsdt, rsdt->length), 0);
	for (i = 0; i < n; i++) {
		memcpy(&at, (const uint8_t *)(xsdt + 1) + i * 8, 8);
		memcpy(&at32, (const uint8_t *)(rsdt + 1) + i * 4, 4);
		assert_int_equal(at, at32);
		t = (const void *)(fake_ram + at);
		assert_int_equal(sum(t, t->length), 0);
		if (!memcmp(t->signature, signature, 4))
			return t;
	}
	return NULL;
}

static int setup(void **state)
{
	const char *com2[] = {"io=0x2f8", "irq=3", NULL};

	(void)state;
	fake_start(3);
	/* In an order that is none: what the tables tell of may come later. */
	assert_non_null(fake_create("acpi", "acpi", NULL));
	assert_non_null(fake_create("lapic", "lapic", NULL));
	assert_non_null(fake_create("ioapic", "ioapic", NULL));
	assert_non_null(fake_create("pic", "pic", NULL));
	assert_non_null(fake_create("pit", "pit", NULL));
	assert_non_null(fake_create("pm", "pm", NULL));
	assert_non_null(fake_create("reset-control", "reset", NULL));
	assert_non_null(fake_create("pci", "pci0", NULL));
	assert_non_null(fake_create("pci-hotplug", "pci-hotplug", NULL));
	assert_non_null(fake_create("uart16550", "com1", NULL));
	assert_non_null(fake_create("uart16550", "com2", com2));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void test_fadt(void **state)
{
	const struct acpi_fadt *f = table(build(), "FACP");
	const struct acpi_header *dsdt;

	(void)state;
	assert_non_null(f);
	assert_int_equal(f->sci, 9);
	assert_int_equal(f->pm1a_event, 0x600);
	assert_int_equal(f->timer, 0x608);
	assert_int_equal(f->reset.address, 0xcf9);
	assert_int_equal(f->reset_value, 6);
	assert_int_equal(f->flags & 0x500, 0x500);
	assert_int_equal(f->facs % 64, 0);
	assert_memory_equal(fake_ram + f->facs, "FACS", 4);
	dsdt = (const void *)(fake_ram + f->dsdt);
	assert_memory_equal(dsdt->signature, "DSDT", 4);
	assert_int_equal(sum(dsdt, dsdt->length), 0);
	assert_int_equal(f->boot_flags & 0x22, 0x20); /* no 8042, no clock */
}

static void test_madt(void **state)
{
	const struct acpi_madt *m = table(build(), "APIC");
	const uint8_t *p = (const uint8_t *)(m + 1), *end = (const uint8_t *)m + m->header.length;
	unsigned count[16] = {0};

	(void)state;
	assert_int_equal(m->lapic, 0xfee00000);
	assert_int_equal(m->flags, 1);
	for (; p < end; p += p[1]) {
		assert_true(p[1] >= 2 && p[0] < 16);
		count[p[0]]++;
	}
	assert_ptr_equal(p, end);
	assert_int_equal(count[0], 3);
	assert_int_equal(count[1], 1);
	assert_int_equal(count[2], 2);
	assert_int_equal(count[4], 1);
}

static void test_bare_machine(void **state)
{
	const struct acpi_fadt *f;

	(void)state;
	fake_end();
	fake_start(1);
	assert_non_null(fake_create("acpi", "acpi", NULL));
	f = table(build(), "FACP");
	assert_int_equal(f->flags >> 20 & 1, 1);
	assert_null(table(build(), "APIC"));
}

static void test_too_small(void **state)
{
	struct acpi_pm pm = {0};
	struct acpi_lapic lapic = {0};
	struct acpi_machine m = {.cpus = 16, .pm = &pm, .lapic = &lapic};
	size_t size;

	(void)state;
	for (size = 0; size < 4096; size++) {
		struct acpi_image image = {.data = calloc(1, size + 1), .size = size};
		int err = acpi_image_build(&image, &m);

		assert_true(image.used <= size);
		free(image.data);
		if (!err)
			break;
		assert_int_equal(err, -ENOSPC);
	}
	assert_in_range(size, 500, 3000);
}

/* Takes the DSDT apart and compiles it again. */
static void test_acpica(void **state)
{
	const struct acpi_fadt *f = table(build(), "FACP");
	const struct acpi_header *dsdt = (const void *)(fake_ram + f->dsdt);
	char dir[] = "/tmp/acpi-XXXXXX", command[1024], name[64];
	FILE *file;

	(void)state;
	if (system("command -v iasl >/dev/null"))
		skip();
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/dsdt.aml", dir);
	file = fopen(name, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(dsdt, dsdt->length, 1, file), 1);
	assert_int_equal(fclose(file), 0);
	snprintf(command, sizeof(command),
		 "cd %s && iasl -d dsdt.aml >log 2>&1 && iasl -we dsdt.dsl >>log 2>&1 && "
		 "grep -q 'Name (_HID, EisaId (\"PNP0501\")' dsdt.dsl && "
		 "grep -q 'Name (_HID, EisaId (\"PNP0A03\")' dsdt.dsl && "
		 "grep -q '0xC0000000, *// Range Minimum' dsdt.dsl && "
		 "grep -q '0xFEBFFFFF, *// Range Maximum' dsdt.dsl && "
		 "grep -q 'Notify (S1F, 0x03)' dsdt.dsl && grep -q '_EJ0' dsdt.dsl && "
		 "! grep -q 'Device (S00)' dsdt.dsl && "
		 "acpiexec -b 'execute \\_GPE._E01, execute \\_SB.PCI0.S03_._EJ0 1' dsdt.aml "
		 ">exec 2>&1 && ! grep -E 'Error|Failure' exec && "
		 "grep -q '0x02F8' dsdt.dsl && grep -q '_S5' dsdt.dsl || { cat log exec; false; }",
		 dir);
	assert_int_equal(system(command), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

/* As a kernel without ACPI walks it: every entry by its length (MP specification 1.4, 4.3). */
static void test_mp_table(void **state)
{
	const uint8_t *pointer = fake_ram + 0xf0000, *table, *entry;
	unsigned counts[5] = {0}, i, entries;
	uint32_t at;

	(void)state;
	build();
	assert_memory_equal(pointer, "_MP_", 4);
	assert_int_equal(sum(pointer, 16), 0);
	memcpy(&at, pointer + 4, sizeof(at));
	table = fake_ram + at;
	assert_memory_equal(table, "PCMP", 4);
	assert_int_equal(sum(table, table[4] | table[5] << 8), 0);
	assert_memory_equal(table + 36, "\0\0\xe0\xfe", 4);
	entries = table[34] | table[35] << 8;
	for (entry = table + 44, i = 0; i < entries; i++) {
		assert_in_range(entry[0], 0, 4);
		if (entry[0] == 0)
			assert_int_equal(entry[3], counts[0] ? 1 : 3);
		if (entry[0] == 3 && entry[4] == 0xff && entry[5] == 0)
			assert_int_equal(entry[7], 2); /* the timer's pin */
		counts[entry[0]]++;
		entry += entry[0] ? 8 : 20;
	}
	assert_ptr_equal(entry, table + (table[4] | table[5] << 8));
	assert_int_equal(counts[0], 3);
	assert_int_equal(counts[1], 2); /* PCI, ISA */
	assert_int_equal(counts[2], 1);
	assert_int_equal(counts[3], 15 + 32 * 4);
	assert_int_equal(counts[4], 2);
	/* Where else to search: EBDA, base memory. */
	assert_memory_equal(fake_ram + 0x40e, "\xc0\x9f", 2);
	assert_memory_equal(fake_ram + 0x413, "\x7f\x02", 2);
}

/* Where a vector of real mode leads. */
static const uint8_t *vector_code(unsigned vector)
{
	uint16_t at[2]; /* IP, CS */

	memcpy(at, fake_ram + vector * 4, sizeof(at));
	assert_int_equal(at[1], 0xf000);
	return fake_ram + at[1] * 16u + at[0];
}

static void test_bios_stub(void **state)
{
	const uint32_t kb = (FAKE_RAM_SIZE >> 10) - 1024;
	unsigned vector;

	(void)state;
	build();
	for (vector = 8; vector < 16; vector++)
		assert_memory_equal(vector_code(vector), "\x50\xb0\x20\xe6\x20\x58\xcf", 7);
	for (vector = 0x70; vector < 0x78; vector++)
		assert_memory_equal(vector_code(vector), "\x50\xb0\x20\xe6\xa0\xe6\x20\x58\xcf", 9);
	for (vector = 1; vector < 6; vector++)
		assert_int_equal(*vector_code(vector), 0xcf);
	assert_memory_equal(vector_code(6), "\xfa\xf4", 2);
	assert_memory_equal(vector_code(0), "\xfa\xf4", 2);
	assert_memory_equal(vector_code(0x12), "\xb8\x7f\x02\xcf", 4);
	assert_memory_equal(vector_code(0x15) + 6, &kb, 2);
	assert_ptr_equal(vector_code(0x15) + 5 - 0x25, vector_code(0x13));
	assert_ptr_equal(vector_code(0x13), vector_code(0xff));
	assert_memory_equal(fake_ram + 0xffff0, "\xb0\xfe\xe6\x64\xf4", 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mp_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bios_stub, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fadt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_madt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bare_machine, setup, teardown),
		cmocka_unit_test(test_too_small),
		cmocka_unit_test_setup_teardown(test_acpica, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
