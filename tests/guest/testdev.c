/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI's front-end from the inside, by a driver of testdev (docs/testdev.md):
 * every kind of region and where it may be, every kind of interrupt, DMA, the
 * ROM, resets, and the end.
 */
#include "devices/hostdev/testdev_regs.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pci.h"

#include <string.h>

#define TESTDEV	    (TESTDEV_VENDOR | (uint32_t)TESTDEV_DEVICE << 16)
#define BIG_SIZE    (UINT64_C(8) << 30)
#define GIB	    (UINT64_C(1) << 30)
#define INTX_VECTOR 0x50
#define PIC_VECTOR  0x20
#define PIC_ELCR    0x4d0
#define MSI_VECTOR  0x60 /* and three more */
#define MSIX_VECTOR 0x70
#define GSI_BASE    16
#define FREE_HOLE   0xd8000000u /* nobody's, below 4 GiB */

static uint32_t dev, regs;
static volatile unsigned taken[256];

static uint32_t in(unsigned offset)
{
	return mmio_read(regs + offset);
}

static void out(unsigned offset, uint32_t value)
{
	mmio_write(regs + offset, value);
}

static void command(uint32_t c)
{
	out(TESTDEV_COMMAND, c);
}

GUEST_TEST(is_there)
{
	static const uint64_t sizes[] = {TESTDEV_REGS_SIZE, TESTDEV_IO_SIZE, BIG_SIZE};
	unsigned i;

	dev = pci_find(TESTDEV);
	CHECK(dev != PCI_NONE, "there is no testdev");
	if (dev == PCI_NONE)
		guest_exit(1);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		CHECK(pci_bar_size(dev, i) == sizes[i], "BAR %u has 0x%llx bytes", i,
		      (unsigned long long)pci_bar_size(dev, i));
	CHECK(pci_bar_size(dev, TESTDEV_PAGES) == TESTDEV_PAGES_SIZE, "BAR 4");
	CHECK(pci_bar_size(dev, TESTDEV_MSIX) == TESTDEV_MSIX_SIZE, "BAR 5");
	CHECK((pci_read(dev, PCI_BAR(0), 4) & 0xf) == 0, "BAR 0 is no 32-bit memory");
	CHECK((pci_read(dev, PCI_BAR(1), 4) & 0x3) == 1, "BAR 1 has no ports");
	CHECK((pci_read(dev, PCI_BAR(2), 4) & 0xf) == 0xc, "BAR 2 is not wide and prefetchable");
	CHECK(pci_bar(dev, TESTDEV_BIG) >= 4 * GIB, "BAR 2 is at 0x%llx",
	      (unsigned long long)pci_bar(dev, TESTDEV_BIG));
	regs = (uint32_t)pci_bar(dev, TESTDEV_REGS);
	pci_command(dev, PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_BUS, PCI_COMMAND_NOINTX);
	CHECK(in(TESTDEV_ID) == TESTDEV_ID_VALUE, "0x%x", in(TESTDEV_ID));
}

static void check_kept(const char *name, uint64_t at, unsigned width)
{
	uint64_t value = 0x8877665544332211 & (UINT64_MAX >> (64 - 8 * width));

	memory_write(at, width, value);
	CHECK(memory_read(at, width) == value, "%s: %u bytes at 0x%llx", name, width,
	      (unsigned long long)at);
}

GUEST_TEST(memory_of_all_widths)
{
	uint64_t pages = pci_bar(dev, TESTDEV_PAGES), big = pci_bar(dev, TESTDEV_BIG);
	unsigned width;

	guest_map_gib(big);
	for (width = 1; width <= 8; width *= 2) {
		check_kept("pages", pages, width);
		check_kept("pages", pages + TESTDEV_PAGES_SIZE - width, width);
		check_kept("pages", pages + 0xfff, width);
		check_kept("big", big, width);
		check_kept("big", big + TESTDEV_BIG_KEPT - width, width);
	}
	CHECK(memory_read(pages + TESTDEV_PAGES_SIZE, 1) == 0xff || pages != regs,
	      "behind the end");
}

