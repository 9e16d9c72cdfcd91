/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks as an XMODEM sender makes them. */
#ifndef TESTS_HOST_ADMIN_XMODEM_SENDER_H
#define TESTS_HOST_ADMIN_XMODEM_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SOH   0x01
#define STX   0x02
#define CTRLC 0x03
#define EOT   0x04
#define ACK   "\x06"
#define NAK   "\x15"
#define CAN   0x18
#define PAD   0x1a

#define SENDER_BLOCK_MAX (3 + 1024 + 2)

/* By long division of all bits at once: another way than the receiver's. */
static inline uint16_t sender_crc(const uint8_t *data, size_t len)
{
	uint32_t rest = 0;

	for (size_t bit = 0; bit < len * 8 + 16; bit++) {
		uint32_t next = bit < len * 8 ? data[bit / 8] >> (7 - bit % 8) & 1 : 0;

		rest = rest << 1 | next;
		if (rest & 0x10000)
			rest ^= 0x11021;
	}
	return (uint16_t)rest;
}

/* Block @number of @size bytes (128 or 1024), padded behind @len of @data. Its length in all. */
static inline size_t sender_block(uint8_t out[SENDER_BLOCK_MAX], uint8_t number, size_t size,
				  const uint8_t *data, size_t len, bool crc)
{
	uint8_t sum = 0;

	out[0] = size == 128 ? SOH : STX;
	out[1] = number;
	out[2] = (uint8_t)~number;
	memset(out + 3, PAD, size);
	memcpy(out + 3, data, len);
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + out[3 + i]);
	out[3 + size] = crc ? (uint8_t)(sender_crc(out + 3, size) >> 8) : sum;
	if (crc)
		out[4 + size] = (uint8_t)sender_crc(out + 3, size);
	return 3 + size + (crc ? 2 : 1);
}

#endif
