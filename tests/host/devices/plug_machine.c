/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's ports and device memory, of which nothing is there. */
#include "drivers/device_memory.h"
#include "drivers/ports.h"
#include "kernel/page_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

const char *ports_user(uint16_t first, uint32_t count)
{
	(void)first;
	(void)count;
	return NULL;
}

uint32_t ports_read(uint16_t port, unsigned width)
{
	(void)width;
	return port;
}

void ports_write(uint16_t port, unsigned width, uint32_t value)
{
	(void)port;
	(void)width;
	(void)value;
}

int device_memory_map(uint64_t phys, uint64_t size, volatile void **at, const char **why)
{
	static uint8_t page[PAGE_SIZE];

	(void)phys;
	assert_true(size <= sizeof(page));
	*at = page;
	*why = NULL;
	return 0;
}

uint64_t device_memory_read(const volatile void *at, unsigned width)
{
	(void)at;
	return width;
}

void device_memory_write(volatile void *at, unsigned width, uint64_t value)
{
	(void)at;
	(void)width;
	(void)value;
}
