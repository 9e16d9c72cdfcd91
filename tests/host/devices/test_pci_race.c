/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pci vmm/irq.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: vmm/device_key_value.c lib/parse.c kernel/boot_info.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/devices/pci_world.c tests/host/devices/pci_card.c */
/* test-sources: tests/host/devices/pci_info_fake.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
/*
 * vCPUs that read a BAR which stays, and configuration behind a bridge, while
 * another moves BARs around it, on and off: they see it all the time, and
 * nothing else in its place. Of one that goes on and off they see all or nothing.
 */
#include "tests/host/devices/pci_card.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define READERS 2
#define MOVES	20000
#define OTHERS	6
#define STAYS	UINT64_C(0xd0800000)
#define BLINKS	UINT64_C(0xd0c00000)
#define BLINKER (2 + OTHERS) /* its number */

static struct pci_root *root;
static bool stop;
static unsigned wrong;

static int id_read(void *opaque, struct vcpu *vcpu, uint64_t offset, unsigned width,
		   uint64_t *value)
{
	(void)vcpu;
	(void)width;
	*value = (uintptr_t)opaque << 16 | offset;
	return 0;
}

static const struct hook_ops id_ops = {.read = id_read};

static void add(unsigned n)
{
	struct world_function *f = world_function("racer");

	f->desc.bars[0] =
		(struct pci_bar){.size = 0x1000, .ops = &id_ops, .opaque = (void *)(uintptr_t)n};
	assert_int_equal(world_add(f, bus, PCI_DEVFN(4 + n, 0)), 0);
}

static void *reader(void *opaque)
{
	uint64_t value, i = 0;

	for (; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		value = 0;
		pci_memory_ops.read(root, opaque, STAYS + i % 0x1000, 1, &value);
		if (value != (UINT64_C(1) << 16 | i % 0x1000))
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
		pci_memory_ops.read(root, opaque, BLINKS + i % 0x400 * 4, 4, &value);
		if (value != ((uint64_t)BLINKER << 16 | i % 0x400 * 4) && value != UINT64_MAX)
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
		if (i % 16 == 0 && pci_root_read(root, 0x0100, 0, 4) != 0x00011234)
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* On both sides of it; every other one off, every tenth over a bridge's registers. */
static void move(unsigned i)
{
	uint16_t other = PCI_DEVFN(5 + i % OTHERS, 0);

	pci_root_write(
		root, other, BAR(0), 4,
		(uint32_t)(STAYS + ((i * 7919) % 64 - 32) * 0x1000 + (i % 64 == 32) * 0x100000));
	pci_root_write(root, other, PCI_COMMAND, 2, i / OTHERS % 2 ? PCI_COMMAND_MEMORY : 0);
	pci_root_write(root, PCI_DEVFN(4 + BLINKER, 0), PCI_COMMAND, 2,
		       i % 2 ? PCI_COMMAND_MEMORY : 0);
	if (i % 10 == 0)
		pci_root_write(root, PCI_DEVFN(1, 0), PCI_BRIDGE_SUBORDINATE, 1, 1 + i % 9);
}

static void test_race(void **state)
{
	static const char *const keys[] = {"addr=1", NULL};
	pthread_t threads[READERS];
	struct world_function *behind;
	unsigned i;

	(void)state;
	assert_non_null(fake_create("pci-bridge", "br1", keys));
	behind = world_function("behind");
	assert_int_equal(world_add(behind, world_bus("br1"), 0), 0);
	root = bus->root;
	/* The one that stays is the oldest: it has its addresses whoever comes. */
	for (i = 1; i <= BLINKER; i++)
		add(i);
	fake_reset();
	config_out(PCI_DEVFN(4 + BLINKER, 0), BAR(0), 4, BLINKS);
	config_out(PCI_DEVFN(5, 0), BAR(0), 4, STAYS);
	for (i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, NULL), 0);
	for (i = 0; i < MOVES; i++)
		if (i % OTHERS)
			move(i);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_race, card_setup, card_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
