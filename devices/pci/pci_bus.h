/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's PCI bus: which functions there are, and accesses to their
 * configuration, by whatever mechanism the guest makes them. Devices find it
 * as PCI_BUS_KIND of the device that has it.
 *
 * Accesses come from any vCPU. They find a function without a lock and take
 * its own; functions come and go as other resources of devices do.
 */
#ifndef DEVICES_PCI_PCI_BUS_H
#define DEVICES_PCI_PCI_BUS_H

#include "devices/pci/pci_config.h"
#include "kernel/spinlock.h"
#include "lib/compiler.h"

#include <stdint.h>

#define PCI_BUS_KIND "pci-bus"

#define PCI_DEVFNS	 256u /* 32 devices of 8 functions each */
#define PCI_DEVFN(d, fn) ((uint8_t)((d) << 3 | (fn)))

struct device;
struct pci_bus;

/* In its device's state; `config` is the device's to define before it is registered. */
struct pci_function {
	struct spinlock lock; /* config */
	struct pci_config config;
	/* pci_function_register()'s */
	const struct device *dev;
	struct pci_bus *bus;
	uint8_t devfn;
};

struct pci_bus {
	struct pci_function *functions[PCI_DEVFNS]; /* by devfn; NULL: absent */
};

/*
 * Makes @function of @dev visible as @devfn of @bus, until @dev goes. -EBUSY:
 * there is one, logged with both devices. -ENOMEM.
 */
int pci_function_register(struct device *dev, struct pci_bus *bus, uint8_t devfn,
			  struct pci_function *function) __must_check;
/* To power-on state. */
void pci_function_reset(struct pci_function *function);

/*
 * The configuration of function @address: bus number in bits 15:8, devfn in
 * bits 7:0, as all mechanisms have it. Absent functions read all ones.
 */
uint32_t pci_bus_read(const struct pci_bus *bus, uint16_t address, unsigned offset, unsigned width);
void pci_bus_write(const struct pci_bus *bus, uint16_t address, unsigned offset, unsigned width,
		   uint32_t value);

#endif
