/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's serial ports COM1 and COM2 (16550) as consoles, 115200 8n1.
 */
#ifndef DRIVERS_SERIAL_H
#define DRIVERS_SERIAL_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Boot, early (needs nothing but I/O ports): sets the port "com1" or "com2"
 * up and registers it as a console sink. False when there is no such UART.
 */
bool serial_console_init(const char *name) __must_check;

/* Boot, once interrupts can be routed: input of the consoles from then on. */
void serial_input_init(void);

/* Boot, once there are timers and memory: nobody waits any more for what is written, unless it is
 * very much. */
void serial_output_init(void);

#endif
