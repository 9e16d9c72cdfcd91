/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's I/O ports by number and width, for those that pass them to a guest. */
#ifndef DRIVERS_PORTS_H
#define DRIVERS_PORTS_H

#include <stdint.h>

/*
 * What of ours uses one of the @count ports from @first on while guests run, or what there
 * would harm us, so that none may have it; NULL: nothing.
 */
const char *ports_user(uint16_t first, uint32_t count);

/* @width: 1, 2 or 4 bytes. */
uint32_t ports_read(uint16_t port, unsigned width);
void ports_write(uint16_t port, unsigned width, uint32_t value);

#endif
