/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose the machine's serial ports COM1 and COM2 are: the console's, or one other's at a time. */
#ifndef DRIVERS_SERIAL_CLAIM_H
#define DRIVERS_SERIAL_CLAIM_H

#include "lib/compiler.h"

#include <stdint.h>

#define SERIAL_USER_MAX 79 /* bytes of a user's name; the rest is cut */

/* Who has one of the @count I/O ports from @first on; NULL: nobody. The text is there for good, but
 * another one's when the port is. */
const char *serial_user(uint16_t first, uint32_t count);

/*
 * Takes the UARTs that have one of the @count I/O ports from @first on, all or none, for @owner,
 * whom messages call @user; again, when they are @owner's already, and so often they are to be
 * released. Returns NULL, or who has one of them, as serial_user(). Any CPU.
 */
const char *serial_claim(uint16_t first, uint32_t count, const void *owner,
			 const char *user) __must_check;
void serial_release(uint16_t first, uint32_t count, const void *owner);

#endif
