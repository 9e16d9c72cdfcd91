/* SPDX-License-Identifier: BSD-2-Clause */
/* How the hook maps are made and given back; for hook.c. NULL: no memory; destroy takes NULL. */
#ifndef VMM_HOOK_HOOK_MAPS_H
#define VMM_HOOK_HOOK_MAPS_H

#include "lib/compiler.h"

struct hook_cpuid_map;
struct range_map;

struct hook_cpuid_map *hook_cpuid_map_create(void) __must_check;
void hook_cpuid_map_destroy(struct hook_cpuid_map *map);
/* These are freed by kfree(). */
struct range_map *hook_memory_map_create(void) __must_check;
struct range_map *hook_call_map_create(void) __must_check;

#endif
