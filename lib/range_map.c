/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/range_map.h"

#include <string.h>

static unsigned level_shift(unsigned shift, unsigned level)
{
	unsigned s = shift + level * RANGE_MAP_STEP;

	return level == RANGE_MAP_LEVELS - 1 || s > RANGE_MAP_TOP_SHIFT ? RANGE_MAP_TOP_SHIFT : s;
}

static unsigned level_of(unsigned shift, const struct range *r)
{
	unsigned level = 0;

	while (level < RANGE_MAP_LEVELS - 1 &&
	       (r->last - r->first) >> level_shift(shift, level) != 0)
		level++;
	return level;
}

/* log2 of the number of slots: a range takes two at most, and half of them stay free. */
static unsigned slot_bits(size_t count)
{
	unsigned bits = 2;

	while ((UINT64_C(1) << bits) < 4 * (uint64_t)count)
		bits++;
	return bits;
}

size_t range_map_size(size_t count)
{
	return sizeof(struct range_map) + count * sizeof(struct range) +
	       (sizeof(struct range_slot) << slot_bits(count));
}

static bool sorts_before(unsigned shift, const struct range *a, const struct range *b)
{
	unsigned la = level_of(shift, a), lb = level_of(shift, b);

	return la != lb ? la < lb : a->first < b->first;
}

/* Insertion: one pass when all but a few are in order. */
static void sort(struct range *r, size_t count, unsigned shift)
{
	for (size_t i = 1; i < count; i++) {
		struct range moving = r[i];
		size_t j = i;

		for (; j > 0 && sorts_before(shift, &moving, &r[j - 1]); j--)
			r[j] = r[j - 1];
		r[j] = moving;
	}
}

/* Ranges come in order, so those of one region are neighbours. */
static void slot_add(struct range_map *map, uint64_t tag, uint32_t index)
{
	uint32_t mask = (uint32_t)(~UINT64_C(0) >> map->hash_shift);
	uint32_t at = range_map_hash(map, tag);

	while (map->slots[at].tag && map->slots[at].tag != tag)
		at = (at + 1) & mask;
	if (!map->slots[at].tag)
		map->slots[at] = (struct range_slot){.tag = tag, .first = index};
	map->slots[at].count++;
}

static void index_range(struct range_map *map, uint32_t index)
{
	const struct range *r = &map->ranges[index];
	unsigned number = level_of(map->shift, r);
	unsigned shift = level_shift(map->shift, number);
	struct range_level *level;

	if (map->level_count == 0 || map->levels[map->level_count - 1].number != number)
		map->levels[map->level_count++] = (struct range_level){
			.shift = (uint8_t)shift, .number = (uint8_t)number, .first = index};
	level = &map->levels[map->level_count - 1];
	level->count++;

	slot_add(map, (r->first >> shift) << 3 | (number + UINT64_C(1)), index);
	if (r->last >> shift != r->first >> shift)
		slot_add(map, (r->last >> shift) << 3 | (number + UINT64_C(1)), index);
}

struct range_map *range_map_build(void *memory, const struct range *ranges, size_t count,
				  unsigned shift)
{
	struct range_map *map = memory;
	unsigned bits = slot_bits(count);

	memset(map, 0, range_map_size(count));
	map->count = (uint32_t)count;
	map->shift = (uint8_t)MAX(shift, RANGE_MAP_SHIFT_MIN);
	map->hash_shift = (uint8_t)(64 - bits);
	map->slots = (struct range_slot *)(map + 1);
	map->ranges = (struct range *)(map->slots + (UINT64_C(1) << bits));
	if (count > 0)
		memcpy(map->ranges, ranges, count * sizeof(*ranges));
	sort(map->ranges, count, map->shift);
	for (uint32_t i = 0; i < count; i++) {
		map->edges |= (uint8_t)(map->ranges[i].first | (map->ranges[i].last + 1));
		index_range(map, i);
	}
	return map;
}

const struct range *range_map_overlap(const struct range_map *map, uint64_t first, uint64_t last)
{
	for (uint32_t i = 0; i < map->level_count; i++) {
		const struct range *r = &map->ranges[map->levels[i].first];
		uint32_t lo = 0, hi = map->levels[i].count;

		/* The first one that does not end before @first. */
		while (lo < hi) {
			uint32_t mid = lo + (hi - lo) / 2;

			if (r[mid].last < first)
				lo = mid + 1;
			else
				hi = mid;
		}
		for (; lo < map->levels[i].count && r[lo].first <= last; lo++) {
			if (READ_ONCE(r[lo].item))
				return &r[lo];
		}
	}
	return NULL;
}

void range_map_remove(struct range_map *map, uint64_t first, const void *item)
{
	for (uint32_t i = 0; i < map->count; i++) {
		if (map->ranges[i].first == first && map->ranges[i].item == item)
			WRITE_ONCE(map->ranges[i].item, NULL);
	}
}
