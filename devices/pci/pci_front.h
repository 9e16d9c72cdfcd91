/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of PCI's front-end: pci_front.c, and pci_front_make.c, which makes it. */
#ifndef DEVICES_PCI_PCI_FRONT_H
#define DEVICES_PCI_PCI_FRONT_H

#include "devices/hostdev/host_device.h"
#include "devices/pci/pci_function.h"

#include <stdbool.h>
#include <stdint.h>

#define PCI_FRONT_CONFIG_MAX 4096u

struct boot_module;
struct device;

struct pci_front;
struct pci_front_region {
	struct pci_front *front;
	unsigned number;
};

/* All of it is made by create() and then constant, but for `function`. */
struct pci_front {
	struct device *dev;
	struct host_device *hd;	       /* NULL while it is opened */
	struct pci_function *function; /* NULL: not shown (yet) */
	struct pci_front_region regions[PCI_BARS];
	const struct boot_module *rom; /* instead of the host device's; or NULL */
	/* The bytes of the configuration space that the bus keeps; others are the host device's. */
	uint8_t bus_has[PCI_FRONT_CONFIG_MAX / 8];
};

extern const struct host_front_ops pci_front_host_ops;
extern const struct pci_function_ops pci_front_function_ops;
/* Of BARs, and of the ROM: the host device's, the module's. Their opaque is a struct
 * pci_front_region, and the front. */
extern const struct hook_ops pci_front_bar_ops, pci_front_rom_ops, pci_front_module_ops;

#endif
