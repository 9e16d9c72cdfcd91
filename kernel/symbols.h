/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Function names for backtraces, from the table that the second link embeds.
 */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <stdint.h>

/* One function; scripts/gen-symbols writes the table, ascending, from the first link. */
struct symbol {
	uint32_t addr; /* above the image's base, 0xffffffff80000000 */
	uint32_t name; /* offset into symbol_names */
};

extern const struct symbol symbol_table[];
extern const uint32_t symbol_count;
extern const char symbol_names[];

/* The function that holds @addr and the offset into it, or NULL. No locks: usable in a panic. */
const char *symbols_lookup(uint64_t addr, uint64_t *offset);

#endif
