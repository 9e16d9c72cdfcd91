/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/devices/pci_card.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct world_function *w;
struct pci_bus *bus;

int card_setup(void **state)
{
	(void)state;
	world_start();
	bus = world_bus("pci0");
	w = world_function("card");
	return 0;
}

int card_teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

void add_card(void)
{
	world_bar(w, 0, (struct pci_bar){.size = IO_SIZE, .io = true});
	world_bar(w, 1, (struct pci_bar){.size = MEM_SIZE});
	world_bar(w, 2, (struct pci_bar){.size = WIDE_SIZE, .wide = true, .prefetchable = true});
	world_bar(w, 4, (struct pci_bar){.size = MEM_SIZE, .prefetchable = true});
	world_bar(w, PCI_BAR_ROM, (struct pci_bar){.size = ROM_SIZE});
	assert_int_equal(world_add(w, bus, DEVFN), 0);
}

void power_on(void)
{
	fake_reset();
	world_story(w);
}

uint64_t bar_address(unsigned n)
{
	uint64_t low = config_in(DEVFN, BAR(n), 4);

	if (low & PCI_BAR_IO)
		return low & ~3u;
	if (low & PCI_BAR_WIDE)
		low |= (uint64_t)config_in(DEVFN, BAR(n + 1), 4) << 32;
	return low & ~UINT64_C(0xf);
}

void check_memory(uint64_t gpa, const char *story)
{
	world_story(w);
	fake_mmio_read(0, gpa, 4);
	assert_string_equal(world_story(w), story);
}

void check_port(uint16_t port, const char *story)
{
	world_story(w);
	fake_in(port, 1);
	assert_string_equal(world_story(w), story);
}

void check_refused(const char *why)
{
	unsigned errors = fake_errors;

	assert_int_equal(world_add(w, bus, DEVFN), -EINVAL);
	if (!strstr(fake_last_log, why))
		fail_msg("'%s' is not in '%s'", why, fake_last_log);
	assert_int_equal(fake_errors, errors + 1);
	assert_int_equal(config_in(DEVFN, 0, 4), UINT32_MAX);
	memset(w->config + PCI_CAP_FIRST, 0, sizeof(w->config) - PCI_CAP_FIRST);
	w->config[PCI_CAPABILITIES] = 0;
	memset(w->desc.bars, 0, sizeof(w->desc.bars));
	w->desc.rom.size = 0;
}
