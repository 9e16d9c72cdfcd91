/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Function names for backtraces, from the table that the second link embeds.
 */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <stdint.h>

/* The function that holds @addr and the offset into it, or NULL. No locks: usable in a panic. */
const char *symbols_lookup(uint64_t addr, uint64_t *offset);

#endif
