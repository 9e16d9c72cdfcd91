/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/sched.c kernel/timer.c kernel/time.c lib/heap.c */
/* test-sources: tests/host/fake/arch/x86_64/fake_cpus.c */
/*
 * kernel/sched.c with entities whose runs are scripted here, on two played
 * CPUs. Workers and calls between CPUs have tests of their own.
 */
#include "kernel/sched.h"
#include "arch/x86_64/percpu.h"
#include "kernel/time.h"
#include "kernel/work.h"
#include "tests/host/fake/arch/x86_64/fake_cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SLICE (10 * NSEC_PER_MSEC)

static struct sched_stats before[2];

int work_cpu_init(void)
{
	return 0;
}

struct actor {
	struct sched_entity entity;
	char name;
	unsigned runs;
	/* What it does when it runs; NULL: yields. */
	enum sched_result (*act)(struct actor *actor);
};

/* The names of those that ran. */
static char trace[64];

static enum sched_result actor_run(struct sched_entity *e)
{
	struct actor *actor = container_of(e, struct actor, entity);

	trace[strlen(trace)] = actor->name;
	actor->runs++;
	return actor->act ? actor->act(actor) : SCHED_YIELD;
}

static const struct sched_ops ops = {.run = actor_run};

static enum sched_result act_block(struct actor *actor)
{
	(void)actor;
	return SCHED_BLOCK;
}

static enum sched_result act_exit(struct actor *actor)
{
	(void)actor;
	return SCHED_EXIT;
}

static void steps(unsigned n)
{
	memset(trace, 0, sizeof(trace));
	while (n--)
		sched_step();
}

static void retire(struct actor *actor)
{
	actor->act = act_exit;
	sched_wake(&actor->entity);
	fake_cpus_use(actor->entity.cpu);
	for (unsigned runs = actor->runs; actor->runs == runs;)
		sched_step();
	fake_cpus_use(0);
}

static int setup(void **state)
{
	(void)state;
	fake_cpus_init(2);
	for (uint32_t i = 2; i--;) {
		fake_cpus_use(i);
		assert_int_equal(sched_cpu_init(), 0);
		sched_get_stats(i, &before[i]);
	}
	memset(trace, 0, sizeof(trace));
	return 0;
}

static int teardown(void **state)
{
	struct sched_stats after;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		sched_get_stats(i, &after);
		assert_int_equal(after.entities, before[i].entities);
		assert_int_equal(after.ready, 0);
	}
	return 0;
}

static void test_round_robin(void **state)
{
	struct actor a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c', .act = act_block};

	(void)state;
	sched_add(&a.entity, &ops, 0);
	sched_add(&b.entity, &ops, 0);
	sched_add(&c.entity, &ops, 0);
	steps(2);
	assert_string_equal(trace, "");
	assert_int_equal(fake_idles[0], 2);
	sched_wake(&a.entity);
	sched_wake(&b.entity);
	sched_wake(&c.entity);
	steps(6);
	assert_string_equal(trace, "abcaba");
	assert_int_equal(fake_idles[0], 2);
	retire(&a);
	retire(&b);
	retire(&c);
}

/* It is woken while it runs, and then goes to sleep. */
static enum sched_result act_woken_then_block(struct actor *actor)
{
	if (actor->runs == 1) {
		sched_wake(&actor->entity);
		sched_wake(&actor->entity);
	}
	return SCHED_BLOCK;
}

static enum sched_result act_woken_then_yield_then_block(struct actor *actor)
{
	if (actor->runs == 1)
		sched_wake(&actor->entity);
	return actor->runs == 1 ? SCHED_YIELD : SCHED_BLOCK;
}

static void test_wake_while_running_counts(void **state)
{
	struct actor a = {.name = 'a', .act = act_woken_then_block};
	struct actor b = {.name = 'b', .act = act_woken_then_yield_then_block};

	(void)state;
	sched_add(&a.entity, &ops, 0);
	sched_wake(&a.entity);
	steps(4);
	assert_string_equal(trace, "aa");
	sched_add(&b.entity, &ops, 0);
	sched_wake(&b.entity);
	steps(5);
	assert_string_equal(trace, "bbb");
	retire(&a);
	retire(&b);
}

/* Whoever asks while it runs gets what has gone by. */
static enum sched_result act_looks(struct actor *actor)
{
	uint64_t before = sched_runtime(&actor->entity);

	fake_cpus_advance(SLICE / 2);
	assert_in_range(sched_runtime(&actor->entity) - before, SLICE / 2, SLICE / 2 + SLICE / 10);
	return SCHED_BLOCK;
}

static void test_runtime(void **state)
{
	struct actor a = {.name = 'a', .act = act_looks};
	uint64_t runtime;

	(void)state;
	sched_add(&a.entity, &ops, 0);
	assert_int_equal(sched_runtime(&a.entity), 0);
	for (unsigned i = 1; i < 4; i++) {
		sched_wake(&a.entity);
		steps(2);
		runtime = sched_runtime(&a.entity);
		assert_in_range(runtime, i * (SLICE / 2), i * (SLICE / 2 + SLICE / 10));
		fake_cpus_advance(SLICE);
		assert_int_equal(sched_runtime(&a.entity), runtime);
	}
	retire(&a);
}

