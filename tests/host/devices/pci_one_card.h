/* SPDX-License-Identifier: BSD-2-Clause */
/* For a test: PCI's world with one function at 03.0, which masters the bus once add() was called.
 */
#ifndef TESTS_HOST_DEVICES_PCI_ONE_CARD_H
#define TESTS_HOST_DEVICES_PCI_ONE_CARD_H

#include "tests/host/devices/pci_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define DEVFN PCI_DEVFN(3, 0)

static struct world_function *w;
static struct pci_bus *bus;

static int setup(void **state)
{
	(void)state;
	world_start();
	bus = world_bus("pci0");
	w = world_function("card");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

static void add(void)
{
	assert_int_equal(world_add(w, bus, DEVFN), 0);
	fake_reset();
	config_out(DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
}

#endif
