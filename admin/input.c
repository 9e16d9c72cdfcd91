/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/input.h"

#include "kernel/console.h"

#include <string.h>

/* The shell's task alone uses these. */
static uint8_t data[256];
static size_t start, end;

const uint8_t *input_peek(size_t *len)
{
	input_wait_ns(0);
	*len = end - start;
	return data + start;
}

void input_taken(size_t n)
{
	start += n;
}

bool input_skip(uint8_t byte)
{
	const uint8_t *at = start < end ? memchr(data + start, byte, end - start) : NULL;

	if (at) {
		start = (size_t)(at + 1 - data);
		return true;
	}
	if (!console_input_skip((char)byte))
		return false;
	start = end;
	return true;
}

void input_wait(void)
{
	if (start == end) {
		start = 0;
		end = console_read((char *)data, sizeof(data));
	}
}

void input_wait_ns(uint64_t ns)
{
	if (start == end) {
		start = 0;
		end = console_read_timeout((char *)data, sizeof(data), ns);
	}
}
