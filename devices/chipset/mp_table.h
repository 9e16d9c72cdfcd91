/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MultiProcessor table (MultiProcessor Specification 1.4, 4), for kernels
 * that know no ACPI: xv6, JOS, MINIX, old BSDs.
 */
#ifndef DEVICES_CHIPSET_MP_TABLE_H
#define DEVICES_CHIPSET_MP_TABLE_H

#include "devices/chipset/acpi_tables.h"

/*
 * The floating pointer and the table into @image, whose base is in the BIOS
 * area, where kernels search. -ENOSPC: it is too small.
 */
int mp_table_build(struct acpi_image *image, const struct acpi_machine *m) __must_check;

#endif
