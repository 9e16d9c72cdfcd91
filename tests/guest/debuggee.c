/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts, with an exit in each round, until a debugger says that it is enough. */
#include "tests/guest/lib/guest.h"

static volatile uint64_t debuggee_counter, debuggee_enough;

static __attribute__((noinline)) void debuggee_count(uint64_t n)
{
	uint32_t eax = 0, ebx, ecx = 0, edx;

	debuggee_counter = n;
	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
}

GUEST_TEST(debuggee)
{
	uint64_t n = 0;

	guest_printf("# counting\n");
	while (!debuggee_enough)
		debuggee_count(++n);
	CHECK(debuggee_enough == 4711, "enough is %llu", (unsigned long long)debuggee_enough);
}
