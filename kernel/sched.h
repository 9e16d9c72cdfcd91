/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU has one run queue of entities: vCPUs (run on the CPU's one stack
 * until they block or their slice ends) and tasks (kernel/task.h). Round
 * robin; a slice timer runs only when more than one is ready. Entities stay
 * on the CPU that they were added to.
 */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include "lib/compiler.h"
#include "lib/list.h"

#include <stdbool.h>
#include <stdint.h>

enum sched_result {
	SCHED_YIELD, /* still ready: to the end of the queue */
	SCHED_SHARE, /* likewise when its slice is over and others are ready; else it goes on */
	SCHED_BLOCK, /* sleeps until sched_wake(); one that came since it ran counts */
	SCHED_EXIT,  /* gone: the entity is not touched after its run() returned this */
};

struct sched_entity;
struct sched_ops {
	/* Runs on the entity's CPU, scheduler's stack, no lock held. Returns soon after
	 * need_resched. */
	enum sched_result (*run)(struct sched_entity *e);
	/* After SCHED_EXIT, off the queue, no lock held; may free the entity. NULL: nothing to do.
	 */
	void (*exited)(struct sched_entity *e);
};

enum sched_state { SCHED_ST_NEW, SCHED_ST_BLOCKED, SCHED_ST_READY, SCHED_ST_RUNNING };

struct sched_entity {
	const struct sched_ops *ops;
	struct list_head link;	/* in the run queue while READY */
	uint32_t cpu;		/* index of its CPU */
	enum sched_state state; /* under the queue's lock */
	bool wake_pending;	/* woken while RUNNING: under the queue's lock */
	uint64_t runtime;	/* TSC ticks it has run, for `info cpus` */
};

/* Every CPU once, when it comes up: its queue, timers, worker and waiter. The boot CPU first, after
 * task_init(). */
int sched_cpu_init(void) __must_check;
/* The CPU's life from then on. Interrupts are taken here when idle. */
void sched_loop(void) __noreturn;
/* One pass of it, for host tests. */
void sched_step(void);

/*
 * Adds @e, blocked, to CPU @cpu. A wake-up from before is forgotten. Whoever may
 * wake @e meanwhile has seen this CPU in @e->cpu: the queue's lock goes by it.
 */
void sched_add(struct sched_entity *e, const struct sched_ops *ops, uint32_t cpu);
/* Makes @e ready; any CPU, any context but NMI; its CPU is kicked when it idles or is in a guest.
 */
void sched_wake(struct sched_entity *e);
/* Kicks @cpu out of guest mode or idle, so that it looks at its requests. Any CPU. */
void sched_kick_cpu(uint32_t cpu);
/* The CPUs are [0, sched_cpu_count()). */
uint32_t sched_cpu_count(void);
/* What CPU @cpu has done, for `info cpus`. */
struct sched_stats {
	uint32_t entities; /* placed there */
	uint32_t ready;	   /* waiting for it */
	uint64_t idle;	   /* TSC ticks without anything to run */
	uint64_t switches; /* times an entity was given the CPU */
	uint32_t nmis;	   /* of the hardware */
	uint32_t strays;   /* interrupts that nobody expected */
};
/* TSC ticks that @e has run, up to now: more than its runtime while it runs. Any CPU. */
uint64_t sched_runtime(const struct sched_entity *e);
void sched_get_stats(uint32_t cpu, struct sched_stats *stats);
/* The CPU with the fewest entities, for placing a new one. */
uint32_t sched_pick_cpu(void);

/*
 * The vmm's: puts the host's world back on this CPU, when this_cpu()->world is
 * not NULL. Called before interrupts are taken, because IST, TR and GS are
 * the guest's until then.
 */
void sched_set_world_leave(void (*leave)(void));
/* Calls it when a guest's world is live here. Also in a panic. */
void sched_leave_world(void);

/* A stated point: takes pending interrupts and runs timers. No lock held; not from handlers. */
void irq_window(void);

#endif
