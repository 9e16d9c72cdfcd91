/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's I/O ports by number and width, for those that pass them to a guest. */
#ifndef DRIVERS_PORTS_H
#define DRIVERS_PORTS_H

#include "lib/compiler.h"

#include <stdint.h>

/*
 * Takes the @count ports from @first on for guests of @owner, whom messages call @user. Returns
 * NULL, or what uses one of them while guests run, or would harm us there, so that none may have
 * it, or who else has it. A UART is one owner's alone; of other ports nobody keeps account.
 */
const char *ports_claim(uint16_t first, uint32_t count, const void *owner,
			const char *user) __must_check;
void ports_release(uint16_t first, uint32_t count, const void *owner);

/* @width: 1, 2 or 4 bytes. */
uint32_t ports_read(uint16_t port, unsigned width);
void ports_write(uint16_t port, unsigned width, uint32_t value);

#endif
