/* SPDX-License-Identifier: BSD-2-Clause */
/* The least that a guest must see: it runs, traps work, memory is there. */
#include "tests/guest/lib/guest.h"

#include <string.h>

GUEST_TEST(loader_magic)
{
	CHECK(guest_magic == 0x2badb002 || guest_magic == 0x36d76289, "0x%x", guest_magic);
	CHECK(guest_info != 0, "no boot information");
}

GUEST_TEST(cpuid_names_hypervisor)
{
	uint32_t r[4];
	char name[13] = "";

	cpuid(1, 0, r);
	CHECK(r[2] >> 31, "the hypervisor bit is clear");
	cpuid(0x40000000, 0, r);
	memcpy(name, &r[1], 12);
	CHECK(!strcmp(name, "AlcazarAlcaz"), "\"%s\"", name);
}

static void divide(void *arg)
{
	(void)arg;
	__asm__ volatile("xor %%ecx, %%ecx; xor %%edx, %%edx; div %%ecx" ::: "eax", "ecx", "edx");
}

static void touch(void *arg)
{
	(void)*(volatile char *)arg;
}

static void undefined(void *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
}

GUEST_TEST(exceptions_arrive)
{
	struct guest_fault f = {0};

	CHECK(guest_faults(divide, NULL, &f) && f.vector == 0, "vector %d", f.vector);
	CHECK(guest_faults(undefined, NULL, &f) && f.vector == 6, "vector %d", f.vector);
	CHECK(guest_faults(touch, (void *)0x100000000000, &f) && f.vector == 14, "vector %d",
	      f.vector);
	CHECK(f.cr2 == 0x100000000000 && f.error == 0, "cr2 0x%llx error 0x%llx",
	      (unsigned long long)f.cr2, (unsigned long long)f.error);
}

#define HYPERCALL_NONE 0x7fffffff /* nobody's number */
#define UNKNOWN	       (-38)

/* Both vendors' instructions work, whichever CPU it is, and change RAX alone. */
GUEST_TEST(hypercalls_of_both_vendors)
{
	int64_t vmcall = HYPERCALL_NONE, vmmcall = HYPERCALL_NONE;
	uint64_t b = 1, c = 2, d = 3, si = 4;

	__asm__ volatile("vmcall" : "+a"(vmcall), "+b"(b), "+c"(c), "+d"(d), "+S"(si)::"memory");
	__asm__ volatile("vmmcall" : "+a"(vmmcall), "+b"(b), "+c"(c), "+d"(d), "+S"(si)::"memory");
	CHECK(vmcall == UNKNOWN && vmmcall == UNKNOWN, "VMCALL %d, VMMCALL %d", (int)vmcall,
	      (int)vmmcall);
	CHECK(b == 1 && c == 2 && d == 3 && si == 4, "they change other registers");
}

GUEST_TEST(memory_keeps_what_is_written)
{
	volatile uint64_t *p = (volatile uint64_t *)0x400000;
	size_t i;

	for (i = 0; i < 0x100000 / 8; i += 512)
		p[i] = i * 0x9e3779b97f4a7c15;
	for (i = 0; i < 0x100000 / 8; i += 512)
		CHECK(p[i] == i * 0x9e3779b97f4a7c15, "at %zu", i);
}
