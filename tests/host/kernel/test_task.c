/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/task.c kernel/work.c kernel/grace.c */
/* test-sources: kernel/sched.c kernel/timer.c kernel/time.c lib/heap.c */
/* test-sources: kernel/console_input.c lib/ring.c */
/* test-sources: kernel/page_alloc.c kernel/slab.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_cpus.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_memory.c */
/* test-sources: tests/host/fake/arch/x86_64/switch.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/*
 * Tasks on stacks of their own and what is built on them: workers, calls
 * between CPUs, grace periods, the console's input; on two played CPUs.
 */
#include "kernel/task.h"
#include "arch/x86_64/percpu.h"
#include "kernel/console.h"
#include "kernel/grace.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "kernel/work.h"
#include "tests/host/fake/arch/x86_64/fake_cpus.h"
#include "tests/host/fake/arch/x86_64/fake_memory.h"
#include "tests/host/fake/kernel/fake_panic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static char trace[256];

static void say(const char *what)
{
	strncat(trace, what, sizeof(trace) - strlen(trace) - 1);
}

/* Both CPUs, turn by turn. */
static void play(unsigned rounds)
{
	while (rounds--)
		for (uint32_t i = 2; i--;) {
			fake_cpus_use(i);
			sched_step();
		}
}

static int setup_all(void **state)
{
	(void)state;
	fake_memory_init(64 * MIB);
	page_alloc_add(MIB, 32 * MIB);
	slab_init();
	task_init();
	fake_cpus_init(2);
	for (uint32_t i = 2; i--;) {
		fake_cpus_use(i);
		if (sched_cpu_init())
			return -1;
	}
	play(2);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(trace, 0, sizeof(trace));
	fake_pause_hook = NULL;
	fake_cpus_use(0);
	return 0;
}

static void task_yields(void *arg)
{
	for (int i = 0; i < 3; i++) {
		say(arg);
		task_yield();
	}
}

static void test_tasks_take_turns(void **state)
{
	(void)state;
	assert_non_null(task_create("a", task_yields, "a", 0));
	assert_non_null(task_create("b", task_yields, "b", 0));
	play(10);
	assert_string_equal(trace, "ababab");
	assert_null(task_current());
}

/* For 6 ms at a time; a slice is 10 ms. */
static void task_shares(void *arg)
{
	for (int i = 0; i < 4; i++) {
		say(arg);
		fake_cpus_advance(6 * NSEC_PER_MSEC);
		task_share();
	}
}

/* Who shares goes on until its slice is over, and then when nobody else is ready. */
static void test_sharing_is_no_yielding(void **state)
{
	(void)state;
	assert_non_null(task_create("a", task_shares, "a", 0));
	assert_non_null(task_create("b", task_yields, "b", 0));
	play(1);
	assert_string_equal(trace, "aa");
	play(10);
	assert_string_equal(trace, "aabaabb");
}

/* What others wait for comes meanwhile: a timer, and a CPU that looks whether all have passed. */
static void timer_says(struct timer *timer)
{
	(void)timer;
	say("!");
}

static void test_sharing_serves(void **state)
{
	struct timer timer;
	uint64_t before;

	(void)state;
	timer_init(&timer, timer_says);
	timer_arm(&timer, fake_tsc + 7 * NSEC_PER_MSEC);
	assert_non_null(task_create("a", task_shares, "a", 0));
	before = cpu_table[0]->quiescent;
	play(1);
	assert_string_equal(trace, "aa!aa");
	assert_true(cpu_table[0]->quiescent - before >= 5);
}

static void test_ended_tasks_leave_nothing(void **state)
{
	struct page_stats before, after;
	size_t bytes;

	(void)state;
	play(10);
	page_alloc_stats(&before);
	bytes = slab_in_use();
	for (int i = 0; i < 100; i++) {
		assert_non_null(task_create("a", task_yields, "", i % 2));
		play(6);
	}
	page_alloc_stats(&after);
	/* The second CPU's task may have needed one stack more than there was, kept for the next.
	 */
	assert_true(before.free - after.free <= TASK_STACK_SIZE / PAGE_SIZE);
	assert_int_equal(slab_in_use(), bytes);
}

static void task_sleeps(void *arg)
{
	struct task **self = arg;

	*self = task_current();
	/* Woken before it sleeps, also with a yield in between. */
	task_wake(task_current());
	task_yield();
	task_sleep();
	say("1");
	task_sleep();
	say("2");
	*self = NULL;
}

static void test_sleep_and_wake(void **state)
{
	struct task *task = NULL;

	(void)state;
	assert_non_null(task_create("a", task_sleeps, &task, 1));
	play(10);
	assert_string_equal(trace, "1");
	assert_non_null(task);
	task_wake(task);
	play(3);
	assert_string_equal(trace, "12");
	assert_null(task);
}

static void task_naps(void *arg)
{
	uint64_t start = time_tsc();

	*(struct task **)arg = task_current();
	while (time_tsc() - start < 1000)
		task_sleep_until(start + 1000);
	assert_true(time_tsc() - start >= 1000);
	say("slept");
	task_sleep_until(time_tsc() + 1000);
	say(" late");
	task_sleep_until(time_tsc() + 1000000);
	say(" woken");
}

static void test_timed_sleep(void **state)
{
	struct task *task;

	(void)state;
	assert_non_null(task_create("a", task_naps, &task, 0));
	play(3);
	fake_cpus_advance(500);
	task_wake(task);
	play(3);
	assert_string_equal(trace, "");
	fake_cpus_advance(500);
	play(3);
	assert_string_equal(trace, "slept");
	fake_cpus_advance(1000);
	play(3);
	assert_string_equal(trace, "slept late");
	task_wake(task);
	play(3);
	assert_string_equal(trace, "slept late woken");
	/* The last alarm was taken back with the task's stack. */
	fake_cpus_advance(2000000);
	play(3);
}

