/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work items: what an exit handler or a timer may not do itself (wait,
 * allocate, destroy its own VM) is handed to a task of the CPU's.
 *
 * Each CPU has two of them. The worker has the items that wait for nobody: they
 * carry requests and frames on, and other tasks wait for them. The waiter has
 * those that do wait: a guest's reset, which waits for its requests to end. With
 * one task for both, what is waited for would be behind who waits for it.
 */
#ifndef KERNEL_WORK_H
#define KERNEL_WORK_H

#include "lib/compiler.h"
#include "lib/list.h"

#include <stdbool.h>

struct work;
typedef void (*work_fn)(struct work *work);

struct work {
	work_fn fn;
	struct list_head link;
	bool queued;
	bool waits;
};

/*
 * @fn neither yields nor sleeps: it waits for no other work item, no task, and no VM's life. It may
 * wait for CPUs (grace_synchronize()). It panics when it does not keep to that.
 */
void work_init(struct work *work, work_fn fn);
/* @fn may wait for tasks and for other work items, but for none that may wait itself: that one may
 * be behind it in the list. */
void work_init_waiting(struct work *work, work_fn fn);
/* Queues @work on the calling CPU's worker, or waiter; queued already: nothing. Allocates nothing.
 * Any context but NMI. */
void work_queue(struct work *work);

/* kernel/sched.c: each CPU, once, when it comes up. */
int work_cpu_init(void) __must_check;

#endif
