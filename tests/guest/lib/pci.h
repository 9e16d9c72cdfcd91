/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions as a driver uses them, by configuration mechanism #1 (PCI Local
 * Bus Specification 3.0). A function is its address: bus, device, function.
 */
#ifndef TESTS_GUEST_LIB_PCI_H
#define TESTS_GUEST_LIB_PCI_H

#include "tests/guest/lib/guest.h"

#define PCI_NONE UINT32_MAX

#define PCI_ID		   0x00
#define PCI_COMMAND	   0x04
#define PCI_COMMAND_IO	   0x0001
#define PCI_COMMAND_MEM	   0x0002
#define PCI_COMMAND_BUS	   0x0004
#define PCI_COMMAND_NOINTX 0x0400
#define PCI_STATUS	   0x06
#define PCI_STATUS_INTX	   0x0008
#define PCI_CLASS	   0x08
#define PCI_BAR(n)	   (0x10u + 4 * (n))
#define PCI_SUBSYSTEM	   0x2c
#define PCI_ROM		   0x30
#define PCI_CAPABILITIES   0x34
#define PCI_INTERRUPT	   0x3c

#define PCI_CAP_PM     0x01
#define PCI_CAP_MSI    0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

#define PCI_MSG_ADDRESS 0xfee00000u /* to the boot CPU */

uint32_t pci_read(uint32_t function, unsigned offset, unsigned width);
void pci_write(uint32_t function, unsigned offset, unsigned width, uint32_t value);
/* The first with this id (device in the upper half) on bus 0, or PCI_NONE. */
uint32_t pci_find(uint32_t id);
/* Offset of its first capability @id, or 0. */
unsigned pci_cap(uint32_t function, uint8_t id);

/* Memory or port, as the register says; 64-bit ones whole. */
uint64_t pci_bar(uint32_t function, unsigned bar);
void pci_set_bar(uint32_t function, unsigned bar, uint64_t address);
/* By writing all ones, with decoding off meanwhile; the address stays. */
uint64_t pci_bar_size(uint32_t function, unsigned bar);
void pci_command(uint32_t function, uint16_t set, uint16_t clear);

/* One access of 1, 2, 4 or 8 bytes. */
uint64_t memory_read(uint64_t address, unsigned width);
void memory_write(uint64_t address, unsigned width, uint64_t value);

/* Makes 1 GiB of guest-physical memory around @gpa, beyond 4 GiB, accessible at its address. */
void guest_map_gib(uint64_t gpa);

#endif
