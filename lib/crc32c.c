/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/crc32c.h"

/* What four bits at the lower end make of the rest: 11edc6f41h with its bits reversed, four steps.
 */
static const uint32_t steps[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *byte = data;

	crc = ~crc;
	while (len--) {
		crc ^= *byte++;
		crc = crc >> 4 ^ steps[crc & 0xf];
		crc = crc >> 4 ^ steps[crc & 0xf];
	}
	return ~crc;
}
