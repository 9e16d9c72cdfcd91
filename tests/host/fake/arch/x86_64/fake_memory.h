/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's memory as the machine's RAM, for what allocates. */
#ifndef TESTS_HOST_FAKE_MEMORY_H
#define TESTS_HOST_FAKE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reserves [0, @size) of "physical" addresses, aligned as physical memory is
 * up to 1 GiB; pages cost host memory once touched. Again: starts afresh,
 * zeroed. Gives nothing to the page allocator.
 */
void fake_memory_init(size_t size);

#endif
