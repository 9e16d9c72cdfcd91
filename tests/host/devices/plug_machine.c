/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's ports and device memory, of which nothing is there, and a VM's nested tables. */
#include "tests/host/devices/plug_world.h"

#include "drivers/device_memory.h"
#include "drivers/ports.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "tests/host/devices/plug_bars.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

const char *ports_claim(uint16_t first, uint32_t count, const void *owner, const char *user)
{
	(void)first;
	(void)count;
	(void)owner;
	(void)user;
	return NULL;
}

void ports_release(uint16_t first, uint32_t count, const void *owner)
{
	(void)first;
	(void)count;
	(void)owner;
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
	void *table = kzalloc(1); /* counted, and refused, as all memory */

	(void)phys;
	assert_true(size <= sizeof(page));
	kfree(table);
	*at = page;
	*why = table ? NULL : "cannot be mapped";
	return table ? 0 : -ENOMEM;
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

uint64_t plug_mapped;

static struct piece {
	gpa_t gpa;
	uint64_t pages; /* 0: it is free */
} pieces[8];		/* of what is mapped */

/* Nested tables are memory as all else is: counted, and refused. */
static int take_table(void)
{
	void *table = kzalloc(1);

	kfree(table);
	return table ? 0 : -ENOMEM;
}

int guest_memory_set_access(struct vm *v, gpa_t gpa, uint64_t size, unsigned access)
{
	(void)v;
	(void)gpa;
	(void)size;
	(void)access;
	return take_table();
}

static struct piece *piece_at(gpa_t gpa)
{
	struct piece *p = pieces;

	while (p < pieces + ARRAY_SIZE(pieces) && (!p->pages || p->gpa != gpa))
		p++;
	return p < pieces + ARRAY_SIZE(pieces) ? p : NULL;
}

/* One that fails may have mapped a part. */
int guest_memory_map_device(struct vm *v, gpa_t gpa, void *pages, uint64_t size)
{
	struct piece *p = pieces;

	(void)v;
	(void)pages;
	assert_null(piece_at(gpa));
	while (p->pages)
		assert_true(++p < pieces + ARRAY_SIZE(pieces));
	*p = (struct piece){gpa, size / PAGE_SIZE};
	plug_mapped += p->pages;
	return take_table();
}

int guest_memory_map_machine(struct vm *v, gpa_t gpa, uint64_t size)
{
	return guest_memory_map_device(v, gpa, NULL, size);
}

void guest_memory_unmap_device(struct vm *v, gpa_t gpa, uint64_t size)
{
	struct piece *p = piece_at(gpa);

	(void)v;
	if (plug_bars_unmap(gpa, size))
		return;
	if (!p) /* it never came so far */
		return;
	assert_int_equal(p->pages, size / PAGE_SIZE);
	plug_mapped -= p->pages;
	p->pages = 0;
}
