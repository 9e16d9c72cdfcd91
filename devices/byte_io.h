/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chips on an 8-bit bus: an access of 2 or 4 bytes is that many of 1 byte at
 * ascending addresses. @fn is a constant, so the compiler folds it in.
 */
#ifndef DEVICES_BYTE_IO_H
#define DEVICES_BYTE_IO_H

#include "lib/compiler.h"

#include <stdint.h>

static __always_inline int byte_io_read(uint8_t (*fn)(void *opaque, unsigned offset), void *opaque,
					uint64_t offset, unsigned width, uint64_t *value)
{
	unsigned i;

	*value = fn(opaque, (unsigned)offset);
	for (i = 1; unlikely(i < width); i++)
		*value |= (uint64_t)fn(opaque, (unsigned)offset + i) << (8 * i);
	return 0;
}

static __always_inline int byte_io_write(void (*fn)(void *opaque, unsigned offset, uint8_t value),
					 void *opaque, uint64_t offset, unsigned width,
					 uint64_t value)
{
	unsigned i;

	fn(opaque, (unsigned)offset, (uint8_t)value);
	for (i = 1; unlikely(i < width); i++)
		fn(opaque, (unsigned)offset + i, (uint8_t)(value >> (8 * i)));
	return 0;
}

#endif
