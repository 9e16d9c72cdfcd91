/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vm_console.c lib/ring.c tests/host/vmm/fake.c */
/* A VM's console: what is kept, who is held back, who goes first. */
#include "vmm/vm_console.h"

#include "arch/x86_64/percpu.h"
#include "tests/host/vmm/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct cpu cpu;
__thread struct cpu *fake_cpu = &cpu;
static struct vm vm = {.name = "v"};
static struct vm_console *console;
static unsigned wakes, ready;
static char typed[64];

static size_t on_input(void *opaque, const uint8_t *data, size_t len)
{
	(void)opaque;
	len = MIN(len, (size_t)4);
	strncat(typed, (const char *)data, len);
	return len;
}

static void on_break(void *opaque)
{
	(void)opaque;
	strcat(typed, "<break>");
}

static void on_size(void *opaque, unsigned columns, unsigned rows)
{
	(void)opaque;
	sprintf(typed + strlen(typed), "<%ux%u>", columns, rows);
}

static void on_ready(void *opaque)
{
	(void)opaque;
	ready++;
}

static const struct vm_console_backend backend = {
	.input = on_input,
	.input_break = on_break,
	.input_size = on_size,
	.output_ready = on_ready,
};

static void on_wake(void *opaque)
{
	(void)opaque;
	wakes++;
}

static const struct vm_console_viewer viewer = {on_wake, NULL};

static int setup(void **state)
{
	(void)state;
	console = vm_console_register(&vm, "console0", "com1", &backend, NULL);
	wakes = 0;
	ready = 0;
	typed[0] = '\0';
	return console ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	assert_null(vm.consoles);
	vm_console_forget(&vm);
	assert_int_equal(fake_objects, 0);
	return 0;
}

static size_t say(const char *s)
{
	return vm_console_output(console, (const uint8_t *)s, strlen(s));
}

static void expect_read(struct vm_console *c, const char *expected)
{
	char buf[256];
	size_t n = vm_console_read(c, (uint8_t *)buf, sizeof(buf));

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(buf, expected, n);
}

static void test_kept_then_live(void **state)
{
	struct vm_console *c, *other;

	(void)state;
	assert_int_equal(say("kept "), 5);
	assert_int_equal(vm_console_attach(&vm, "nope", &viewer, &c), -ENOENT);
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), 0);
	assert_int_equal(vm_console_attach(&vm, "console0", &viewer, &other), -EBUSY);
	assert_int_equal(say("live"), 4);
	assert_int_equal(wakes, 1);
	expect_read(c, "kept live");
	expect_read(c, "");
	vm_console_detach(c);
	assert_int_equal(say("!"), 1);
	assert_int_equal(vm_console_attach(&vm, "console0", &viewer, &c), 0);
	expect_read(c, "kept live!");
	vm_console_detach(c);
	vm_console_unregister(console);
}

static void test_without_a_viewer_the_last_bytes_are_kept(void **state)
{
	struct vm_console *c;
	uint8_t buf[1000];
	size_t n, total = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++) {
		memset(buf, 'a' + i % 26, sizeof(buf));
		assert_int_equal(vm_console_output(console, buf, sizeof(buf)), sizeof(buf));
	}
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), 0);
	while ((n = vm_console_read(c, buf, sizeof(buf))))
		total += n;
	assert_int_equal(total, VM_CONSOLE_RING);
	assert_int_equal(buf[0], 'a' + 99 % 26);
	vm_console_detach(c);
	vm_console_unregister(console);
}

