/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/work.h"
#include "arch/x86_64/percpu.h"
#include "kernel/task.h"

#include <errno.h>
#include <stdio.h>

/*
 * A worker a CPU. Only that CPU touches its list, and our code is not
 * preempted: no lock.
 */
struct worker {
	struct list_head list;
	struct task *task;
};

static struct worker workers[CPU_MAX];

void work_init(struct work *work, work_fn fn)
{
	work->fn = fn;
	list_init(&work->link);
	work->queued = false;
}

void work_queue(struct work *work)
{
	struct worker *worker = &workers[this_cpu()->index];

	/* Two CPUs may do this at once: one of them puts it on its list. */
	if (__atomic_exchange_n(&work->queued, true, __ATOMIC_ACQ_REL))
		return;
	list_add_tail(&work->link, &worker->list);
	task_wake(worker->task);
}

static void worker_main(void *arg)
{
	struct worker *worker = arg;

	for (;;) {
		while (!list_empty(&worker->list)) {
			struct work *work = list_first_entry(&worker->list, struct work, link);

			list_del(&work->link);
			/* From here on it may be queued again, or freed by its function. */
			__atomic_store_n(&work->queued, false, __ATOMIC_RELEASE);
			work->fn(work);
			task_yield();
		}
		task_sleep();
	}
}

int work_cpu_init(void)
{
	uint32_t cpu = this_cpu()->index;
	char name[16];

	list_init(&workers[cpu].list);
	snprintf(name, sizeof(name), "worker %u", cpu);
	workers[cpu].task = task_create(name, worker_main, &workers[cpu], cpu);
	return workers[cpu].task ? 0 : -ENOMEM;
}
