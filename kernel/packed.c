/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/packed.h"

#include "arch/x86_64/paging.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "lib/compiler.h"

#include <errno.h>
#include <lz4_block.h>
#include <string.h>

#define BLOCK_ORDER 4 /* pages, as a power of two: LZ4_BLOCK_MAX */
_Static_assert(PAGE_SIZE << BLOCK_ORDER == LZ4_BLOCK_MAX, "a block is unpacked into one piece");

/* Where the tables are to be, from linker.ld; the last block may stand for less. */
extern const uint8_t packed_tables_start[], packed_tables_end[];
/* Blocks, each with its length (4 bytes) in front: scripts/pack.c. */
extern const uint8_t packed_blocks[];

static struct page_owner owner;

int packed_init(void)
{
	const uint8_t *to = packed_tables_start, *from = packed_blocks;

	page_owner_register(&owner, "packed tables");
	while (to < packed_tables_end) {
		size_t size = MIN(LZ4_BLOCK_MAX, (size_t)(packed_tables_end - to));
		uint8_t *pages = page_alloc(&owner, BLOCK_ORDER);
		uint32_t len;

		if (!pages)
			return -ENOMEM;
		memcpy(&len, from, sizeof(len));
		if (!lz4_block_unpack(from + sizeof(len), len, pages, size))
			panic("the image's packed tables are damaged");
		if (paging_map_tables((uint64_t)to, pages, PAGE_SIZE << BLOCK_ORDER))
			return -ENOMEM;
		from += sizeof(len) + len;
		to += LZ4_BLOCK_MAX;
	}
	return 0;
}
