/* SPDX-License-Identifier: BSD-2-Clause */
/* Four CPUs: INIT-SIPI-SIPI, IPIs both ways, atomic memory, a TSC that agrees, FPU state of their
 * own. */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"

#define CPUS   4
#define ROUNDS 20000
#define VECTOR 0x51

static volatile uint64_t counter, started[CPUS], ipis[CPUS], tsc_seen, sse_wrong;
static volatile bool stop;

static void on_ipi(struct guest_frame *frame)
{
	(void)frame;
	__atomic_fetch_add(&ipis[apic_read(APIC_ID) >> 24], 1, __ATOMIC_SEQ_CST);
	apic_eoi();
}

/* A CPU's own pattern stays in XMM0 while others run on the same physical CPU. */
static void check_sse(uint64_t id)
{
	uint64_t pattern = 0x0101010101010101 * id, got;
	unsigned i;

	__asm__ volatile("movq %0, %%xmm0" ::"r"(pattern));
	for (i = 0; i < ROUNDS; i++)
		__builtin_ia32_pause();
	__asm__ volatile("movq %%xmm0, %0" : "=r"(got));
	if (got != pattern)
		__atomic_fetch_add(&sse_wrong, 1, __ATOMIC_SEQ_CST);
}

#define CPUID_XSAVE  0x04000000 /* leaf 1, ECX */
#define CR4_OSXSAVE  0x40000
#define XCR0_SSE     0x3
#define XCR0_AVX     0x4
#define XCR0_AVX512  0xe0
#define VECTOR_QUADS 8 /* of ZMM */

static volatile uint64_t wide_bits, wide_wrong; /* what was tried, and how often it was lost */

static void xsetbv(uint64_t value)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* XCR0 with all vectors that CPUID tells, or 0. */
static uint64_t enable_vectors(void)
{
	uint32_t r[4];
	uint64_t cr4, xcr0;

	cpuid(1, 0, r);
	if (!(r[2] & CPUID_XSAVE))
		return 0;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_OSXSAVE));
	cpuid(0xd, 0, r);
	xcr0 = r[0] & (XCR0_SSE | XCR0_AVX | XCR0_AVX512);
	xsetbv(xcr0);
	return xcr0;
}

static void load_wide(uint64_t xcr0, const uint64_t *from)
{
	__asm__ volatile("vmovdqu (%0), %%ymm7" ::"r"(from) : "memory");
	if (xcr0 & XCR0_AVX512)
		__asm__ volatile("vmovdqu64 (%0), %%zmm29; kmovw %%eax, %%k3" ::"r"(from),
				 "a"(from[0])
				 : "memory");
}

static unsigned differ(uint64_t xcr0, const uint64_t *want)
{
	uint64_t got[VECTOR_QUADS], k = want[0];
	unsigned wrong = 0, i;

	__asm__ volatile("vmovdqu %%ymm7, (%0)" ::"r"(got) : "memory");
	for (i = 0; i < 4; i++)
		wrong += got[i] != want[i];
	if (!(xcr0 & XCR0_AVX512))
		return wrong;
	__asm__ volatile("vmovdqu64 %%zmm29, (%1); kmovw %%k3, %%eax"
			 : "=a"(k)
			 : "r"(got)
			 : "memory");
	for (i = 0; i < VECTOR_QUADS; i++)
		wrong += got[i] != want[i];
	return wrong + ((k ^ want[0]) & 0xffff ? 1 : 0);
}

/* So do wider ones; also while XCR0 has them off, each time that it is on again. */
static void check_wide(uint64_t id)
{
	uint64_t xcr0 = enable_vectors(), pattern[VECTOR_QUADS];
	unsigned i, round;

	if (!(xcr0 & XCR0_AVX))
		return;
	for (i = 0; i < VECTOR_QUADS; i++)
		pattern[i] = 0x0123456789abcdef * (id + 1) + i;
	load_wide(xcr0, pattern);
	for (round = 0; round < 4; round++) {
		if (round & 1)
			xsetbv(XCR0_SSE);
		for (i = 0; i < ROUNDS; i++)
			__builtin_ia32_pause();
		xsetbv(xcr0);
		__atomic_fetch_add(&wide_wrong, differ(xcr0, pattern), __ATOMIC_SEQ_CST);
	}
	__atomic_fetch_or(&wide_bits, xcr0, __ATOMIC_SEQ_CST);
}

static void ap(void *arg)
{
	uint64_t id = (uint64_t)arg;
	unsigned i;

	tsc_seen = rdtsc();
	started[id] = (apic_read(APIC_ID) >> 24) + 1;
	for (i = 0; i < ROUNDS; i++)
		__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	check_sse(id);
	check_wide(id);
	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
	while (!stop)
		irq_wait();
	__atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
}

static bool eventually(volatile uint64_t *what, uint64_t value)
{
	uint64_t end = rdtsc() + 5000 * guest_tsc_per_ms();

	while (*what < value && rdtsc() < end)
		__builtin_ia32_pause();
	return *what == value;
}

