/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/blk_driver.h"

#include "tests/host/virtio/slow_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct guest_queue *queue;
gpa_t table;

int blk_setup(void **state)
{
	(void)state;
	memset(&slow_disk, 0, sizeof(slow_disk));
	slow_disk.info = (struct block_info){.capacity = 1 << 20, .block_size = 512};
	table = 0;
	assert_non_null(guest_start("virtio-blk:?serial=abc"));
	queue = &guest_queues[0];
	return 0;
}

int blk_teardown(void **state)
{
	(void)state;
	guest_end();
	return 0;
}

void plug_ramdisk(const char *more)
{
	char keys[128];

	snprintf(keys, sizeof(keys), "frontend = card\nsize = 1M\n%s", more);
	assert_non_null(world_add(0, "ramdisk", "ram", keys));
}

gpa_t header(unsigned n, uint32_t type, uint64_t sector)
{
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} h = {type, 0, sector};

	guest_put(HEADER + 32 * n, &h, sizeof(h));
	return HEADER + 32 * n;
}

uint8_t status(unsigned n)
{
	return *(uint8_t *)guest_at(STATUS + n);
}

void add(unsigned n, uint32_t type, uint64_t sector, gpa_t data, uint32_t len)
{
	bool in = type == IN || type == GET_ID;
	struct guest_buf bufs[3] = {{header(n, type, sector), 16}, {data, len}, {STATUS + n, 1}};

	*(uint8_t *)guest_at(STATUS + n) = 0xee;
	if (!len)
		bufs[1] = bufs[2];
	guest_add(queue, bufs, len && !in ? 2 : 1, len && in ? 2 : 1, table);
}

uint32_t done(void)
{
	uint32_t len;
	uint16_t id;

	assert_true(guest_used(queue, &id, &len));
	return len;
}

uint8_t request(uint32_t type, uint64_t sector, gpa_t data, uint32_t len, uint32_t *written)
{
	uint32_t n;

	add(0, type, sector, data, len);
	guest_kick(queue);
	world_work();
	n = done();
	if (written)
		*written = n;
	return status(0);
}

void fill(gpa_t gpa, uint8_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*(uint8_t *)guest_at(gpa + i) = (uint8_t)(value + i / 512);
}

bool is_filled(gpa_t gpa, uint8_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (*(uint8_t *)guest_at(gpa + i) != (uint8_t)(value + i / 512))
			return false;
	return true;
}
