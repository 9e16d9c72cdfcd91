/* SPDX-License-Identifier: BSD-2-Clause */
/* Jumps to an address where there is neither RAM nor a device. */
#include "tests/guest/lib/guest.h"

GUEST_TEST(jump)
{
	guest_printf("# jumping to 0xd0000000\n");
	((void (*)(void))0xd0000000)();
}