static struct work work;
static unsigned work_runs;

static void work_once(struct work *w)
{
	assert_non_null(task_current());
	assert_false(w->queued);
	if (++work_runs == 1)
		work_queue(w);
	say(this_cpu()->index ? "1" : "0");
}

static void work_free(struct work *w)
{
	say("freed");
	free(w);
}

static void test_work(void **state)
{
	struct work *own = malloc(sizeof(*own));

	(void)state;
	work_runs = 0;
	work_init(&work, work_once);
	work_queue(&work);
	work_queue(&work);
	fake_cpus_use(1);
	work_queue(&work);
	play(5);
	assert_string_equal(trace, "00");
	fake_cpus_use(1);
	work_init(own, work_free);
	work_queue(own);
	work_queue(&work);
	play(5);
	assert_string_equal(trace, "00freed1");
}

static struct work waiting, other_waiting;

static void work_counts(struct work *w)
{
	(void)w;
	work_runs++;
}

static void work_waits(struct work *w)
{
	say(w == &waiting ? "(" : "[");
	for (work_runs = 0; !work_runs;)
		task_yield();
	say(w == &waiting ? ")" : "]");
}

/* What is waited for lies behind in the same CPU's list; its like takes its turn. */
static void test_work_that_waits_for_work(void **state)
{
	(void)state;
	work_init(&work, work_counts);
	work_init_waiting(&waiting, work_waits);
	work_init_waiting(&other_waiting, work_waits);
	work_queue(&waiting);
	work_queue(&other_waiting);
	play(5);
	assert_string_equal(trace, "(");
	fake_cpus_use(0);
	work_queue(&work);
	play(5);
	assert_string_equal(trace, "()[");
	fake_cpus_use(0);
	work_queue(&work);
	play(5);
	assert_string_equal(trace, "()[]");
}

static void work_must_not(struct work *w)
{
	if (w == &work)
		assert_true(FAKE_PANICS(task_yield()));
	else
		assert_true(FAKE_PANICS(task_sleep()));
	/* CPUs alone may be waited for. */
	grace_synchronize();
	say("over ");
}

static void test_work_that_must_not_wait(void **state)
{
	struct work sleeping;

	(void)state;
	work_init(&work, work_must_not);
	work_init(&sleeping, work_must_not);
	work_queue(&work);
	work_queue(&sleeping);
	play(20);
	assert_string_equal(trace, "over over ");
}

static bool grace_over;

static void task_waits_for_grace(void *arg)
{
	(void)arg;
	grace_synchronize();
	grace_over = true;
}

static void test_grace_waits_for_the_other_cpu(void **state)
{
	(void)state;
	grace_over = false;
	assert_non_null(task_create("writer", task_waits_for_grace, NULL, 0));
	/* CPU 1 stays between two quiescent points. */
	for (int i = 0; i < 100; i++)
		sched_step();
	assert_false(grace_over);
	fake_cpus_use(1);
	sched_step();
	fake_cpus_use(0);
	for (int i = 0; i < 100; i++)
		sched_step();
	/* One point is not enough: it may be seen too early. */
	assert_false(grace_over);
	play(2);
	assert_true(grace_over);
}

static void test_grace_takes_idle_as_quiescent(void **state)
{
	(void)state;
	grace_over = false;
	cpu_table[1]->idle = true;
	assert_non_null(task_create("writer", task_waits_for_grace, NULL, 0));
	sched_step();
	assert_true(grace_over);
	cpu_table[1]->idle = false;
}

static void task_reads(void *arg)
{
	char buf[8] = "";

	*(struct task **)arg = task_current();
	assert_int_equal(console_read(buf, 4), 4);
	say(buf);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(console_read(buf, 4), 2);
	say(buf);
	assert_int_equal(console_read(buf, 4), 0);
	assert_int_equal(console_read_timeout(buf, 4, 1000), 0);
	say(" timeout ");
	memset(buf, 0, sizeof(buf));
	assert_int_equal(console_read_timeout(buf, 4, 1000), 1);
	say(buf);
}

void console_push(void)
{
}

void console_input_resume(void)
{
}

static void test_console_input(void **state)
{
	static char flood[5000];
	struct task *reader;

	(void)state;
	assert_non_null(task_create("reader", task_reads, &reader, 0));
	play(3);
	assert_string_equal(trace, "");
	console_input(NULL, "abcdef", 6);
	play(3);
	assert_string_equal(trace, "abcdef");
	/* Something else than input. */
	task_wake(reader);
	play(3);
	fake_cpus_advance(1000);
	play(3);
	assert_string_equal(trace, "abcdef timeout ");
	fake_cpus_use(1);
	console_input(NULL, "x", 1);
	play(3);
	assert_string_equal(trace, "abcdef timeout x");
	console_input(NULL, flood, sizeof(flood));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tasks_take_turns, setup),
		cmocka_unit_test_setup(test_sharing_is_no_yielding, setup),
		cmocka_unit_test_setup(test_sharing_serves, setup),
		cmocka_unit_test_setup(test_ended_tasks_leave_nothing, setup),
		cmocka_unit_test_setup(test_sleep_and_wake, setup),
		cmocka_unit_test_setup(test_timed_sleep, setup),
		cmocka_unit_test_setup(test_work, setup),
		cmocka_unit_test_setup(test_work_that_waits_for_work, setup),
		cmocka_unit_test_setup(test_work_that_must_not_wait, setup),
		cmocka_unit_test_setup(test_grace_waits_for_the_other_cpu, setup),
		cmocka_unit_test_setup(test_grace_takes_idle_as_quiescent, setup),
		cmocka_unit_test_setup(test_console_input, setup),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
