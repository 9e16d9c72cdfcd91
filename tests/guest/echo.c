/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends back what its serial port receives, by interrupt through the 8259, and
 * sleeps meanwhile. Ctrl-D ends it.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#define PIC_VECTOR 0x20
#define COM1_IRQ   4
#define UART_IER   (GUEST_SERIAL_PORT + 1)
#define UART_FCR   (GUEST_SERIAL_PORT + 2)
#define UART_MCR   (GUEST_SERIAL_PORT + 4)
#define UART_LSR   (GUEST_SERIAL_PORT + 5)
#define LSR_DR	   0x01
#define CTRL_D	   0x04

static bool over;

/* One line of the first 8259, by way of the local APIC. */
static void pic_init(void)
{
	apic_enable();
	apic_write(APIC_LVT_LINT0, 0x700); /* ExtINT */
	outb(0x20, 0x11);
	outb(0x21, PIC_VECTOR);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0x21, (uint8_t) ~(1u << COM1_IRQ));
}

static void on_serial(struct guest_frame *frame)
{
	uint8_t byte;

	(void)frame;
	while (inb(UART_LSR) & LSR_DR) {
		byte = inb(GUEST_SERIAL_PORT);
		if (byte == CTRL_D)
			over = true;
		else
			guest_printf(byte == '\r' ? "\n" : "%c", byte);
	}
	outb(0x20, 0x20);
}

GUEST_TEST(echo)
{
	guest_set_handler(PIC_VECTOR + COM1_IRQ, on_serial);
	pic_init();
	outb(UART_FCR, 0x81); /* on, an interrupt at 8 characters or when no more come */
	outb(UART_MCR, 0x0b);
	outb(UART_IER, 0x01);
	guest_printf("# echoing\n");
	while (!over)
		irq_wait();
	outb(UART_IER, 0);
}
