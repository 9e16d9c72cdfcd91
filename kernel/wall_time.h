/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The date: the machine's CMOS clock, read once, and counted on with the TSC.
 */
#ifndef KERNEL_WALL_TIME_H
#define KERNEL_WALL_TIME_H

#include <stdint.h>

/*
 * Seconds since 1970-01-01 00:00 UTC, taking the CMOS clock as UTC; 0 at the
 * machine's start when that clock makes no sense. The first call reads the
 * clock: a task, no lock held.
 */
int64_t wall_time(void);

#endif
