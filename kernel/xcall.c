/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/xcall.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "kernel/panic.h"
#include "kernel/sched.h"
#include "kernel/spinlock.h"

#include <stdbool.h>
#include <stddef.h>

/* On the stack of the caller, which waits for @done. */
struct xcall {
	xcall_fn fn;
	void *arg;
	struct xcall *next;
	bool done;
};

/* Calls that wait for a CPU; each queue's lock is for its list alone. */
struct xcall_queue {
	struct spinlock lock;
	struct xcall *first;
} __aligned(64);

static struct xcall_queue xcall_queues[CPU_MAX];

void xcall_serve(void)
{
	struct xcall_queue *queue = &xcall_queues[this_cpu()->index];
	struct xcall *call, *next;

	if (!READ_ONCE(queue->first))
		return;
	spin_lock(&queue->lock);
	call = queue->first;
	queue->first = NULL;
	spin_unlock(&queue->lock);
	for (; call; call = next) {
		next = call->next;
		call->fn(call->arg);
		__atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
	}
}

static void xcall_post(uint32_t cpu, struct xcall *call)
{
	struct xcall_queue *queue = &xcall_queues[cpu];

	spin_lock(&queue->lock);
	call->next = queue->first;
	queue->first = call;
	spin_unlock(&queue->lock);
	sched_kick_cpu(cpu);
}

static void xcall_wait(const struct xcall *call)
{
	while (!__atomic_load_n(&call->done, __ATOMIC_ACQUIRE)) {
		/* The other one may wait for us in the same way. */
		xcall_serve();
		cpu_pause();
	}
}

void xcall_run(uint32_t cpu, xcall_fn fn, void *arg)
{
	struct xcall call = {.fn = fn, .arg = arg};

	if (cpu == this_cpu()->index) {
		fn(arg);
		return;
	}
	BUG_ON(cpu >= cpu_count || !cpu_table[cpu]->online);
	xcall_post(cpu, &call);
	xcall_wait(&call);
}

void xcall_run_all(xcall_fn fn, void *arg)
{
	struct xcall calls[CPU_MAX];
	struct cpu *cpu;

	for_each_cpu (cpu, i) {
		calls[i] = (struct xcall){.fn = fn, .arg = arg};
		if (i != this_cpu()->index)
			xcall_post(i, &calls[i]);
	}
	fn(arg);
	for_each_cpu (cpu, i)
		if (i != this_cpu()->index)
			xcall_wait(&calls[i]);
}
