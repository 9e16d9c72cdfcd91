/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/crc32c.h"

#define CRC32C_POLYNOMIAL 0x82f63b78u /* 11edc6f41h with its bits reversed */

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *byte = data;

	crc = ~crc;
	while (len--) {
		crc ^= *byte++;
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (CRC32C_POLYNOMIAL & -(crc & 1));
	}
	return ~crc;
}
