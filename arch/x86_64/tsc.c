/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/tsc.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/host.h"
#include "lib/compiler.h"

#define WINDOWS_PER_SECOND 100 /* 10 ms each */
#define TRIES		   5
/* A clock that has not moved after so many TSC ticks is dead. */
#define DEAD_TICKS (UINT64_C(1) << 28)

static const char *source = "nothing";

const char *tsc_source(void)
{
	return source;
}

/* One look at both clocks at the same time, as far as that can be had. */
struct sample {
	uint64_t tsc;
	uint32_t clock;
	uint32_t apic;
};

/*
 * The reading that took the least time of a few: a machine check, an SMI or
 * the emulator's scheduling in between would make it wrong.
 */
static struct sample take_sample(const struct clock *clock)
{
	struct sample best = {0};
	uint64_t best_cost = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = cpu_rdtsc();
		uint32_t value = clock->read();
		uint64_t after = cpu_rdtsc();

		if (after - before < best_cost) {
			best_cost = after - before;
			best.tsc = before + (after - before) / 2;
			best.clock = value;
			best.apic = apic_timer_count();
		}
	}
	return best;
}

/* kHz of the TSC by @clock, 0 if @clock stands still. */
static uint64_t measure(const struct clock *clock)
{
	struct sample start, end;
	uint32_t window = clock->hz / WINDOWS_PER_SECOND;
	uint32_t ticks;

	apic_timer_run();
	start = take_sample(clock);
	do {
		cpu_pause();
		end = take_sample(clock);
		ticks = (end.clock - start.clock) & clock->mask;
		if (!ticks && end.tsc - start.tsc > DEAD_TICKS)
			return 0;
	} while (ticks < window);
	apic_timer_calibrated(start.apic - end.apic, end.tsc - start.tsc);
	return (end.tsc - start.tsc) * clock->hz / ticks / 1000;
}

/* @a is @b, to one part in a hundred. */
static bool about(uint64_t a, uint64_t b)
{
	return a > b - b / 100 && a < b + b / 100;
}

/*
 * The crystal that leaf 0x15 keeps to itself: of those that there are (Intel SDM
 * vol. 3B, 18.7.3), the one that makes of it what leaf 0x16 says, whole MHz of
 * the base frequency. 0: none does.
 */
static uint32_t crystal_hz(struct cpuid ratio)
{
	static const uint32_t crystals[] = {24000000, 25000000, 19200000, 38400000};
	uint64_t base = (cpuid_checked(0x16).eax & 0xffff) * UINT64_C(1000000);

	for (size_t i = 0; base && i < ARRAY_SIZE(crystals); i++)
		if (about((uint64_t)crystals[i] * ratio.ebx / ratio.eax, base))
			return crystals[i];
	return 0;
}

/* Intel SDM vol. 2A, CPUID leaf 0x15: crystal Hz * EBX / EAX. 0 where it is not told. */
static uint64_t told_khz(void)
{
	struct cpuid r = cpuid_checked(0x15);

	if (!r.eax || !r.ebx)
		return 0;
	if (!r.ecx)
		r.ecx = crystal_hz(r);
	return (uint64_t)r.ecx * r.ebx / r.eax / 1000;
}

static void warn_if_variable(void)
{
	if (!(cpuid_checked(0x80000007).edx & CPUID_80000007_EDX_CONST_TSC))
		arch_host.warn("tsc: the CPU does not promise a constant rate; time may drift");
}

uint64_t tsc_calibrate(void)
{
	uint64_t told = told_khz(), measured = 0;

	warn_if_variable();
	for (unsigned i = 0; !measured && i < CLOCK_COUNT; i++) {
		const struct clock *clock = clock_start(i);

		measured = clock ? measure(clock) : 0;
		if (measured)
			source = clock->name;
	}
	/* The told one is exact if it is true: emulators tell tales. */
	if (told && (!measured || about(told, measured))) {
		source = "CPUID";
		return told;
	}
	return measured;
}
