/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's reset and power switches. */
#ifndef ARCH_X86_64_MACHINE_H
#define ARCH_X86_64_MACHINE_H

/* Each returns when the machine has not done it. Interrupts off, after acpi_init(). */
void machine_reset(void);
void machine_off(void);

#endif