GUEST_TEST(ports_of_all_widths)
{
	uint16_t io = (uint16_t)pci_bar(dev, TESTDEV_IO);
	uint16_t last = (uint16_t)(io + TESTDEV_IO_SIZE - 1);

	outl(io, 0x44332211);
	outw((uint16_t)(io + 1), 0x6655);
	outb(last, 0x77);
	CHECK(inl(io) == 0x44665511, "0x%x", inl(io));
	CHECK(inb((uint16_t)(io + 2)) == 0x66, "0x%x", inb((uint16_t)(io + 2)));
	CHECK(inb(last) == 0x77, "the last port: 0x%x", inb(last));
	CHECK(inw(last) == 0xff77, "across the end: 0x%x", inw(last));
	CHECK(inb((uint16_t)(io - 1)) == 0xff, "before the first: 0x%x", inb((uint16_t)(io - 1)));
}

GUEST_TEST(far_end_of_8_gib)
{
	uint64_t big = pci_bar(dev, TESTDEV_BIG), last = BIG_SIZE - 8;

	guest_map_gib(big + last);
	CHECK(memory_read(big + last, 8) == last, "0x%llx",
	      (unsigned long long)memory_read(big + last, 8));
	memory_write(big + last, 8, 0x1234);
	CHECK(in(TESTDEV_LAST_OFFSET) == (uint32_t)last &&
		      in(TESTDEV_LAST_OFFSET + 4) == last >> 32 && in(TESTDEV_LAST_VALUE) == 0x1234,
	      "a write to 0x%x%08x", in(TESTDEV_LAST_OFFSET + 4), in(TESTDEV_LAST_OFFSET));
}

GUEST_TEST(accesses_are_counted)
{
	uint64_t big = pci_bar(dev, TESTDEV_BIG);
	uint16_t io = (uint16_t)pci_bar(dev, TESTDEV_IO);
	unsigned log2;

	command(TESTDEV_CLEAR);
	for (log2 = 0; log2 < 4; log2++) {
		memory_read(big, 1u << log2);
		memory_write(big, 1u << log2, 0);
	}
	inb(io);
	outw(io, 0);
	inl(io);
	for (log2 = 0; log2 < 4; log2++)
		CHECK(in(TESTDEV_COUNT(TESTDEV_BIG, 0, log2)) == 1 &&
			      in(TESTDEV_COUNT(TESTDEV_BIG, 1, log2)) == 1,
		      "BAR 2, %u bytes: %u, %u", 1u << log2,
		      in(TESTDEV_COUNT(TESTDEV_BIG, 0, log2)),
		      in(TESTDEV_COUNT(TESTDEV_BIG, 1, log2)));
	CHECK(in(TESTDEV_COUNT(TESTDEV_IO, 0, 0)) == 1, "inb");
	CHECK(in(TESTDEV_COUNT(TESTDEV_IO, 1, 1)) == 1, "outw");
	CHECK(in(TESTDEV_COUNT(TESTDEV_IO, 0, 2)) == 1, "inl");
}

GUEST_TEST(ports_move)
{
	uint16_t io = (uint16_t)pci_bar(dev, TESTDEV_IO), next = 0xe000;

	outl(io, 0x12345678);
	pci_set_bar(dev, TESTDEV_IO, next);
	CHECK(inl(next) == 0x12345678, "0x%x", inl(next));
	CHECK(inl(io) == UINT32_MAX, "still at 0x%x: 0x%x", io, inl(io));
	pci_set_bar(dev, TESTDEV_IO, io);
	CHECK(inl(io) == 0x12345678 && inl(next) == UINT32_MAX, "not back");
	pci_command(dev, 0, PCI_COMMAND_IO);
	CHECK(inl(io) == UINT32_MAX, "with I/O off: 0x%x", inl(io));
	pci_command(dev, PCI_COMMAND_IO, 0);
}

static void check_move(unsigned bar, uint64_t to)
{
	uint64_t from = pci_bar(dev, bar);

	guest_map_gib(to);
	memory_write(from + 8, 8, 0x1122334455667788);
	pci_set_bar(dev, bar, to);
	CHECK(memory_read(to + 8, 8) == 0x1122334455667788, "BAR %u is not at 0x%llx", bar,
	      (unsigned long long)to);
	CHECK(memory_read(from + 8, 8) == UINT64_MAX, "BAR %u is still at 0x%llx", bar,
	      (unsigned long long)from);
	pci_set_bar(dev, bar, from);
	CHECK(memory_read(from + 8, 8) == 0x1122334455667788, "BAR %u is not back", bar);
	CHECK(memory_read(to + 8, 8) == UINT64_MAX, "BAR %u stays at 0x%llx", bar,
	      (unsigned long long)to);
}

