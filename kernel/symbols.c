/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/symbols.h"

#include "lib/compiler.h"

#include <stddef.h>

extern const char IMAGE_BASE[], image_text_end[];

/* The last block that begins at or below @rel; UINT32_MAX: all begin above it. */
static uint32_t find_block(uint64_t rel)
{
	uint32_t low = 0, high = (symbol_count + SYMBOL_BLOCK - 1) / SYMBOL_BLOCK;

	/* Invariant: blocks[low - 1].addr <= rel < blocks[high].addr */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (symbol_blocks[mid].addr <= rel)
			low = mid + 1;
		else
			high = mid;
	}
	return low - 1;
}

static uint32_t get_distance(const uint8_t **at)
{
	uint32_t distance = 0, shift = 0;
	uint8_t byte;

	do {
		byte = *(*at)++;
		distance |= (byte & 0x7fu) << shift;
		shift += 7;
	} while (byte & 0x80);
	return distance;
}

/* Depth first: a pair's second byte waits until its first is written. */
static void expand(const uint8_t *codes, char name[SYMBOL_NAME_MAX])
{
	uint8_t waiting[SYMBOL_DEPTH];
	uint32_t len = 0, depth = 0;

	while ((depth || *codes) && len < SYMBOL_NAME_MAX - 1) {
		uint8_t code = depth ? waiting[--depth] : *codes++;

		for (; symbol_pairs[code][0]; code = symbol_pairs[code][0])
			waiting[depth++] = symbol_pairs[code][1];
		name[len++] = (char)code;
	}
	name[len] = 0;
}

const char *symbols_lookup(uint64_t addr, uint64_t *offset, char name[SYMBOL_NAME_MAX])
{
	uint64_t rel = addr - (uintptr_t)IMAGE_BASE;
	uint32_t block = find_block(rel), left, start, next;
	const uint8_t *at, *found;

	if (addr < (uintptr_t)IMAGE_BASE || addr >= (uintptr_t)image_text_end ||
	    block == UINT32_MAX)
		return NULL;
	at = symbol_codes + symbol_blocks[block].at;
	next = symbol_blocks[block].addr + get_distance(&at);
	left = MIN(SYMBOL_BLOCK, symbol_count - block * SYMBOL_BLOCK);
	do {
		start = next;
		found = at;
		while (*at++)
			;
		if (--left)
			next = start + get_distance(&at);
	} while (left && next <= rel);
	expand(found, name);
	*offset = rel - start;
	return name;
}
