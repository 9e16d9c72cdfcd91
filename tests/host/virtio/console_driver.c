/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/console_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void give_control_buffer(unsigned n)
{
	struct guest_buf buf = {CONTROL_BUFS + 128 * n, 128};

	(void)guest_add(&guest_queues[CONTROL_RX], &buf, 0, 1, 0);
}

void console_start(const char *url, uint64_t features)
{
	unsigned i;

	assert_non_null(guest_start(url));
	guest_drive(features, features & MULTIPORT ? 6 : 2);
	for (i = 0; i < 16 && (features & MULTIPORT); i++)
		give_control_buffer(i);
	if (features & MULTIPORT)
		(void)guest_kick(&guest_queues[CONTROL_RX]);
}

int console_teardown(void **state)
{
	(void)state;
	guest_end();
	return 0;
}

void transmit(unsigned queue, const char *text)
{
	struct guest_buf buf = {DATA, (uint32_t)strlen(text)};

	guest_put(DATA, text, strlen(text));
	(void)guest_add(&guest_queues[queue], &buf, 1, 0, 0);
	(void)guest_kick(&guest_queues[queue]);
}

bool transmitted(unsigned queue)
{
	return guest_used(&guest_queues[queue], &(uint16_t){0}, &(uint32_t){0});
}
