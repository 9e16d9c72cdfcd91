/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions on memory that is not RAM, from the inside: the I/O APIC's
 * select register (bits 0-7 kept) and the hole behind it.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#include <string.h>

#define SELECT ((volatile uint32_t *)0xfec00000)
#define HOLE   0xfd000000ul
#define RAM    0x600000ul

static uint32_t selected(void)
{
	return *SELECT & 0xff;
}

GUEST_TEST(moves)
{
	uint64_t v;

	*SELECT = 0x11;
	CHECK(selected() == 0x11, "0x%x", selected());
	__asm__ volatile("movl $0x22, (%0)" ::"r"(SELECT) : "memory");
	CHECK(selected() == 0x22, "0x%x", selected());
	__asm__ volatile("movzbl (%1), %k0" : "=r"(v) : "r"(SELECT));
	CHECK(v == 0x22, "movzx: 0x%llx", (unsigned long long)v);
	*SELECT = 0x80;
	__asm__ volatile("movsbq (%1), %0" : "=r"(v) : "r"(SELECT));
	CHECK(v == 0xffffffffffffff80, "movsx: 0x%llx", (unsigned long long)v);
	__asm__ volatile("movabs 0xfec00000, %%eax" : "=a"(v));
	CHECK((v & 0xff) == 0x80, "moffs: 0x%llx", (unsigned long long)v);
}

GUEST_TEST(read_modify_write)
{
	uint32_t old = 0x10;
	uint8_t carry;

	*SELECT = 0x0f;
	__asm__ volatile("orl $0x30, (%0)" ::"r"(SELECT) : "memory", "cc");
	CHECK(selected() == 0x3f, "or: 0x%x", selected());
	__asm__ volatile("andl $0x1e, (%0)" ::"r"(SELECT) : "memory", "cc");
	CHECK(selected() == 0x1e, "and: 0x%x", selected());
	__asm__ volatile("xorl $0x01, (%0)" ::"r"(SELECT) : "memory", "cc");
	CHECK(selected() == 0x1f, "xor: 0x%x", selected());
	__asm__ volatile("addl $1, (%0)" ::"r"(SELECT) : "memory", "cc");
	CHECK(selected() == 0x20, "add: 0x%x", selected());
	__asm__ volatile("subl $0x10, (%0)" ::"r"(SELECT) : "memory", "cc");
	CHECK(selected() == 0x10, "sub: 0x%x", selected());
	__asm__ volatile("xchgl %0, (%1)" : "+r"(old) : "r"(SELECT) : "memory");
	CHECK((old & 0xff) == 0x10, "xchg: 0x%x", old);
	__asm__ volatile("lock btsl $2, (%1); setc %0"
			 : "=r"(carry)
			 : "r"(SELECT)
			 : "memory", "cc");
	CHECK(!carry && selected() == 0x14, "bts: 0x%x", selected());
	__asm__ volatile("lock xaddl %0, (%1)" : "+r"(old) : "r"(SELECT) : "memory", "cc");
	CHECK((old & 0xff) == 0x14 && selected() == 0x24, "xadd: 0x%x", selected());
	old = *SELECT;
	__asm__ volatile("lock cmpxchgl %3, (%2); setz %0"
			 : "=q"(carry), "+a"(old)
			 : "r"(SELECT), "r"(0x33)
			 : "memory", "cc");
	CHECK(carry && selected() == 0x33, "cmpxchg: 0x%x", selected());
}

GUEST_TEST(strings_to_and_from_the_hole)
{
	uint8_t *ram = (uint8_t *)RAM;
	void *to = ram;
	const void *from = (const void *)HOLE;
	uint64_t count = 5000;

	memset(ram, 0, 8192);
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
	CHECK(count == 0 && ram[0] == 0xff && ram[4999] == 0xff && ram[5000] == 0, "%ld left",
	      (long)count);
	to = (void *)HOLE;
	count = 1000;
	__asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(0) : "memory");
	CHECK(count == 0 && to == (void *)(HOLE + 4000), "stos: %ld left", (long)count);
	CHECK(*(volatile uint32_t *)HOLE == 0xffffffff, "the hole kept a write");
}

GUEST_TEST(page_crossing)
{
	/* The last bytes of RAM's page and the first of a page that is none: 0x9ffff|0xa0000. */
	volatile uint32_t *p = (volatile uint32_t *)0x9fffe;
	uint32_t v;

	*(volatile uint16_t *)0x9fffe = 0x1234;
	v = *p;
	CHECK(v == 0xffff1234, "0x%x", v);
	*p = 0x89abcdef;
	CHECK(*(volatile uint16_t *)0x9fffe == 0xcdef, "0x%x", *(volatile uint16_t *)0x9fffe);
}

static void write_readonly(void *arg)
{
	*(volatile uint32_t *)arg = 0;
}

extern uint64_t guest_pd[];

GUEST_TEST(faults_come_before_the_device)
{
	struct guest_fault f = {0};
	uint64_t *pde = &guest_pd[(uint64_t)SELECT >> 21];

	*SELECT = 0x21;
	*pde &= ~2ull;
	__asm__ volatile("invlpg (%0)" ::"r"(SELECT) : "memory");
	CHECK(guest_faults(write_readonly, (void *)SELECT, &f), "no fault");
	*pde |= 2;
	__asm__ volatile("invlpg (%0)" ::"r"(SELECT) : "memory");
	CHECK(f.vector == 14 && f.error == 3 && f.cr2 == (uint64_t)SELECT, "vector %u error 0x%llx",
	      f.vector, (unsigned long long)f.error);
	CHECK(selected() == 0x21, "the write went through");
}

/* The same address runs other code each time: nothing stale is executed. */
GUEST_TEST(rewritten_code)
{
	uint8_t *code = (uint8_t *)RAM;
	static const uint8_t store[] = {0xc7, 0x07, 0x05, 0x00,
					0x00, 0x00, 0xc3}; /* movl $5,(%rdi) */
	static const uint8_t load[] = {0x8b, 0x07, 0x90, 0x90,
				       0x90, 0x90, 0xc3}; /* movl (%rdi),%eax */
	uint32_t v;
	unsigned i;

	for (i = 0; i < 100; i++) {
		memcpy(code, store, sizeof(store));
		code[2] = (uint8_t)i;
		((void (*)(volatile void *))RAM)(SELECT);
		memcpy(code, load, sizeof(load));
		v = ((uint32_t(*)(volatile void *))RAM)(SELECT);
		CHECK((v & 0xff) == i, "round %u: 0x%x", i, v);
	}
}
