/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks run, forwards, and at the same rate: TSC, PM timer, PIT, RTC. */
#include "tests/guest/lib/guest.h"

#define PM_TIMER 0x608
#define PIT_HZ	 1193182

static unsigned pit_read(void)
{
	unsigned lo;

	outb(0x43, 0x00);
	lo = inb(0x40);
	return lo | (unsigned)inb(0x40) << 8;
}

GUEST_TEST(tsc_never_steps_back)
{
	uint64_t last = rdtsc(), now;
	unsigned i;

	for (i = 0; i < 100000; i++, last = now) {
		now = rdtsc();
		if (now < last) {
			guest_fail("by %llu", (unsigned long long)(last - now));
			return;
		}
	}
}

GUEST_TEST(cpuid_tells_the_tsc_rate)
{
	uint64_t measured = guest_tsc_per_ms(), told;
	uint32_t r[4];

	cpuid(0x40000010, 0, r);
	told = r[0];
	CHECK(told > measured - measured / 50 && told < measured + measured / 50,
	      "told %llu kHz, measured %llu", (unsigned long long)told,
	      (unsigned long long)measured);
}

/* Linux, Documentation/virt/kvm/x86/msr.rst: MSR_KVM_SYSTEM_TIME_NEW. */
#define MSR_PVCLOCK    0x4b564d01
#define MSR_TSC	       0x10
#define MSR_TSC_ADJUST 0x3b

static volatile struct {
	uint32_t version, pad;
	uint64_t tsc, ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad2[2];
} pvclock __aligned(64);

static uint64_t pvclock_ns(void)
{
	return pvclock.ns +
	       (uint64_t)((((__uint128_t)(rdtsc() - pvclock.tsc) << pvclock.shift) * pvclock.mul) >>
			  32);
}

/* System time goes on where the guest moves its TSC. */
GUEST_TEST(pvclock_follows_the_tsc)
{
	uint64_t start, end, second = 1000 * guest_tsc_per_ms();
	uint32_t version;

	CHECK(guest_wrmsr(MSR_PVCLOCK, (uintptr_t)&pvclock | 1), "there is no pvclock");
	start = pvclock_ns();
	version = pvclock.version;
	wrmsr(MSR_TSC, rdtsc() + 100 * second);
	end = pvclock_ns();
	CHECK(end >= start && end - start < 1000000000, "%llu ns by a write of the TSC",
	      (unsigned long long)(end - start));
	CHECK(pvclock.version != version && !(pvclock.version & 1), "version %u", pvclock.version);
	start = pvclock_ns();
	wrmsr(MSR_TSC_ADJUST, rdmsr(MSR_TSC_ADJUST) - 100 * second);
	end = pvclock_ns();
	CHECK(end >= start && end - start < 1000000000, "%llu ns by a write of TSC_ADJUST",
	      (unsigned long long)(end - start));
	wrmsr(MSR_PVCLOCK, 0);
}

GUEST_TEST(pit_agrees_with_tsc)
{
	unsigned start, end, ticks, want = PIT_HZ / 50;

	outb(0x43, 0x34);
	outb(0x40, 0);
	outb(0x40, 0);
	start = pit_read();
	guest_delay_ms(20);
	end = pit_read();
	ticks = (start - end) & 0xffff;
	CHECK(ticks > want - want / 20 && ticks < want + want / 2, "%u ticks, expected %u", ticks,
	      want);
}

static uint8_t cmos(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

GUEST_TEST(rtc_ticks_and_is_sane)
{
	uint8_t second, year;
	uint64_t end;

	while (cmos(0x0a) & 0x80)
		;
	second = cmos(0);
	year = cmos(9);
	CHECK(cmos(0x0d) & 0x80, "the RTC has no power");
	CHECK(second <= 0x59 && year >= 0x20 && year <= 0x99, "second 0x%x year 0x%x", second,
	      year);
	end = rdtsc() + 1500 * guest_tsc_per_ms();
	while (rdtsc() < end && cmos(0) == second)
		;
	CHECK(cmos(0) != second, "it stands still");
}
