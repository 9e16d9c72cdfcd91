/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work items: what an exit handler or a timer may not do itself (wait,
 * allocate, destroy its own VM) is handed to the CPU's worker task.
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
};

void work_init(struct work *work, work_fn fn);
/* Queues @work on the calling CPU's worker; queued already: nothing. Allocates nothing. Any context
 * but NMI. */
void work_queue(struct work *work);

/* kernel/sched.c: each CPU, once, when it comes up. */
int work_cpu_init(void) __must_check;

#endif
