/* SPDX-License-Identifier: BSD-2-Clause */
/* One function with a BAR of each kind, and what a guest sees of it. */
#ifndef TESTS_HOST_DEVICES_PCI_CARD_H
#define TESTS_HOST_DEVICES_PCI_CARD_H

#include "tests/host/devices/pci_world.h"

#define DEVFN	  PCI_DEVFN(3, 0)
#define BAR(n)	  (PCI_BAR0 + 4 * (n))
#define IO_SIZE	  0x20u	  /* BAR 0 */
#define MEM_SIZE  0x1000u /* BARs 1 and 4, this one prefetchable */
#define WIDE_SIZE 0x4000u /* BAR 2, prefetchable */
#define ROM_SIZE  0x10000u

extern struct world_function *w; /* the card; made by card_setup(), not added */
extern struct pci_bus *bus;	 /* the root's */

int card_setup(void **state);
int card_teardown(void **state);
/* With its BARs, as DEVFN. */
void add_card(void);
/* A reset of the VM: addresses and decoding as firmware leaves them. The story begins anew. */
void power_on(void);
/* What the registers say. */
uint64_t bar_address(unsigned n);
/* A read there makes this story. */
void check_memory(uint64_t gpa, const char *story);
void check_port(uint16_t port, const char *story);
/* It is refused for that reason, and as if it had not been asked for; the description begins anew.
 */
void check_refused(const char *why);

#endif
