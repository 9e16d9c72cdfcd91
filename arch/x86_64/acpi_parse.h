/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One function a table: bytes in, acpi_info out. Pure, so that host tests and
 * fuzzers reach it. Each gets a table whose length is true to its buffer.
 */
#ifndef ARCH_X86_64_ACPI_PARSE_H
#define ARCH_X86_64_ACPI_PARSE_H

#include "arch/x86_64/acpi.h"

bool acpi_parse_checksum(const void *p, size_t size);
/* The physical address of the RSDT or XSDT, 0 for a damaged RSDP; the width of its entries. */
uint64_t acpi_parse_rsdp(const uint8_t *rsdp, uint32_t size, unsigned *entry_size);

void acpi_parse_defaults(struct acpi_info *info);
void acpi_parse_madt(const struct acpi_header *table, struct acpi_info *info);
/* Returns the physical address of the DSDT, 0 if it is not told. */
uint64_t acpi_parse_fadt(const struct acpi_header *table, struct acpi_info *info);
void acpi_parse_dsdt(const struct acpi_header *table, struct acpi_info *info);
void acpi_parse_hpet(const struct acpi_header *table, struct acpi_info *info);
void acpi_parse_mcfg(const struct acpi_header *table, struct acpi_info *info);

#endif
