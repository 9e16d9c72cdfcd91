/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_FAST_CRC32C_H
#define KERNEL_FAST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* As crc32c() of lib/crc32c.h, for much at a time: by the CPU's own instruction, if it has it. */
uint32_t fast_crc32c(uint32_t crc, const void *data, size_t len);

#endif
