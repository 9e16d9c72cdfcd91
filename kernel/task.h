/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cooperative tasks with a small stack of their own (guard page below), for
 * what takes long: the shell, starting and stopping VMs. A task yields at
 * stated points and must not hold a spinlock there.
 */
#ifndef KERNEL_TASK_H
#define KERNEL_TASK_H

#include "kernel/sched.h"

struct task;
typedef void (*task_fn)(void *arg);

#define TASK_STACK_SIZE 16384

/* Boot, once, after slab_init(). */
void task_init(void);

/* Starts @fn(@arg) on CPU @cpu. @name is copied. NULL when out of memory. The task ends when @fn
 * returns. */
struct task *task_create(const char *name, task_fn fn, void *arg, uint32_t cpu) __must_check;
/* The task that runs, or NULL on a CPU's own stack. */
struct task *task_current(void);
/* Gives the CPU to others that are ready; interrupts are taken meanwhile. */
void task_yield(void);
/* For who works for long, often: interrupts are taken, and others that are ready get the CPU when
 * the task's slice is over. task_yield() would give a busy vCPU a whole slice each time. */
void task_share(void);
/* As task_yield(), for who waits for CPUs alone (kernel/grace.h): also between task_may_wait(false)
 * and task_may_wait(true). */
void task_give_way(void);
/* Whether the task that runs may yield and sleep: panics when it does all the same. */
void task_may_wait(bool may);
/* Sleeps until task_wake(); returns at once when one came since the last sleep. */
void task_sleep(void);
/* As task_sleep, at most until host TSC @deadline. */
void task_sleep_until(uint64_t deadline);
void task_wake(struct task *task);

#endif