static void test_a_slow_viewer_holds_the_guest_back(void **state)
{
	static uint8_t data[2 * VM_CONSOLE_BACKLOG];
	uint8_t buf[VM_CONSOLE_BACKLOG];
	struct vm_console *c;

	(void)state;
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), 0);
	assert_int_equal(vm_console_output(console, data, sizeof(data)), VM_CONSOLE_BACKLOG);
	cpu.need_resched = false;
	assert_int_equal(say("x"), 0);
	assert_true(cpu.need_resched); /* for who reads */
	assert_int_equal(vm_console_read(c, buf, 100), 100);
	assert_int_equal(ready, 0);
	assert_int_equal(vm_console_read(c, buf, VM_CONSOLE_BACKLOG / 2), VM_CONSOLE_BACKLOG / 2);
	assert_int_equal(ready, 1);
	assert_int_equal(say("x"), 1);
	assert_int_equal(vm_console_read(c, buf, sizeof(buf)), VM_CONSOLE_BACKLOG / 2 - 100 + 1);
	assert_int_equal(ready, 1);
	/* Who leaves lets it go on. */
	assert_int_equal(vm_console_output(console, data, sizeof(data)), VM_CONSOLE_BACKLOG);
	vm_console_detach(c);
	assert_int_equal(ready, 2);
	assert_int_equal(say("x"), 1);
	vm_console_unregister(console);
}

/* It may never be interrupted: others get to run by its output alone. */
static void test_a_flood_gives_way(void **state)
{
	unsigned i, ways = 0;

	(void)state;
	for (i = 0; i < 4 * VM_CONSOLE_BACKLOG; i++) {
		cpu.need_resched = false;
		assert_int_equal(say("x"), 1);
		ways += cpu.need_resched;
	}
	assert_int_equal(ways, 4);
	vm_console_unregister(console);
}

static void test_pieces_are_lines(void **state)
{
	struct vm_console *c;
	uint8_t buf[8];

	(void)state;
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), 0);
	say("one\ntwo\nthree\na long one\n$ ");
	assert_int_equal(vm_console_read(c, buf, sizeof(buf)), 8);
	assert_memory_equal(buf, "one\ntwo\n", 8);
	assert_int_equal(vm_console_read(c, buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "three\n", 6);
	assert_int_equal(vm_console_read(c, buf, sizeof(buf)), 8);
	assert_int_equal(vm_console_read(c, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "ne\n$ ", 5);
	vm_console_detach(c);
	vm_console_unregister(console);
}

static void test_what_an_ended_vm_said(void **state)
{
	struct vm_console *c;

	(void)state;
	say("last words");
	vm_console_unregister(console);
	assert_int_equal(vm_console_attach(&vm, "console0", &viewer, &c), -ENOENT);
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), 0);
	assert_true(vm_console_gone(c));
	expect_read(c, "last words");
	assert_int_equal(vm_console_input(c, (const uint8_t *)"x", 1), 0);
	/* Started again while someone looks: that is another console. */
	console = vm_console_register(&vm, "console0", "com1", &backend, NULL);
	assert_non_null(console);
	expect_read(c, "");
	vm_console_detach(c);
	say("new");
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), 0);
	assert_false(vm_console_gone(c));
	expect_read(c, "new");
	vm_console_unregister(console);
	vm_console_detach(c);
}

/* Its memory is given back. */
static void test_what_said_nothing_is_not_kept(void **state)
{
	struct vm_console *c;

	(void)state;
	vm_console_unregister(console);
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), -ENOENT);
}

static void test_input(void **state)
{
	struct vm_console *c;

	(void)state;
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), 0);
	assert_int_equal(vm_console_input(c, (const uint8_t *)"uname", 5), 4);
	vm_console_input_break(c);
	vm_console_input_size(c, 132, 43);
	assert_string_equal(typed, "unam<break><132x43>");
	vm_console_input_ready(console);
	assert_int_equal(wakes, 1);
	vm_console_detach(c);
	vm_console_unregister(console);
}

static bool viewed;

static void on_viewer(void *opaque, bool here)
{
	assert_ptr_equal(opaque, &viewed);
	assert_int_not_equal(viewed, here);
	viewed = here;
}

