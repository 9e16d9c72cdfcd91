/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts, in a word of each of many places of 2 MiB, one place after the other: the first is
 * written by the CPU, the next by DMA, by memory that a device has mapped, by a string instruction
 * from a device's register, from a port, and so on. What is found in a place before it is written
 * is one less: in a guest that was restored, a word that was saved later than its registers is not.
 */
#include "devices/hostdev/testdev_regs.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pci.h"

#define TESTDEV	 (TESTDEV_VENDOR | (uint32_t)TESTDEV_DEVICE << 16)
#define UART_LSR (GUEST_SERIAL_PORT + 5)
#define LSR_DR	 0x01
#define PLACES	 25
#define FIRST	 (UINT64_C(76) << 20) /* the end of 128 MiB, which is saved last */
#define APART	 (UINT64_C(2) << 20)

enum way { BY_CPU, BY_DMA, BY_MAPPED, BY_REGISTER, BY_PORT, WAYS };
static const char *const names[WAYS] = {"CPU", "DMA", "mapped DMA", "string", "port"};

static uint32_t regs;
static uint16_t io;

static volatile uint32_t *word(unsigned place)
{
	return (volatile uint32_t *)(FIRST + place * APART + place * 0x5000);
}

static void dma(volatile uint32_t *from, volatile uint32_t *to, uint32_t command)
{
	mmio_write(regs + TESTDEV_DMA_SOURCE, (uint32_t)(uint64_t)from);
	mmio_write(regs + TESTDEV_DMA_TARGET, (uint32_t)(uint64_t)to);
	mmio_write(regs + TESTDEV_DMA_LENGTH, sizeof(*to));
	mmio_write(regs + TESTDEV_COMMAND, command);
}

static void write_to(unsigned place, uint32_t value)
{
	unsigned way = place % WAYS;
	volatile uint32_t *to = word(place);
	uint64_t from = regs + TESTDEV_SCRATCH, count = 1;

	switch (way) {
	case BY_CPU:
		*to = value;
		break;
	case BY_DMA:
	case BY_MAPPED:
		dma(word(place - way), to, way == BY_DMA ? TESTDEV_DMA : TESTDEV_DMA_MAPPED);
		break;
	case BY_REGISTER:
		mmio_write((uint32_t)from, value);
		__asm__ volatile("movsl" : "+D"(to), "+S"(from) : : "memory");
		break;
	case BY_PORT:
		outl(io, value);
		__asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(io) : "memory");
		break;
	}
}

static bool is(unsigned place, uint32_t value)
{
	uint32_t found = *word(place);

	CHECK(found == value, "place %u by %s: %u, and %u is expected", place, names[place % WAYS],
	      found, value);
	return found == value;
}

GUEST_TEST(no_word_is_of_another_time)
{
	uint32_t dev = pci_find(TESTDEV), round = 0;
	bool good = dev != PCI_NONE;

	CHECK(good, "there is no testdev");
	regs = good ? (uint32_t)pci_bar(dev, TESTDEV_REGS) : 0;
	io = good ? (uint16_t)pci_bar(dev, TESTDEV_IO) : 0;
	if (good)
		pci_command(dev, PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_BUS, 0);
	/* Nothing interrupts it, but Bochs would let nothing interrupt us: docs/testing.md. */
	irq_on();
	guest_printf("# counting\n");
	while (good && !(inb(UART_LSR) & LSR_DR)) {
		for (unsigned i = 0; i < PLACES && good; i++) {
			good = is(i, round);
			write_to(i, round + 1);
			good = good && is(i, round + 1);
		}
		round++;
	}
	irq_off();
	guest_printf("# %u rounds\n", round);
}
