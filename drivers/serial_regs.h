/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of a 16550 (National Semiconductor PC16550D data sheet), as offsets of its port;
 * RBR/THR and IER are the divisor's bytes while LCR.DLAB is set. For drivers/serial*.c alone.
 */
#ifndef DRIVERS_SERIAL_REGS_H
#define DRIVERS_SERIAL_REGS_H

#define UART_RBR 0
#define UART_THR 0
#define UART_IER 1
#define UART_IIR 2
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_MSR 6

#define UART_IER_ERBFI	   0x01 /* received data available */
#define UART_IIR_FIFOS	   0xc0 /* both set: the FIFOs are there and on */
#define UART_FCR_ENABLE	   0x01
#define UART_FCR_CLEAR	   0x06 /* both FIFOs */
#define UART_FCR_TRIGGER_8 0x80
#define UART_LCR_8N1	   0x03
#define UART_LCR_BREAK	   0x40
#define UART_LCR_DLAB	   0x80
#define UART_MCR_DTR	   0x01
#define UART_MCR_RTS	   0x02
#define UART_MCR_OUT2	   0x08 /* lets the interrupt out of a PC's UART */
#define UART_LSR_DR	   0x01
#define UART_LSR_OE	   0x02 /* a received byte was lost */
#define UART_LSR_BI	   0x10 /* a break, with a byte that is none */
#define UART_LSR_THRE	   0x20
#define UART_LSR_TEMT	   0x40 /* and nothing is on its way out */
#define UART_LSR_ABSENT	   0xff /* what a port without a device reads */

#define UART_PORTS	    8
#define UART_DIVISOR_115200 1
#define UART_FIFO_SIZE	    16

#endif
