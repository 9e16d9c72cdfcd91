/* SPDX-License-Identifier: BSD-2-Clause */
/* CRC32C (Castagnoli), as iSCSI has it: RFC 3720, 12.1 and B.4. */
#ifndef LIB_CRC32C_H
#define LIB_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of @len bytes behind those that @crc is of; 0: of none. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
