/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver of testdev at 05.0 that the administrator plugs and unplugs all the
 * while, until a q is typed, and CPUs that hammer where it is and was: each
 * access is answered by the device or by nobody.
 */
#include "devices/hostdev/testdev_regs.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pci.h"

#include <string.h>

#define CPUS	4
#define DEV	(5u << 3)
#define TESTDEV (TESTDEV_VENDOR | (uint32_t)TESTDEV_DEVICE << 16)
#define GSI	17
#define VECTOR	0x50
#define REGS	0xd8000000u
#define PAGES	0xd8100000u
#define BIG	(UINT64_C(64) << 30)
#define FAR	0x8000u /* in BIG: reads as its offset */
#define IO	0xe000
#define LSR_DR	0x01
#define NOBODY	UINT32_MAX

static volatile unsigned wrong, reset, found, missed, irqs, rounds[CPUS];
static volatile bool stop;
static uint8_t from[64], to[64];

static void on_irq(struct guest_frame *frame)
{
	(void)frame;
	irqs++;
	mmio_write(REGS + TESTDEV_COMMAND, TESTDEV_INTX_DOWN);
	apic_eoi();
}

static void hammer(void *arg)
{
	unsigned id = (unsigned)(uintptr_t)arg;

	irq_on(); /* none comes here, but Bochs 2.7 lets the host's in then alone */
	while (!stop) {
		uint32_t at = mmio_read(REGS + TESTDEV_ID), far = mmio_read(BIG + FAR);
		uint32_t own = mmio_read(PAGES + 4 * id); /* without an exit, now and then */

		if ((at != TESTDEV_ID_VALUE && at != NOBODY) || (far != FAR && far != NOBODY) ||
		    (own && own != TESTDEV_ID_VALUE && own != NOBODY))
			wrong++;
		mmio_write(REGS + TESTDEV_SCRATCH, at);
		mmio_write(REGS + TESTDEV_DOORBELL, at);
		mmio_write(PAGES + 4 * id, at);
		outl(IO, at);
		inl(IO);
		rounds[id]++;
	}
}

/* As firmware leaves it: at the addresses that all CPUs look at. */
static void set_up(void)
{
	pci_set_bar(DEV, TESTDEV_REGS, REGS);
	pci_set_bar(DEV, TESTDEV_IO, IO);
	pci_set_bar(DEV, TESTDEV_BIG, BIG);
	pci_set_bar(DEV, TESTDEV_PAGES, PAGES);
	pci_command(DEV, PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_BUS, 0);
}

static void use(void)
{
	uint32_t source;

	mmio_write(REGS + TESTDEV_COMMAND, TESTDEV_INTX_UP);
	mmio_write(REGS + TESTDEV_DMA_SOURCE, (uint32_t)(uintptr_t)from);
	mmio_write(REGS + TESTDEV_DMA_TARGET, (uint32_t)(uintptr_t)to);
	mmio_write(REGS + TESTDEV_DMA_LENGTH, sizeof(from));
	mmio_write(REGS + TESTDEV_COMMAND, TESTDEV_DMA);
	source = mmio_read(REGS + TESTDEV_DMA_SOURCE);
	if (source != (uint32_t)(uintptr_t)from && source != NOBODY)
		reset++;
	irq_window();
}

/* Whole, or not at all; what was plugged in meanwhile has no addresses yet. */
static void drive(void)
{
	uint32_t id = pci_read(DEV, PCI_ID, 4);

	if (id != TESTDEV && id != NOBODY)
		wrong++;
	if (id != TESTDEV) {
		missed++;
		return;
	}
	if (pci_bar(DEV, TESTDEV_REGS) != REGS)
		set_up();
	found++;
	use();
}

GUEST_TEST(comes_and_goes)
{
	unsigned id, round, i;

	apic_enable();
	guest_map_gib(BIG);
	memset(from, 0x5a, sizeof(from));
	guest_set_handler(VECTOR, on_irq);
	apic_io_route(GSI, APIC_IO_LEVEL | VECTOR);
	/* A busy machine may take longer than the second that a CPU has. */
	for (id = 1, round = 0; id < CPUS && round < 20; round++)
		id += guest_start_cpu(id, hammer, (void *)(uintptr_t)id);
	CHECK(id == CPUS, "CPU %u does not start", id);
	guest_printf("# hammering\n");
	while (!(inb(GUEST_SERIAL_PORT + 5) & LSR_DR)) {
		irq_window(); /* for the host's, too, as above */
		drive();
	}
	stop = true;
	guest_printf("\n# there %u times, not there %u times, %u interrupts; rounds %u %u %u\n",
		     found, missed, irqs, rounds[1], rounds[2], rounds[3]);
	CHECK(!wrong, "%u accesses were answered by who is not there", wrong);
	CHECK(!reset, "%u times it lost what its driver had written", reset);
	CHECK(found && missed && irqs, "it did not come and go");
	for (i = 0; i < sizeof(to); i++)
		CHECK(to[i] == 0x5a, "byte %u was not copied", i);
}
