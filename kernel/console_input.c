/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/console.h"
#include "kernel/page_alloc.h"
#include "kernel/spinlock.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "lib/ring.h"

#include <string.h>

#define CONSOLE_INPUT_EARLY 4096
#define CONSOLE_INPUT_ORDER 4  /* 64 KiB */
#define CONSOLE_INPUT_SPARE 64 /* what several lines may put in after they were told of space */
#define CONSOLE_INPUT_TURNS 64 /* of lines */

/* The input and its reader; only a run queue's lock is taken inside.
 */
static struct spinlock input_lock = SPINLOCK_INIT;
static char input_early[CONSOLE_INPUT_EARLY];
static struct ring input_ring = {.data = input_early, .size = CONSOLE_INPUT_EARLY};
static bool input_full;		  /* the other end was told to wait */
static struct task *input_reader; /* sleeps in console_read() */
static bool input_stopped;

/* What came from one line until something came from another. */
struct input_turn {
	size_t at; /* in the ring's count */
	struct console_sink *sink;
};

static struct input_turn turns[CONSOLE_INPUT_TURNS];
static size_t turn_head, turn_tail;	/* ever begun, and ever read; under the lock */
static struct console_sink *input_last; /* that of the last turn begun */
/* The reader's: that of the last turn read, and of the last one that ended a command. */
static struct console_sink *input_read, *input_command;

void console_input_init(void)
{
	static struct page_owner owner;
	void *pages;

	page_owner_register(&owner, "console input");
	pages = page_alloc(&owner, CONSOLE_INPUT_ORDER);
	spin_lock(&input_lock);
	if (pages && !ring_used(&input_ring))
		ring_init(&input_ring, pages, PAGE_SIZE << CONSOLE_INPUT_ORDER);
	spin_unlock(&input_lock);
}

size_t console_input_space(void)
{
	size_t space;

	spin_lock(&input_lock);
	space = ring_space(&input_ring);
	spin_unlock(&input_lock);
	return space > CONSOLE_INPUT_SPARE ? space - CONSOLE_INPUT_SPARE : 0;
}

bool console_input_full(void)
{
	bool full;

	spin_lock(&input_lock);
	input_full |= ring_used(&input_ring) > input_ring.size / 4 * 3 ||
		      turn_head - turn_tail > CONSOLE_INPUT_TURNS / 4 * 3;
	full = input_full;
	spin_unlock(&input_lock);
	return full;
}

bool console_input_skip(char byte)
{
	char piece[256];
	bool found = false;
	size_t at, n;

	spin_lock(&input_lock);
	for (at = input_ring.tail; !found && (n = ring_peek(&input_ring, at, piece, sizeof(piece)));
	     at += n) {
		const char *end = memchr(piece, byte, n);

		found = end;
		n = end ? (size_t)(end + 1 - piece) : n;
	}
	if (found)
		input_ring.tail = at;
	spin_unlock(&input_lock);
	return found;
}

void console_input_stop(void)
{
	WRITE_ONCE(input_stopped, true);
}

/* @sink's bytes follow: another turn, or, where there are too many, they count as those of the line
 * before them, for none is lost. Under the lock. */
static void input_turn(struct console_sink *sink)
{
	if (sink == input_last || turn_head - turn_tail == CONSOLE_INPUT_TURNS)
		return;
	turns[turn_head++ % CONSOLE_INPUT_TURNS] = (struct input_turn){input_ring.head, sink};
	input_last = sink;
}

void console_input(struct console_sink *sink, const char *s, size_t len)
{
	if (READ_ONCE(input_stopped))
		return;
	spin_lock(&input_lock);
	input_turn(sink);
	ring_put(&input_ring, s, len);
	if (input_reader)
		task_wake(input_reader);
	spin_unlock(&input_lock);
}

void console_line_input(struct console_sink *sink, const char *s, size_t len)
{
	const struct console_framing *framing = READ_ONCE(sink->framing);

	if (READ_ONCE(input_stopped))
		return;
	if (framing)
		framing->input(sink, s, len);
	else
		console_input(sink, s, len);
}

void console_input_is_command(void)
{
	input_command = input_read;
}

struct console_sink *console_input_sink(void)
{
	return input_command;
}

/* On to the turn that is read next; how many bytes of it there are, at most. Under the lock. */
static size_t input_turn_left(void)
{
	for (; turn_tail != turn_head; turn_tail++) {
		const struct input_turn *turn = &turns[turn_tail % CONSOLE_INPUT_TURNS];
		size_t left = turn->at - input_ring.tail;

		/* What was skipped lies behind. */
		if (left && left <= input_ring.size)
			return left;
		input_read = turn->sink;
	}
	return SIZE_MAX;
}

/* Bytes of one line that are there; with none, the caller is left as the reader to wake. */
static size_t console_take(char *buf, size_t max)
{
	bool resume;
	size_t len;

	spin_lock(&input_lock);
	len = ring_get(&input_ring, buf, MIN(max, input_turn_left()));
	input_reader = len ? NULL : task_current();
	resume = input_full && ring_used(&input_ring) < input_ring.size / 4 &&
		 turn_head - turn_tail < CONSOLE_INPUT_TURNS / 4;
	if (resume)
		input_full = false;
	spin_unlock(&input_lock);
	if (resume)
		console_input_resume();
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

void console_pace(void)
{
	/* It does not sleep: Bochs 2.7 fires no timer while a guest with IF clear exits without
	 * end, and such a guest lets others run when they have something to do alone. */
	task_yield();
	console_push();
}
