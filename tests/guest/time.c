/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks run, forwards, and at the same rate: TSC, PM timer, PIT, RTC. */
#include "tests/guest/lib/guest.h"

#define PM_TIMER      0x608
#define PM_TIMER_MASK 0xffffff
#define PM_TIMER_HZ   3579545
#define PIT_HZ	      1193182
#define WINDOW_MS     20
#define TRIES	      100

static uint32_t pit_read(void)
{
	unsigned lo;

	outb(0x43, 0x00);
	lo = inb(0x40);
	return 0xffff - (lo | (unsigned)inb(0x40) << 8); /* it counts down */
}

static uint32_t pm_timer_read(void)
{
	return inl(PM_TIMER) & PM_TIMER_MASK;
}

/* A look at a clock, and the TSC before and after: who runs us may stop us at any time. */
struct look {
	uint64_t before, after;
	uint32_t clock;
};

static struct look look_at(uint32_t (*read)(void))
{
	struct look l;

	l.before = rdtsc();
	l.clock = read();
	l.after = rdtsc();
	return l;
}

/* How far both got between two looks: ticks of the clock, and the least and most of the TSC. */
struct window {
	uint64_t ticks, least, most;
};

struct clock {
	uint32_t (*read)(void);
	uint32_t mask, hz;
};

static const struct clock pit = {pit_read, 0xffff, PIT_HZ};
static const struct clock pm_timer = {pm_timer_read, PM_TIMER_MASK, PM_TIMER_HZ};

/* What CPUID says of the TSC. */
static uint64_t told_khz(void)
{
	uint32_t r[4];

	cpuid(0x40000010, 0, r);
	return r[0];
}

/*
 * A window in which we were hardly ever stopped: it is known to one part in a
 * hundred, and the clock did not go round.
 */
static bool measure(const struct clock *clock, struct window *w)
{
	uint64_t khz = told_khz(), round = clock->mask * khz * 1000 / clock->hz;

	for (unsigned i = 0; i < TRIES; i++) {
		struct look start = look_at(clock->read), end;

		while (rdtsc() - start.after < WINDOW_MS * khz)
			__builtin_ia32_pause();
		end = look_at(clock->read);
		w->ticks = (end.clock - start.clock) & clock->mask;
		w->least = end.before - start.after;
		w->most = end.after - start.before;
		if (w->most - w->least < w->least / 100 && w->most < round / 4 * 3)
			return true;
	}
	return false;
}

/* The TSC and @clock run as CPUID says, to one part in a hundred beside. */
static void check_rate(const struct clock *clock)
{
	struct window w;
	uint64_t tsc;

	CHECK(measure(clock, &w), "never left alone for %u ms", WINDOW_MS);
	tsc = w.ticks * told_khz() * 1000 / clock->hz;
	CHECK(tsc > w.least - w.least / 100 && tsc < w.most + w.most / 100,
	      "%llu ticks, which are %llu of the TSC; it went on by %llu to %llu",
	      (unsigned long long)w.ticks, (unsigned long long)tsc, (unsigned long long)w.least,
	      (unsigned long long)w.most);
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
	check_rate(&pm_timer);
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

/* How system time goes on when @msr moves the TSC, in ns; *@most: by the PM timer, around it. */
static uint64_t pvclock_moves(uint32_t msr, uint64_t value, uint64_t *most)
{
	uint32_t ticks = pm_timer_read();
	uint64_t start = pvclock_ns(), end;

	wrmsr(msr, value);
	end = pvclock_ns();
	ticks = (pm_timer_read() - ticks + 2) & PM_TIMER_MASK;
	*most = (uint64_t)ticks * 1000000000 / PM_TIMER_HZ;
	*most += *most / 100;
	return end - start;
}

/* System time goes on where the guest moves its TSC. */
GUEST_TEST(pvclock_follows_the_tsc)
{
	uint64_t moved, most, second = 1000 * guest_tsc_per_ms();
	uint32_t version;

	CHECK(guest_wrmsr(MSR_PVCLOCK, (uintptr_t)&pvclock | 1), "there is no pvclock");
	version = pvclock.version;
	moved = pvclock_moves(MSR_TSC, rdtsc() + 100 * second, &most);
	CHECK(moved <= most, "%llu ns of %llu by a write of the TSC", (unsigned long long)moved,
	      (unsigned long long)most);
	CHECK(pvclock.version != version && !(pvclock.version & 1), "version %u", pvclock.version);
	moved = pvclock_moves(MSR_TSC_ADJUST, rdmsr(MSR_TSC_ADJUST) - 100 * second, &most);
	CHECK(moved <= most, "%llu ns of %llu by a write of TSC_ADJUST", (unsigned long long)moved,
	      (unsigned long long)most);
	wrmsr(MSR_PVCLOCK, 0);
}

GUEST_TEST(pit_agrees_with_tsc)
{
	outb(0x43, 0x34);
	outb(0x40, 0);
	outb(0x40, 0);
	check_rate(&pit);
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
