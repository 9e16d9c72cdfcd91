/* SPDX-License-Identifier: BSD-2-Clause */
/* Single steps, over instructions that the CPU executes and over those that are done for it. */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#define RFLAGS_TF 0x100u
#define RFLAGS_RF 0x10000u
#define DR6_BS	  0x4000u
#define TRAPS_MAX 16
/* The steps end at the first trap that comes from behind this. */
#define STEP_ON	 "pushfq; orl $0x100, (%%rsp); popfq; "
#define STEP_OFF "pushfq; andl $~0x100, (%%rsp); popfq; "

static uint64_t traps[TRAPS_MAX];
static unsigned count, without_bs, with_rf;

static void on_debug(struct guest_frame *frame)
{
	uint64_t dr6;

	if (count < TRAPS_MAX)
		traps[count] = frame->rip;
	count++;
	with_rf += !!(frame->rflags & RFLAGS_RF);
	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	without_bs += !(dr6 & DR6_BS);
	__asm__ volatile("mov %0, %%dr6" ::"r"(0ul));
}

static void begin(void)
{
	guest_set_handler(1, on_debug);
	count = without_bs = with_rf = 0;
}

/* The first @n traps, and that each was told as a step. */
static void check(const uint64_t *want, unsigned n, const char *what)
{
	unsigned i;

	CHECK(count >= n && !without_bs, "%s: %u traps, %u without DR6.BS", what, count,
	      without_bs);
	for (i = 0; i < n && i < count; i++)
		CHECK(traps[i] == want[i], "%s: trap %u at 0x%llx, expected 0x%llx", what, i,
		      (unsigned long long)traps[i], (unsigned long long)want[i]);
}

GUEST_TEST(traps_behind_cpuid)
{
	uint64_t want[3];

	begin();
	__asm__ volatile("lea 1f(%%rip), %%rsi; mov %%rsi, (%%rdi)\n"
			 "lea 2f(%%rip), %%rsi; mov %%rsi, 8(%%rdi)\n"
			 "lea 3f(%%rip), %%rsi; mov %%rsi, 16(%%rdi)\n"
			 "xor %%eax, %%eax\n" STEP_ON "cpuid\n"
			 "1: nop\n"
			 "2: cpuid\n"
			 "3: " STEP_OFF
			 :
			 : "D"(want)
			 : "rax", "rbx", "rcx", "rdx", "rsi", "memory", "cc");
	check(want, 3, "cpuid");
}

GUEST_TEST(traps_behind_ports_and_msrs)
{
	uint64_t want[3];

	begin();
	__asm__ volatile("lea 1f(%%rip), %%rsi; mov %%rsi, (%%rdi)\n"
			 "lea 2f(%%rip), %%rsi; mov %%rsi, 8(%%rdi)\n"
			 "lea 3f(%%rip), %%rsi; mov %%rsi, 16(%%rdi)\n"
			 "mov $0x1b, %%ecx\n" STEP_ON "inb $0x80, %%al\n"
			 "1: outb %%al, $0x80\n"
			 "2: rdmsr\n"
			 "3: " STEP_OFF
			 :
			 : "D"(want)
			 : "rax", "rcx", "rdx", "rsi", "memory", "cc");
	check(want, 3, "ports");
}

GUEST_TEST(traps_behind_mmio)
{
	uint64_t want[2];

	begin();
	__asm__ volatile("lea 1f(%%rip), %%rsi; mov %%rsi, (%%rdi)\n"
			 "lea 2f(%%rip), %%rsi; mov %%rsi, 8(%%rdi)\n" STEP_ON
			 "mov 0x20(%%rbx), %%eax\n"
			 "1: orl $0, 0x80(%%rbx)\n"
			 "2: " STEP_OFF
			 :
			 : "D"(want), "b"(0xfee00000ul)
			 : "rax", "rsi", "memory", "cc");
	check(want, 2, "mmio");
}

/* Each round of a repeated instruction traps, all but the last at the instruction itself. */
GUEST_TEST(traps_in_repeated_output)
{
	static const char data[3];
	uint64_t want[3];

	begin();
	__asm__ volatile("lea 1f(%%rip), %%rax; mov %%rax, (%%rdi); mov %%rax, 8(%%rdi)\n"
			 "lea 2f(%%rip), %%rax; mov %%rax, 16(%%rdi)\n"
			 "mov %1, %%rsi; mov $3, %%ecx; mov $0x80, %%edx\n" STEP_ON "1: rep outsb\n"
			 "2: " STEP_OFF
			 :
			 : "D"(want), "r"(data)
			 : "rax", "rcx", "rdx", "rsi", "memory", "cc");
	check(want, 3, "rep outsb");
}

/* A HLT that is stepped is left by its trap. */
GUEST_TEST(traps_behind_hlt)
{
	uint64_t want[1];

	begin();
	__asm__ volatile("lea 1f(%%rip), %%rsi; mov %%rsi, (%%rdi)\n" STEP_ON "hlt\n"
			 "1: " STEP_OFF
			 :
			 : "D"(want)
			 : "rsi", "memory", "cc");
	check(want, 1, "hlt");
}

/* RF that a debugger returned with does not outlive the instruction. */
GUEST_TEST(resume_flag_ends)
{
	uint64_t want[1];

	begin();
	__asm__ volatile("lea 1f(%%rip), %%rsi; mov %%rsi, (%%rdi)\n"
			 "lea 2f(%%rip), %%rsi; xor %%eax, %%eax; mov %%rsp, %%r8\n"
			 "mov %%ss, %%ecx; push %%rcx; push %%r8\n"
			 "pushfq; orl $0x10100, (%%rsp)\n"
			 "mov %%cs, %%ecx; push %%rcx; push %%rsi; iretq\n"
			 "2: cpuid\n"
			 "1: " STEP_OFF
			 :
			 : "D"(want)
			 : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "memory", "cc");
	check(want, 1, "iret to cpuid");
	CHECK(!with_rf, "RF is set behind CPUID");
}
