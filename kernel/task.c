/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/task.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/switch.h"
#include "kernel/page_alloc.h"
#include "kernel/panic.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "kernel/timer.h"

#include <stdio.h>

#define TASK_NAME_MAX	 32
#define TASK_STACK_ORDER 2
_Static_assert(PAGE_SIZE << TASK_STACK_ORDER == TASK_STACK_SIZE, "stack's pages");

struct task {
	struct sched_entity entity;
	char name[TASK_NAME_MAX];
	task_fn fn;
	void *arg;
	char *stack;
	uint64_t sp;		  /* while it does not run */
	uint64_t scheduler_sp;	  /* while it runs */
	enum sched_result result; /* why it went back to the scheduler */
	bool no_waiting;
};

/* Stacks of tasks that ended, linked through their first words: a mapped stack stays mapped. */
static struct spinlock stack_lock = SPINLOCK_INIT;
static void *stack_free;
static struct page_owner stack_owner;

static char *stack_get(void)
{
	void *stack, *pages;

	spin_lock(&stack_lock);
	stack = stack_free;
	if (stack)
		stack_free = *(void **)stack;
	spin_unlock(&stack_lock);
	if (stack)
		return stack;
	pages = page_alloc(&stack_owner, TASK_STACK_ORDER);
	if (!pages)
		return NULL;
	stack = paging_map_stack(pages, TASK_STACK_SIZE);
	if (!stack)
		page_free(&stack_owner, pages, TASK_STACK_ORDER);
	return stack;
}

static void stack_put(void *stack)
{
	spin_lock(&stack_lock);
	*(void **)stack = stack_free;
	stack_free = stack;
	spin_unlock(&stack_lock);
}

void task_init(void)
{
	page_owner_register(&stack_owner, "task stacks");
}

struct task *task_current(void)
{
	return this_cpu()->task;
}

/* Back to the scheduler, until it runs the task again. */
static void task_suspend(enum sched_result result)
{
	struct task *task = this_cpu()->task;

	BUG_ON(!task);
	task->result = result;
	switch_stack(&task->sp, task->scheduler_sp);
}

static void task_wait(enum sched_result result)
{
	BUG_ON(!task_current() || task_current()->no_waiting);
	task_suspend(result);
}

static enum sched_result task_run(struct sched_entity *e)
{
	struct task *task = container_of(e, struct task, entity);

	this_cpu()->task = task;
	switch_stack(&task->scheduler_sp, task->sp);
	this_cpu()->task = NULL;
	return task->result;
}

static void task_exited(struct sched_entity *e)
{
	struct task *task = container_of(e, struct task, entity);

	stack_put(task->stack);
	kfree(task);
}

static const struct sched_ops task_ops = {.run = task_run, .exited = task_exited};

static void task_entry(void)
{
	struct task *task = task_current();

	task->fn(task->arg);
	task_suspend(SCHED_EXIT);
	panic("task %s: resumed after its end", task->name);
}

struct task *task_create(const char *name, task_fn fn, void *arg, uint32_t cpu)
{
	struct task *task = kzalloc(sizeof(*task));

	if (!task)
		return NULL;
	task->stack = stack_get();
	if (!task->stack)
		goto free_task;
	snprintf(task->name, sizeof(task->name), "%s", name);
	task->fn = fn;
	task->arg = arg;
	task->sp = switch_prepare(task->stack + TASK_STACK_SIZE, task_entry);
	sched_add(&task->entity, &task_ops, cpu);
	sched_wake(&task->entity);
	return task;

free_task:
	kfree(task);
	return NULL;
}

void task_yield(void)
{
	task_wait(SCHED_YIELD);
}

void task_share(void)
{
	task_wait(SCHED_SHARE);
}

void task_give_way(void)
{
	task_suspend(SCHED_YIELD);
}

void task_may_wait(bool may)
{
	task_current()->no_waiting = !may;
}

void task_sleep(void)
{
	task_wait(SCHED_BLOCK);
}

void task_wake(struct task *task)
{
	sched_wake(&task->entity);
}

struct task_alarm {
	struct timer timer;
	struct task *task;
};

static void task_alarm_rings(struct timer *timer)
{
	task_wake(container_of(timer, struct task_alarm, timer)->task);
}

void task_sleep_until(uint64_t deadline)
{
	struct task_alarm alarm = {.task = task_current()};

	timer_init(&alarm.timer, task_alarm_rings);
	timer_arm(&alarm.timer, deadline);
	task_sleep();
	/* Its callback runs on this CPU only, so it does not run now. */
	timer_cancel(&alarm.timer);
}
