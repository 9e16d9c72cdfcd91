/* SPDX-License-Identifier: BSD-2-Clause */
/* The real header, but ports of bytes are what the test says they are. */
#ifndef FAKE_ARCH_X86_64_IO_H
#define FAKE_ARCH_X86_64_IO_H

#define io_in8	     real_io_in8
#define io_out8	     real_io_out8
#define io_out8_many real_io_out8_many
#include_next "arch/x86_64/io.h"
#undef io_in8
#undef io_out8
#undef io_out8_many

uint8_t io_in8(uint16_t port);
void io_out8(uint16_t port, uint8_t value);
void io_out8_many(uint16_t port, const void *data, size_t n);

#endif
