/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: arch/x86_64/acpi_parse.c */
/* arch/x86_64/acpi_parse.c: tables as PCs have them, and damaged ones. */
#include "arch/x86_64/acpi_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct acpi_info info;

static int setup(void **state)
{
	(void)state;
	acpi_parse_defaults(&info);
	return 0;
}

/* A table in a heap block of its exact size, for the sanitizer to guard. */
static struct acpi_header *make_table(const void *body, size_t size)
{
	struct acpi_header *table = calloc(1, sizeof(*table) + size);

	assert_non_null(table);
	table->length = sizeof(*table) + size;
	memcpy(table + 1, body, size);
	return table;
}

static void parse(void (*fn)(const struct acpi_header *, struct acpi_info *), const void *body,
		  size_t size)
{
	struct acpi_header *table = make_table(body, size);

	fn(table, &info);
	free(table);
}

static void set_checksum(uint8_t *bytes, size_t size, size_t at)
{
	uint8_t sum = 0;

	bytes[at] = 0;
	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	bytes[at] = -sum;
}

static void test_rsdp(void **state)
{
	uint8_t rsdp[36] = "RSD PTR ";
	unsigned entry_size = 0;

	(void)state;
	memcpy(rsdp + 16, "\x10\x20\x30\x40", 4);
	set_checksum(rsdp, 20, 8);
	assert_int_equal(acpi_parse_rsdp(rsdp, 20, &entry_size), 0x40302010);
	assert_int_equal(entry_size, 4);

	rsdp[15] = 2;
	rsdp[20] = 36;
	memcpy(rsdp + 24, "\x01\x02\x03\x04\x05\x00\x00\x00", 8);
	set_checksum(rsdp, 20, 8);
	set_checksum(rsdp, 36, 32);
	assert_int_equal(acpi_parse_rsdp(rsdp, 36, &entry_size), UINT64_C(0x504030201));
	assert_int_equal(entry_size, 8);

	rsdp[33] ^= 1; /* only the second checksum is wrong: the first part is good */
	assert_int_equal(acpi_parse_rsdp(rsdp, 36, &entry_size), 0x40302010);
	rsdp[16] ^= 1;
	assert_int_equal(acpi_parse_rsdp(rsdp, 36, &entry_size), 0);
	assert_int_equal(acpi_parse_rsdp(rsdp, 19, &entry_size), 0);
}

/* clang-format off: an entry a line. */
static const uint8_t madt_body[] = {
	0,
	0,
	0xe0,
	0xfe,
	1,
	0,
	0,
	0,
	/* CPUs 0 and 1, one disabled, one that is nobody, CPU 1 again as x2APIC, 0x1234 */
	0,
	8,
	0,
	0,
	1,
	0,
	0,
	0,
	0,
	8,
	1,
	1,
	1,
	0,
	0,
	0,
	0,
	8,
	2,
	2,
	0,
	0,
	0,
	0,
	0,
	8,
	3,
	255,
	1,
	0,
	0,
	0,
	9,
	16,
	0,
	0,
	1,
	0,
	0,
	0,
	1,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	9,
	16,
	0,
	0,
	0x34,
	0x12,
	0,
	0,
	1,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	/* I/O APIC 5 with inputs from 24 on; IRQ 0 is input 2; IRQ 9 is level, low */
	1,
	12,
	5,
	0,
	0,
	0,
	0xc0,
	0xfe,
	24,
	0,
	0,
	0,
	2,
	10,
	0,
	0,
	2,
	0,
	0,
	0,
	0,
	0,
	2,
	10,
	0,
	9,
	9,
	0,
	0,
	0,
	0x0f,
	0,
	4,
	6,
	255,
	0,
	0,
	1,
	5,
	12,
	0,
	0,
	0,
	0,
	0xe1,
	0xfe,
	1,
	0,
	0,
	0,
};
/* clang-format on */

static void test_madt(void **state)
{
	(void)state;
	parse(acpi_parse_madt, madt_body, sizeof(madt_body));
	assert_int_equal(info.faults, 0);
	assert_true(info.have_8259);
	assert_int_equal(info.lapic_phys, UINT64_C(0x1fee10000));
	assert_int_equal(info.cpu_count, 3);
	assert_int_equal(info.cpu_apic_ids[2], 0x1234);
	assert_int_equal(info.ioapic_count, 1);
	assert_int_equal(info.ioapics[0].phys, 0xfec00000);
	assert_int_equal(info.ioapics[0].gsi_base, 24);
	assert_int_equal(info.isa[0].gsi, 2);
	assert_false(info.isa[0].level || info.isa[0].active_low);
	assert_int_equal(info.isa[4].gsi, 4);
	assert_true(info.isa[9].level && info.isa[9].active_low);
}