GUEST_TEST(start)
{
	uint64_t id, before;

	apic_enable();
	guest_set_handler(VECTOR, on_ipi);
	for (id = 1; id < CPUS; id++) {
		before = rdtsc();
		CHECK(guest_start_cpu((uint32_t)id, ap, (void *)id), "CPU %u does not start",
		      (unsigned)id);
		CHECK(eventually(&started[id], id + 1), "CPU %u has id %u", (unsigned)id,
		      (unsigned)started[id] - 1);
		CHECK(tsc_seen >= before, "the TSC of CPU %u is behind", (unsigned)id);
	}
	check_sse(0x77);
	check_wide(0x77);
	CHECK(eventually(&counter, (CPUS - 1) * (ROUNDS + 1)), "%llu", (unsigned long long)counter);
	CHECK(sse_wrong == 0, "on %u CPUs SSE registers changed", (unsigned)sse_wrong);
	CHECK(wide_wrong == 0, "%u words of wider registers changed", (unsigned)wide_wrong);
	guest_printf("# XCR0 0x%x\n", (unsigned)wide_bits);
}

GUEST_TEST(ipis)
{
	unsigned id, i;

	for (id = 1; id < CPUS; id++)
		for (i = 1; i <= 100; i++) {
			apic_ipi(id, VECTOR);
			CHECK(eventually(&ipis[id], i), "CPU %u took %u of %u", id,
			      (unsigned)ipis[id], i);
		}
}

GUEST_TEST(broadcast)
{
	unsigned id;

	stop = true;
	apic_ipi(0, APIC_ICR_OTHERS | VECTOR);
	CHECK(eventually(&counter, (CPUS - 1) * (ROUNDS + 2)), "%llu", (unsigned long long)counter);
	for (id = 1; id < CPUS; id++)
		CHECK(ipis[id] == 101, "CPU %u took %u", id, (unsigned)ipis[id]);
	CHECK(ipis[0] == 0, "it came to the sender");
}

#define MSR_PAT		 0x277
#define MSR_SYSENTER_ESP 0x175
#define MSR_LSTAR	 0xc0000082
#define PAT_OTHER	 0x0007010600070106
#define ADDRESS_OTHER	 0xffff888012345678
#define XMM_OTHER	 0x0123456789abcdef
#define DR6_RESET	 0xffff0ff0
#define DR7_RESET	 0x400

static volatile uint64_t before_init, after_init, kept[4], debug[6];

static void ap_before_init(void *arg)
{
	uint64_t address = (uint64_t)arg;

	wrmsr(MSR_PAT, PAT_OTHER);
	wrmsr(MSR_SYSENTER_ESP, ADDRESS_OTHER);
	wrmsr(MSR_LSTAR, ADDRESS_OTHER);
	__asm__ volatile("movq %0, %%xmm5" ::"r"(XMM_OTHER));
	__asm__ volatile(
		"mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3; mov %1, %%dr7" ::"r"(
			address),
		"r"(DR7_RESET | 0xfful));
	before_init = 1;
	for (;;)
		__builtin_ia32_pause();
}

static void ap_after_init(void *arg)
{
	(void)arg;
	kept[0] = rdmsr(MSR_PAT);
	kept[1] = rdmsr(MSR_SYSENTER_ESP);
	kept[2] = rdmsr(MSR_LSTAR);
	__asm__ volatile("movq %%xmm5, %0" : "=r"(kept[3]));
	__asm__ volatile("mov %%dr0, %0" : "=r"(debug[0]));
	__asm__ volatile("mov %%dr1, %0" : "=r"(debug[1]));
	__asm__ volatile("mov %%dr2, %0" : "=r"(debug[2]));
	__asm__ volatile("mov %%dr3, %0" : "=r"(debug[3]));
	__asm__ volatile("mov %%dr6, %0" : "=r"(debug[4]));
	__asm__ volatile("mov %%dr7, %0" : "=r"(debug[5]));
	after_init = 1;
}

/* SDM vol. 3A, table 9-1: MSRs and SSE registers stay, debug registers do not. */
GUEST_TEST(init_keeps_msrs)
{
	static const uint64_t keeps[] = {PAT_OTHER, ADDRESS_OTHER, ADDRESS_OTHER, XMM_OTHER};
	static uint64_t never;
	unsigned i;

	CHECK(guest_start_cpu(1, ap_before_init, &never) && eventually(&before_init, 1), "lost");
	CHECK(guest_start_cpu(1, ap_after_init, NULL) && eventually(&after_init, 1), "lost again");
	for (i = 0; i < ARRAY_SIZE(keeps); i++)
		CHECK(kept[i] == keeps[i], "%u: 0x%llx", i, (unsigned long long)kept[i]);
	for (i = 0; i < 6; i++)
		CHECK(debug[i] == (i < 4    ? 0
				   : i == 4 ? DR6_RESET
					    : DR7_RESET),
		      "DR%u: 0x%llx", i < 4 ? i : i + 2, (unsigned long long)debug[i]);
}
