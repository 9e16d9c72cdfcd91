/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the 16550A, as National Semiconductor's PC16550D data sheet
 * (June 1995) numbers and names them.
 */
#ifndef DEVICES_SERIAL_UART16550_H
#define DEVICES_SERIAL_UART16550_H

#include <stdint.h>

#define UART_PORTS 8

#define UART_RBR 0 /* R: receiver buffer; with DLAB: divisor, low byte */
#define UART_THR 0 /* W: transmitter holding */
#define UART_IER 1 /* interrupt enable; with DLAB: divisor, high byte */
#define UART_IIR 2 /* R: interrupt identification */
#define UART_FCR 2 /* W: FIFO control */
#define UART_LCR 3 /* line control */
#define UART_MCR 4 /* modem control */
#define UART_LSR 5 /* line status */
#define UART_MSR 6 /* modem status */
#define UART_SCR 7 /* scratch */

#define UART_IER_ERBFI 0x01 /* received data, and the FIFO's timeout */
#define UART_IER_ETBEI 0x02 /* transmitter empty */
#define UART_IER_ELSI  0x04 /* line status */
#define UART_IER_EDSSI 0x08 /* modem status */
#define UART_IER_MASK  0x0f

#define UART_IIR_NONE	 0x01 /* no interrupt is pending */
#define UART_IIR_MODEM	 0x00
#define UART_IIR_THRE	 0x02
#define UART_IIR_DATA	 0x04
#define UART_IIR_LINE	 0x06
#define UART_IIR_TIMEOUT 0x0c
#define UART_IIR_FIFO	 0xc0 /* the FIFOs are on */

#define UART_FCR_ENABLE	  0x01
#define UART_FCR_CLEAR_RX 0x02
#define UART_FCR_CLEAR_TX 0x04
#define UART_FCR_DMA	  0x08
#define UART_FCR_TRIGGER  0xc0 /* bytes in the receive FIFO for an interrupt: 1, 4, 8, 14 */

#define UART_LCR_BREAK 0x40
#define UART_LCR_DLAB  0x80

#define UART_MCR_DTR  0x01
#define UART_MCR_RTS  0x02
#define UART_MCR_OUT1 0x04
#define UART_MCR_OUT2 0x08
#define UART_MCR_LOOP 0x10
#define UART_MCR_MASK 0x1f

#define UART_LSR_DR    0x01 /* data ready */
#define UART_LSR_OE    0x02 /* overrun */
#define UART_LSR_PE    0x04 /* parity */
#define UART_LSR_FE    0x08 /* framing */
#define UART_LSR_BI    0x10 /* break */
#define UART_LSR_THRE  0x20 /* transmitter holding register (FIFO) empty */
#define UART_LSR_TEMT  0x40 /* the shift register too */
#define UART_LSR_FIFOE 0x80 /* an error in the receive FIFO */
#define UART_LSR_ERRS  (UART_LSR_OE | UART_LSR_PE | UART_LSR_FE | UART_LSR_BI)

#define UART_MSR_DCTS  0x01
#define UART_MSR_DDSR  0x02
#define UART_MSR_TERI  0x04 /* RI went away */
#define UART_MSR_DDCD  0x08
#define UART_MSR_CTS   0x10
#define UART_MSR_DSR   0x20
#define UART_MSR_RI    0x40
#define UART_MSR_DCD   0x80
#define UART_MSR_LINES 0xf0

#endif
