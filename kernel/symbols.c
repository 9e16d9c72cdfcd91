/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/symbols.h"

#include <stddef.h>

extern const char IMAGE_BASE[], image_text_end[];

const char *symbols_lookup(uint64_t addr, uint64_t *offset)
{
	uint64_t rel = addr - (uintptr_t)IMAGE_BASE;
	uint32_t low = 0, high = symbol_count;

	if (addr >= (uintptr_t)image_text_end)
		return NULL;
	/* Invariant: table[low - 1].addr <= rel < table[high].addr */
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (symbol_table[mid].addr <= rel)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return NULL;
	*offset = rel - symbol_table[low - 1].addr;
	return symbol_names + symbol_table[low - 1].name;
}
