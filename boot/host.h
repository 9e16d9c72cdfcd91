/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for page tables and stacks, early and later (arch/x86_64/host.h). */
#ifndef BOOT_HOST_H
#define BOOT_HOST_H

#include "boot/memory.h"

/*
 * Until host_use_allocator(), pages come out of @early; they must be in reach
 * of the page tables that entry.S made.
 */
void host_use_early(struct memory_set *early);
void host_use_allocator(void);

#endif
