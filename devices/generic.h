/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the generic device: generic.c, and generic_ranges.c, which reads its keys.
 */
#ifndef DEVICES_GENERIC_H
#define DEVICES_GENERIC_H

#include "devices/hostdev/machine_memory.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;
struct host_device;

#define GENERIC_RANGES_MAX 64
#define GENERIC_MODES	   "ignore|print-and-ignore|passthrough|print-and-passthrough|forward"

enum generic_mode {
	GENERIC_IGNORE,
	GENERIC_PRINT_IGNORE,
	GENERIC_PASS,
	GENERIC_PRINT_PASS,
	GENERIC_FORWARD,
};

/* Whether the machine answers. */
static inline bool generic_passes(enum generic_mode mode)
{
	return mode == GENERIC_PASS || mode == GENERIC_PRINT_PASS;
}

struct generic_range {
	struct generic *g;
	uint64_t first, last; /* ports, or guest-physical bytes */
	bool memory;
	enum generic_mode mode;
	uint64_t arg;		       /* what reads give; of GENERIC_FORWARD: the region */
	struct machine_memory machine; /* of memory that is passed through */
};

struct generic {
	struct device *dev;
	struct host_device *hostdev; /* or NULL */
	size_t count;
	struct generic_range ranges[GENERIC_RANGES_MAX];
};

/*
 * Adds the ranges of @text, the value of the key `memory` or `ports`. -EINVAL
 * names key and range in the log.
 */
int generic_ranges_parse(struct generic *g, bool memory, const char *text) __must_check;

#endif