static void test_madt_damaged(void **state)
{
	static const uint8_t endless[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t beyond[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 1, 0, 0, 0};
	static const uint8_t stub[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 9, 2};
	static const uint8_t bus[] = {0, 0, 0, 0, 0, 0,	 0, 0,	2, 10, 1, 0, 2, 0,
				      0, 0, 0, 0, 2, 10, 0, 16, 2, 0,  0, 0, 0, 0};

	(void)state;
	parse(acpi_parse_madt, "", 0);
	assert_int_equal(info.faults, 1);
	parse(acpi_parse_madt, endless, sizeof(endless));
	assert_int_equal(info.faults, 2);
	parse(acpi_parse_madt, beyond, sizeof(beyond));
	assert_int_equal(info.faults, 3);
	parse(acpi_parse_madt, stub, sizeof(stub));
	assert_int_equal(info.faults, 5);
	parse(acpi_parse_madt, bus, sizeof(bus));
	assert_int_equal(info.faults, 7);
	assert_int_equal(info.cpu_count, 0);
}

static void test_many_cpus(void **state)
{
	uint8_t body[8 + 8 * 100] = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		memcpy(body + 8 + 8 * i, (uint8_t[]){0, 8, i, i, 1, 0, 0, 0}, 8);
	parse(acpi_parse_madt, body, sizeof(body));
	assert_int_equal(info.cpu_count, CPU_MAX);
	assert_int_equal(info.cpus_beyond, 100 - CPU_MAX);
}

static void test_fadt(void **state)
{
	uint8_t body[244 - 36] = {0};
	struct acpi_header *table;

	(void)state;
	memcpy(body + 40 - 36, "\x00\x00\xfe\x7f", 4);		/* DSDT */
	memcpy(body + 48 - 36, "\xb2\x00", 2);			/* SMI_CMD */
	memcpy(body + 64 - 36, "\x04\x06", 2);			/* PM1a_CNT */
	memcpy(body + 76 - 36, "\x08\x06", 2);			/* PM timer */
	memcpy(body + 112 - 36, "\x00\x05\x00\x00", 4);		/* 32-bit timer, reset register */
	memcpy(body + 116 - 36, "\x01\x08\x00\x01\xf9\x0c", 6); /* port 0xcf9 */
	body[128 - 36] = 6;
	table = make_table(body, sizeof(body));
	assert_int_equal(acpi_parse_fadt(table, &info), 0x7ffe0000);
	assert_int_equal(info.power.pm1a_control, 0x604);
	assert_int_equal(info.pm_timer_port, 0x608);
	assert_true(info.power.reset_port_known);
	assert_int_equal(info.power.reset_port, 0xcf9);
	assert_int_equal(info.power.reset_value, 6);
	free(table);

	/* Revision 1 ends behind the flags: what is not there is zero. */
	table = make_table(body, 116 - 36);
	acpi_parse_defaults(&info);
	assert_int_equal(acpi_parse_fadt(table, &info), 0x7ffe0000);
	assert_false(info.power.reset_port_known);
	free(table);
	table = make_table("", 0);
	assert_int_equal(acpi_parse_fadt(table, &info), 0);
	free(table);
}

static void test_dsdt(void **state)
{
	static const uint8_t bytes[] = "xx\x08_S5_\x12\x0a\x04\x0a\x05\x0a\x07\x00\x00";
	static const uint8_t ops[] = "\x08_S5_\x12\x06\x04\x00\x01\x00\x00";
	static const uint8_t cut[] = {'_', 'S', '5', '_', 0x12, 0xc6, 1, 2};

	(void)state;
	parse(acpi_parse_dsdt, cut, sizeof(cut));
	parse(acpi_parse_dsdt, "", 0);
	parse(acpi_parse_dsdt, bytes, 12); /* ends within the package */
	assert_false(info.power.s5_known);
	parse(acpi_parse_dsdt, bytes, sizeof(bytes));
	assert_true(info.power.s5_known);
	assert_int_equal(info.power.s5_type_a, 5);
	assert_int_equal(info.power.s5_type_b, 7);
	parse(acpi_parse_dsdt, ops, sizeof(ops));
	assert_int_equal(info.power.s5_type_a, 0);
	assert_int_equal(info.power.s5_type_b, 1);
}

static void test_mcfg_and_hpet(void **state)
{
	uint8_t mcfg[8 + 32] = {0};
	uint8_t hpet[20] = {0};

	(void)state;
	memcpy(mcfg + 8, "\x00\x00\x00\xb0\x00\x00\x00\x00\x00\x00\x00\xff", 12);
	memcpy(mcfg + 24 + 10, "\x05\x04", 2); /* ends before it begins */
	parse(acpi_parse_mcfg, mcfg, sizeof(mcfg));
	parse(acpi_parse_mcfg, mcfg, sizeof(mcfg) - 17); /* not one whole entry */
	assert_int_equal(info.mcfg_count, 1);
	assert_int_equal(info.mcfg[0].phys, 0xb0000000);
	assert_int_equal(info.mcfg[0].last_bus, 255);
	assert_int_equal(info.faults, 1);

	memcpy(hpet + 8, "\x00\x00\xd0\xfe", 4);
	parse(acpi_parse_hpet, hpet, sizeof(hpet));
	assert_int_equal(info.hpet_phys, 0xfed00000);
}

/* Any bytes at all: the sanitizers are the judge. */
static void test_noise(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		uint8_t body[300];
		size_t size = rand() % sizeof(body);
		struct acpi_header *table;

		for (size_t i = 0; i < size; i++)
			body[i] = rand() % 4 ? rand() % 20 : rand();
		table = make_table(body, size);
		acpi_parse_defaults(&info);
		acpi_parse_madt(table, &info);
		acpi_parse_fadt(table, &info);
		acpi_parse_dsdt(table, &info);
		acpi_parse_hpet(table, &info);
		acpi_parse_mcfg(table, &info);
		free(table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rsdp, setup),
		cmocka_unit_test_setup(test_madt, setup),
		cmocka_unit_test_setup(test_madt_damaged, setup),
		cmocka_unit_test_setup(test_many_cpus, setup),
		cmocka_unit_test_setup(test_fadt, setup),
		cmocka_unit_test_setup(test_dsdt, setup),
		cmocka_unit_test_setup(test_mcfg_and_hpet, setup),
		cmocka_unit_test_setup(test_noise, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
