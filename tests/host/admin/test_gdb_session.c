/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/gdb/gdb.c admin/gdb/gdb_packet.c admin/gdb/gdb_command.c */
/* test-sources: admin/gdb/gdb_regs.c admin/gdb/gdb_memory.c admin/gdb/gdb_break.c */
/* test-sources: tests/host/admin/gdb_world.c */
/* `gdbserver VM com2`, from the command to its end, and what becomes of the VM meanwhile. */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "tests/host/admin/gdb_world.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint64_t fake_tsc;
struct time_scale time_scale;

static struct vm *vm;
static enum vm_state becomes; /* in place of being paused, the next time */
static const char *script;    /* what gdb sends */
static char sent[4096], screen[512];
static bool open, in_use, line_asked;
static task_fn task;
static void *task_arg;

/* The VM. */

struct vm *vm_arg(const char *name)
{
	assert_string_equal(name, "v");
	return vm;
}

enum vm_state vm_life_begin(struct vm *of)
{
	return of->state;
}

void vm_life_end(struct vm *of, enum vm_state state)
{
	of->state = state;
}

void vm_life_end_told(struct vm *of, enum vm_state state, enum vm_event_kind kind, bool guest)
{
	assert_true(kind == VM_EVENT_RESUME && !guest);
	of->state = state;
}

void vm_still_end(struct vm *of)
{
	(void)of;
}

int vm_pause(struct vm *of)
{
	if (becomes != VM_RUNNING) {
		of->state = becomes;
		becomes = VM_RUNNING;
		return -EBUSY;
	}
	of->state = VM_PAUSED;
	return 0;
}

int vm_resume(struct vm *of)
{
	of->state = VM_RUNNING;
	return 0;
}

const char *vm_state_name(enum vm_state state)
{
	return state == VM_STOPPED ? "stopped" : "other";
}

void vm_log(const struct vm *of, enum log_level level, const char *fmt, ...)
{
	(void)of;
	(void)level;
	(void)fmt;
}

void command_add_vms(command_add_fn add, void *opaque)
{
	(void)add;
	(void)opaque;
}

/* The shell, its line and memory. */

static void __printf(1, 0) show(const char *fmt, va_list args)
{
	size_t at = strlen(screen);

	vsnprintf(screen + at, sizeof(screen) - at, fmt, args);
}

void console_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	show(fmt, args);
	va_end(args);
}

void command_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	show(fmt, args);
	va_end(args);
}

struct console_sink *console_input_sink(void)
{
	return NULL;
}

void console_write(const char *s, size_t len)
{
	fail_msg("%.*s is on the shell's line", (int)len, s);
}

size_t console_read_timeout(char *buf, size_t max, uint64_t ns)
{
	(void)buf;
	(void)max;
	(void)ns;
	fail();
	return 0;
}

void console_mute(bool mute)
{
	(void)mute;
	fail();
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void kfree(const void *p)
{
	free((void *)p);
}

struct task *task_create(const char *name, task_fn fn, void *arg, uint32_t cpu)
{
	(void)name;
	(void)cpu;
	task = fn;
	task_arg = arg;
	return (struct task *)&task;
}

static void run_task(void)
{
	task(task_arg);
	assert_false(open);
	assert_null(vm->debug);
}

void task_sleep_until(uint64_t deadline)
{
	/* Whoever sent the session away waits for its end. */
	if (!*script && vm->debug)
		run_task();
	fake_tsc = deadline;
}

/* The serial port. */

static size_t pipe_read(struct console_pipe *pipe, char *buf, size_t max)
{
	(void)pipe;
	assert_true(open && max);
	if (!*script)
		return 0;
	*buf = *script++;
	return 1;
}

static void pipe_write(struct console_pipe *pipe, const char *s, size_t len)
{
	(void)pipe;
	assert_true(open && strlen(sent) + len < sizeof(sent));
	strncat(sent, s, len);
}

static void pipe_close(struct console_pipe *pipe)
{
	(void)pipe;
	open = false;
}

static const struct console_framing framing = {
	.pipe_read = pipe_read, .pipe_write = pipe_write, .pipe_close = pipe_close};

static struct console_pipe *open_line(const char *name, const char *user, const char **why)
{
	static struct console_pipe pipe = {.framing = &framing};

	line_asked = true;
	assert_string_equal(name, "com2");
	assert_string_equal(user, "gdb of vm v");
	*why = "somebody has it";
	open = !in_use;
	return in_use ? NULL : &pipe;
}
CONSOLE_LINE(open_line);

static int setup(void **state)
{
	(void)state;
	world_reset();
	vm = world_gdb.vm;
	vm->state = becomes = VM_RUNNING;
	vm->debug = NULL;
	script = "";
	sent[0] = screen[0] = '\0';
	in_use = line_asked = false;
	task = NULL;
	return 0;
}

static void run(const char *what)
{
	char *argv[] = {"gdbserver", "v", (char *)what, NULL};

	for (const struct command *c = TABLE_START(commands); c < TABLE_END(commands); c++)
		c->run(argv);
}

static void expect(const char *where, const char *text)
{
	if (!strstr(where, text))
		fail_msg("no '%s' in: %s", text, where);
}

static void test_session(void **state)
{
	(void)state;
	script = "$c#63\x03$D#44";
	run("com2");
	expect(screen, "v stands still. gdb -ex 'target remote LINE', at the other end of com2");
	assert_int_equal(vm->state, VM_PAUSED);
	run("com2");
	expect(screen, "v has a gdb already");
	run_task();
	expect(sent, "$T02");
	expect(sent, "$OK#");
	assert_int_equal(vm->state, VM_RUNNING);
}

/* What is refused leaves the VM as it is. */
static void test_refused(void **state)
{
	(void)state;
	in_use = true;
	run("com2");
	expect(screen, "gdbserver: com2: somebody has it");
	assert_true(vm->state == VM_RUNNING && !vm->debug && !task);
	run("off");
	expect(screen, "v has no gdb");
	in_use = false;
	vm->state = VM_STOPPED;
	run("com2");
	expect(screen, "v is stopped: `start` it first");
	assert_false(open);
}

/* By the shell, while gdb waits for the VM. */
static void test_off(void **state)
{
	(void)state;
	run("com2");
	container_of(vm->debug, struct gdb, debug)->running = true;
	vm->state = VM_RUNNING;
	run("off");
	expect(sent, "$W00#b7");
	assert_int_equal(vm->state, VM_RUNNING);
	assert_null(vm->debug);
}

/* Between a look at the VM and its pause it stands still of itself, or ends. */
static void test_stop_meets_another(void **state)
{
	static const struct {
		enum vm_state becomes;
		const char *told;
	} cases[] = {{VM_CRASHED, "$T0b"}, {VM_PAUSED, "$T02"}, {VM_STOPPED, "$W00"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(state);
		run("com2");
		script = "$c#63\x03$D#44";
		becomes = cases[i].becomes;
		run_task();
		expect(sent, cases[i].told);
		assert_true(cases[i].becomes == VM_STOPPED || !strstr(sent, "W00"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_session, setup),
		cmocka_unit_test_setup(test_refused, setup),
		cmocka_unit_test_setup(test_off, setup),
		cmocka_unit_test_setup(test_stop_meets_another, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