GUEST_TEST(memory_moves)
{
	uint32_t was = regs;

	check_move(TESTDEV_PAGES, FREE_HOLE);
	check_move(TESTDEV_BIG, 64 * GIB);
	check_move(TESTDEV_BIG, 256 * GIB);
	pci_set_bar(dev, TESTDEV_REGS, FREE_HOLE);
	CHECK(mmio_read(FREE_HOLE) == TESTDEV_ID_VALUE, "0x%x", mmio_read(FREE_HOLE));
	CHECK(in(TESTDEV_ID) == UINT32_MAX, "BAR 0 is still there");
	pci_set_bar(dev, TESTDEV_REGS, was);
	pci_command(dev, 0, PCI_COMMAND_MEM);
	CHECK(in(TESTDEV_ID) == UINT32_MAX, "with memory off");
	pci_command(dev, PCI_COMMAND_MEM, 0);
	CHECK(in(TESTDEV_ID) == TESTDEV_ID_VALUE, "not back");
}

GUEST_TEST(rom)
{
	unsigned i, wrong = 0;

	pci_write(dev, PCI_ROM, 4, 0xfffffffe);
	CHECK(pci_read(dev, PCI_ROM, 4) == 0xfffff000, "size 0x%x", pci_read(dev, PCI_ROM, 4));
	pci_write(dev, PCI_ROM, 4, FREE_HOLE);
	CHECK(mmio_read(FREE_HOLE) == UINT32_MAX, "it is there and not enabled");
	pci_write(dev, PCI_ROM, 4, FREE_HOLE | 1);
	CHECK(memory_read(FREE_HOLE, 2) == 0xaa55, "0x%x", (unsigned)memory_read(FREE_HOLE, 2));
	for (i = TESTDEV_ROM_HEADER; i < 4096; i++)
		wrong += memory_read(FREE_HOLE + i, 1) != TESTDEV_ROM_BYTE(i);
	CHECK(!wrong, "%u bytes are not what they should be", wrong);
	memory_write(FREE_HOLE, 4, 0);
	CHECK(memory_read(FREE_HOLE, 2) == 0xaa55, "it was written");
	pci_write(dev, PCI_ROM, 4, 0);
}

GUEST_TEST(configuration_registers_of_its_own)
{
	unsigned cap = pci_cap(dev, PCI_CAP_VENDOR);

	CHECK(cap, "no capability of its vendor's");
	out(TESTDEV_VOLATILE, 0x12345678);
	CHECK(pci_read(dev, cap + TESTDEV_CAP_VOLATILE, 4) == 0x12345678, "0x%x",
	      pci_read(dev, cap + TESTDEV_CAP_VOLATILE, 4));
	out(TESTDEV_VOLATILE, 0x87654321);
	CHECK(pci_read(dev, cap + TESTDEV_CAP_VOLATILE + 2, 2) == 0x8765, "stale: 0x%x",
	      pci_read(dev, cap + TESTDEV_CAP_VOLATILE + 2, 2));
	pci_write(dev, cap + TESTDEV_CAP_MAILBOX, 4, 0x44332211);
	pci_write(dev, cap + TESTDEV_CAP_MAILBOX + 3, 1, 0x55);
	CHECK(pci_read(dev, cap + TESTDEV_CAP_MAILBOX, 4) == 0x55332211, "0x%x",
	      pci_read(dev, cap + TESTDEV_CAP_MAILBOX, 4));
}

GUEST_TEST(doorbells)
{
	uint32_t before = in(TESTDEV_DOORBELLS);

	memory_write(regs + TESTDEV_DOORBELL + 6, 2, 0x1234);
	out(TESTDEV_DOORBELL + 8, 0x5678);
	CHECK(in(TESTDEV_DOORBELLS) == before + 2, "%u", in(TESTDEV_DOORBELLS));
	CHECK(in(TESTDEV_DOORBELL_OFFSET) == 8 && in(TESTDEV_DOORBELL_VALUE) == 0x5678,
	      "0x%x at 0x%x", in(TESTDEV_DOORBELL_VALUE), in(TESTDEV_DOORBELL_OFFSET));
}

