/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: kernel/console_input.c lib/ring.c */
/* What was typed, between a driver that asks for space and a reader that is slow. */
#include "kernel/console.h"
#include "kernel/page_alloc.h"
#include "kernel/task.h"
#include "kernel/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 65536u

uint64_t fake_tsc;
struct time_scale time_scale;
static unsigned resumed;
static bool no_memory = true;
static char buf[SIZE];
static struct console_sink com1, com2;

static unsigned pushed;

void console_push(void)
{
	pushed++;
}

void console_input_resume(void)
{
	resumed++;
}

void page_owner_register(struct page_owner *owner, const char *name)
{
	(void)owner;
	(void)name;
}

void *page_alloc(struct page_owner *owner, unsigned order)
{
	static char pages[SIZE];

	(void)owner;
	assert_int_equal(PAGE_SIZE << order, SIZE);
	return no_memory ? NULL : pages;
}

struct task *task_current(void)
{
	return NULL;
}

void task_wake(struct task *task)
{
	(void)task;
}

void task_yield(void)
{
}

void task_sleep(void)
{
}

void task_sleep_until(uint64_t deadline)
{
	fake_tsc = deadline;
}

static size_t put_all(void)
{
	size_t n = 0;

	for (; console_input_space() >= 16; n += 16)
		console_input(&com1, "0123456789abcdef", 16);
	return n;
}

static size_t take_all(void)
{
	size_t n, all = 0;

	while ((n = console_read_timeout(buf, 48, 0))) {
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf[i], "0123456789abcdef"[(all + i) % 16]);
		all += n;
	}
	return all;
}

/* As much as a driver is told that it may put in comes out, whatever the memory. */
static void test_nothing_is_lost(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		size_t n = put_all();

		assert_in_range(n, 4096 - 80, 4096);
		assert_int_equal(take_all(), n);
	}
	console_input_init();
	assert_true(console_input_space() < 4096);
	no_memory = false;
	console_input_init();
	for (unsigned i = 0; i < 3; i++) {
		size_t n = put_all();

		assert_in_range(n, SIZE - 80, SIZE);
		assert_int_equal(take_all(), n);
	}
}

static void test_waiting(void **state)
{
	(void)state;
	resumed = 0;
	assert_false(console_input_full());
	for (unsigned n = 0; n <= SIZE / 4 * 3; n += 16) {
		assert_false(console_input_full());
		console_input(&com1, "0123456789abcdef", 16);
	}
	assert_true(console_input_full());
	/* Until there is much space again. */
	for (unsigned n = SIZE / 4 * 3 + 16; n >= SIZE / 4; n -= 16) {
		assert_int_equal(resumed, 0);
		assert_true(console_input_full());
		assert_int_equal(console_read_timeout(buf, 16, 0), 16);
	}
	assert_int_equal(resumed, 1);
	assert_false(console_input_full());
	take_all();
	assert_int_equal(resumed, 1);
}

static void test_skipping(void **state)
{
	(void)state;
	assert_false(console_input_skip('x'));
	for (unsigned n = 0; n < 30000; n++)
		console_input(&com1, "0", 1);
	assert_false(console_input_skip('x'));
	console_input(&com1, "x12", 3);
	assert_true(console_input_skip('x'));
	assert_int_equal(console_read_timeout(buf, sizeof(buf), 0), 2);
	assert_memory_equal(buf, "12", 2);
	console_input(&com1, "0x", 2);
	assert_true(console_input_skip('x'));
	assert_int_equal(console_read_timeout(buf, sizeof(buf), 0), 0);
}

static size_t read_some(struct console_sink **sink)
{
	size_t n = console_read_timeout(buf, sizeof(buf), 0);

	console_input_is_command();
	*sink = console_input_sink();
	return n;
}

/* A command's line is the one that its end came from, whatever else is typed meanwhile or lies
 * there behind it. */
static void test_lines(void **state)
{
	struct console_sink *sink;

	(void)state;
	console_input(&com1, "one\r", 4);
	console_input(&com2, "two\r", 4);
	console_input(&com2, "2", 1);
	console_input(&com1, "three\r", 6);
	assert_int_equal(read_some(&sink), 4);
	assert_ptr_equal(sink, &com1);
	assert_memory_equal(buf, "one\r", 4);
	assert_int_equal(console_read_timeout(buf, sizeof(buf), 0), 5);
	assert_memory_equal(buf, "two\r2", 5);
	assert_ptr_equal(console_input_sink(), &com1); /* still that of the command */
	assert_int_equal(read_some(&sink), 6);
	assert_ptr_equal(sink, &com1);
	assert_int_equal(read_some(&sink), 0);
	assert_ptr_equal(sink, &com1);
	/* Turns that were skipped. */
	console_input(&com2, "a", 1);
	console_input(&com1, "b", 1);
	console_input(&com2, "cxd", 3);
	console_input(&com1, "e", 1);
	assert_true(console_input_skip('x'));
	assert_int_equal(read_some(&sink), 1);
	assert_true(sink == &com2 && *buf == 'd');
	assert_int_equal(read_some(&sink), 1);
	assert_true(sink == &com1 && *buf == 'e');
}

/* Two that type in turn: both are told to wait, and no byte is taken for the other's before who
 * does not heed that has typed more than there are turns for. None is lost. */
static void test_many_turns(void **state)
{
	struct console_sink *sink;
	size_t put, got, same, n;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		resumed = 0;
		assert_false(console_input_full());
		for (put = 0; !console_input_full(); put++)
			console_input(put % 2 ? &com1 : &com2, put % 2 ? "1" : "2", 1);
		assert_in_range(put, 40, 60);
		for (; put < 200; put++)
			console_input(put % 2 ? &com1 : &com2, put % 2 ? "1" : "2", 1);
		for (got = same = 0; (n = read_some(&sink)); got += n)
			for (size_t i = 0; i < n; i++)
				same += buf[i] == (sink == &com1 ? '1' : '2');
		assert_int_equal(got, 200);
		assert_in_range(same, 64, 199);
		assert_int_equal(resumed, 1);
		assert_true(console_input_space() > 1000);
	}
}

/* Who writes much gives the line what it takes. */
static void test_pace(void **state)
{
	(void)state;
	console_pace();
	assert_int_equal(pushed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost), cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_skipping),	cmocka_unit_test(test_lines),
		cmocka_unit_test(test_many_turns),	cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
