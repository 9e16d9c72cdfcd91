/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function's configuration space: bytes, and for each bit what a write does
 * to it. A guest's access is bounded here, whichever way it came.
 */
#ifndef DEVICES_PCI_PCI_CONFIG_H
#define DEVICES_PCI_PCI_CONFIG_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE	    256u
#define PCI_CONFIG_SIZE_EXT 4096u

/* One byte of the space. Bits that are in neither mask are read-only. */
struct pci_config_byte {
	uint8_t value;
	uint8_t initial;  /* value after a reset */
	uint8_t writable; /* these bits become what is written */
	uint8_t clear;	  /* of these, those that are written as 1 become 0 */
};

struct pci_config {
	size_t size; /* PCI_CONFIG_SIZE or PCI_CONFIG_SIZE_EXT */
	struct pci_config_byte *bytes;
};

/* All read-only, as @initial. 0 or -ENOMEM; freed by pci_config_free(). */
int pci_config_create(struct pci_config *config, const uint8_t *initial, size_t size) __must_check;
void pci_config_free(struct pci_config *config);
void pci_config_reset(struct pci_config *config);

/*
 * By a guest: @width 1, 2 or 4 at any @offset, all others and what reaches
 * beyond the end read all ones and are not written. Its user's lock is held.
 */
bool pci_config_inside(const struct pci_config *config, unsigned offset, unsigned width);
uint32_t pci_config_read(const struct pci_config *config, unsigned offset, unsigned width);
void pci_config_write(struct pci_config *config, unsigned offset, unsigned width, uint32_t value);

/*
 * By the bus itself, past the masks, at registers that are within the space:
 * the value now, the value after a reset, bits that are writable, bits that a
 * 1 clears; each is set as a whole.
 */
void pci_config_set(struct pci_config *config, unsigned offset, unsigned width, uint32_t value);
void pci_config_set_initial(struct pci_config *config, unsigned offset, unsigned width,
			    uint32_t value);
void pci_config_set_writable(struct pci_config *config, unsigned offset, unsigned width,
			     uint32_t mask);
void pci_config_set_clear(struct pci_config *config, unsigned offset, unsigned width,
			  uint32_t mask);

#endif
