/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's clocks of a known rate, to measure the TSC against. */
#ifndef ARCH_X86_64_CLOCK_H
#define ARCH_X86_64_CLOCK_H

#include <stdint.h>

struct clock {
	const char *name;
	uint64_t hz;
	uint32_t mask;		/* the counter wraps after this value */
	uint32_t (*read)(void); /* counts up */
};

/* How many kinds there are, the best first. */
#define CLOCK_COUNT 3

/* Starts the @index-th; NULL when this machine does not have it. */
const struct clock *clock_start(unsigned index);

#endif
