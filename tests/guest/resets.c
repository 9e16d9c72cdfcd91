/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets itself as soon as it runs, for ever. */
#include "tests/guest/lib/guest.h"

#define RESET_CONTROL 0xcf9

GUEST_TEST(resets)
{
	guest_printf("# flooding\n");
	outb(RESET_CONTROL, 6);
	for (;;)
		;
}