/* A backend that says all again to each viewer, and knows when there is one. */
static void test_told_of_viewers(void **state)
{
	static const struct vm_console_backend screen = {.viewer = on_viewer, .leave = "plain"};
	struct vm_console *second =
		vm_console_register(&vm, "screen0", "screen0", &screen, &viewed);
	struct vm_console *c;

	(void)state;
	assert_non_null(second);
	assert_int_equal(vm_console_output(second, (const uint8_t *)"old", 3), 3);
	assert_int_equal(vm_console_attach(&vm, "screen0", &viewer, &c), 0);
	assert_true(viewed);
	assert_string_equal(c->leave, "plain");
	assert_int_equal(vm_console_output(second, (const uint8_t *)"new", 3), 3);
	expect_read(c, "new");
	vm_console_detach(c);
	assert_false(viewed);
	assert_int_equal(vm_console_attach(&vm, "nobody", &viewer, &c), -ENOENT);
	vm_console_unregister(second);
	vm_console_unregister(console);
}

static void test_last_words(void **state)
{
	struct vm_console *c, *other;

	(void)state;
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &c), 0);
	assert_int_equal(say("Power down"), 10);
	assert_false(vm_console_gone(c));
	wakes = 0;
	vm_console_unregister(console);
	assert_int_equal(wakes, 1);
	assert_true(vm_console_gone(c));
	assert_int_equal(vm_console_attach(&vm, NULL, &viewer, &other), -EBUSY);
	expect_read(c, "Power down");
	assert_int_equal(vm_console_input(c, (const uint8_t *)"x", 1), 0);
	vm_console_detach(c);
}

static unsigned appeared;

static void on_appeared(void)
{
	appeared++;
}

/* Who takes whatever nobody looks at, and reads to the very end. */
static void test_any_that_is_free(void **state)
{
	static const struct vm_console_backend screen = {.viewer = on_viewer};
	struct vm_console *shown, *c, *other;

	(void)state;
	vm_console_watch(on_appeared);
	shown = vm_console_register(&vm, "screen0", "screen0", &screen, &viewed);
	assert_int_equal(appeared, 1);
	assert_int_equal(say("kept"), 4);
	c = vm_console_attach_free(&vm, &viewer);
	assert_ptr_equal(c, console);
	assert_string_equal(c->port, "com1");
	assert_null(vm_console_attach_free(&vm, &viewer));
	assert_int_equal(vm_console_attach(&vm, "console0", &viewer, &other), -EBUSY);
	vm_console_unregister(shown);
	vm_console_unregister(console);
	assert_false(vm_console_over(c));
	expect_read(c, "kept");
	assert_true(vm_console_over(c));
	vm_console_detach(c);
	vm_console_watch(NULL);
	assert_null(vm_console_attach_free(&vm, &viewer));
}

static void test_no_memory(void **state)
{
	long left;

	(void)state;
	for (left = 0; left < 2; left++) {
		fake_memory_left = left;
		assert_null(vm_console_register(&vm, "b", "com2", &backend, NULL));
	}
	fake_memory_left = -1;
	vm_console_unregister(console);
}

/* What it said last, whoever has seen it. */
static void test_what_it_said_last(void **state)
{
	static const char line[] = "0123456789abcde\n";
	char buf[32];

	(void)state;
	assert_int_equal(vm_console_last(&vm, buf, sizeof(buf)), 0);
	assert_int_equal(say("hello"), 5);
	assert_int_equal(vm_console_last(&vm, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(vm_console_last(&vm, buf, 2), 2);
	assert_memory_equal(buf, "lo", 2);
	for (unsigned i = 0; i < 2 * VM_CONSOLE_RING / strlen(line); i++)
		say(line);
	assert_int_equal(vm_console_last(&vm, buf, 20), 20);
	assert_memory_equal(buf, "cde\n0123456789abcde\n", 20);
	vm_console_unregister(console);
	assert_int_equal(vm_console_last(&vm, buf, sizeof(buf)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept_then_live, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_viewer_the_last_bytes_are_kept,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_slow_viewer_holds_the_guest_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_flood_gives_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces_are_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_an_ended_vm_said, setup, teardown),
		cmocka_unit_test_setup_teardown(test_input, setup, teardown),
		cmocka_unit_test_setup_teardown(test_told_of_viewers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_said_nothing_is_not_kept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_last_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_that_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_it_said_last, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
