/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executes random bytes at the highest privilege, over and over: whatever
 * becomes of this VM, it becomes of nothing else.
 */
#include "tests/guest/lib/guest.h"

#define CODE ((uint8_t *)0x800000)
#define SIZE 4096

static uint64_t random_state = 0x123456789abcdef;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void run(void *code)
{
	((void (*)(void))code)();
}

GUEST_TEST(garbage)
{
	struct guest_fault f;
	uint64_t round;
	unsigned i;

	for (round = 0;; round++) {
		for (i = 0; i < SIZE; i++)
			CODE[i] = (uint8_t)random_next();
		if (round % 1000 == 0)
			guest_printf("# round %llu\n", (unsigned long long)round);
		(void)guest_faults(run, CODE + random_next() % (SIZE / 2), &f);
		__asm__ volatile("cli; cld");
	}
}
