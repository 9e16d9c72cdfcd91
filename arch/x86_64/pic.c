/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/pic.h"

#include "arch/x86_64/io.h"
#include "arch/x86_64/irq.h"

/* Intel 8259A data sheet, "Initialization Command Words". */
#define PIC1	    0x20
#define PIC2	    0xa0
#define PIC_ICW1    0x11 /* edge, cascade, ICW4 follows */
#define PIC_ICW4    0x01 /* 8086 mode */
#define PIC_CASCADE 2

static void init_one(uint16_t port, uint8_t vector, uint8_t icw3)
{
	io_out8(port, PIC_ICW1);
	io_out8(port + 1, vector);
	io_out8(port + 1, icw3);
	io_out8(port + 1, PIC_ICW4);
	io_out8(port + 1, 0xff);
}

void pic_silence(void)
{
	init_one(PIC1, IRQ_VECTOR_PIC, 1 << PIC_CASCADE);
	init_one(PIC2, IRQ_VECTOR_PIC + 8, PIC_CASCADE);
}
