/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers of one CPU, and time that moves when a test says so: a tick is a nanosecond. */
#include "tests/host/vmm/fake.h"

#include "kernel/timer.h"

#include <assert.h>

#define TIMERS_MAX 16

uint64_t fake_tsc;

static struct timer *timers[TIMERS_MAX];

uint64_t vm_time_ns(const struct vm *vm)
{
	(void)vm;
	return fake_tsc - fake_vm_lag;
}

uint64_t vm_time_to_tsc(const struct vm *vm, uint64_t ns)
{
	(void)vm;
	return ns + fake_vm_lag;
}

void timer_init(struct timer *timer, timer_fn fn)
{
	timer->fn = fn;
	timer->armed = false;
}

void timer_cancel(struct timer *timer)
{
	unsigned i;

	for (i = 0; i < TIMERS_MAX; i++)
		if (timers[i] == timer)
			timers[i] = NULL;
	timer->armed = false;
}

void timer_cancel_sync(struct timer *timer)
{
	timer_cancel(timer);
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
	unsigned i;

	timer_cancel(timer);
	for (i = 0; timers[i]; i++)
		assert(i + 1 < TIMERS_MAX);
	timers[i] = timer;
	timer->node.key = deadline;
	timer->armed = true;
}

void fake_run_until(uint64_t tsc)
{
	for (;;) {
		struct timer *next = NULL;
		unsigned i;

		for (i = 0; i < TIMERS_MAX; i++)
			if (timers[i] && timers[i]->node.key <= tsc &&
			    (!next || timers[i]->node.key < next->node.key))
				next = timers[i];
		if (!next)
			break;
		if (next->node.key > fake_tsc)
			fake_tsc = next->node.key;
		timer_cancel(next);
		next->fn(next);
	}
	fake_tsc = tsc;
}
