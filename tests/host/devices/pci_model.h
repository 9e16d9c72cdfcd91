/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI's decoding, by the registers alone and one address at a time. */
#ifndef TESTS_HOST_DEVICES_PCI_MODEL_H
#define TESTS_HOST_DEVICES_PCI_MODEL_H

#include "devices/pci/pci_bus.h"

/* Who has byte @at: what begins first, then the older function's, then the lower number. */
const struct pci_region *pci_model_owner(const struct pci_root *root, bool io, uint64_t at);

#endif
