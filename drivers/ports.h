/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's I/O ports by number and width, for those that pass them to a guest. */
#ifndef DRIVERS_PORTS_H
#define DRIVERS_PORTS_H

#include <stdint.h>

/* @width: 1, 2 or 4 bytes. */
uint32_t ports_read(uint16_t port, unsigned width);
void ports_write(uint16_t port, unsigned width, uint32_t value);

#endif
