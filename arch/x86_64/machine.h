/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's reset and power switches. */
#ifndef ARCH_X86_64_MACHINE_H
#define ARCH_X86_64_MACHINE_H

#include <stdbool.h>

/* Each returns when the machine has not done it. Interrupts off, after acpi_init(). */
void machine_reset(void);
void machine_off(void);
/* Whether machine_off() knows how. After acpi_init(). */
bool machine_can_off(void);

#endif
