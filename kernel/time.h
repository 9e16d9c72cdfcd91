/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host time in TSC ticks, as every CPU sees it, and its conversions. The
 * factors are set once at boot from the calibrated frequency.
 */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include "arch/x86_64/cpu.h"

#include <stdint.h>

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC  UINT64_C(1000000000)

/* Ticks to ns: (t * mult) >> 32, in 128 bits; and back. */
struct time_scale {
	uint64_t tsc_khz;
	uint64_t ns_mult;  /* ns per tick, 32.32 */
	uint64_t tsc_mult; /* ticks per ns, 32.32 */
};
extern struct time_scale time_scale;

/* Boot, once: @tsc_khz as calibrated. */
void time_init(uint64_t tsc_khz);

static inline uint64_t time_tsc(void)
{
	return cpu_rdtsc();
}
static inline uint64_t time_tsc_to_ns(uint64_t ticks)
{
	return (uint64_t)(((unsigned __int128)ticks * time_scale.ns_mult) >> 32);
}
static inline uint64_t time_ns_to_tsc(uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns * time_scale.tsc_mult) >> 32);
}
/* Nanoseconds since the TSC was 0. */
static inline uint64_t time_ns(void)
{
	return time_tsc_to_ns(time_tsc());
}

#endif
