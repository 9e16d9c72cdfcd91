/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/acpi_parse.h"

#include <string.h>

/* Fields lie unaligned; a field beyond the table's end reads 0, as in an older revision. */
static uint64_t field(const void *p, size_t limit, size_t offset, size_t size)
{
	uint64_t v = 0;

	if (offset <= limit && size <= limit - offset)
		memcpy(&v, (const uint8_t *)p + offset, size);
	return v;
}

bool acpi_parse_checksum(const void *p, size_t size)
{
	const uint8_t *bytes = p;
	uint8_t sum = 0;

	while (size--)
		sum += *bytes++;
	return sum == 0;
}

/* 5.2.5.3 */
uint64_t acpi_parse_rsdp(const uint8_t *rsdp, uint32_t size, unsigned *entry_size)
{
	uint64_t xsdt;

	if (size < 20 || memcmp(rsdp, "RSD PTR ", 8) || !acpi_parse_checksum(rsdp, 20))
		return 0;
	xsdt = field(rsdp, size, 24, 8);
	if (rsdp[15] >= 2 && xsdt && acpi_parse_checksum(rsdp, size)) {
		*entry_size = 8;
		return xsdt;
	}
	*entry_size = 4;
	return field(rsdp, size, 16, 4);
}

void acpi_parse_defaults(struct acpi_info *info)
{
	memset(info, 0, sizeof(*info));
	for (unsigned i = 0; i < ARRAY_SIZE(info->isa); i++)
		info->isa[i].gsi = i;
}

/* 5.2.12.2 and 5.2.12.12: some firmware lists a CPU in both forms. */
static void add_cpu(struct acpi_info *info, uint32_t apic_id, uint32_t flags)
{
	if (!(flags & 1))
		return;
	for (uint32_t i = 0; i < info->cpu_count; i++)
		if (info->cpu_apic_ids[i] == apic_id)
			return;
	if (info->cpu_count == CPU_MAX)
		info->cpus_beyond++;
	else
		info->cpu_apic_ids[info->cpu_count++] = apic_id;
}

static void add_ioapic(struct acpi_info *info, const uint8_t *e, size_t len)
{
	if (info->ioapic_count == ACPI_MAX_IOAPICS) {
		info->faults++;
		return;
	}
	info->ioapics[info->ioapic_count++] = (struct acpi_ioapic){
		.id = e[2],
		.phys = field(e, len, 4, 4),
		.gsi_base = field(e, len, 8, 4),
	};
}

/* 5.2.12.5. "Conforms to the bus" is edge and high on ISA. */
static void add_override(struct acpi_info *info, const uint8_t *e, size_t len)
{
	uint16_t flags = field(e, len, 8, 2);

	if (e[2] != 0 || e[3] >= ARRAY_SIZE(info->isa)) {
		info->faults++;
		return;
	}
	info->isa[e[3]] = (struct acpi_isa_irq){
		.gsi = field(e, len, 4, 4),
		.active_low = (flags & 3) == 3,
		.level = (flags >> 2 & 3) == 3,
	};
}

static void madt_entry(struct acpi_info *info, const uint8_t *e, size_t len)
{
	static const uint8_t min_length[] = {[0] = 8, [1] = 12, [2] = 10, [5] = 12, [9] = 16};

	if (e[0] < sizeof(min_length) && len < min_length[e[0]]) {
		info->faults++;
		return;
	}
	switch (e[0]) {
	case 0: /* local APIC; id 0xff is nobody */
		if (e[3] != 0xff)
			add_cpu(info, e[3], field(e, len, 4, 4));
		break;
	case 1:
		add_ioapic(info, e, len);
		break;
	case 2:
		add_override(info, e, len);
		break;
	case 5: /* local APIC address, 64-bit */
		info->lapic_phys = field(e, len, 4, 8);
		break;
	case 9: /* local x2APIC */
		add_cpu(info, field(e, len, 4, 4), field(e, len, 8, 4));
		break;
	}
}

/* 5.2.12 */
void acpi_parse_madt(const struct acpi_header *table, struct acpi_info *info)
{
	const uint8_t *e = (const uint8_t *)table + 44;
	const uint8_t *end = (const uint8_t *)table + table->length;

	if (table->length < 44) {
		info->faults++;
		return;
	}
	info->lapic_phys = field(table, table->length, 36, 4);
	info->have_8259 = field(table, table->length, 40, 4) & 1;
	while (end - e >= 2 && e[1] >= 2 && e[1] <= end - e) {
		madt_entry(info, e, e[1]);
		e += e[1];
	}
	if (e != end)
		info->faults++;
}

