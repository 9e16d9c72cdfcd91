/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables: their layouts (ACPI 6.4, 5.2) and the image that they are built
 * in, between acpi.c (the device), acpi_tables.c and acpi_dsdt.c.
 */
#ifndef DEVICES_CHIPSET_ACPI_TABLES_H
#define DEVICES_CHIPSET_ACPI_TABLES_H

#include "devices/acpi_node.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum; /* of the first 20 bytes */
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved[3];
} __packed;
_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 6.4, table 5.3");

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __packed;
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.4, table 5.4");

struct acpi_address {
	uint8_t space; /* 1: I/O ports */
	uint8_t bits, offset;
	uint8_t access; /* 1 byte, 2 word, 3 dword */
	uint64_t address;
} __packed;
_Static_assert(sizeof(struct acpi_address) == 12, "ACPI 6.4, table 5.1");

struct acpi_facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware, waking, lock, flags;
	uint64_t x_waking;
	uint8_t version;
	uint8_t reserved[31];
} __packed;
_Static_assert(sizeof(struct acpi_facs) == 64, "ACPI 6.4, table 5.12");

struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, timer;
	uint32_t gpe0, gpe1;
	uint8_t pm1_event_length, pm1_control_length, pm2_control_length, timer_length;
	uint8_t gpe0_length, gpe1_length, gpe1_base, cst;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint16_t arm_boot_flags;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct acpi_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
	struct acpi_address x_pm2_control, x_timer, x_gpe0, x_gpe1;
	struct acpi_address sleep_control, sleep_status;
} __packed;
_Static_assert(offsetof(struct acpi_fadt, sci) == 46, "ACPI 6.4, table 5.9");
_Static_assert(offsetof(struct acpi_fadt, gpe0) == 80, "ACPI 6.4, table 5.9");
_Static_assert(offsetof(struct acpi_fadt, boot_flags) == 109, "ACPI 6.4, table 5.9");
_Static_assert(offsetof(struct acpi_fadt, x_dsdt) == 140, "ACPI 6.4, table 5.9");
_Static_assert(sizeof(struct acpi_fadt) == 268, "ACPI 6.4, table 5.9, without hypervisor id");

struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic;
	uint32_t flags;
} __packed;

struct acpi_madt_lapic {
	uint8_t type, length, uid, id;
	uint32_t flags;
} __packed;
_Static_assert(sizeof(struct acpi_madt_lapic) == 8, "ACPI 6.4, table 5.21");

struct acpi_madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} __packed;
_Static_assert(sizeof(struct acpi_madt_ioapic) == 12, "ACPI 6.4, table 5.24");

struct acpi_madt_override {
	uint8_t type, length, bus, irq;
	uint32_t gsi;
	uint16_t flags;
} __packed;
_Static_assert(sizeof(struct acpi_madt_override) == 10, "ACPI 6.4, table 5.25");

struct acpi_madt_nmi {
	uint8_t type, length, uid;
	uint16_t flags;
	uint8_t lint;
} __packed;
_Static_assert(sizeof(struct acpi_madt_nmi) == 6, "ACPI 6.4, table 5.28");

/* PCI Firmware Specification 3.2, 4.1.2: where configurations are in memory. */
struct acpi_mcfg {
	struct acpi_header header;
	uint8_t reserved[8];
	uint64_t base;
	uint16_t segment;
	uint8_t bus_first, bus_last;
	uint8_t reserved_2[4];
} __packed;
_Static_assert(sizeof(struct acpi_mcfg) == 60, "PCI Firmware 3.2, tables 4-2 and 4-3");

#define ACPI_MAX_NODES	 64
#define ACPI_MAX_IOAPICS 4

/* What there is to tell. */
struct acpi_machine {
	uint32_t cpus;
	const struct acpi_pm *pm;
	const struct acpi_reset *reset;
	const struct acpi_lapic *lapic;
	const struct acpi_pci *pci;
	const struct acpi_hotplug *hotplug;
	const struct acpi_ioapic *ioapics[ACPI_MAX_IOAPICS];
	size_t ioapic_count;
	const struct acpi_node *nodes[ACPI_MAX_NODES];
	size_t node_count;
	bool too_many; /* some did not fit */
};

/* Tables under construction; those that refer to others do so by addresses from `base`. */
struct acpi_image {
	uint8_t *data; /* zeroed */
	size_t size, used;
	uint64_t base; /* guest-physical, of data[0] */
	bool overflow;
};

struct aml;
/* Behind PCI0, in \\_SB. */
void acpi_put_hotplug(struct aml *a, const struct acpi_hotplug *hotplug);
/* The bytes of the DSDT, header included, its checksum not yet. */
size_t acpi_dsdt_build(const struct acpi_machine *m, uint8_t *buf, size_t size, bool *overflow);
/* Of the DSDT, PCI's: outside of all scopes, and within \_SB. */
struct aml;
void acpi_put_pic(struct aml *a);
void acpi_put_pci(struct aml *a, const struct acpi_pci *pci);
/* A header for @signature; length and checksum are acpi_seal()'s. */
void acpi_header_init(struct acpi_header *header, const char *signature, uint8_t revision);
/* All tables, the RSDP first. -ENOSPC: @image is too small. */
int acpi_image_build(struct acpi_image *image, const struct acpi_machine *m) __must_check;

#endif
