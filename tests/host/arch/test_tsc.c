/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: arch/x86_64/tsc.c */
/* How fast the TSC is, by what the machine's clocks and its CPUID say, and when they disagree. */
#include "arch/x86_64/tsc.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/clock.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#define LOOK 3000 /* TSC ticks that a look at a clock takes */

uint64_t fake_tsc;
static uint64_t tsc_hz;
static struct cpuid leaf_15, leaf_16;
static uint32_t last_leaf;
static bool is_constant;
static unsigned looks, warnings;

/* The machine's clocks: 0, it is not there; its rate as it is, and as it is believed to be. */
static struct {
	uint64_t hz, believed;
	uint32_t mask;
	bool dead;
} clocks[CLOCK_COUNT];

static uint32_t timer_ticks;
static uint64_t timer_tsc;

struct cpuid fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	switch (leaf) {
	case 0:
		return (struct cpuid){.eax = last_leaf};
	case 0x15:
		return leaf_15;
	case 0x16:
		return leaf_16;
	case 0x80000000:
		return (struct cpuid){.eax = 0x80000008};
	case 0x80000007:
		return (struct cpuid){.edx = is_constant ? BIT(8) : 0};
	default:
		return (struct cpuid){0};
	}
}

void cpu_pause(void)
{
	fake_tsc += 100;
}

static uint32_t read(unsigned index)
{
	uint64_t seconds = fake_tsc / tsc_hz, rest = fake_tsc % tsc_hz;
	uint64_t ticks = seconds * clocks[index].hz + rest * clocks[index].hz / tsc_hz;

	fake_tsc += LOOK;
	/* Now and then somebody takes our time. */
	if (++looks % 7 == 3)
		fake_tsc += tsc_hz / 1000;
	return clocks[index].dead ? 7 : (uint32_t)ticks & clocks[index].mask;
}

static uint32_t read_0(void)
{
	return read(0);
}

static uint32_t read_1(void)
{
	return read(1);
}

static uint32_t read_2(void)
{
	return read(2);
}

const struct clock *clock_start(unsigned index)
{
	static struct clock clock[CLOCK_COUNT] = {
		{.name = "first", .read = read_0},
		{.name = "second", .read = read_1},
		{.name = "third", .read = read_2},
	};

	clock[index].hz = clocks[index].believed;
	clock[index].mask = clocks[index].mask;
	return clocks[index].hz ? &clock[index] : NULL;
}

void apic_timer_run(void)
{
}

/* Counts down, once for 16 of the TSC. */
uint32_t apic_timer_count(void)
{
	return (uint32_t) - (int64_t)(fake_tsc / 16);
}

void apic_timer_calibrated(uint32_t ticks, uint64_t tsc_ticks)
{
	timer_ticks = ticks;
	timer_tsc = tsc_ticks;
}

static void warn(const char *fmt, ...)
{
	(void)fmt;
	warnings++;
}

const struct arch_host arch_host = {.warn = warn};

static void machine(uint64_t hz)
{
	tsc_hz = hz;
	fake_tsc = 0x123456789;
	memset(clocks, 0, sizeof(clocks));
	clocks[0].hz = clocks[0].believed = 14318180;
	clocks[1].hz = clocks[1].believed = 3579545;
	clocks[2].hz = clocks[2].believed = 1193182;
	clocks[0].mask = UINT32_MAX;
	clocks[1].mask = 0xffffff;
	clocks[2].mask = 0xffff;
	leaf_15 = leaf_16 = (struct cpuid){0};
	last_leaf = 0x16;
	is_constant = true;
	looks = warnings = 0;
}

/* By @name, to one part in a thousand. */
static void check(uint64_t khz, const char *name)
{
	uint64_t got = tsc_calibrate();

	assert_in_range(got, khz - khz / 1000, khz + khz / 1000);
	assert_string_equal(tsc_source(), name);
}

static void test_the_best_clock_measures(void **state)
{
	static const uint64_t rates[] = {800000000, 2592000000, 5000000000};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rates); i++) {
		machine(rates[i]);
		check(rates[i] / 1000, "first");
		assert_in_range(timer_ticks * UINT64_C(16), timer_tsc - 32, timer_tsc + 32);
		clocks[0].hz = 0;
		check(rates[i] / 1000, "second");
		clocks[1].hz = 0;
		check(rates[i] / 1000, "third");
	}
}

static void test_dead_clocks_are_left_out(void **state)
{
	(void)state;
	machine(3000000000);
	clocks[0].dead = true;
	check(3000000, "second");
	clocks[1].dead = true;
	check(3000000, "third");
	clocks[2].dead = true;
	assert_int_equal(tsc_calibrate(), 0);
}

/* CPUID is exact where it tells all: taken when the clock agrees, and not when it does not. */
static void test_cpuid_tells(void **state)
{
	(void)state;
	machine(2592000000);
	leaf_15 = (struct cpuid){.eax = 2, .ebx = 216, .ecx = 24000000};
	assert_int_equal(tsc_calibrate(), 2592000);
	assert_string_equal(tsc_source(), "CPUID");
	leaf_15.ecx = 25000000; /* 4 % too much */
	check(2592000, "first");
	leaf_15.ecx = 24000000;
	last_leaf = 0x14;
	check(2592000, "first");
	last_leaf = 0x15;
	leaf_15.eax = 0;
	check(2592000, "first");
	/* Without a clock there is nobody to disagree. */
	leaf_15.eax = 2;
	memset(clocks, 0, sizeof(clocks));
	assert_int_equal(tsc_calibrate(), 2592000);
}

/* The crystal is not told, but the base frequency: which one it is follows. */
static void test_crystal_by_base_frequency(void **state)
{
	static const struct {
		uint32_t crystal, ratio, base;
	} cpus[] = {{24000000, 284, 3400}, {25000000, 168, 2100}, {19200000, 114, 1100}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cpus); i++) {
		machine((uint64_t)cpus[i].crystal * cpus[i].ratio / 2);
		leaf_15 = (struct cpuid){.eax = 2, .ebx = cpus[i].ratio};
		leaf_16.eax = cpus[i].base;
		assert_int_equal(tsc_calibrate(), tsc_hz / 1000);
		assert_string_equal(tsc_source(), "CPUID");
	}
	/* No crystal fits, or nobody says what it should make. */
	leaf_16.eax = 1600;
	check(tsc_hz / 1000, "first");
	leaf_16.eax = 0;
	check(tsc_hz / 1000, "first");
	leaf_16.eax = 1100;
	last_leaf = 0x15;
	check(tsc_hz / 1000, "first");
}

static void test_variable_rate_is_told(void **state)
{
	(void)state;
	machine(1000000000);
	check(1000000, "first");
	assert_int_equal(warnings, 0);
	is_constant = false;
	check(1000000, "first");
	assert_int_equal(warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_best_clock_measures),
		cmocka_unit_test(test_dead_clocks_are_left_out),
		cmocka_unit_test(test_cpuid_tells),
		cmocka_unit_test(test_crystal_by_base_frequency),
		cmocka_unit_test(test_variable_rate_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
