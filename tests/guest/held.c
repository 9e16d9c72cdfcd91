/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interrupt that the guest asked for waits for IF, in either mode of the
 * local APIC, while the machine's own interrupts come and go.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#define VECTOR	 0x50
#define PIT_HZ	 1193182
#define ROUNDS	 10
#define ROUND_MS 5

static volatile unsigned count;

static void on_irq(struct guest_frame *frame)
{
	(void)frame;
	count++;
	apic_eoi();
}

/* The 8254 makes the machine's timer fire; nobody has unmasked its line. */
static void check_held(void (*request)(void))
{
	guest_set_handler(VECTOR, on_irq);
	outb(0x43, 0x34);
	outb(0x40, (uint8_t)(PIT_HZ / 1000));
	outb(0x40, PIT_HZ / 1000 >> 8);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		count = 0;
		request();
		guest_delay_ms(ROUND_MS);
		CHECK(count == 0, "round %u: taken with IF clear", round);
		/* More than one: Bochs's SVM does not look before each instruction. */
		for (unsigned i = 0; i < 10 && !count; i++)
			irq_window();
		CHECK(count == 1, "round %u: %u, not one", round, count);
	}
	outb(0x43, 0x30);
}

static void by_icr(void)
{
	apic_ipi(apic_read(APIC_ID) >> 24, VECTOR);
}

static void by_icr_x2(void)
{
	apic_ipi(apic_read(APIC_ID), VECTOR);
}

/* Without an exit, where the hardware does it. */
static void by_self_ipi(void)
{
	wrmsr(X2APIC_MSR + (APIC_SELF_IPI >> 4), VECTOR);
}

GUEST_TEST(xapic)
{
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	apic_enable();
	check_held(by_icr);
}

GUEST_TEST(x2apic)
{
	apic_enter_x2();
	check_held(by_icr_x2);
	check_held(by_self_ipi);
}
