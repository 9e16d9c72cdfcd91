/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run queue a CPU. Only that CPU takes entities off its queue; any CPU may
 * put one on it and then sends a message, which ends a guest's run or HLT.
 *
 * Lock: each queue's, for its list and its entities' states. Nothing is taken
 * inside, and nothing is logged.
 */
#include "kernel/sched.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/percpu.h"
#include "kernel/grace.h"
#include "kernel/nmi.h"
#include "kernel/panic.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "kernel/timer.h"
#include "kernel/work.h"

#define SCHED_SLICE_NS (10 * NSEC_PER_MSEC)

struct sched_queue {
	struct spinlock lock;
	struct list_head ready;
	struct sched_stats stats;
	struct sched_entity *current;
	uint64_t slice_end; /* host TSC, for @current */
	uint64_t started;   /* likewise */
	struct timer slice; /* armed while @current runs and others are ready */
} __aligned(64);

static struct sched_queue sched_queues[CPU_MAX];
static void (*sched_world_leave)(void);

void sched_set_world_leave(void (*leave)(void))
{
	sched_world_leave = leave;
}

void sched_leave_world(void)
{
	if (this_cpu()->world && sched_world_leave)
		sched_world_leave();
}

/* Others are ready while one runs: ends its run, now or when its slice is over. Own CPU. */
static void sched_share(struct sched_queue *queue)
{
	if (cpu_rdtsc() >= queue->slice_end)
		this_cpu()->need_resched = true;
	else if (!queue->slice.armed)
		timer_arm(&queue->slice, queue->slice_end);
}

static void sched_slice_over(struct timer *timer)
{
	struct sched_queue *queue = container_of(timer, struct sched_queue, slice);

	/* It may be left from a slice that ended early. */
	if (queue->current && queue->stats.ready)
		sched_share(queue);
}

/* The message alone ends guest mode or HLT; what is to be done is found at the interrupt window. */
static void sched_kicked(void)
{
}

int sched_cpu_init(void)
{
	struct cpu *cpu = this_cpu();
	struct sched_queue *queue = &sched_queues[cpu->index];

	timer_cpu_init();
	list_init(&queue->ready);
	timer_init(&queue->slice, sched_slice_over);
	cpu->sched = queue;
	if (!cpu->index)
		irq_register(IRQ_VECTOR_KICK, sched_kicked);
	return work_cpu_init();
}

void sched_kick_cpu(uint32_t cpu)
{
	if (cpu != this_cpu()->index)
		irq_send(cpu_table[cpu]->apic_id, IRQ_VECTOR_KICK);
}

void sched_add(struct sched_entity *e, const struct sched_ops *ops, uint32_t cpu)
{
	struct sched_queue *queue = &sched_queues[cpu];

	e->ops = ops;
	e->cpu = cpu;
	e->runtime = 0;
	list_init(&e->link);
	spin_lock(&queue->lock);
	e->wake_pending = false;
	e->state = SCHED_ST_BLOCKED;
	queue->stats.entities++;
	spin_unlock(&queue->lock);
}

static void sched_make_ready(struct sched_queue *queue, struct sched_entity *e)
{
	e->state = SCHED_ST_READY;
	list_add_tail(&e->link, &queue->ready);
	queue->stats.ready++;
}

void sched_wake(struct sched_entity *e)
{
	uint32_t cpu = e->cpu;
	struct sched_queue *queue = &sched_queues[cpu];
	enum sched_state was;

	spin_lock(&queue->lock);
	was = e->state;
	if (was == SCHED_ST_BLOCKED)
		sched_make_ready(queue, e);
	else
		e->wake_pending = true;
	spin_unlock(&queue->lock);
	/* @e may be gone by now. */
	if (was == SCHED_ST_READY)
		return;
	if (cpu != this_cpu()->index)
		sched_kick_cpu(cpu);
	else if (was == SCHED_ST_BLOCKED && queue->current)
		sched_share(queue);
}

uint32_t sched_pick_cpu(void)
{
	uint32_t best = this_cpu()->index;
	struct cpu *cpu;

	for_each_cpu (cpu, i)
		if (cpu->sched &&
		    sched_queues[i].stats.entities < sched_queues[best].stats.entities)
			best = i;
	return best;
}