/* 5.2.3.2, Generic Address Structure: the port when it is in I/O space, else 0. */
static uint16_t gas_port(const struct acpi_header *table, size_t offset)
{
	uint64_t address = field(table, table->length, offset + 4, 8);

	if (field(table, table->length, offset, 1) != 1 || address > UINT16_MAX)
		return 0;
	return address;
}

/* 5.2.9, the old fields; the X_ ones that may replace them lie behind. */
uint64_t acpi_parse_fadt(const struct acpi_header *table, struct acpi_info *info)
{
	struct acpi_power *power = &info->power;
	uint32_t flags = field(table, table->length, 112, 4);
	uint64_t dsdt = field(table, table->length, 140, 8);

	power->smi_command = field(table, table->length, 48, 2);
	power->acpi_enable = field(table, table->length, 52, 1);
	power->pm1a_event = field(table, table->length, 56, 2);
	power->pm1a_control = field(table, table->length, 64, 2);
	power->pm1b_control = field(table, table->length, 68, 2);
	if (gas_port(table, 172))
		power->pm1a_control = gas_port(table, 172);
	if (gas_port(table, 184))
		power->pm1b_control = gas_port(table, 184);
	info->pm_timer_port = field(table, table->length, 76, 2);
	if (gas_port(table, 208))
		info->pm_timer_port = gas_port(table, 208);
	if (flags & BIT(10) && gas_port(table, 116)) {
		power->reset_port_known = true;
		power->reset_port = gas_port(table, 116);
		power->reset_value = field(table, table->length, 128, 1);
	}
	return dsdt ? dsdt : field(table, table->length, 40, 4);
}

/* A small integer constant of AML (20.2.3) at @p; moves *@p behind it. */
static bool aml_byte(const uint8_t **p, const uint8_t *end, uint8_t *value)
{
	const uint8_t *at = *p;

	if (at < end && at[0] <= 1) { /* ZeroOp, OneOp */
		*value = at[0];
		*p = at + 1;
		return true;
	}
	if (end - at >= 2 && at[0] == 0x0a) { /* BytePrefix */
		*value = at[1];
		*p = at + 2;
		return true;
	}
	return false;
}

/*
 * \_S5 is a package of constants on every machine, so it is found by its name
 * and read in place: PackageOp, length of 1-4 bytes, element count, elements
 * (20.2.5.4).
 */
void acpi_parse_dsdt(const struct acpi_header *table, struct acpi_info *info)
{
	const uint8_t *p = (const uint8_t *)(table + 1);
	const uint8_t *end = (const uint8_t *)table + table->length;
	struct acpi_power *power = &info->power;

	for (; end - p >= 8; p++) {
		const uint8_t *at = p + 6;

		if (memcmp(p, "_S5_\x12", 5))
			continue;
		at += p[5] >> 6; /* how many bytes of length follow the first */
		if (end - at < 2 || *at++ < 2)
			continue;
		if (!aml_byte(&at, end, &power->s5_type_a) ||
		    !aml_byte(&at, end, &power->s5_type_b))
			continue;
		power->s5_known = true;
		return;
	}
}

/* IA-PC HPET Specification 1.0a, 3.2.4; only in memory space. */
void acpi_parse_hpet(const struct acpi_header *table, struct acpi_info *info)
{
	if (field(table, table->length, 40, 1) == 0)
		info->hpet_phys = field(table, table->length, 44, 8);
}

void acpi_parse_mcfg(const struct acpi_header *table, struct acpi_info *info)
{
	for (size_t at = 44; at + 16 <= table->length; at += 16) {
		struct acpi_mcfg mcfg = {
			.phys = field(table, table->length, at, 8),
			.segment = field(table, table->length, at + 8, 2),
			.first_bus = field(table, table->length, at + 10, 1),
			.last_bus = field(table, table->length, at + 11, 1),
		};

		if (mcfg.last_bus < mcfg.first_bus || info->mcfg_count == ACPI_MAX_MCFG)
			info->faults++;
		else
			info->mcfg[info->mcfg_count++] = mcfg;
	}
}
