/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver for the edu device, by QEMU's docs/specs/edu.rst: of QEMU's own, on
 * the bare machine, and of ours. It knows of nothing that only one of them has.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pci.h"

#include <string.h>

#define EDU	      0x11e81234u
#define EDU_SIZE      0x100000u
#define EDU_ID	      0x00
#define EDU_LIVENESS  0x04
#define EDU_FACTORIAL 0x08
#define EDU_STATUS    0x20
#define EDU_IRQ	      0x24
#define EDU_RAISE     0x60
#define EDU_ACK	      0x64
#define EDU_SOURCE    0x80
#define EDU_TARGET    0x88
#define EDU_COUNT     0x90
#define EDU_COMMAND   0x98
#define EDU_BUFFER    0x40000u

#define STATUS_BUSY 0x01u
#define STATUS_IRQ  0x80u
#define DMA_RUN	    0x1u
#define DMA_TO_RAM  0x2u
#define DMA_IRQ	    0x4u
#define BY_FACT	    0x001u
#define BY_DMA	    0x100u

#define PIC_VECTOR 0x20
#define MSI_VECTOR 0x51
#define PIC_ELCR   0x4d0
#define TIMEOUT_MS 5000

static uint32_t edu;
static uint64_t regs;
static volatile uint32_t irqs, causes;
static uint8_t irq;

static uint32_t in(unsigned offset)
{
	return mmio_read(regs + offset);
}

static void out(unsigned offset, uint32_t value)
{
	mmio_write(regs + offset, value);
}

static void out64(unsigned offset, uint64_t value)
{
	*(volatile uint64_t *)(regs + offset) = value;
}

/* As the specification asks of an interrupt's handler. */
static void handle(void)
{
	uint32_t by = in(EDU_IRQ);

	causes |= by;
	irqs++;
	out(EDU_ACK, by);
}

