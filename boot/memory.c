/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/memory.h"

#include <string.h>

#define PAGE UINT64_C(4096)

static void insert(struct memory_set *set, uint32_t at, uint64_t start, uint64_t end)
{
	if (set->count == MEMORY_MAX_RANGES) {
		set->overflow = true;
		return;
	}
	memmove(&set->ranges[at + 1], &set->ranges[at], (set->count - at) * sizeof(set->ranges[0]));
	set->ranges[at] = (struct memory_range){start, end};
	set->count++;
}

static void drop(struct memory_set *set, uint32_t at)
{
	set->count--;
	memmove(&set->ranges[at], &set->ranges[at + 1], (set->count - at) * sizeof(set->ranges[0]));
}

void memory_add(struct memory_set *set, uint64_t start, uint64_t end)
{
	uint32_t at = 0;

	if (start >= end)
		return;
	/* What it overlaps or touches becomes one with it. */
	while (at < set->count) {
		struct memory_range *r = &set->ranges[at];

		if (r->start > end)
			break;
		if (r->end < start) {
			at++;
			continue;
		}
		start = MIN(start, r->start);
		end = MAX(end, r->end);
		drop(set, at);
	}
	insert(set, at, start, end);
}

void memory_remove(struct memory_set *set, uint64_t start, uint64_t end)
{
	if (start >= end)
		return;
	for (uint32_t at = 0; at < set->count && set->ranges[at].start < end;) {
		struct memory_range r = set->ranges[at];

		if (r.end <= start) {
			at++;
			continue;
		}
		drop(set, at);
		if (r.start < start)
			insert(set, at++, r.start, start);
		if (r.end > end)
			insert(set, at++, end, r.end);
	}
}

uint64_t memory_total(const struct memory_set *set)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < set->count; i++)
		total += set->ranges[i].end - set->ranges[i].start;
	return total;
}

uint64_t memory_take(struct memory_set *set, uint64_t size, uint64_t limit)
{
	for (uint32_t i = set->count; i--;) {
		struct memory_range *r = &set->ranges[i];
		uint64_t end = ALIGN_DOWN(MIN(r->end, limit), PAGE);

		if (end <= r->start || end - r->start < size)
			continue;
		memory_remove(set, end - size, end);
		return end - size;
	}
	return 0;
}

/* Firmware's maps may hold anything; what lies at the very top is no memory. */
static uint64_t page_up(uint64_t at)
{
	return at > UINT64_MAX - PAGE ? ALIGN_DOWN(at, PAGE) : ALIGN_UP(at, PAGE);
}

/* A page that is only partly RAM is not RAM. */
static void add_ram(struct memory_set *set, const struct boot_info *info)
{
	for (size_t i = 0; i < info->range_count; i++)
		if (info->ranges[i].type == BOOT_RAM)
			memory_add(set, page_up(info->ranges[i].start),
				   ALIGN_DOWN(info->ranges[i].end, PAGE));
}

void memory_free_set(struct memory_set *set, const struct boot_info *info)
{
	memset(set, 0, sizeof(*set));
	add_ram(set, info);
	/* Ranges overlap in some maps: the more careful word wins. */
	for (size_t i = 0; i < info->range_count; i++)
		if (info->ranges[i].type != BOOT_RAM)
			memory_remove(set, ALIGN_DOWN(info->ranges[i].start, PAGE),
				      page_up(info->ranges[i].end));
	for (size_t i = 0; i < info->module_count; i++)
		memory_remove(set, ALIGN_DOWN(info->modules[i].phys, PAGE),
			      page_up(info->modules[i].phys + info->modules[i].size));
}

void memory_direct_set(struct memory_set *set, const struct boot_info *info)
{
	memset(set, 0, sizeof(*set));
	add_ram(set, info);
	for (size_t i = 0; i < info->range_count; i++) {
		const struct boot_range *r = &info->ranges[i];

		if (r->type == BOOT_RESERVED || r->type == BOOT_BAD)
			memory_remove(set, ALIGN_DOWN(r->start, PAGE), page_up(r->end));
	}
	for (size_t i = 0; i < info->range_count; i++) {
		const struct boot_range *r = &info->ranges[i];

		if (r->type == BOOT_ACPI_RECLAIM || r->type == BOOT_ACPI_NVS)
			memory_add(set, ALIGN_DOWN(r->start, PAGE), page_up(r->end));
	}
	/* They lie in RAM; should the map not say so, they are needed none the less. */
	for (size_t i = 0; i < info->module_count; i++)
		memory_add(set, ALIGN_DOWN(info->modules[i].phys, PAGE),
			   page_up(info->modules[i].phys + info->modules[i].size));
}
