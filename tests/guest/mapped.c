/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BARs that the guest reaches without an exit (testdev's, docs/testdev.md): that
 * it does, and that what takes them away counts for all CPUs from the next
 * instruction on, as on a bus. Three CPUs, of which two look on.
 */
#include "devices/hostdev/testdev_regs.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pci.h"

#include <string.h>

#define TESTDEV	 (TESTDEV_VENDOR | (uint32_t)TESTDEV_DEVICE << 16)
#define CPUS	 3
#define ROUNDS	 100
#define ACCESSES 1000
#define HERE	 0xd8000000u /* nobody's, below 4 GiB */
#define THERE	 0xd9000000u
#define FAR	 (UINT64_C(64) << 30)
#define RAM	 0x3000000u /* ours, and not used */
#define APIC	 0xfee00000u
#define ECAM	 0xe0000000u
#define VALUE	 0x600dda7au
#define NOBODY	 UINT32_MAX

/* What others are to see at HERE; they look when it does not change meanwhile. */
enum { THEY_WAIT, VALUE_IS_THERE, NOBODY_IS_THERE };

static uint32_t dev, regs;
static volatile uint32_t want; /* what is said above, and a number of its own in the upper bits */
static volatile unsigned looks[CPUS][3], wrong;
static volatile bool stop, moving;

static uint32_t in(unsigned offset)
{
	return mmio_read(regs + offset);
}

/* All accesses to @bar that have exited. */
static uint32_t exits(unsigned bar)
{
	uint32_t sum = 0;
	unsigned i;

	for (i = 0; i < 4; i++)
		sum += in(TESTDEV_COUNT(bar, 0, i)) + in(TESTDEV_COUNT(bar, 1, i));
	return sum;
}

/*
 * What is not needed at once takes its time: interrupts are on for a moment, because
 * an emulated machine may not be able to stop us otherwise.
 */
static void pass_time(unsigned ms)
{
	uint64_t end = rdtsc() + ms * guest_tsc_per_ms();

	do
		irq_window();
	while (rdtsc() < end);
}

/* Until what is at @at is reached without an exit; false: it never is. */
static bool comes(unsigned bar, uint64_t at)
{
	uint64_t end = rdtsc() + 2000 * guest_tsc_per_ms();
	uint32_t before;

	do {
		before = exits(bar);
		mmio_read(at);
		if (exits(bar) == before)
			return true;
		pass_time(1);
	} while (rdtsc() < end);
	return false;
}

/* It exits, and goes on to. */
static bool stays_away(unsigned bar, uint64_t at)
{
	uint32_t before = exits(bar);
	unsigned i;

	for (i = 0; i < 10; i++) {
		pass_time(2);
		mmio_read(at);
	}
	return exits(bar) == before + 10;
}

static void without_exits(unsigned bar, uint64_t at)
{
	uint32_t before;
	unsigned i, differ = 0;

	CHECK(comes(bar, at), "BAR %u is not mapped", bar);
	before = exits(bar);
	for (i = 0; i < ACCESSES; i++) {
		mmio_write(at + 4 * i % 4096, i);
		differ += mmio_read(at + 4 * i % 4096) != i;
	}
	CHECK(!differ && exits(bar) == before, "BAR %u: %u of %u exit, %u are not kept", bar,
	      exits(bar) - before, 2 * ACCESSES, differ);
}

GUEST_TEST(is_there)
{
	dev = pci_find(TESTDEV);
	if (dev == PCI_NONE) {
		guest_fail("there is no testdev");
		guest_exit(1);
	}
	pci_command(dev, PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_BUS, 0);
	regs = (uint32_t)pci_bar(dev, TESTDEV_REGS);
	guest_map_gib(pci_bar(dev, TESTDEV_BIG));
	guest_map_gib(FAR);
}

GUEST_TEST(accesses_do_not_exit)
{
	without_exits(TESTDEV_PAGES, pci_bar(dev, TESTDEV_PAGES));
	without_exits(TESTDEV_BIG, pci_bar(dev, TESTDEV_BIG));
}

GUEST_TEST(a_part_does)
{
	uint64_t big = pci_bar(dev, TESTDEV_BIG);
	uint32_t before = exits(TESTDEV_BIG);

	CHECK(mmio_read(big + TESTDEV_BIG_KEPT) == TESTDEV_BIG_KEPT, "what is behind it");
	mmio_write(big + TESTDEV_BIG_KEPT - 4, 0x44332211);
	CHECK(mmio_read(big + TESTDEV_BIG_KEPT - 2) == (0x4433 | TESTDEV_BIG_KEPT << 16),
	      "across its end: 0x%x", mmio_read(big + TESTDEV_BIG_KEPT - 2));
	CHECK(exits(TESTDEV_BIG) > before, "BAR 2 is mapped beyond its pages");
}

GUEST_TEST(moves)
{
	unsigned i;

	for (i = 0; i < 20; i++) {
		pci_set_bar(dev, TESTDEV_PAGES, HERE);
		mmio_write(HERE + 8, i);
		pci_set_bar(dev, TESTDEV_PAGES, THERE);
		CHECK(mmio_read(HERE + 8) == NOBODY && mmio_read(THERE + 8) == i, "round %u", i);
	}
	without_exits(TESTDEV_PAGES, THERE);
	pci_set_bar(dev, TESTDEV_BIG, FAR);
	without_exits(TESTDEV_BIG, FAR);
}

GUEST_TEST(decoding_and_power)
{
	unsigned pm = pci_cap(dev, PCI_CAP_PM);
	uint32_t big = (uint32_t)(pci_bar(dev, TESTDEV_BIG) >> 32);

	mmio_write(THERE, VALUE);
	CHECK(comes(TESTDEV_PAGES, THERE), "it is not mapped");
	pci_command(dev, 0, PCI_COMMAND_MEM);
	CHECK(mmio_read(THERE) == NOBODY, "with memory off: 0x%x", mmio_read(THERE));
	pci_command(dev, PCI_COMMAND_MEM, 0);
	CHECK(mmio_read(THERE) == VALUE, "not back: 0x%x", mmio_read(THERE));
	without_exits(TESTDEV_PAGES, THERE);
	pci_write(dev, pm + 4, 2, 3);
	CHECK(mmio_read(THERE) == NOBODY, "in D3hot: 0x%x", mmio_read(THERE));
	pci_write(dev, pm + 4, 2, 0);
	pci_set_bar(dev, TESTDEV_REGS, regs);
	pci_set_bar(dev, TESTDEV_PAGES, THERE);
	pci_set_bar(dev, TESTDEV_BIG, (uint64_t)big << 32);
	pci_command(dev, PCI_COMMAND_MEM | PCI_COMMAND_IO, 0);
	CHECK(mmio_read(THERE) == 0, "it was not reset: 0x%x", mmio_read(THERE));
	without_exits(TESTDEV_PAGES, THERE);
}

GUEST_TEST(others_are_not_covered)
{
	uint32_t version = apic_read(APIC_VERSION);

	mmio_write(RAM, VALUE);
	pci_set_bar(dev, TESTDEV_PAGES, RAM);
	pass_time(10);
	CHECK(mmio_read(RAM) == VALUE, "the BAR is over RAM: 0x%x", mmio_read(RAM));
	pci_set_bar(dev, TESTDEV_PAGES, APIC);
	pass_time(10);
	CHECK(apic_read(APIC_VERSION) == version, "over the APIC: 0x%x", apic_read(APIC_VERSION));
	pci_set_bar(dev, TESTDEV_PAGES, HERE);
	CHECK(comes(TESTDEV_PAGES, HERE), "it is not mapped");
	pci_set_bar(dev, TESTDEV_MSIX, HERE + TESTDEV_MSIX_SIZE);
	CHECK(comes(TESTDEV_PAGES, HERE), "a neighbour matters");
	pci_set_bar(dev, TESTDEV_MSIX, HERE);
	CHECK(stays_away(TESTDEV_PAGES, HERE), "it is mapped where BAR 5 is, too");
	pci_set_bar(dev, TESTDEV_MSIX, THERE);
	CHECK(comes(TESTDEV_PAGES, HERE), "it is not mapped again");
}

static void look(void *arg)
{
	unsigned id = (unsigned)(uintptr_t)arg, moves = 0;

	irq_on();
	while (!stop) {
		uint32_t before = want, value = mmio_read(HERE);

		if (moving) {
			mmio_write(HERE + 64 * id, value);
			mmio_write(FAR + 64 * id, value);
			if (id == 1)
				mmio_write(ECAM + (dev << 12) + PCI_BAR(TESTDEV_BIG + 1),
					   (uint32_t)(FAR >> 32) + (moves++ & 1));
			continue;
		}
		if (want != before || (before & 0xff) == THEY_WAIT)
			continue;
		looks[id][before & 0xff]++;
		if (value != ((before & 0xff) == VALUE_IS_THERE ? VALUE : NOBODY))
			wrong++;
	}
}

static void say(uint32_t what, unsigned round)
{
	__atomic_store_n(&want, round << 8 | what, __ATOMIC_SEQ_CST);
}

/* Until each has seen it. */
static bool wait_for_looks(unsigned what, unsigned more)
{
	unsigned id, from[CPUS] = {0};
	uint64_t end = rdtsc() + 5000 * guest_tsc_per_ms();

	for (id = 1; id < CPUS; id++)
		from[id] = looks[id][what];
	for (id = 1; id < CPUS && rdtsc() < end;)
		if (looks[id][what] - from[id] >= more)
			id++;
		else
			irq_window();
	return id == CPUS;
}

/* On and off, and elsewhere. */
static void take_away(unsigned round)
{
	if (round % 2)
		pci_command(dev, 0, PCI_COMMAND_MEM);
	else
		pci_set_bar(dev, TESTDEV_PAGES, THERE + 0x100000);
}

static void bring_back(unsigned round)
{
	if (round % 2)
		pci_command(dev, PCI_COMMAND_MEM, 0);
	else
		pci_set_bar(dev, TESTDEV_PAGES, HERE);
}

GUEST_TEST(all_cpus_see_it_at_once)
{
	unsigned id, i, mapped = 0;

	mmio_write(HERE, VALUE);
	for (id = 1, i = 0; id < CPUS && i < 20; i++)
		id += guest_start_cpu(id, look, (void *)(uintptr_t)id);
	CHECK(id == CPUS, "CPU %u does not start", id);
	for (i = 0; i < ROUNDS; i++) {
		mapped += i % 8 == 0 && comes(TESTDEV_PAGES, HERE);
		say(VALUE_IS_THERE, i);
		if (!wait_for_looks(VALUE_IS_THERE, 10))
			break;
		say(THEY_WAIT, i);
		take_away(i);
		say(NOBODY_IS_THERE, i);
		if (!wait_for_looks(NOBODY_IS_THERE, 10))
			break;
		say(THEY_WAIT, i);
		bring_back(i);
	}
	CHECK(i == ROUNDS, "the others have stopped in round %u", i);
	CHECK(!wrong, "%u looks of %u found what was not there", wrong,
	      looks[1][1] + looks[1][2] + looks[2][1] + looks[2][2]);
	CHECK(mapped == (ROUNDS + 7) / 8, "mapped in %u rounds", mapped);
}

/*
 * They write where BARs are, were and will be, and one moves BAR 2, while we
 * move BAR 4 over everything.
 */
GUEST_TEST(moves_under_load)
{
	static const uint32_t places[] = {HERE, THERE, RAM, APIC, 0xd8002000, 0, 0xffffc000, HERE};
	unsigned i;

	mmio_write(RAM, VALUE);
	moving = true;
	for (i = 0; i < ROUNDS * ARRAY_SIZE(places); i++)
		pci_set_bar(dev, TESTDEV_PAGES, places[i % ARRAY_SIZE(places)]);
	moving = false;
	CHECK(mmio_read(RAM) == VALUE, "it came into RAM: 0x%x", mmio_read(RAM));
	mmio_write(HERE, VALUE);
	CHECK(comes(TESTDEV_PAGES, HERE), "it is not mapped at last");
	say(VALUE_IS_THERE, 0);
	CHECK(wait_for_looks(VALUE_IS_THERE, 10), "the others have stopped");
	say(THEY_WAIT, 0);
	CHECK(!wrong && mmio_read(HERE) == VALUE, "0x%x", mmio_read(HERE));
	pci_set_bar(dev, TESTDEV_BIG, FAR);
	without_exits(TESTDEV_BIG, FAR);
}

/* The last. */
GUEST_TEST(vanishes)
{
	unsigned before = wrong;

	mmio_write(regs + TESTDEV_COMMAND, TESTDEV_VANISH);
	say(NOBODY_IS_THERE, 0);
	CHECK(mmio_read(HERE) == NOBODY, "0x%x", mmio_read(HERE));
	CHECK(wait_for_looks(NOBODY_IS_THERE, 100), "the others have stopped");
	CHECK(wrong == before, "%u looks found it", wrong - before);
	stop = true;
}