static void on_intx(struct guest_frame *frame)
{
	(void)frame;
	handle();
	outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

static void on_msi(struct guest_frame *frame)
{
	(void)frame;
	handle();
	apic_eoi();
}

static bool wait_for_irq(uint32_t want)
{
	uint64_t end = rdtsc() + TIMEOUT_MS * guest_tsc_per_ms();

	while (irqs < want && rdtsc() < end)
		irq_window();
	return irqs == want;
}

/*
 * Polls with interrupts on, as drivers do: Bochs interrupts nobody, us neither,
 * who was entered with them off.
 */
static bool wait_while(unsigned offset, uint32_t bits)
{
	uint64_t end = rdtsc() + TIMEOUT_MS * guest_tsc_per_ms();
	bool busy = true;

	while (busy && rdtsc() < end) {
		irq_on();
		busy = bits & in(offset);
		irq_off();
	}
	return !busy;
}

GUEST_TEST(is_there)
{
	/* What firmware let in. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	edu = pci_find(EDU);
	CHECK(edu != PCI_NONE, "there is no edu device");
	if (edu == PCI_NONE)
		guest_exit(1);
	CHECK(pci_read(edu, PCI_CLASS, 4) == 0x00ff0010, "class 0x%x", pci_read(edu, PCI_CLASS, 4));
	CHECK(pci_read(edu, PCI_SUBSYSTEM, 4) == 0x11001af4, "subsystem 0x%x",
	      pci_read(edu, PCI_SUBSYSTEM, 4));
	CHECK(pci_read(edu, PCI_INTERRUPT, 2) >> 8 == 1, "pin %u", pci_read(edu, PCI_INTERRUPT, 2));
	CHECK(!(pci_read(edu, PCI_BAR(0), 4) & 0xf), "BAR 0 is 0x%x", pci_read(edu, PCI_BAR(0), 4));
	CHECK(pci_bar_size(edu, 0) == EDU_SIZE, "BAR 0 has 0x%llx bytes",
	      (unsigned long long)pci_bar_size(edu, 0));
	CHECK(!pci_bar_size(edu, 1) && !pci_read(edu, PCI_ROM, 4), "it has more than a BAR");
	regs = pci_bar(edu, 0);
	CHECK(regs, "BAR 0 has no address");
	pci_command(edu, PCI_COMMAND_MEM | PCI_COMMAND_BUS, PCI_COMMAND_NOINTX);
	CHECK(in(EDU_ID) == 0x010000edu, "id 0x%x", in(EDU_ID));
}

GUEST_TEST(liveness)
{
	out(EDU_LIVENESS, 0xa5a51234);
	CHECK(in(EDU_LIVENESS) == 0x5a5aedcb, "0x%x", in(EDU_LIVENESS));
}

GUEST_TEST(nobody_behind_the_registers)
{
	CHECK(in(0x0c) == UINT32_MAX, "0x%x", in(0x0c));
	CHECK(in(EDU_BUFFER) == UINT32_MAX, "the buffer is the CPU's, too: 0x%x", in(EDU_BUFFER));
	CHECK(in(EDU_SIZE - 4) == UINT32_MAX, "0x%x", in(EDU_SIZE - 4));
	CHECK(in(EDU_RAISE) == UINT32_MAX, "0x%x", in(EDU_RAISE));
}

GUEST_TEST(factorial)
{
	uint32_t n, expected = 1;

	for (n = 0; n <= 13; n++, expected *= n) {
		out(EDU_FACTORIAL, n);
		CHECK(wait_while(EDU_STATUS, STATUS_BUSY), "%u! is not computed", n);
		CHECK(in(EDU_FACTORIAL) == expected, "%u! is %u", n, in(EDU_FACTORIAL));
	}
	CHECK(in(EDU_IRQ) == 0, "it interrupts for 0x%x", in(EDU_IRQ));
}

/* The interrupt as firmware has routed it to the 8259s. */
static void intx_start(void)
{
	irq = (uint8_t)pci_read(edu, PCI_INTERRUPT, 1);
	apic_enable();
	apic_write(APIC_LVT_LINT0, 0x700); /* ExtINT */
	outb(0x20, 0x11);
	outb(0x21, PIC_VECTOR);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0xa0, 0x11);
	outb(0xa1, PIC_VECTOR + 8);
	outb(0xa1, 2);
	outb(0xa1, 1);
	outb(PIC_ELCR + 1, (uint8_t)(inb(PIC_ELCR + 1) | 1u << (irq & 7)));
	outb(0x21, 0xfb);
	outb(0xa1, (uint8_t) ~(1u << (irq & 7)));
	guest_set_handler((uint8_t)(PIC_VECTOR + irq), on_intx);
	irqs = causes = 0;
}

GUEST_TEST(intx)
{
	intx_start();
	CHECK(irq >= 8 && irq < 16, "interrupt line %u", irq);
	out(EDU_RAISE, 0x12);
	CHECK(wait_for_irq(1), "%u interrupts", irqs);
	CHECK(causes == 0x12, "causes 0x%x", causes);
	CHECK(in(EDU_IRQ) == 0, "0x%x is left", in(EDU_IRQ));
	/* Held back at the function, the level is there all the same. */
	pci_command(edu, PCI_COMMAND_NOINTX, 0);
	out(EDU_RAISE, 1);
	guest_delay_ms(2);
	irq_window();
	CHECK(irqs == 1, "%u interrupts while they are off", irqs);
	CHECK(pci_read(edu, PCI_STATUS, 2) & PCI_STATUS_INTX, "it does not say so");
	pci_command(edu, 0, PCI_COMMAND_NOINTX);
	CHECK(wait_for_irq(2), "%u interrupts", irqs);
	CHECK(!(pci_read(edu, PCI_STATUS, 2) & PCI_STATUS_INTX), "still raised");
}

GUEST_TEST(factorial_interrupts)
{
	irqs = causes = 0;
	out(EDU_STATUS, STATUS_IRQ);
	out(EDU_FACTORIAL, 10);
	CHECK(wait_for_irq(1), "%u interrupts", irqs);
	CHECK(causes == BY_FACT, "causes 0x%x", causes);
	CHECK(in(EDU_FACTORIAL) == 3628800, "%u", in(EDU_FACTORIAL));
	CHECK(in(EDU_STATUS) == STATUS_IRQ, "status 0x%x", in(EDU_STATUS));
	out(EDU_STATUS, 0);
	CHECK(in(EDU_STATUS) == 0, "status 0x%x", in(EDU_STATUS));
}

/* QEMU 7.2 ends itself over a transfer of all 4096 bytes. */
static uint8_t from[4000], to[4000];

static void dma(uint64_t source, uint64_t target, uint32_t count, uint32_t command)
{
	out64(EDU_SOURCE, source);
	out64(EDU_TARGET, target);
	out64(EDU_COUNT, count);
	out(EDU_COMMAND, command | DMA_RUN);
	CHECK(in(EDU_COMMAND)&DMA_RUN, "it is done at once");
	CHECK(wait_while(EDU_COMMAND, DMA_RUN), "it does not end");
	CHECK(in(EDU_COMMAND) == command, "command 0x%x", in(EDU_COMMAND));
}

GUEST_TEST(dma_there_and_back)
{
	unsigned i;

	for (i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 7 + (i >> 8));
	memset(to, 0, sizeof(to));
	dma((uintptr_t)from, EDU_BUFFER, sizeof(from), 0);
	dma(EDU_BUFFER, (uintptr_t)to, sizeof(to), DMA_TO_RAM);
	CHECK(!memcmp(from, to, sizeof(to)), "what comes back is not what went");
	/* A part, at an odd place. */
	dma(EDU_BUFFER + 101, (uintptr_t)to + 3, 7, DMA_TO_RAM);
	CHECK(!memcmp(from + 101, to + 3, 7), "not what lies at 101");
	CHECK(to[2] == from[2] && to[10] == from[10], "more than 7 bytes");
	CHECK(*(volatile uint64_t *)(regs + EDU_COUNT) == 7, "the count does not read back");
}

/* The device has 28 bits of an address. */
GUEST_TEST(dma_mask)
{
	memset(to, 0, sizeof(to));
	dma((uintptr_t)from | UINT64_C(0x1230000000), EDU_BUFFER, 16, 0);
	dma(EDU_BUFFER, (uintptr_t)to, 16, DMA_TO_RAM);
	CHECK(!memcmp(from, to, 16), "the address was not cut");
}

GUEST_TEST(dma_interrupts)
{
	irqs = causes = 0;
	dma((uintptr_t)from, EDU_BUFFER, 16, DMA_IRQ);
	CHECK(wait_for_irq(1), "%u interrupts", irqs);
	CHECK(causes == BY_DMA, "causes 0x%x", causes);
}

GUEST_TEST(no_dma_without_bus_mastering)
{
	memset(to, 0, sizeof(to));
	pci_command(edu, 0, PCI_COMMAND_BUS);
	dma(EDU_BUFFER, (uintptr_t)to, 16, DMA_TO_RAM);
	pci_command(edu, PCI_COMMAND_BUS, 0);
	CHECK(!to[0] && !to[1] && !to[15], "it wrote to memory");
}

GUEST_TEST(msi)
{
	unsigned cap = pci_cap(edu, PCI_CAP_MSI);

	CHECK(cap, "no MSI capability");
	CHECK(pci_read(edu, cap + 2, 2) == 0x80, "MSI control 0x%x", pci_read(edu, cap + 2, 2));
	guest_set_handler(MSI_VECTOR, on_msi);
	pci_write(edu, cap + 4, 4, PCI_MSG_ADDRESS);
	pci_write(edu, cap + 8, 4, 0);
	pci_write(edu, cap + 12, 2, MSI_VECTOR);
	pci_write(edu, cap + 2, 2, 1);
	outb(0xa1, 0xff);
	irqs = causes = 0;
	out(EDU_RAISE, 4);
	CHECK(wait_for_irq(1), "%u interrupts", irqs);
	out(EDU_RAISE, 8);
	CHECK(wait_for_irq(2), "%u interrupts", irqs);
	CHECK(causes == 12, "causes 0x%x", causes);
	irqs = 0;
	dma((uintptr_t)from, EDU_BUFFER, 16, DMA_IRQ);
	CHECK(wait_for_irq(1), "%u interrupts by DMA", irqs);
	pci_write(edu, cap + 2, 2, 0);
}

/* Where it is now, and where it was. */
GUEST_TEST(moves)
{
	uint64_t was = regs, next = was ^ EDU_SIZE;

	out(EDU_LIVENESS, 0);
	pci_set_bar(edu, 0, next);
	regs = next;
	CHECK(in(EDU_LIVENESS) == UINT32_MAX && in(EDU_ID) == 0x010000edu, "id 0x%x", in(EDU_ID));
	CHECK(mmio_read(was + EDU_ID) != 0x010000edu, "it is still at 0x%llx",
	      (unsigned long long)was);
	pci_command(edu, 0, PCI_COMMAND_MEM);
	CHECK(in(EDU_ID) != 0x010000edu, "it answers with memory off");
	pci_command(edu, PCI_COMMAND_MEM, 0);
	pci_set_bar(edu, 0, was);
	regs = was;
	CHECK(in(EDU_ID) == 0x010000edu, "id 0x%x", in(EDU_ID));
}
