/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/fake/arch/x86_64/fake_memory.h"
#include "arch/x86_64/paging.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FAKE_MEMORY_ALIGN (UINT64_C(1) << 30)

char *fake_direct_base;

void fake_memory_init(size_t size)
{
	static void *mapped;
	static size_t mapped_size;
	uintptr_t at;

	if (mapped)
		munmap(mapped, mapped_size);
	mapped_size = size + FAKE_MEMORY_ALIGN;
	mapped = mmap(NULL, mapped_size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapped == MAP_FAILED) {
		perror("mmap");
		abort();
	}
	at = ((uintptr_t)mapped + FAKE_MEMORY_ALIGN - 1) & ~(FAKE_MEMORY_ALIGN - 1);
	fake_direct_base = (char *)at;
}