uint32_t sched_cpu_count(void)
{
	return cpu_count;
}

void sched_get_stats(uint32_t cpu, struct sched_stats *stats)
{
	struct sched_queue *queue = &sched_queues[cpu];

	spin_lock(&queue->lock);
	*stats = queue->stats;
	stats->nmis = cpu_table[cpu]->nmis;
	stats->strays = cpu_table[cpu]->strays;
	spin_unlock(&queue->lock);
}

/* The CPU that runs it takes no lock for that: one slice more or less may be counted. */
uint64_t sched_runtime(const struct sched_entity *e)
{
	const struct sched_queue *queue = &sched_queues[e->cpu];
	uint64_t started = READ_ONCE(queue->started), now = cpu_rdtsc();

	return e->runtime + (READ_ONCE(queue->current) == e && now > started ? now - started : 0);
}

/* What interrupts left to do. */
static void sched_serve(void)
{
	struct sched_queue *queue = this_cpu()->sched;

	nmi_serve();
	timer_run();
	if (queue->current && READ_ONCE(queue->stats.ready))
		sched_share(queue);
}

void irq_window(void)
{
	sched_leave_world();
	cpu_irq_window();
	sched_serve();
}

static struct sched_entity *sched_take(struct sched_queue *queue)
{
	struct sched_entity *e = NULL;

	spin_lock(&queue->lock);
	if (!list_empty(&queue->ready)) {
		e = list_first_entry(&queue->ready, struct sched_entity, link);
		list_del(&e->link);
		queue->stats.ready--;
		queue->stats.switches++;
		e->state = SCHED_ST_RUNNING;
	}
	spin_unlock(&queue->lock);
	return e;
}

/* What becomes of @e after its run. */
static void sched_put(struct sched_queue *queue, struct sched_entity *e, enum sched_result result)
{
	spin_lock(&queue->lock);
	if (result != SCHED_BLOCK || e->wake_pending)
		sched_make_ready(queue, e);
	else
		e->state = SCHED_ST_BLOCKED;
	/* A wake-up counts for the next sleep, also when a yield came before it. */
	if (result == SCHED_BLOCK)
		e->wake_pending = false;
	spin_unlock(&queue->lock);
}

/* Whether what is still ready goes on with its slice, after a look at what came meanwhile. */
static bool sched_goes_on(void)
{
	grace_quiescent();
	irq_window();
	return !this_cpu()->need_resched;
}

static void sched_run(struct sched_queue *queue, struct sched_entity *e)
{
	const struct sched_ops *ops = e->ops;
	uint64_t start = cpu_rdtsc();
	enum sched_result result;

	this_cpu()->need_resched = false;
	queue->slice_end = start + time_ns_to_tsc(SCHED_SLICE_NS);
	queue->started = start;
	queue->current = e;
	if (READ_ONCE(queue->stats.ready))
		timer_arm(&queue->slice, queue->slice_end);
	do {
		result = ops->run(e);
	} while (result == SCHED_SHARE && sched_goes_on());
	queue->current = NULL;
	if (result != SCHED_EXIT) {
		e->runtime += cpu_rdtsc() - start;
		sched_put(queue, e, result);
		return;
	}
	spin_lock(&queue->lock);
	queue->stats.entities--;
	spin_unlock(&queue->lock);
	if (ops->exited)
		ops->exited(e);
}

static void sched_idle(struct sched_queue *queue)
{
	struct cpu *cpu = this_cpu();
	uint64_t start = cpu_rdtsc();

	sched_leave_world();
	cpu->idle = true;
	/*
	 * A message for what is put on the queue from here on is pending when HLT
	 * is reached, and ends it.
	 */
	if (list_empty(&queue->ready))
		cpu_idle();
	cpu->idle = false;
	/* Seen by grace_synchronize() before this CPU reads a published map. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	queue->stats.idle += cpu_rdtsc() - start;
}

/* One pass of sched_loop(); host tests call it by itself. */
void sched_step(void)
{
	struct sched_queue *queue = this_cpu()->sched;
	struct sched_entity *e;

	grace_quiescent();
	irq_window();
	e = sched_take(queue);
	if (e)
		sched_run(queue, e);
	else
		sched_idle(queue);
}

void sched_loop(void)
{
	for (;;)
		sched_step();
}
