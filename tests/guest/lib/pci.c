/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guest/lib/pci.h"

#define ADDRESS 0xcf8
#define DATA	0xcfc
#define ENABLE	0x80000000u

#define BAR_IO	 0x1u
#define BAR_WIDE 0x4u

static void pci_select(uint32_t function, unsigned offset)
{
	outl(ADDRESS, ENABLE | function << 8 | (offset & 0xfc));
}

uint32_t pci_read(uint32_t function, unsigned offset, unsigned width)
{
	uint16_t port = (uint16_t)(DATA + (offset & 3));

	pci_select(function, offset);
	return width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
}

void pci_write(uint32_t function, unsigned offset, unsigned width, uint32_t value)
{
	uint16_t port = (uint16_t)(DATA + (offset & 3));

	pci_select(function, offset);
	if (width == 1)
		outb(port, (uint8_t)value);
	else if (width == 2)
		outw(port, (uint16_t)value);
	else
		outl(port, value);
}

uint32_t pci_find(uint32_t id)
{
	uint32_t function;

	for (function = 0; function < 256; function++)
		if (pci_read(function, PCI_ID, 4) == id)
			return function;
	return PCI_NONE;
}

unsigned pci_cap(uint32_t function, uint8_t id)
{
	unsigned at = pci_read(function, PCI_CAPABILITIES, 1) & 0xfc, i;

	for (i = 0; at && i < 48; i++) {
		if (pci_read(function, at, 1) == id)
			return at;
		at = pci_read(function, at + 1, 1) & 0xfc;
	}
	return 0;
}

uint64_t pci_bar(uint32_t function, unsigned bar)
{
	uint32_t low = pci_read(function, PCI_BAR(bar), 4);

	if (low & BAR_IO)
		return low & ~3u;
	if (low & BAR_WIDE)
		return (uint64_t)pci_read(function, PCI_BAR(bar + 1), 4) << 32 | (low & ~15u);
	return low & ~15u;
}

void pci_set_bar(uint32_t function, unsigned bar, uint64_t address)
{
	uint32_t low = pci_read(function, PCI_BAR(bar), 4);

	pci_write(function, PCI_BAR(bar), 4, (uint32_t)address);
	if (!(low & BAR_IO) && low & BAR_WIDE)
		pci_write(function, PCI_BAR(bar + 1), 4, (uint32_t)(address >> 32));
}

uint64_t pci_bar_size(uint32_t function, unsigned bar)
{
	uint32_t command = pci_read(function, PCI_COMMAND, 2);
	uint32_t low = pci_read(function, PCI_BAR(bar), 4);
	uint64_t was = pci_bar(function, bar), mask;

	pci_write(function, PCI_COMMAND, 2, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEM));
	pci_set_bar(function, bar, UINT64_MAX);
	mask = pci_bar(function, bar);
	pci_set_bar(function, bar, was);
	pci_write(function, PCI_COMMAND, 2, command);
	return low & BAR_IO || !(low & BAR_WIDE) ? (uint32_t) - (uint32_t)mask : -mask;
}

void pci_command(uint32_t function, uint16_t set, uint16_t clear)
{
	pci_write(function, PCI_COMMAND, 2,
		  (pci_read(function, PCI_COMMAND, 2) & ~(uint32_t)clear) | set);
}

#define GIB	     (UINT64_C(1) << 30)
#define MIB_2	     (UINT64_C(1) << 21)
#define PAGE_LARGE   0x83u /* present, writable, 2 MiB */
#define PAGE_NOCACHE 0x10u
#define PAGE_TABLE   0x3u
#define TABLES_MAX   4
#define ENTRIES	     512

void guest_map_gib(uint64_t gpa)
{
	static uint64_t tables[TABLES_MAX][ENTRIES] __aligned(4096);
	static unsigned used;
	uint64_t cr3, *pml4, *pdpt;
	unsigned i, at = (unsigned)(gpa / GIB);

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	pml4 = (uint64_t *)cr3;
	pdpt = (uint64_t *)(pml4[0] & ~UINT64_C(0xfff));
	if (at >= ENTRIES || pdpt[at])
		return;
	if (used == TABLES_MAX)
		guest_fail("no table left to map 0x%llx", (unsigned long long)gpa);
	if (used == TABLES_MAX)
		return;
	for (i = 0; i < ENTRIES; i++)
		tables[used][i] = (at * GIB + i * MIB_2) | PAGE_LARGE | PAGE_NOCACHE;
	pdpt[at] = (uintptr_t)tables[used++] | PAGE_TABLE;
	__asm__ volatile("mov %0, %%cr3" ::"r"(cr3) : "memory");
}

uint64_t memory_read(uint64_t address, unsigned width)
{
	switch (width) {
	case 1:
		return *(volatile uint8_t *)address;
	case 2:
		return *(volatile uint16_t *)address;
	case 4:
		return *(volatile uint32_t *)address;
	}
	return *(volatile uint64_t *)address;
}

void memory_write(uint64_t address, unsigned width, uint64_t value)
{
	switch (width) {
	case 1:
		*(volatile uint8_t *)address = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)address = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)address = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)address = value;
	}
}
