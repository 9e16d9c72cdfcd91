/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function's configuration space: bytes, and for each bit what a write does
 * to it. A guest's access is bounded here, whichever way it came.
 */
#ifndef DEVICES_PCI_PCI_CONFIG_H
#define DEVICES_PCI_PCI_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE 256u

/* One register. Bits that are in neither mask are read-only. */
struct pci_field {
	uint8_t offset;
	uint8_t width;	   /* bytes, 1 to 4; it ends within the space */
	uint32_t value;	   /* after a reset */
	uint32_t writable; /* these become what is written */
	uint32_t clear;	   /* of these, those that are written as 1 become 0 */
};

struct pci_config {
	uint8_t value[PCI_CONFIG_SIZE];
	uint8_t initial[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t clear[PCI_CONFIG_SIZE];
};

/* @config was all zero, which is read-only zeros, or other registers were defined before. */
void pci_config_define(struct pci_config *config, const struct pci_field *fields, size_t count);
void pci_config_reset(struct pci_config *config);

/*
 * By a guest: @width 1, 2 or 4 at any @offset, all others and what reaches
 * beyond the end read all ones and are not written. Its user's lock is held.
 */
uint32_t pci_config_read(const struct pci_config *config, unsigned offset, unsigned width);
void pci_config_write(struct pci_config *config, unsigned offset, unsigned width, uint32_t value);

#endif
