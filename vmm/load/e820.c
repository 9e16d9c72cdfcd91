/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory map that firmware would tell, from the VM's RAM and the fixed
 * places of a PC.
 */
#include "vmm/guest_memory.h"
#include "vmm/loader.h"
#include "vmm/vm.h"

#define E820_EBDA      UINT64_C(0x9fc00)
#define E820_BIOS      UINT64_C(0xe0000) /* ACPI tables; firmware, on a machine that has one */
#define E820_HIGH      UINT64_C(0x100000)
#define E820_CHIPS     UINT64_C(0xfec00000) /* I/O APIC and local APIC */
#define E820_CHIPS_END UINT64_C(0xfef00000)

static void e820_add(struct e820_entry *entries, size_t max, size_t *n, uint64_t start,
		     uint64_t end, uint32_t type)
{
	if (*n < max && start < end)
		entries[(*n)++] = (struct e820_entry){start, end - start, type};
}

size_t guest_e820(struct vm *vm, struct e820_entry *entries, size_t max)
{
	const struct guest_memory *m = vm->memory;
	size_t n = 0;

	e820_add(entries, max, &n, 0, E820_EBDA, E820_RAM);
	e820_add(entries, max, &n, E820_EBDA, GUEST_VGA_BASE, E820_RESERVED);
	e820_add(entries, max, &n, E820_BIOS, E820_HIGH, E820_RESERVED);
	e820_add(entries, max, &n, E820_HIGH, m->low_end, E820_RAM);
	e820_add(entries, max, &n, GUEST_PCI_CONFIG, GUEST_PCI_CONFIG + GUEST_PCI_CONFIG_SIZE,
		 E820_RESERVED);
	e820_add(entries, max, &n, E820_CHIPS, E820_CHIPS_END, E820_RESERVED);
	e820_add(entries, max, &n, GUEST_HIGH_BASE, m->high_end, E820_RAM);
	return n;
}
