/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's memory that is a device's, for those that pass it to a guest. */
#ifndef DRIVERS_DEVICE_MEMORY_H
#define DRIVERS_DEVICE_MEMORY_H

#include "lib/compiler.h"

#include <stdint.h>

/*
 * Our address of [@phys, @phys + @size), uncached, to @*memory; it stays mapped for good, and
 * is the same the next time. -EPERM: RAM, ACPI's tables, a module, PCI's
 * configuration, or registers that we use; -ENOMEM. @*why says which, as the end of a sentence.
 * Task.
 */
int device_memory_map(uint64_t phys, uint64_t size, volatile void **memory,
		      const char **why) __must_check;

/* One access of @width 1, 2, 4 or 8 bytes, of any alignment, by one instruction. Any CPU. */
uint64_t device_memory_read(const volatile void *at, unsigned width);
void device_memory_write(volatile void *at, unsigned width, uint64_t value);

#endif
