/* SPDX-License-Identifier: BSD-2-Clause */
/* Nested tables that are nowhere: hooks of memory come and go without. */
#include "vmm/guest_memory.h"

int guest_memory_set_access(struct vm *v, gpa_t gpa, uint64_t size, unsigned access)
{
	(void)v;
	(void)gpa;
	(void)size;
	(void)access;
	return 0;
}

int guest_memory_map_device(struct vm *v, gpa_t gpa, void *pages, uint64_t size)
{
	(void)v;
	(void)gpa;
	(void)pages;
	(void)size;
	return 0;
}

void guest_memory_unmap_device(struct vm *v, gpa_t gpa, uint64_t size)
{
	(void)v;
	(void)gpa;
	(void)size;
}
