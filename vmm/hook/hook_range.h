/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hook maps that are range maps (MSRs, memory, hypercalls) have in common. */
#ifndef VMM_HOOK_HOOK_RANGE_H
#define VMM_HOOK_HOOK_RANGE_H

#include "lib/range_map.h"
#include "vmm/hook/hook.h"

/* One of a VM's maps, and how messages speak of it. */
struct hook_range_kind {
	const char *what; /* "MSRs", "memory" … */
	unsigned shift;	  /* finest region of the map */
	/* The name of the owner of an item. */
	const char *(*owner)(const void *item);
};

/* An empty map, or NULL. */
struct range_map *hook_range_create(const struct hook_range_kind *kind) __must_check;

/* Publishes @map with @range in it. 0, -EBUSY (logged with both owners) or -ENOMEM. */
int hook_range_add(struct vm *vm, struct range_map **map, const struct hook_range_kind *kind,
		   const struct range *range) __must_check;

/* On return no CPU sees it any more. Never fails: it allocates nothing. */
void hook_range_remove(struct vm *vm, struct range_map **map, uint64_t first, const void *item);

/* The owner's name of a struct hook. */
const char *hook_owner(const void *hook);

/* Waits, when vCPUs may run, until none sees what was unpublished. Task, no lock held. */
void hook_wait(struct vm *vm);

#endif
