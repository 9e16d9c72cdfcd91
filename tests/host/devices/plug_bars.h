/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages in the world of plug_world.h: what is mapped for BARs, and what vCPUs may have cached of it
 * when pages are freed. */
#ifndef TESTS_HOST_DEVICES_PLUG_BARS_H
#define TESTS_HOST_DEVICES_PLUG_BARS_H

#include "vmm/types.h"

#include <stdbool.h>
#include <stdint.h>

/* False: it is no BAR's, nor what could not be mapped. */
bool plug_bars_unmap(gpa_t gpa, uint64_t size);
/* No vCPU has anything cached that is not mapped. */
void plug_bars_flushed(void);
uint64_t plug_bars_pages(void);
/* Where the guest reaches a BAR's byte at @gpa without an exit; NULL: it exits. */
uint8_t *plug_bar_at(gpa_t gpa);

#endif
