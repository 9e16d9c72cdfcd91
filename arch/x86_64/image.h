/* SPDX-License-Identifier: BSD-2-Clause */
/* Where our own image lies: symbols of linker.ld and entry.S. */
#ifndef ARCH_X86_64_IMAGE_H
#define ARCH_X86_64_IMAGE_H

#include <stdint.h>

/* Each begins and ends on a page. */
extern const uint8_t image_text_start[], image_text_end[];
extern const uint8_t image_rodata_start[], image_rodata_end[];
extern const uint8_t image_data_start[], image_data_end[];

/* Physical address less linked address: where the loader moved us. */
extern uint64_t image_load_offset;

#endif
