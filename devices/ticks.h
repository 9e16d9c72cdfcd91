/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters of a fixed frequency, computed from the guest's clock instead of
 * counted: ns to ticks and back, exact to a tick for centuries.
 */
#ifndef DEVICES_TICKS_H
#define DEVICES_TICKS_H

#include "kernel/time.h"

#include <stdint.h>

struct tick_rate {
	uint64_t per_ns; /* 0.64, rounded up: ticks per ns, below 1 GHz */
	uint64_t ns_per; /* 16.48: ns per tick, above 15.3 kHz */
};

/* @hz: a constant, so that the compiler does the divisions. */
#define TICK_RATE(hz)                                                                     \
	{                                                                                 \
		.per_ns = (uint64_t)(((unsigned __int128)(hz) << 64) / NSEC_PER_SEC) + 1, \
		.ns_per = (uint64_t)(((unsigned __int128)NSEC_PER_SEC << 48) / (hz)),     \
	}

static inline uint64_t ticks_from_ns(const struct tick_rate *rate, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns * rate->per_ns) >> 64);
}

/* The first ns at which ticks_from_ns() is at least @ticks. */
static inline uint64_t ticks_to_ns(const struct tick_rate *rate, uint64_t ticks)
{
	uint64_t ns = (uint64_t)(((unsigned __int128)ticks * rate->ns_per) >> 48);

	while (ticks_from_ns(rate, ns) < ticks)
		ns++;
	return ns;
}

#endif
