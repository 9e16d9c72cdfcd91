/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Function names for backtraces, from the table that the second link embeds.
 *
 * scripts/gen-symbols writes the table from the first link: functions in the
 * order of their addresses, each as how far it is from the one before it
 * (ULEB128), its name, and a byte 0. A name's byte is itself, or stands for a
 * pair of bytes, which may stand for pairs in turn.
 */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <stdint.h>

#define SYMBOL_BLOCK	64u /* functions that are looked for one by one */
#define SYMBOL_DEPTH	16u /* of pairs in pairs */
#define SYMBOL_NAME_MAX 64u

/* Of every SYMBOL_BLOCKth function; the distance of its own in the table is 0. */
struct symbol_block {
	uint32_t addr; /* above the image's base, 0xffffffff80000000 */
	uint32_t at;   /* of its bytes in symbol_codes */
};

extern const struct symbol_block symbol_blocks[];
extern const uint32_t symbol_count;
extern const uint8_t symbol_codes[];
extern const uint8_t symbol_pairs[256][2]; /* what a byte stands for; 0, 0: itself */

/*
 * The function that holds @addr: its name, cut to what @name has room for, and the offset
 * into it. Returns @name, or NULL where there is no function. No locks: usable in a panic.
 */
const char *symbols_lookup(uint64_t addr, uint64_t *offset, char name[SYMBOL_NAME_MAX]);

#endif
