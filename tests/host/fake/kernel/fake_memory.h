/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's memory, counted: pages, of which there are so many, and objects. */
#ifndef TESTS_FAKE_MEMORY_H
#define TESTS_FAKE_MEMORY_H

#include <stdint.h>

#define PAGES 64u /* of the machine */

extern uint64_t pages_left;
extern long objects; /* of kmalloc() */

#endif
