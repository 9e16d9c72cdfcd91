/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What exits cost, from the inside: TSC ticks a round trip, which are executed
 * instructions under QEMU's icount and in Bochs. The loop's own cost is taken
 * off. tests/bench/ reads the lines `bench NAME TICKS`.
 */
#include "devices/hostdev/testdev_regs.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pci.h"

#define ROUNDS	   1000
#define WARM_UP	   16
#define SCRATCH	   (GUEST_SERIAL_PORT + 7) /* 16550: plain storage, a device model's port */
#define IOAPIC_SEL 0xfec00000ul
#define IPI_VECTOR 0x40

static volatile unsigned interrupts;
static volatile uint64_t woken_at;
static bool intel; /* VMCALL is the CPU's own; the other vendor's is an invalid opcode first */

static void do_nothing(void)
{
	__asm__ volatile("");
}
static void do_cpuid(void)
{
	uint32_t r[4];

	cpuid(0, 0, r);
}
static void do_hypercall(void)
{
	uint64_t nr = 0;

	if (intel)
		__asm__ volatile("vmcall" : "+a"(nr)::"memory");
	else
		__asm__ volatile("vmmcall" : "+a"(nr)::"memory");
}
static void do_port_in(void)
{
	(void)inb(SCRATCH);
}
static void do_port_out(void)
{
	outb(SCRATCH, 0x5a);
}
static void do_mmio_read(void)
{
	(void)mmio_read(IOAPIC_SEL);
}
static void do_mmio_write(void)
{
	mmio_write(IOAPIC_SEL, 1);
}
static uint64_t front; /* testdev's registers */
static void do_front_read(void)
{
	(void)mmio_read(front + TESTDEV_SCRATCH);
}
static void do_front_write(void)
{
	mmio_write(front + TESTDEV_SCRATCH, 1);
}
static void do_doorbell(void)
{
	mmio_write(front + TESTDEV_DOORBELL, 1);
}
static void do_rdmsr(void)
{
	(void)rdmsr(APIC_BASE_MSR);
}
static void do_wrmsr(void)
{
	wrmsr(X2APIC_MSR + (APIC_TPR >> 4), 0);
}

static void do_cr8_write(void)
{
	__asm__ volatile("mov %0, %%cr8" ::"r"(0ul));
}

static void on_interrupt(struct guest_frame *frame)
{
	(void)frame;
	woken_at = rdtsc();
	interrupts++;
	wrmsr(X2APIC_MSR + (APIC_EOI >> 4), 0); /* not apic_eoi(), which reads the mode first */
}

/* The IPI is taken at once: the next instruction sees it done. */
static void do_self_ipi(void)
{
	unsigned before = interrupts;

	wrmsr(X2APIC_MSR + (APIC_SELF_IPI >> 4), IPI_VECTOR);
	while (interrupts == before)
		;
}

static uint64_t time_rounds(void (*fn)(void))
{
	uint64_t start;
	unsigned i;

	for (i = 0; i < WARM_UP; i++)
		fn();
	start = rdtsc();
	for (i = 0; i < ROUNDS; i++)
		fn();
	return rdtsc() - start;
}

static void bench(const char *name, void (*fn)(void))
{
	uint64_t empty = time_rounds(do_nothing);
	uint64_t ticks = time_rounds(fn) - empty;

	guest_printf("bench %s %llu\n", name, (unsigned long long)(ticks / ROUNDS));
}

/* How late a handler runs after the deadline that woke the CPU from HLT, or while it spins. */
static void bench_timer(const char *name, bool halt)
{
	uint64_t deadline, late = 0;
	unsigned i, before;

	for (i = 0; i < ROUNDS / 10; i++) {
		before = interrupts;
		deadline = rdtsc() + 100000;
		wrmsr(TSC_DEADLINE_MSR, deadline);
		while (interrupts == before) {
			if (halt) {
				irq_wait();
			} else {
				irq_window();
			}
		}
		late += woken_at - deadline;
	}
	guest_printf("bench %s %llu\n", name, (unsigned long long)(late / (ROUNDS / 10)));
}

GUEST_TEST(exits)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	intel = r[1] == 0x756e6547; /* "Genu" */
	apic_enable();
	bench("cpuid", do_cpuid);
	bench("hypercall", do_hypercall);
	bench("port_in", do_port_in);
	bench("port_out", do_port_out);
	bench("mmio_read", do_mmio_read);
	bench("mmio_write", do_mmio_write);
	bench("rdmsr", do_rdmsr);
}

/* Where there is one: not on the bare machine. */
GUEST_TEST(host_devices)
{
	uint32_t dev = pci_find(TESTDEV_VENDOR | (uint32_t)TESTDEV_DEVICE << 16);

	if (dev == PCI_NONE)
		return;
	pci_command(dev, PCI_COMMAND_MEM, 0);
	front = pci_bar(dev, TESTDEV_REGS);
	bench("front_read", do_front_read);
	bench("front_write", do_front_write);
	bench("doorbell", do_doorbell);
}

GUEST_TEST(interrupts_and_timers)
{
	apic_enter_x2();
	apic_enable();
	guest_set_handler(IPI_VECTOR, on_interrupt);
	bench("wrmsr", do_wrmsr);
	bench("cr8_write", do_cr8_write);
	irq_on();
	bench("self_ipi_eoi", do_self_ipi);
	irq_off();
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | IPI_VECTOR);
	bench_timer("timer", false);
	bench_timer("hlt_wakeup", true);
	CHECK(interrupts > ROUNDS, "%u interrupts", interrupts);
}
