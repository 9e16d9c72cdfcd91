/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/time.h"

struct time_scale time_scale;

void time_init(uint64_t tsc_khz)
{
	/* Ticks per ms is the frequency in kHz; both factors have 32 fraction bits, which
	 * leaves room for 4 THz. */
	time_scale.tsc_khz = tsc_khz;
	time_scale.ns_mult = (NSEC_PER_MSEC << 32) / tsc_khz;
	time_scale.tsc_mult = (tsc_khz << 32) / NSEC_PER_MSEC;
}
