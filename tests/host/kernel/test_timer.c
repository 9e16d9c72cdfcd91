/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/timer.c kernel/time.c lib/heap.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_cpus.c */
/* kernel/timer.c on two played CPUs. */
#include "kernel/timer.h"
#include "arch/x86_64/cpu.h"
#include "tests/host/fake/arch/x86_64/fake_cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static unsigned fired;
static struct timer *last_fired;

static void count(struct timer *timer)
{
	fired++;
	last_fired = timer;
}

static void window(void)
{
	cpu_irq_window();
	timer_run();
}

static int setup(void **state)
{
	(void)state;
	fake_cpus_init(2);
	for (uint32_t i = 2; i--;) {
		fake_cpus_use(i);
		timer_cpu_init();
	}
	fired = 0;
	last_fired = NULL;
	return 0;
}

static void test_fires_when_due(void **state)
{
	struct timer a, b;

	(void)state;
	timer_init(&a, count);
	timer_init(&b, count);
	timer_arm(&a, 1500);
	timer_arm(&b, 1200);
	assert_int_equal(fake_timer_deadline[0], 1200);
	window();
	assert_int_equal(fired, 0);
	fake_cpus_advance(200);
	window();
	assert_ptr_equal(last_fired, &b);
	assert_int_equal(fake_timer_deadline[0], 1500);
	fake_cpus_advance(1000);
	window();
	assert_int_equal(fired, 2);
	assert_ptr_equal(last_fired, &a);
	assert_int_equal(fake_timer_deadline[0], UINT64_MAX);
}

static void test_hardware_is_set_only_for_the_first(void **state)
{
	struct timer a, b;

	(void)state;
	timer_init(&a, count);
	timer_init(&b, count);
	timer_arm(&a, 1500);
	fake_timer_sets[0] = 0;
	for (int i = 0; i < 10; i++) {
		timer_arm(&b, 2000 + i);
		timer_cancel(&b);
	}
	assert_int_equal(fake_timer_sets[0], 0);
	/* Cancelled, the first one's interrupt comes for nothing; then nothing is left. */
	timer_cancel(&a);
	assert_int_equal(fake_timer_sets[0], 0);
	fake_cpus_advance(5000);
	window();
	assert_int_equal(fired, 0);
	fake_cpus_advance(5000);
	window();
	assert_int_equal(fake_timer_sets[0], 0);
}

static void test_past_deadline_fires_at_next_window(void **state)
{
	struct timer a;

	(void)state;
	timer_init(&a, count);
	timer_arm(&a, 0);
	assert_int_equal(fired, 0);
	window();
	assert_int_equal(fired, 1);
}

static void rearm_at_once(struct timer *timer)
{
	fired++;
	timer_arm(timer, 0);
}

static void test_a_timer_that_is_always_due_lets_others_run(void **state)
{
	struct timer a;

	(void)state;
	timer_init(&a, rearm_at_once);
	timer_arm(&a, 0);
	window();
	assert_true(fired > 0 && fired < 100);
	fired = 0;
	window();
	assert_true(fired > 0);
	timer_cancel(&a);
}

static void test_moves_between_cpus(void **state)
{
	struct timer a, b;

	(void)state;
	timer_init(&a, count);
	timer_init(&b, count);
	timer_arm(&a, 1500);
	timer_arm(&b, 1400);
	fake_cpus_use(1);
	timer_arm(&a, 1600);
	assert_int_equal(fake_timer_deadline[1], 1600);
	timer_cancel(&b);
	fake_cpus_advance(1000);
	fake_cpus_use(0);
	window();
	assert_int_equal(fired, 0);
	fake_cpus_use(1);
	window();
	assert_ptr_equal(last_fired, &a);
	fake_cpus_use(0);
	timer_arm(&a, 5000);
	fake_cpus_use(1);
	timer_cancel_sync(&a);
	fake_cpus_advance(10000);
	fake_cpus_use(0);
	window();
	assert_int_equal(fired, 1);
}

#define TIMERS 64

static uint64_t expected[TIMERS];
static struct timer timers[TIMERS];

static void check_one(struct timer *timer)
{
	size_t i = (size_t)(timer - timers);

	assert_true(expected[i] && expected[i] <= fake_tsc);
	expected[i] = 0;
}

/* Time passes, and both CPUs come to their windows; the second takes what one window left over. */
static void random_step(void)
{
	fake_cpus_advance((uint64_t)random() % 500);
	for (uint32_t cpu = 0; cpu < 2; cpu++) {
		fake_cpus_use(cpu);
		window();
		window();
	}
	for (size_t i = 0; i < TIMERS; i++)
		assert_false(expected[i] && expected[i] <= fake_tsc);
}

static void test_random(void **state)
{
	(void)state;
	srandom(3);
	for (size_t i = 0; i < TIMERS; i++)
		timer_init(&timers[i], check_one);
	for (int n = 0; n < 100000; n++) {
		size_t i = (size_t)random() % TIMERS;

		fake_cpus_use(random() % 2);
		switch (random() % 4) {
		case 0:
		case 1:
			expected[i] = fake_tsc + (uint64_t)random() % 10000;
			timer_arm(&timers[i], expected[i]);
			break;
		case 2:
			expected[i] = 0;
			timer_cancel(&timers[i]);
			break;
		default:
			random_step();
		}
	}
	for (size_t i = 0; i < TIMERS; i++)
		timer_cancel_sync(&timers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fires_when_due, setup),
		cmocka_unit_test_setup(test_hardware_is_set_only_for_the_first, setup),
		cmocka_unit_test_setup(test_past_deadline_fires_at_next_window, setup),
		cmocka_unit_test_setup(test_a_timer_that_is_always_due_lets_others_run, setup),
		cmocka_unit_test_setup(test_moves_between_cpus, setup),
		cmocka_unit_test_setup(test_random, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
