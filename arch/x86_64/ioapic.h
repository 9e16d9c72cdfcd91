/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's I/O APICs (Intel 82093AA data sheet, chapter 3). */
#ifndef ARCH_X86_64_IOAPIC_H
#define ARCH_X86_64_IOAPIC_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/* Maps those that acpi_info lists and masks all their inputs. Boot CPU, once. */
void ioapic_init(void);
/* Inputs of all of them together, for the log. */
uint32_t ioapic_inputs(void);

/* Input @gsi goes to @vector of CPU @apic_id (below 256), unmasked. -ENODEV: no such input. */
int __must_check ioapic_route(uint32_t gsi, uint8_t vector, uint32_t apic_id, bool level,
			      bool active_low);

#endif
