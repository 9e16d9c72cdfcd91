/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/console.h"
#include "kernel/spinlock.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "lib/ring.h"

#define CONSOLE_INPUT_SIZE 4096

/* The input and its reader; only a run queue's lock is taken inside.
 */
static struct spinlock input_lock = SPINLOCK_INIT;
static char input_data[CONSOLE_INPUT_SIZE];
static struct ring input_ring = {.data = input_data, .size = CONSOLE_INPUT_SIZE};
static struct task *input_reader; /* sleeps in console_read() */
static bool input_stopped;

void console_input_stop(void)
{
	WRITE_ONCE(input_stopped, true);
}

void console_input(const char *s, size_t len)
{
	if (READ_ONCE(input_stopped))
		return;
	spin_lock(&input_lock);
	ring_put(&input_ring, s, len);
	if (input_reader)
		task_wake(input_reader);
	spin_unlock(&input_lock);
}

/* Bytes that are there; with none, the caller is left as the reader to wake. */
static size_t console_take(char *buf, size_t max)
{
	size_t len;

	spin_lock(&input_lock);
	len = ring_get(&input_ring, buf, max);
	input_reader = len ? NULL : task_current();
	spin_unlock(&input_lock);
	return len;
}

static void console_forget_reader(void)
{
	spin_lock(&input_lock);
	input_reader = NULL;
	spin_unlock(&input_lock);
}

size_t console_read(char *buf, size_t max)
{
	size_t len = console_take(buf, max);

	if (len)
		return len;
	task_sleep();
	len = console_take(buf, max);
	console_forget_reader();
	return len;
}

size_t console_read_timeout(char *buf, size_t max, uint64_t ns)
{
	uint64_t deadline = time_tsc() + time_ns_to_tsc(ns);
	size_t len;

	while (!(len = console_take(buf, max)) && time_tsc() < deadline)
		task_sleep_until(deadline);
	console_forget_reader();
	return len;
}