GUEST_TEST(failed_accesses_read_all_ones)
{
	CHECK(in(TESTDEV_BROKEN) == UINT32_MAX, "0x%x", in(TESTDEV_BROKEN));
	out(TESTDEV_BROKEN, 0);
	CHECK(memory_read(regs + TESTDEV_SCRATCH, 1) == 0xff, "a byte of a register");
}

/* Interrupts. */

static void on_level(struct guest_frame *frame)
{
	taken[frame->vector]++;
	command(TESTDEV_INTX_DOWN);
	apic_eoi();
}

static void on_pic(struct guest_frame *frame)
{
	taken[frame->vector]++;
	command(TESTDEV_INTX_DOWN);
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

static void on_message(struct guest_frame *frame)
{
	taken[frame->vector]++;
	apic_eoi();
}

/* One more of @vector comes, and one alone. */
static bool comes(unsigned vector, unsigned want)
{
	uint64_t end = rdtsc() + 1000 * guest_tsc_per_ms();

	while (taken[vector] < want && rdtsc() < end)
		irq_window();
	irq_window();
	return taken[vector] == want;
}

GUEST_TEST(intx_by_the_io_apic)
{
	unsigned gsi = GSI_BASE + (dev >> 3) % 4, i;
	uint32_t eois = in(TESTDEV_EOIS);

	apic_enable();
	guest_set_handler(INTX_VECTOR, on_level);
	apic_io_route(gsi, APIC_IO_LEVEL | INTX_VECTOR);
	for (i = 1; i <= 3; i++) {
		command(TESTDEV_INTX_UP);
		CHECK(comes(INTX_VECTOR, i), "%u interrupts of %u", taken[INTX_VECTOR], i);
	}
	CHECK(in(TESTDEV_EOIS) == eois + 3, "%u EOIs", in(TESTDEV_EOIS)-eois);
	pci_command(dev, PCI_COMMAND_NOINTX, 0);
	command(TESTDEV_INTX_UP);
	CHECK(comes(INTX_VECTOR, 3), "INTx is off");
	CHECK(pci_read(dev, PCI_STATUS, 2) & PCI_STATUS_INTX, "no status");
	pci_command(dev, 0, PCI_COMMAND_NOINTX);
	CHECK(comes(INTX_VECTOR, 4), "%u interrupts", taken[INTX_VECTOR]);
	apic_io_route(gsi, APIC_IO_MASKED);
}

GUEST_TEST(intx_by_the_8259)
{
	uint8_t irq = (uint8_t)pci_read(dev, PCI_INTERRUPT, 1);

	CHECK(irq >= 8 && irq < 16, "interrupt line %u", irq);
	apic_write(APIC_LVT_LINT0, 0x700); /* ExtINT */
	outb(0x20, 0x11);
	outb(0x21, PIC_VECTOR);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0xa0, 0x11);
	outb(0xa1, PIC_VECTOR + 8);
	outb(0xa1, 2);
	outb(0xa1, 1);
	outb(PIC_ELCR + 1, (uint8_t)(1u << (irq & 7)));
	outb(0x21, 0xfb);
	outb(0xa1, (uint8_t) ~(1u << (irq & 7)));
	guest_set_handler((uint8_t)(PIC_VECTOR + irq), on_pic);
	command(TESTDEV_INTX_UP);
	CHECK(comes(PIC_VECTOR + irq, 1), "%u interrupts", taken[PIC_VECTOR + irq]);
	command(TESTDEV_INTX_UP);
	CHECK(comes(PIC_VECTOR + irq, 2), "%u interrupts", taken[PIC_VECTOR + irq]);
	outb(0xa1, 0xff);
	outb(0x21, 0xff);
}

static void message(uint32_t vector)
{
	out(TESTDEV_VECTOR, vector);
	command(TESTDEV_MESSAGE);
}

