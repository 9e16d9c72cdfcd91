/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An immutable map from disjoint ranges of 64-bit keys to items, whose lookup
 * costs the same for ten ranges and for ten thousand. To change it, its user
 * builds another one in fresh memory and publishes that.
 *
 * Keys are cut into regions of 2^shift at several levels. A range belongs to
 * the finest level whose regions are no smaller than itself, so that it lies
 * in at most two of them; a hash table leads from a region to the few ranges
 * in it. The last level's regions are half of the whole key space: there, a
 * handful of giants are searched by halves.
 */
#ifndef LIB_RANGE_MAP_H
#define LIB_RANGE_MAP_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGE_MAP_LEVELS    5
#define RANGE_MAP_STEP	    9  /* bits from one level to the next */
#define RANGE_MAP_TOP_SHIFT 63 /* of the last level */
#define RANGE_MAP_SHIFT_MIN 3u /* a region's number and its level share 64 bits */

struct range {
	uint64_t first, last; /* inclusive */
	const void *item;     /* NULL: taken out, range_map_remove() */
	uint64_t tag;	      /* the user's */
};

/* One region with ranges in it; tag 0: the slot is free. */
struct range_slot {
	uint64_t tag;	/* region << 3 | level + 1 */
	uint32_t first; /* index of its first range … */
	uint32_t count; /* … and how many lie in it, wholly or in part */
};

struct range_level {
	uint8_t shift;
	uint8_t number; /* place in the order of all levels */
	uint32_t first; /* index of its first range */
	uint32_t count;
};

struct range_map {
	uint32_t count;
	uint32_t level_count; /* only levels that have ranges are kept */
	struct range_level levels[RANGE_MAP_LEVELS];
	uint8_t shift;	      /* of the finest level */
	uint8_t edges;	      /* the lowest bits of where ranges begin and end, ORed */
	uint8_t hash_shift;   /* 64 - log2 of the number of slots */
	struct range *ranges; /* by level, then by key */
	struct range_slot *slots;
};

/* Bytes that a map of @count ranges takes. */
size_t range_map_size(size_t count);

/*
 * Builds a map in @memory, range_map_size(@count) bytes, 8-byte aligned, from
 * @count disjoint ranges in any order; it is quick when they are in the order
 * of another map's `ranges` but for a few. @shift: the finest region, by what
 * sizes are common. The returned map lies at @memory.
 */
struct range_map *range_map_build(void *memory, const struct range *ranges, size_t count,
				  unsigned shift);

/*
 * Takes the range out that begins at @first and holds @item; readers see it or
 * not. Its place is free again when the next map is built without it.
 */
void range_map_remove(struct range_map *map, uint64_t first, const void *item);

/* Some range that has a key in [@first, @last], or NULL. */
const struct range *range_map_overlap(const struct range_map *map, uint64_t first, uint64_t last);

/* The slots' place of a region's tag: multiplicative hashing by the golden ratio. */
static inline uint32_t range_map_hash(const struct range_map *map, uint64_t tag)
{
	return (uint32_t)((tag * UINT64_C(0x9e3779b97f4a7c15)) >> map->hash_shift);
}

/* The one of @count sorted ranges that may hold @key. */
static inline const struct range *range_search(const struct range *r, uint32_t count, uint64_t key)
{
	while (count > 1) {
		uint32_t half = count / 2;

		if (r[half].first <= key)
			r += half;
		count -= half;
	}
	return r;
}

/* The slot of region @tag, or a free one. */
static inline const struct range_slot *range_slot_find(const struct range_map *map, uint64_t tag)
{
	uint32_t mask = (uint32_t)(~UINT64_C(0) >> map->hash_shift);
	uint32_t at = range_map_hash(map, tag);

	while (map->slots[at].tag != tag && map->slots[at].tag)
		at = (at + 1) & mask;
	return &map->slots[at];
}

/* The item of the range that holds @key, or NULL; its tag to @tag, unless that is NULL. */
static inline const void *range_map_find(const struct range_map *map, uint64_t key, uint64_t *tag)
{
	for (uint32_t i = 0; i < map->level_count; i++) {
		const struct range_level *level = &map->levels[i];
		const struct range_slot *slot = range_slot_find(
			map, (key >> level->shift) << 3 | (level->number + UINT64_C(1)));
		const struct range *r;

		if (!slot->tag)
			continue;
		r = range_search(&map->ranges[slot->first], slot->count, key);
		if (r->first <= key && key <= r->last) {
			if (tag)
				*tag = r->tag;
			return READ_ONCE(r->item);
		}
	}
	return NULL;
}

#endif
