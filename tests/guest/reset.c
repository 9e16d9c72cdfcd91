/* SPDX-License-Identifier: BSD-2-Clause */
/* Resets itself by each way that a PC has; memory keeps the count, the image is loaded anew. */
#include "tests/guest/lib/guest.h"

#define COUNT ((volatile uint64_t *)0x700000)
#define MAGIC 0x7265736574000000

static int fresh = 1; /* in the image: 1 again after a reset that loads it */

GUEST_TEST(resets)
{
	CHECK(fresh == 1, "the image was not loaded again");
	fresh = 0;
	if ((*COUNT & ~0xffull) != MAGIC)
		*COUNT = MAGIC;
	guest_printf("# start %u\n", (unsigned)(*COUNT & 0xff));
	switch ((*COUNT)++ & 0xff) {
	case 0:
		outb(0xcf9, 0x06);
		break;
	case 1:
		outb(0x64, 0xfe);
		break;
	case 2:
		outb(0x92, inb(0x92) | 1);
		break;
	default:
		*COUNT = 0;
		return;
	}
	guest_delay_ms(1000);
	guest_fail("still here");
	*COUNT = 0;
}
