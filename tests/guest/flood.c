/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes to its serial port without end, without ever asking whether it may. */
#include "tests/guest/lib/guest.h"

GUEST_TEST(flood)
{
	unsigned i;

	guest_printf("# flooding\n");
	for (i = 0;; i++)
		outb(GUEST_SERIAL_PORT, (uint8_t)('0' + i % 64));
}
