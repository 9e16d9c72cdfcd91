/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/acpi.h"

#include "arch/x86_64/acpi_parse.h"
#include "arch/x86_64/host.h"
#include "arch/x86_64/paging.h"

#include <errno.h>
#include <string.h>

#define ACPI_MAX_TABLES 128
#define ACPI_MAX_LENGTH (4 << 20) /* the largest DSDTs are a tenth of it */

struct acpi_info acpi_info;

static const struct acpi_header *tables[ACPI_MAX_TABLES];
static uint32_t table_count;

/* Tables mostly lie in the direct map, but some firmware keeps them in reserved memory. */
static const void *reach(uint64_t phys, size_t size)
{
	uint64_t at = ALIGN_DOWN(phys, (uint64_t)4096);

	for (; at < phys + size; at += 4096)
		if (!paging_lookup(DIRECT_BASE + at, NULL))
			return paging_map_device(phys, size, PAGING_WB);
	return paging_direct(phys);
}

/* The table at @phys, or NULL and a word about why. */
static const struct acpi_header *map_table(uint64_t phys)
{
	const struct acpi_header *head;

	if (!phys || phys > DIRECT_SLOTS * (UINT64_C(1) << 39))
		return NULL;
	head = reach(phys, sizeof(*head));
	if (!head)
		return NULL;
	if (head->length < sizeof(*head) || head->length > ACPI_MAX_LENGTH) {
		arch_host.warn("acpi: table at %#llx has length %u; ignored",
			       (unsigned long long)phys, head->length);
		return NULL;
	}
	head = reach(phys, head->length);
	if (head && !acpi_parse_checksum(head, head->length)) {
		arch_host.warn("acpi: table %.4s has a wrong checksum; ignored", head->signature);
		return NULL;
	}
	return head;
}

static void map_tables(const struct acpi_header *root, unsigned entry_size)
{
	const uint8_t *e = (const uint8_t *)(root + 1);
	const uint8_t *end = (const uint8_t *)root + root->length;

	for (; end - e >= (ptrdiff_t)entry_size; e += entry_size) {
		const struct acpi_header *table;
		uint64_t phys = 0;

		memcpy(&phys, e, entry_size);
		table = map_table(phys);
		if (table && table_count < ACPI_MAX_TABLES)
			tables[table_count++] = table;
		else
			acpi_info.faults++;
	}
}

const struct acpi_header *acpi_find(const char *signature, unsigned index)
{
	for (uint32_t i = 0; i < table_count; i++)
		if (!memcmp(tables[i]->signature, signature, 4) && !index--)
			return tables[i];
	return NULL;
}

static void parse_tables(struct acpi_info *info)
{
	const struct acpi_header *table;

	table = acpi_find("APIC", 0);
	if (table)
		acpi_parse_madt(table, info);
	table = acpi_find("HPET", 0);
	if (table)
		acpi_parse_hpet(table, info);
	table = acpi_find("MCFG", 0);
	if (table)
		acpi_parse_mcfg(table, info);
	table = acpi_find("FACP", 0);
	if (table) {
		table = map_table(acpi_parse_fadt(table, info));
		if (table)
			acpi_parse_dsdt(table, info);
	}
}

int acpi_init(const uint8_t *rsdp, uint32_t size)
{
	const struct acpi_header *root;
	unsigned entry_size;

	acpi_parse_defaults(&acpi_info);
	if (!size)
		return -ENOENT;
	root = map_table(acpi_parse_rsdp(rsdp, size, &entry_size));
	if (!root)
		return -EINVAL;
	map_tables(root, entry_size);
	parse_tables(&acpi_info);
	acpi_info.present = true;
	return 0;
}
