/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/emulate/random.h"

static uint64_t random_state;

void random_seed(uint64_t seed)
{
	random_state = seed * 2 + 1;
}

/* A multiplicative generator whose upper half is good enough, twice. */
uint64_t random_word(void)
{
	uint64_t value = 0;

	for (int i = 0; i < 2; i++) {
		random_state = random_state * UINT64_C(6364136223846793005) + 12345;
		value = value << 32 | random_state >> 32;
	}
	return value;
}

uint64_t random_below(uint64_t n)
{
	return random_word() % n;
}