static bool resched_seen[8];

/* Plays a vCPU: the interrupt window after each exit, until the CPU is wanted back. */
static enum sched_result act_guest(struct actor *actor)
{
	(void)actor;
	for (unsigned i = 0; i < ARRAY_SIZE(resched_seen); i++) {
		irq_window();
		resched_seen[i] = this_cpu()->need_resched;
		if (resched_seen[i])
			break;
		fake_cpus_advance(SLICE / 5);
	}
	return SCHED_YIELD;
}

static void test_no_slice_for_one_alone(void **state)
{
	struct actor a = {.name = 'a', .act = act_guest};

	(void)state;
	sched_add(&a.entity, &ops, 0);
	sched_wake(&a.entity);
	memset(resched_seen, true, sizeof(resched_seen));
	steps(1);
	for (unsigned i = 0; i < ARRAY_SIZE(resched_seen); i++)
		assert_false(resched_seen[i]);
	assert_int_equal(fake_timer_sets[0], 0);
	retire(&a);
}

static void test_slice_ends_when_two_are_ready(void **state)
{
	struct actor a = {.name = 'a', .act = act_guest}, b = {.name = 'b', .act = act_guest};

	(void)state;
	sched_add(&a.entity, &ops, 0);
	sched_add(&b.entity, &ops, 0);
	sched_wake(&a.entity);
	sched_wake(&b.entity);
	memset(resched_seen, 0, sizeof(resched_seen));
	steps(4);
	assert_string_equal(trace, "abab");
	assert_false(resched_seen[4]);
	assert_true(resched_seen[5]);
	assert_in_range(a.entity.runtime, 2 * SLICE, 2 * SLICE + SLICE / 5);
	retire(&a);
	retire(&b);
}

static struct actor *sleeper;

/* Alone for two slices, then another CPU wakes somebody: that one need not wait a slice more. */
static enum sched_result act_disturbed(struct actor *actor)
{
	(void)actor;
	fake_cpus_advance(2 * SLICE);
	irq_window();
	assert_false(this_cpu()->need_resched);
	fake_cpus_use(1);
	sched_wake(&sleeper->entity);
	fake_cpus_use(0);
	assert_int_equal(fake_kicks[0], 1);
	irq_window();
	assert_true(this_cpu()->need_resched);
	return SCHED_BLOCK;
}

static void test_wake_from_another_cpu(void **state)
{
	struct actor a = {.name = 'a', .act = act_disturbed};
	struct actor b = {.name = 'b', .act = act_block};

	(void)state;
	sleeper = &b;
	sched_add(&a.entity, &ops, 0);
	sched_add(&b.entity, &ops, 0);
	sched_wake(&a.entity);
	assert_int_equal(fake_kicks[0], 0);
	steps(3);
	assert_string_equal(trace, "ab");
	retire(&a);
	retire(&b);
}

static unsigned worlds_left;

static void leave_world(void)
{
	worlds_left++;
	this_cpu()->world = NULL;
}

static void test_world_is_left_before_interrupts(void **state)
{
	struct vcpu *vcpu = (struct vcpu *)16;

	(void)state;
	sched_set_world_leave(leave_world);
	worlds_left = 0;
	irq_window();
	assert_int_equal(worlds_left, 0);
	this_cpu()->world = vcpu;
	irq_window();
	irq_window();
	assert_int_equal(worlds_left, 1);
	sched_set_world_leave(NULL);
}

static void free_actor(struct sched_entity *e)
{
	free(container_of(e, struct actor, entity));
}

static void test_exited_may_free(void **state)
{
	static const struct sched_ops freeing = {.run = actor_run, .exited = free_actor};
	struct actor *a = calloc(1, sizeof(*a));

	(void)state;
	a->name = 'a';
	a->act = act_exit;
	sched_add(&a->entity, &freeing, 1);
	assert_int_equal(sched_pick_cpu(), 0);
	sched_wake(&a->entity);
	fake_cpus_use(1);
	steps(2);
	assert_string_equal(trace, "a");
	fake_cpus_use(0);
}

/* Before it is added, and after its exit, an entity may be woken; adding it begins anew. */
static void test_wake_of_what_is_not_there(void **state)
{
	struct actor a = {.name = 'a', .act = act_exit};

	(void)state;
	a.entity.cpu = 1;
	for (unsigned life = 0; life < 2; life++) {
		sched_wake(&a.entity);
		sched_add(&a.entity, &ops, 1);
		fake_cpus_use(1);
		steps(2);
		assert_string_equal(trace, "");
		sched_wake(&a.entity);
		steps(3);
		assert_string_equal(trace, "a");
		fake_cpus_use(0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_robin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake_while_running_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runtime, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_slice_for_one_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slice_ends_when_two_are_ready, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_wake_from_another_cpu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_world_is_left_before_interrupts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_exited_may_free, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake_of_what_is_not_there, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