GUEST_TEST(msi)
{
	unsigned cap = pci_cap(dev, PCI_CAP_MSI), i;

	for (i = 0; i < TESTDEV_MSI_COUNT; i++)
		guest_set_handler((uint8_t)(MSI_VECTOR + i), on_message);
	pci_write(dev, cap + 4, 4, PCI_MSG_ADDRESS);
	pci_write(dev, cap + 8, 4, 0);
	pci_write(dev, cap + 12, 2, MSI_VECTOR);
	pci_write(dev, cap + 2, 2, 2 << 4 | 1);
	CHECK(in(TESTDEV_IRQ_MODE) == 1, "%u", in(TESTDEV_IRQ_MODE));
	for (i = 0; i < TESTDEV_MSI_COUNT; i++) {
		message(i);
		CHECK(comes(MSI_VECTOR + i, 1), "message %u", i);
	}
	pci_write(dev, cap + 16, 4, 1 << 2);
	message(2);
	CHECK(comes(MSI_VECTOR + 2, 1), "a masked message came");
	CHECK(pci_read(dev, cap + 20, 4) == 1 << 2, "pending 0x%x", pci_read(dev, cap + 20, 4));
	pci_write(dev, cap + 16, 4, 0);
	CHECK(comes(MSI_VECTOR + 2, 2), "what was pending did not come");
	pci_command(dev, 0, PCI_COMMAND_BUS);
	message(0);
	CHECK(comes(MSI_VECTOR, 1), "a message without bus mastering");
	pci_command(dev, PCI_COMMAND_BUS, 0);
	pci_write(dev, cap + 2, 2, 0);
}

GUEST_TEST(msix)
{
	unsigned cap = pci_cap(dev, PCI_CAP_MSIX), i, count;
	uint64_t table = pci_bar(dev, TESTDEV_MSIX), pba = table + TESTDEV_MSIX_PBA;

	count = (pci_read(dev, cap + 2, 2) & 0x7ff) + 1;
	CHECK(count == 8, "%u vectors", count);
	for (i = 0; i < count; i++) {
		guest_set_handler((uint8_t)(MSIX_VECTOR + i), on_message);
		memory_write(table + 16 * i, 8, PCI_MSG_ADDRESS);
		mmio_write(table + 16 * i + 8, MSIX_VECTOR + i);
		mmio_write(table + 16 * i + 12, 0);
	}
	pci_write(dev, cap + 2, 2, 0x8000);
	CHECK(in(TESTDEV_IRQ_MODE) == 2, "%u", in(TESTDEV_IRQ_MODE));
	for (i = 0; i < count; i++) {
		message(i);
		CHECK(comes(MSIX_VECTOR + i, 1), "message %u", i);
	}
	message(count);
	mmio_write(table + 16 * 5 + 12, 1);
	message(5);
	CHECK(comes(MSIX_VECTOR + 5, 1), "a masked message came");
	CHECK(memory_read(pba, 8) == 1 << 5, "pending 0x%x", mmio_read(pba));
	mmio_write(table + 16 * 5 + 12, 0);
	CHECK(comes(MSIX_VECTOR + 5, 2), "what was pending did not come");
	CHECK(memory_read(pba, 8) == 0, "pending 0x%x", mmio_read(pba));
	pci_write(dev, cap + 2, 2, 0xc000); /* all masked */
	message(1);
	CHECK(comes(MSIX_VECTOR + 1, 1), "a masked message came");
	pci_write(dev, cap + 2, 2, 0x8000);
	CHECK(comes(MSIX_VECTOR + 1, 2), "what was pending did not come");
	pci_write(dev, cap + 2, 2, 0);
}

static uint8_t from[3 * 4096], to[3 * 4096];

static uint32_t copy(uint32_t how, uint64_t source, uint64_t target, uint32_t len)
{
	out(TESTDEV_DMA_SOURCE, (uint32_t)source);
	out(TESTDEV_DMA_SOURCE + 4, (uint32_t)(source >> 32));
	out(TESTDEV_DMA_TARGET, (uint32_t)target);
	out(TESTDEV_DMA_TARGET + 4, (uint32_t)(target >> 32));
	out(TESTDEV_DMA_LENGTH, len);
	command(how);
	return in(TESTDEV_DMA_RESULT);
}

