/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/echo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void fill(gpa_t gpa, uint32_t len, unsigned seed)
{
	for (uint32_t i = 0; i < len; i++)
		guest_put(gpa + i, &(uint8_t){(uint8_t)(seed * 31 + i * 7)}, 1);
}

void expect_filled(gpa_t gpa, uint32_t len, unsigned seed)
{
	uint8_t byte;

	for (uint32_t i = 0; i < len; i++) {
		guest_get(gpa + i, &byte, 1);
		if (byte != (uint8_t)(seed * 31 + i * 7))
			fail_msg("byte %u of %u at 0x%llx is 0x%x", i, len, (unsigned long long)gpa,
				 byte);
	}
}

void echo(struct guest_queue *q, gpa_t data, unsigned n, uint32_t len, gpa_t table)
{
	static unsigned seed;
	struct guest_buf bufs[16];
	uint16_t id, got;
	uint32_t bytes;
	unsigned i;

	seed++;
	for (i = 0; i < 2 * n; i++)
		bufs[i] = (struct guest_buf){data + i * (len + 16), len};
	for (i = 0; i < n; i++)
		fill(bufs[i].gpa, len, seed + i);
	id = guest_add(q, bufs, n, n, table);
	assert_true(guest_kick(q));
	assert_true(guest_used(q, &got, &bytes));
	assert_int_equal(got, id);
	assert_int_equal(bytes, n * len);
	for (i = 0; i < n; i++)
		expect_filled(bufs[n + i].gpa, len, seed + i);
	assert_false(guest_used(q, &got, &bytes));
}
