/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/work.h"
#include "arch/x86_64/percpu.h"
#include "kernel/task.h"

#include <errno.h>
#include <stdio.h>

/*
 * Two a CPU: for items that may wait, and for those that may not. Only that CPU
 * touches their lists, and our code is not preempted: no lock.
 */
struct worker {
	struct list_head list;
	struct task *task;
	bool waits;
};

static struct worker workers[CPU_MAX][2];

void work_init(struct work *work, work_fn fn)
{
	work->fn = fn;
	list_init(&work->link);
	work->queued = false;
	work->waits = false;
}

void work_init_waiting(struct work *work, work_fn fn)
{
	work_init(work, fn);
	work->waits = true;
}

void work_queue(struct work *work)
{
	struct worker *worker = &workers[this_cpu()->index][work->waits];

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
			task_may_wait(worker->waits);
			work->fn(work);
			task_may_wait(true);
			task_yield();
		}
		task_sleep();
	}
}

static int worker_create(struct worker *worker, const char *what, bool waits)
{
	uint32_t cpu = this_cpu()->index;
	char name[16];

	list_init(&worker->list);
	worker->waits = waits;
	snprintf(name, sizeof(name), "%s %u", what, cpu);
	worker->task = task_create(name, worker_main, worker, cpu);
	return worker->task ? 0 : -ENOMEM;
}

int work_cpu_init(void)
{
	struct worker *mine = workers[this_cpu()->index];
	int err = worker_create(&mine[false], "worker", false);

	return err ? err : worker_create(&mine[true], "waiter", true);
}
