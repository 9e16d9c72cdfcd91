/* SPDX-License-Identifier: BSD-2-Clause */
/* When a kernel is entered on the bare machine: the benchmark takes firmware's time off. */
#include "tests/guest/lib/guest.h"

GUEST_TEST(entry)
{
	guest_printf("entered at %llu\n", (unsigned long long)rdtsc());
}