GUEST_TEST(dma)
{
	static const uint32_t how[] = {TESTDEV_DMA, TESTDEV_DMA_MAPPED};
	uint32_t before = in(TESTDEV_DMA_COPIED), i;

	for (i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 7 + (i >> 8));
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		memset(to, 0, sizeof(to));
		CHECK(copy(how[i], (uintptr_t)from + 1, (uintptr_t)to + 3, 9000) == TESTDEV_DMA_OK,
		      "result %u", in(TESTDEV_DMA_RESULT));
		CHECK(!memcmp(from + 1, to + 3, 9000), "not what was to be copied");
		CHECK(!to[2] && !to[9003], "too much was copied");
	}
	CHECK(in(TESTDEV_DMA_COPIED)-before == 18000, "%u", in(TESTDEV_DMA_COPIED)-before);
	CHECK(copy(TESTDEV_DMA, 0xb8000, (uintptr_t)to, 8) == TESTDEV_DMA_NOT_RAM, "of the VGA");
	CHECK(copy(TESTDEV_DMA, regs, (uintptr_t)to, 8) == TESTDEV_DMA_NOT_RAM, "of itself");
	CHECK(copy(TESTDEV_DMA, UINT64_MAX - 3, (uintptr_t)to, 8) == TESTDEV_DMA_NOT_RAM, "of 0");
	pci_command(dev, 0, PCI_COMMAND_BUS);
	memset(to, 0, sizeof(to));
	CHECK(copy(TESTDEV_DMA, (uintptr_t)from + 1, (uintptr_t)to, 8) == TESTDEV_DMA_REFUSED,
	      "result %u", in(TESTDEV_DMA_RESULT));
	CHECK(!to[0] && !to[7], "it wrote without bus mastering");
	pci_command(dev, PCI_COMMAND_BUS, 0);
}

/* Out of D3hot it comes as from power-on, all but where it was. */
GUEST_TEST(power_states)
{
	unsigned pm = pci_cap(dev, PCI_CAP_PM);
	uint64_t bars[] = {regs, pci_bar(dev, TESTDEV_IO), pci_bar(dev, TESTDEV_BIG)};
	uint32_t resets = in(TESTDEV_RESETS), pages = (uint32_t)pci_bar(dev, TESTDEV_PAGES);

	out(TESTDEV_SCRATCH, 0x1234);
	pci_write(dev, pm + 4, 2, 3);
	CHECK(in(TESTDEV_ID) == UINT32_MAX, "it answers in D3hot");
	CHECK(pci_read(dev, PCI_ID, 4) == TESTDEV, "its configuration does not");
	pci_write(dev, pm + 4, 2, 0);
	CHECK(!(pci_read(dev, PCI_COMMAND, 2) & PCI_COMMAND_MEM), "its command survives");
	pci_set_bar(dev, TESTDEV_REGS, bars[0]);
	pci_set_bar(dev, TESTDEV_IO, bars[1]);
	pci_set_bar(dev, TESTDEV_BIG, bars[2]);
	pci_set_bar(dev, TESTDEV_PAGES, pages);
	pci_command(dev, PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_BUS, 0);
	CHECK(in(TESTDEV_RESETS) == resets + 1, "%u resets", in(TESTDEV_RESETS)-resets);
	CHECK(in(TESTDEV_SCRATCH) == 0, "0x%x", in(TESTDEV_SCRATCH));
}

/* The last. */
GUEST_TEST(vanishes)
{
	uint16_t io = (uint16_t)pci_bar(dev, TESTDEV_IO);
	uint64_t big = pci_bar(dev, TESTDEV_BIG);

	command(TESTDEV_VANISH);
	CHECK(in(TESTDEV_ID) == UINT32_MAX, "0x%x", in(TESTDEV_ID));
	CHECK(inl(io) == UINT32_MAX, "0x%x", inl(io));
	CHECK(memory_read(big, 8) == UINT64_MAX, "BAR 2 is there");
	CHECK(pci_read(dev, PCI_ID, 4) == UINT32_MAX, "0x%x", pci_read(dev, PCI_ID, 4));
	CHECK(pci_find(TESTDEV) == PCI_NONE, "it is found");
	command(TESTDEV_INTX_UP);
	outl(io, 0);
	memory_write(big, 8, 0);
	pci_command(dev, PCI_COMMAND_IO | PCI_COMMAND_MEM, 0);
	CHECK(in(TESTDEV_ID) == UINT32_MAX, "it is back");
}
