/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the machine's memory is free for us, before there is an allocator:
 * sets of physical address ranges, made from the loader's map.
 */
#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

#include "kernel/boot_info.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_MAX_RANGES 512

struct memory_range {
	uint64_t start, end; /* [start, end), never empty */
};

/* Ascending, neither overlapping nor touching. */
struct memory_set {
	struct memory_range ranges[MEMORY_MAX_RANGES];
	uint32_t count;
	bool overflow; /* a range was lost for want of room: it is not in the set */
};

void memory_add(struct memory_set *set, uint64_t start, uint64_t end);
void memory_remove(struct memory_set *set, uint64_t start, uint64_t end);
uint64_t memory_total(const struct memory_set *set);

/*
 * Takes @size bytes, 4 KiB-aligned, from the upper end of the highest range
 * that has them below @limit. 0: there are none.
 */
uint64_t memory_take(struct memory_set *set, uint64_t size, uint64_t limit) __must_check;

/* RAM in whole pages, less what @info says is something else as well, less the modules. */
void memory_free_set(struct memory_set *set, const struct boot_info *info);
/* All that the direct map shows: RAM and what holds ACPI's tables, page by page. */
void memory_direct_set(struct memory_set *set, const struct boot_info *info);

#endif
