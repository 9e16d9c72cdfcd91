/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/grace.h"
#include "kernel/sched.h"
#include "kernel/task.h"

#include <stdbool.h>

/* A CPU that stays in its guest or in a long handler is sent a message again after so many looks.
 */
#define GRACE_KICK_EVERY 64

/*
 * The count is a plain store, which the CPU may delay past its later reads of
 * a map. So one step is not enough: the second is made visible after the first
 * one, and after the reads between the two.
 */
static bool grace_passed(const struct cpu *cpu, uint64_t seen)
{
	return cpu->idle || cpu->quiescent - seen >= 2;
}

static void grace_wait(uint32_t index, uint64_t seen)
{
	for (unsigned looks = 0; !grace_passed(cpu_table[index], seen); looks++) {
		if (looks % GRACE_KICK_EVERY == 0)
			sched_kick_cpu(index);
		if (task_current()) {
			task_give_way();
		} else {
			/* Two CPUs may wait for each other. */
			grace_quiescent();
			irq_window();
		}
	}
}

void grace_synchronize(void)
{
	uint64_t seen[CPU_MAX];
	struct cpu *cpu;

	/* What was unpublished is visible before the counts are read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for_each_cpu (cpu, i)
		seen[i] = cpu->quiescent;
	for_each_cpu (cpu, i)
		if (i != this_cpu()->index)
			grace_wait(i, seen[i]);
}
