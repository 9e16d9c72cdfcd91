/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's static ACPI tables (ACPI Specification 6.5, chapter 5.2). The
 * firmware's words are checked: lengths are bounded, checksums must fit, and
 * what is wrong is reported and left out. AML is not interpreted.
 */
#ifndef ARCH_X86_64_ACPI_H
#define ARCH_X86_64_ACPI_H

#include "arch/x86_64/percpu.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_MAX_IOAPICS 16
#define ACPI_MAX_MCFG	 16

/* 5.2.6: every table begins with it. */
struct acpi_header {
	char signature[4];
	uint32_t length; /* of the whole table */
	uint8_t revision;
	uint8_t checksum; /* all bytes add up to 0 */
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	uint32_t creator_id;
	uint32_t creator_revision;
};
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.5, 5.2.6");

struct acpi_ioapic {
	uint8_t id;
	uint32_t phys;
	uint32_t gsi_base; /* the number of its first input */
};

/* Where an ISA interrupt really goes (5.2.12.5); the identity where nothing is said. */
struct acpi_isa_irq {
	uint32_t gsi;
	bool level;	 /* else edge */
	bool active_low; /* else high */
};

/* A stretch of configuration space in memory (PCI Firmware Specification 3.2, 4.1.2). */
struct acpi_mcfg {
	uint64_t phys; /* of bus 0, even when that is not in it */
	uint16_t segment;
	uint8_t first_bus, last_bus;
};

/* Ready-made from the FADT and the DSDT; a port of 0 is not there. */
struct acpi_power {
	uint16_t pm1a_control, pm1b_control;
	uint16_t pm1a_event;
	uint16_t smi_command;
	uint8_t acpi_enable;
	bool s5_known;
	uint8_t s5_type_a, s5_type_b; /* SLP_TYP values of \_S5 */
	bool reset_port_known;	      /* only in I/O space: what PCs have */
	uint16_t reset_port;
	uint8_t reset_value;
};

struct acpi_info {
	bool present;
	uint64_t lapic_phys; /* 0: not told */
	uint32_t cpu_apic_ids[CPU_MAX];
	uint32_t cpu_count;   /* enabled ones, in the table's order */
	uint32_t cpus_beyond; /* more than CPU_MAX: not in the list */
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	uint32_t ioapic_count;
	struct acpi_isa_irq isa[16];
	bool have_8259;
	uint16_t pm_timer_port; /* 0: none */
	uint64_t hpet_phys;	/* 0: none */
	struct acpi_mcfg mcfg[ACPI_MAX_MCFG];
	uint32_t mcfg_count;
	struct acpi_power power;
	uint32_t faults; /* tables and entries that made no sense */
};

extern struct acpi_info acpi_info;

/*
 * Reads all tables from the copy of the RSDP on; what is found is in acpi_info.
 * 0, -ENOENT (no RSDP), -EINVAL (RSDP or root table damaged). Boot CPU, once.
 */
int __must_check acpi_init(const uint8_t *rsdp, uint32_t size);

/* The @index-th table of that signature, mapped for good and with good checksum, or NULL. */
const struct acpi_header *acpi_find(const char *signature, unsigned index);

#endif
