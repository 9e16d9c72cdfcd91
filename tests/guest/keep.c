/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives every register a value of its own, waits for a character, and finds
 * them all as they were, whatever was done with its vCPU meanwhile.
 */
#include "tests/guest/lib/guest.h"

#include <string.h>

#define PATTERN(n)  (0x0123456789abcdef * ((n) + 1))
#define ADDRESS(n)  (0xffff888000000000 + ((uint64_t)(n) << 12))
#define GPRS	    11
#define CPUID_XSAVE 0x04000000 /* leaf 1, ECX */
#define CR4_OSXSAVE 0x40000
#define XCR0_AVX    0x7
#define DR7_RESET   0x400
#define MXCSR_ODD   0x9fc0 /* flush to zero, denormals are zeros */
#define FCW_ODD	    0x0b7f

/* Known to the code below. */
uint64_t keep_gprs[GPRS], keep_found[GPRS];
void keep_wait(void);

/* RBX, RBP, RSI, RDI, R8 to R12, R14, R15; it waits with RAX, RCX, RDX and R13. */
/* clang-format off */
__asm__(
"	.pushsection .text, \"ax\", @progbits\n"
"	.globl keep_wait\n"
"keep_wait:\n"
"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
"	mov keep_gprs, %rbx; mov keep_gprs + 8, %rbp; mov keep_gprs + 16, %rsi\n"
"	mov keep_gprs + 24, %rdi; mov keep_gprs + 32, %r8; mov keep_gprs + 40, %r9\n"
"	mov keep_gprs + 48, %r10; mov keep_gprs + 56, %r11; mov keep_gprs + 64, %r12\n"
"	mov keep_gprs + 72, %r14; mov keep_gprs + 80, %r15\n"
"	std; mov $0x3fd, %edx\n"
"1:	pause; in %dx, %al; test $1, %al; jz 1b\n"
"	pushf; pop %rax; cld\n"
"	mov %rbx, keep_found; mov %rbp, keep_found + 8; mov %rsi, keep_found + 16\n"
"	mov %rdi, keep_found + 24; mov %r8, keep_found + 32; mov %r9, keep_found + 40\n"
"	mov %r10, keep_found + 48; mov %r11, keep_found + 56; mov %r12, keep_found + 64\n"
"	mov %r14, keep_found + 72; mov %r15, keep_found + 80\n"
"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
"	test $0x400, %eax; jnz 2f; movq $0, keep_found\n"
"2:	ret\n"
"	.popsection\n");
/* clang-format on */

static const struct {
	uint32_t index;
	uint64_t value;
} msrs[] = {
	{0x174, 0x10},
	{0x175, ADDRESS(1)},
	{0x176, ADDRESS(2)},
	{0x277, 0x0007010600070106},
	{0xc0000081, 0x0023001000000000},
	{0xc0000082, ADDRESS(3)},
	{0xc0000083, ADDRESS(4)},
	{0xc0000084, 0x47700},
	{0xc0000100, ADDRESS(5)},
	{0xc0000101, ADDRESS(6)},
	{0xc0000102, ADDRESS(7)},
	{0x3b, 1000000},
};

static bool enable_avx(void)
{
	uint32_t r[4];
	uint64_t cr4;

	cpuid(1, 0, r);
	if (!(r[2] & CPUID_XSAVE))
		return false;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_OSXSAVE));
	cpuid(0xd, 0, r);
	if ((r[0] & XCR0_AVX) != XCR0_AVX)
		return false;
	__asm__ volatile("xsetbv" ::"c"(0), "a"(XCR0_AVX), "d"(0));
	return true;
}

static void set_vectors(bool avx, const uint64_t *pattern)
{
	static const uint32_t mxcsr = MXCSR_ODD;
	static const uint16_t fcw = FCW_ODD;

	if (avx)
		__asm__ volatile("vmovdqu (%0), %%ymm9" ::"r"(pattern) : "memory");
	else
		__asm__ volatile("movdqu (%0), %%xmm9" ::"r"(pattern) : "memory");
	__asm__ volatile("ldmxcsr %0; fninit; fldcw %1; fldl %2" ::"m"(mxcsr), "m"(fcw),
			 "m"(*pattern));
}

static void check_vectors(bool avx, const uint64_t *pattern)
{
	uint64_t got[4] = {0}, x87;
	uint32_t mxcsr;
	uint16_t fcw;

	if (avx)
		__asm__ volatile("vmovdqu %%ymm9, (%0)" ::"r"(got) : "memory");
	else
		__asm__ volatile("movdqu %%xmm9, (%0)" ::"r"(got) : "memory");
	__asm__ volatile("stmxcsr %0; fnstcw %1; fstpl %2" : "=m"(mxcsr), "=m"(fcw), "=m"(x87));
	CHECK(!memcmp(got, pattern, avx ? 32 : 16), "vectors 0x%llx 0x%llx 0x%llx 0x%llx",
	      (unsigned long long)got[0], (unsigned long long)got[1], (unsigned long long)got[2],
	      (unsigned long long)got[3]);
	CHECK(mxcsr == MXCSR_ODD && fcw == FCW_ODD, "MXCSR 0x%x FCW 0x%x", mxcsr, fcw);
	CHECK(x87 == pattern[0], "ST0 0x%llx", (unsigned long long)x87);
}

static void set_system(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
		wrmsr(msrs[i].index, msrs[i].value);
	__asm__ volatile(
		"mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3" ::"r"(ADDRESS(8)),
		"r"(ADDRESS(9)), "r"(ADDRESS(10)), "r"(ADDRESS(11)));
	__asm__ volatile("mov %0, %%dr7" ::"r"(DR7_RESET | 0x300ul));
	__asm__ volatile("mov %0, %%cr2; mov %1, %%cr8" ::"r"(ADDRESS(12)), "r"(5ul));
}

static void check_system(void)
{
	uint64_t d[4], dr7, cr2, cr8;

	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
		CHECK(rdmsr(msrs[i].index) == msrs[i].value, "MSR 0x%x: 0x%llx", msrs[i].index,
		      (unsigned long long)rdmsr(msrs[i].index));
	__asm__ volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3"
			 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3]));
	for (unsigned i = 0; i < 4; i++)
		CHECK(d[i] == ADDRESS(8 + i), "DR%u 0x%llx", i, (unsigned long long)d[i]);
	__asm__ volatile("mov %%dr7, %0; mov %%cr2, %1; mov %%cr8, %2"
			 : "=r"(dr7), "=r"(cr2), "=r"(cr8));
	CHECK(dr7 == (DR7_RESET | 0x300), "DR7 0x%llx", (unsigned long long)dr7);
	CHECK(cr2 == ADDRESS(12) && cr8 == 5, "CR2 0x%llx CR8 %u", (unsigned long long)cr2,
	      (unsigned)cr8);
}

GUEST_TEST(keeps_its_registers)
{
	uint64_t pattern[4] = {0x400921fb54442d18, PATTERN(20), PATTERN(21), PATTERN(22)};
	bool avx = enable_avx();
	uint64_t tsc;

	for (unsigned i = 0; i < GPRS; i++)
		keep_gprs[i] = PATTERN(i);
	guest_printf("# holding\n");
	set_system();
	set_vectors(avx, pattern);
	tsc = rdtsc();
	keep_wait();
	CHECK(rdtsc() > tsc, "the TSC went back");
	check_vectors(avx, pattern);
	check_system();
	for (unsigned i = 0; i < GPRS; i++)
		CHECK(keep_found[i] == keep_gprs[i], "register %u: 0x%llx", i,
		      (unsigned long long)keep_found[i]);
}
