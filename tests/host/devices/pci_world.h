/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI bus in the stand-in of a VM, functions that write down what they are
 * told, and a guest's accesses to them.
 */
#ifndef TESTS_HOST_DEVICES_PCI_WORLD_H
#define TESTS_HOST_DEVICES_PCI_WORLD_H

#include "devices/pci/pci_bus.h"
#include "devices/pci/pci_regs.h"
#include "tests/host/devices/fake.h"

#define WORLD_ECAM 0xe0000000u

/* A function's device. Its BARs are read as what was written there last, and told of. */
struct world_function {
	struct device dev;
	struct pci_function_desc desc;
	uint8_t config[PCI_CONFIG_SIZE_EXT];
	struct pci_function *f;
	char story[1024]; /* what it was told, since it was last asked for */
	uint64_t last;	  /* value of the last write */
};

/* Messages that were sent, oldest first; taken by world_message(). */
bool world_message(uint64_t *address, uint32_t *data);

/* A VM with pci0 in it; and its end, with all functions. */
void world_start(void);
void world_end(void);
struct pci_bus *world_bus(const char *id); /* of device @id */

/* A new function's device, called @id: 1234:0001, no BAR, pin A. */
struct world_function *world_function(const char *id);
/* Gives it a capability of @size bytes at @at, before those that it has. */
void world_cap(struct world_function *w, uint8_t at, uint8_t id);
void world_bar(struct world_function *w, unsigned number, struct pci_bar bar);
int world_add(struct world_function *w, struct pci_bus *bus, uint8_t devfn);
/* As its device going: gives back what add took. */
void world_remove(struct world_function *w);
/* Its story, which begins anew; valid until the next call. */
const char *world_story(struct world_function *w);

/* By mechanism #1: @address as pci_root_read()'s. */
uint32_t config_in(uint16_t address, unsigned offset, unsigned width);
void config_out(uint16_t address, unsigned offset, unsigned width, uint32_t value);
/* By memory. */
uint64_t ecam_in(uint16_t address, unsigned offset, unsigned width);
void ecam_out(uint16_t address, unsigned offset, unsigned width, uint64_t value);

#endif
