/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/input.h"

#include "kernel/console.h"

/* The shell's task alone uses these. */
static uint8_t data[256];
static size_t start, end;

const uint8_t *input_peek(size_t *len)
{
	if (start == end) {
		start = 0;
		end = console_read_timeout((char *)data, sizeof(data), 0);
	}
	*len = end - start;
	return data + start;
}

void input_taken(size_t n)
{
	start += n;
}

void input_wait(void)
{
	if (start == end) {
		start = 0;
		end = console_read((char *)data, sizeof(data));
	}
}
