/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug registers and INT1, around instructions that exit and those that do not. */
#include "tests/guest/lib/guest.h"

#define DB	    1
#define DR6_B0	    0x1u
#define DR6_BD	    0x2000u
#define DR6_RESET   0xffff0ff0u
#define DR7_RESET   0x400u
#define DR7_GD	    0x2000u
#define DR7_EXEC0   (DR7_RESET | 0x2u)
#define DR7_WRITE0  (DR7_RESET | 0xd0002u) /* 4 bytes */
#define DR7_ACCESS0 (DR7_RESET | 0xf0002u)
#define RFLAGS_RF   0x10000u

static unsigned count;
static uint64_t trap_rip, trap_dr6, trap_dr7;

static uint64_t read_dr7(void)
{
	uint64_t v;

	__asm__ volatile("mov %%dr7, %0" : "=r"(v));
	return v;
}

static void write_dr7(uint64_t v)
{
	__asm__ volatile("mov %0, %%dr7" ::"r"(v) : "memory");
}

/* What came goes, so that the handler's own return cannot be watched. */
static void on_debug(struct guest_frame *frame)
{
	count++;
	trap_rip = frame->rip;
	trap_dr7 = read_dr7();
	write_dr7(DR7_RESET);
	__asm__ volatile("mov %%dr6, %0" : "=r"(trap_dr6));
	__asm__ volatile("mov %0, %%dr6" ::"r"((uint64_t)DR6_RESET));
	frame->rflags |= RFLAGS_RF;
}

static void begin(const volatile void *address)
{
	guest_set_handler(DB, on_debug);
	count = 0;
	__asm__ volatile("mov %0, %%dr6" ::"r"((uint64_t)DR6_RESET));
	__asm__ volatile("mov %0, %%dr0" ::"r"(address));
}

static void check(uint64_t rip, uint64_t dr6, const char *what)
{
	write_dr7(DR7_RESET);
	CHECK(count == 1 && trap_rip == rip, "%s: %u #DB, at 0x%llx, expected 0x%llx", what, count,
	      (unsigned long long)trap_rip, (unsigned long long)rip);
	CHECK((trap_dr6 & 0xe00f) == dr6, "%s: DR6 0x%llx", what, (unsigned long long)trap_dr6);
}

GUEST_TEST(int1_traps_and_tells_nothing)
{
	uint64_t rip;

	begin(NULL);
	__asm__ volatile("lea 1f(%%rip), %0\n"
			 ".byte 0xf1\n"
			 "1:"
			 : "=&r"(rip)::"memory");
	check(rip, 0, "int1");
}

GUEST_TEST(watched_write_traps)
{
	static volatile uint32_t watched;
	uint64_t rip;

	begin(&watched);
	write_dr7(DR7_WRITE0);
	__asm__ volatile("lea 1f(%%rip), %0\n"
			 "movl $1, %1\n"
			 "1: nop"
			 : "=&r"(rip), "=m"(watched)::"memory");
	check(rip, DR6_B0, "write");
}

/* Before the instruction exits, and RF lets it go on. */
GUEST_TEST(breakpoint_at_cpuid)
{
	extern const char at_cpuid[];
	uint32_t a = 0, b, c = 0, d;

	begin(at_cpuid);
	write_dr7(DR7_EXEC0);
	__asm__ volatile(".globl at_cpuid\n"
			 "at_cpuid: cpuid"
			 : "+a"(a), "=b"(b), "+c"(c), "=d"(d)::"memory");
	check((uint64_t)at_cpuid, DR6_B0, "cpuid");
	CHECK(a >= 1, "CPUID gives %u", a);
}

/* What the load of SS holds back comes behind the instruction that it shadows, which exits. */
GUEST_TEST(watched_load_of_ss_before_cpuid)
{
	static volatile uint32_t watched = 0x10;
	uint64_t rip;

	begin(&watched);
	write_dr7(DR7_ACCESS0);
	__asm__ volatile("lea 1f(%%rip), %%rsi\n"
			 "xor %%eax, %%eax\n"
			 "mov %1, %%ss\n"
			 "cpuid\n"
			 "1: nop"
			 : "=&S"(rip)
			 : "m"(watched)
			 : "rax", "rbx", "rcx", "rdx", "memory");
	check(rip, DR6_B0, "mov ss");
}

/* DR7.GD makes a MOV to or from a debug register fault, once. */
GUEST_TEST(debug_registers_are_guarded)
{
	uint64_t rip, dr0;

	begin((void *)0x1234);
	write_dr7(DR7_RESET | DR7_GD);
	__asm__ volatile("lea 1f(%%rip), %0\n"
			 "1: mov %%dr0, %1"
			 : "=&r"(rip), "=r"(dr0)::"memory");
	check(rip, DR6_BD, "mov from dr0");
	CHECK(dr0 == 0x1234, "DR0 0x%llx", (unsigned long long)dr0);
	CHECK(!(trap_dr7 & DR7_GD), "DR7 0x%llx in the handler", (unsigned long long)trap_dr7);
}
