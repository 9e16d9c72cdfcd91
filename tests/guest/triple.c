/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends in a triple fault: the VM stops, the hypervisor says so. */
#include "tests/guest/lib/guest.h"

GUEST_TEST(triple_fault)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __packed none = {0, 0};

	guest_printf("# no IDT, then UD2\n");
	__asm__ volatile("lidt %0; ud2" ::"m"(none));
}
