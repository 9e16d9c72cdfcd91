/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/fake/kernel/fake_work.h"
#include "kernel/work.h"

#include <stdio.h>
#include <stdlib.h>

#define IDLE_MAX 1000000 /* looks at what does not come */

static struct list_head queued = LIST_HEAD_INIT(queued); /* by age */
static bool running[2];					 /* one that may not wait; one that may */

void work_init(struct work *work, work_fn fn)
{
	work->fn = fn;
	list_init(&work->link);
	work->queued = work->waits = false;
}

void work_init_waiting(struct work *work, work_fn fn)
{
	work_init(work, fn);
	work->waits = true;
}

void work_queue(struct work *work)
{
	if (!work->queued)
		list_add_tail(&work->link, &queued);
	work->queued = true;
}

static struct work *first_that_can(void)
{
	struct work *work;

	list_for_each_entry (work, &queued, link)
		if (!running[work->waits])
			return work;
	return NULL;
}

bool fake_work_one(void)
{
	struct work *work = first_that_can();
	bool waits;

	if (!work)
		return false;
	list_del(&work->link);
	work->queued = false;
	waits = work->waits;
	running[waits] = true;
	work->fn(work);
	running[waits] = false;
	return true;
}

bool fake_work_yield(void)
{
	static unsigned idle;
	bool ran;

	if (running[false]) {
		fputs("a work item waits that must not\n", stderr);
		abort();
	}
	ran = fake_work_one();
	idle = ran || !running[true] ? 0 : idle + 1;
	if (idle > IDLE_MAX) {
		fputs("a work item waits for what cannot run\n", stderr);
		abort();
	}
	return ran;
}
