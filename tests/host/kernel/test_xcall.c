/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/xcall.c tests/host/fake/kernel/fake_panic.c */
/*
 * Calls between CPUs, which are threads here: each call runs once, on the CPU
 * that it is for, before its caller goes on; CPUs that call one another at the
 * same time do not wait for each other for ever.
 */
#include "kernel/xcall.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "kernel/sched.h"
#include "tests/host/fake/kernel/fake_panic.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CPUS   4
#define ROUNDS 2000

__thread struct cpu *fake_cpu;
struct cpu *cpu_table[CPU_MAX];
uint32_t cpu_count = CPUS;

static struct cpu cpus[CPUS];
static unsigned kicks[CPUS], finished;

/* What a call leaves, on its caller's stack. */
struct trace {
	unsigned runs[CPUS];
	unsigned elsewhere; /* on a CPU that it was not for */
	uint32_t only;	    /* the CPU that it is for, or CPU_MAX: all */
};

void cpu_pause(void)
{
	sched_yield();
}

void sched_kick_cpu(uint32_t cpu)
{
	__atomic_fetch_add(&kicks[cpu], 1, __ATOMIC_RELAXED);
}

static void leave_trace(void *arg)
{
	uint32_t self = this_cpu()->index;
	struct trace *t = arg;

	__atomic_fetch_add(&t->runs[self], 1, __ATOMIC_RELAXED);
	if (t->only != CPU_MAX && t->only != self)
		__atomic_fetch_add(&t->elsewhere, 1, __ATOMIC_RELAXED);
}

static unsigned wrong;

static void expect(const struct trace *t)
{
	for (uint32_t i = 0; i < CPUS; i++) {
		unsigned want = t->only == CPU_MAX || t->only == i;

		if (__atomic_load_n(&t->runs[i], __ATOMIC_RELAXED) != want)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	}
	if (t->elsewhere)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void *cpu_thread(void *arg)
{
	fake_cpu = arg;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct trace one = {.only = (fake_cpu->index + round) % CPUS};
		struct trace all = {.only = CPU_MAX};

		xcall_run(one.only, leave_trace, &one);
		expect(&one);
		xcall_run_all(leave_trace, &all);
		expect(&all);
	}
	/* Others are not ready yet. */
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < CPUS) {
		xcall_serve();
		sched_yield();
	}
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < CPUS; i++) {
		cpus[i] = (struct cpu){.self = &cpus[i], .index = i, .online = true};
		cpu_table[i] = &cpus[i];
		kicks[i] = 0;
	}
	fake_cpu = &cpus[0];
	finished = wrong = 0;
	return 0;
}

static void test_all_call_all(void **state)
{
	pthread_t threads[CPUS];

	(void)state;
	for (uint32_t i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, cpu_thread, &cpus[i]), 0);
	for (uint32_t i = 0; i < CPUS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(wrong, 0);
	/* One for each call from another CPU: three to all a round, and most of those to one. */
	for (uint32_t i = 0; i < CPUS; i++)
		assert_in_range(kicks[i], 3 * ROUNDS, 6 * ROUNDS);
}

/* Its own CPU needs neither queue nor message. */
static void test_own_cpu(void **state)
{
	struct trace t = {.only = 0};

	(void)state;
	xcall_run(0, leave_trace, &t);
	expect(&t);
	assert_int_equal(wrong, 0);
	for (uint32_t i = 0; i < CPUS; i++)
		assert_int_equal(kicks[i], 0);
}

/* A fault of ours, which must not end in a wait for ever. */
static void test_cpu_that_is_not_there(void **state)
{
	struct trace t = {.only = 1};

	(void)state;
	cpus[1].online = false;
	assert_true(FAKE_PANICS(xcall_run(1, leave_trace, &t)));
	assert_true(FAKE_PANICS(xcall_run(CPUS, leave_trace, &t)));
	assert_int_equal(t.runs[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_call_all, setup),
		cmocka_unit_test_setup(test_own_cpu, setup),
		cmocka_unit_test_setup(test_cpu_that_is_not_there, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
