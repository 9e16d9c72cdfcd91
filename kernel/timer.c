/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A heap of timers a CPU, and the CPU's one-shot hardware timer set to the
 * first. Setting it costs an access to the local APIC, so it is set when a
 * timer is armed and the first deadline is another than the one set; after
 * timer_cancel() the interrupt may come for nothing, once.
 *
 * Locks: each queue's; two in the order of the CPUs. Nothing is taken inside.
 */
#include "kernel/timer.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/percpu.h"
#include "kernel/spinlock.h"

/*
 * Callbacks at one interrupt window. A guest can make its timers due faster
 * than they are served; it must get to run, and so must the others.
 */
#define TIMER_RUN_MAX 32

struct timer_queue {
	struct spinlock lock;
	struct heap_node *root;
	uint64_t first;	       /* key of the root; UINT64_MAX without one */
	uint64_t set;	       /* what the hardware is set to; UINT64_MAX when it has fired */
	struct timer *running; /* whose callback is being called; compared, not dereferenced */
} __aligned(64);

static struct timer_queue timer_queues[CPU_MAX];

static void timer_irq(void)
{
	this_cpu()->timers->set = UINT64_MAX;
}

void timer_cpu_init(void)
{
	struct timer_queue *queue = &timer_queues[this_cpu()->index];

	queue->first = UINT64_MAX;
	queue->set = UINT64_MAX;
	this_cpu()->timers = queue;
	if (!this_cpu()->index)
		irq_register(IRQ_VECTOR_TIMER, timer_irq);
}

void timer_init(struct timer *timer, timer_fn fn)
{
	timer->fn = fn;
	timer->queue = this_cpu()->timers;
	timer->armed = false;
}

static inline void timer_add(struct timer_queue *queue, struct timer *timer)
{
	heap_insert(&queue->root, &timer->node);
	queue->first = queue->root->key;
	timer->armed = true;
}

static inline void timer_remove(struct timer_queue *queue, struct timer *timer)
{
	heap_remove(&queue->root, &timer->node);
	queue->first = queue->root ? queue->root->key : UINT64_MAX;
	timer->armed = false;
}

/* Own CPU, under the lock. */
static inline void timer_set_hardware(struct timer_queue *queue)
{
	if (queue->first == queue->set)
		return;
	queue->set = queue->first;
	irq_timer_set(queue->first);
}

/* Takes @timer out of another CPU's queue, for @here. */
static __noinline void timer_move(struct timer *timer, struct timer_queue *here)
{
	struct timer_queue *there = READ_ONCE(timer->queue);

	spin_lock(here < there ? &here->lock : &there->lock);
	if (here != there)
		spin_lock(here < there ? &there->lock : &here->lock);
	if (timer->queue == there) {
		if (timer->armed)
			timer_remove(there, timer);
		timer->queue = here;
	}
	spin_unlock(&here->lock);
	if (here != there)
		spin_unlock(&there->lock);
}

void timer_arm(struct timer *timer, uint64_t deadline)
{
	struct timer_queue *queue = this_cpu()->timers;

	spin_lock(&queue->lock);
	while (unlikely(timer->queue != queue)) {
		spin_unlock(&queue->lock);
		timer_move(timer, queue);
		spin_lock(&queue->lock);
	}
	if (timer->armed)
		timer_remove(queue, timer);
	timer->node.key = deadline;
	timer_add(queue, timer);
	timer_set_hardware(queue);
	spin_unlock(&queue->lock);
}

void timer_cancel(struct timer *timer)
{
	/* Another CPU that is arming it right now may as well be the later one. */
	while (READ_ONCE(timer->armed)) {
		struct timer_queue *queue = READ_ONCE(timer->queue);

		spin_lock(&queue->lock);
		if (timer->queue == queue && timer->armed)
			timer_remove(queue, timer);
		spin_unlock(&queue->lock);
	}
}

/*
 * Disarms @timer and says whether its callback runs on another CPU: at one
 * moment, for which all queues are held, because the callback may arm it again
 * and other CPUs may have moved it meanwhile.
 */
static bool timer_cancel_all(struct timer *timer)
{
	bool running = false;

	for (uint32_t i = 0; i < cpu_count; i++)
		spin_lock(&timer_queues[i].lock);
	if (timer->armed)
		timer_remove(timer->queue, timer);
	for (uint32_t i = 0; i < cpu_count; i++)
		if (timer_queues[i].running == timer && i != this_cpu()->index)
			running = true;
	for (uint32_t i = 0; i < cpu_count; i++)
		spin_unlock(&timer_queues[i].lock);
	return running;
}

void timer_cancel_sync(struct timer *timer)
{
	while (timer_cancel_all(timer))
		cpu_pause();
}

/* Takes the first timer out if it is due at @now, and says so in queue->running. */
static struct timer *timer_take(struct timer_queue *queue, uint64_t now)
{
	struct timer *timer = NULL;

	spin_lock(&queue->lock);
	if (queue->first <= now) {
		timer = container_of(queue->root, struct timer, node);
		timer_remove(queue, timer);
	} else {
		timer_set_hardware(queue);
	}
	queue->running = timer;
	spin_unlock(&queue->lock);
	return timer;
}

void timer_run(void)
{
	struct timer_queue *queue = this_cpu()->timers;
	uint64_t now = cpu_rdtsc();
	struct timer *timer;

	/* Set for the first timer or for an earlier time: nothing is due, nothing is to be set. */
	if (READ_ONCE(queue->first) > now && queue->set <= READ_ONCE(queue->first))
		return;
	for (unsigned i = 0; i < TIMER_RUN_MAX; i++) {
		timer = timer_take(queue, now);
		if (!timer)
			return;
		timer->fn(timer);
	}
	/* The rest at the next window, which comes at once. */
	spin_lock(&queue->lock);
	queue->running = NULL;
	timer_set_hardware(queue);
	spin_unlock(&queue->lock);
}
