/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/ports.h"

#include "arch/x86_64/io.h"

uint32_t ports_read(uint16_t port, unsigned width)
{
	if (width == 1)
		return io_in8(port);
	return width == 2 ? io_in16(port) : io_in32(port);
}

void ports_write(uint16_t port, unsigned width, uint32_t value)
{
	if (width == 1)
		io_out8(port, (uint8_t)value);
	else if (width == 2)
		io_out16(port, (uint16_t)value);
	else
		io_out32(port, value);
}
