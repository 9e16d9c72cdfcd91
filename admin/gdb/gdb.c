/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `gdbserver VM`: on a plain line, the line is gdb's until it detaches, and log lines are only
 * kept meanwhile. On one that is framed gdb gets a channel, or otherwise a serial port that is
 * nobody's if it is named, and a task of its own, and the shell goes on. The VM stands still but
 * when gdb lets it run.
 *
 * The task is on the shell's CPU, and neither runs while the other does. What others do to the VM
 * meanwhile gdb is told as far as its protocol can say it.
 */
#include "admin/gdb/gdb.h"

#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "vmm/vm_life.h"

#include <stdio.h>
#include <string.h>

#define GDB_POLL (20 * NSEC_PER_MSEC)

static void gdb_write(struct gdb *g, const char *s, size_t len)
{
	if (g->pipe)
		g->pipe->framing->pipe_write(g->pipe, s, len);
	else
		console_write(s, len);
}

static size_t gdb_read(struct gdb *g, char *buf, size_t max)
{
	size_t len;

	if (!g->pipe)
		return console_read_timeout(buf, max, GDB_POLL);
	len = g->pipe->framing->pipe_read(g->pipe, buf, max);
	g->ended |= g->pipe->over;
	if (!len && !g->ended)
		task_sleep_until(time_tsc() + time_ns_to_tsc(GDB_POLL));
	return len;
}

/* What has crashed can be looked at, but does not go on. */
static bool gdb_still(enum vm_state state)
{
	return state == VM_PAUSED || state == VM_CRASHED;
}

/* Pauses the VM, if it runs, and has its life then. False: it is not there to be debugged. */
static bool gdb_hold(struct gdb *g, enum vm_state *state)
{
	for (;;) {
		*state = vm_life_begin(g->vm);
		if (gdb_still(*state))
			return true;
		vm_life_end(g->vm, *state);
		if (*state != VM_RUNNING)
			return false;
		/* That fails when it has crashed, or was paused, since: it stands still as well. */
		(void)!vm_pause(g->vm);
	}
}

/* The VM runs until something comes: from it, or from gdb. */
static void gdb_go(struct gdb *g)
{
	enum vm_state state = vm_life_begin(g->vm);

	g->why = NULL;
	__atomic_store_n(&g->claimed, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&g->stopped, 0, __ATOMIC_SEQ_CST);
	if (state == VM_PAUSED) {
		gdb_break_load(g);
		if (g->step)
			gdb_step(g->vm->vcpus[g->step - 1], true);
	}
	vm_life_end(g->vm, state);
	if (state != VM_PAUSED || vm_resume(g->vm)) {
		g->running = false;
		gdb_reply(g, "X%02x", GDB_SIGSEGV);
	}
}

/* The VM may have been made anew meanwhile, with fewer vCPUs. */
static void gdb_unstep(struct gdb *g)
{
	if (g->step && g->step <= g->vm->vcpu_count)
		gdb_step(g->vm->vcpus[g->step - 1], false);
}

/* It has stopped, for @signal, or for good. */
static void gdb_stopped(struct gdb *g, unsigned signal)
{
	enum vm_state state;
	uint32_t stopped;

	g->running = false;
	if (!gdb_hold(g, &state)) {
		gdb_reply(g, "W00");
		gdb_send(g, gdb_write);
		g->ended = true;
		return;
	}
	if (state == VM_CRASHED)
		signal = GDB_SIGSEGV;
	stopped = __atomic_load_n(&g->stopped, __ATOMIC_SEQ_CST);
	gdb_unstep(g);
	g->step = 0;
	if (stopped)
		g->thread = stopped - 1;
	gdb_stop_reply(g, signal);
	vm_life_end(g->vm, state);
	gdb_send(g, gdb_write);
}

/* gdb says this first. It may be another one, for the last has not said goodbye: its breakpoints
 * are not this one's, it acknowledges, and waits for no VM. */
static void gdb_greet(struct gdb *g)
{
	enum vm_state state;

	if (gdb_hold(g, &state)) {
		if (g->running)
			gdb_unstep(g);
		gdb_break_clear_all(g);
		vm_life_end(g->vm, state);
	}
	g->running = false;
	g->no_ack = false;
}

static void gdb_packet(struct gdb *g)
{
	enum vm_state state;

	if (!strncmp(g->packet, "qSupported", sizeof("qSupported") - 1))
		gdb_greet(g);
	if (!g->no_ack)
		gdb_write(g, "+", 1);
	/* What comes before the stop's reply is out of turn. */
	if (g->running)
		return;
	state = vm_life_begin(g->vm);
	if (gdb_still(state))
		gdb_command(g);
	vm_life_end(g->vm, state);
	if (!gdb_still(state)) {
		g->ended = true;
		gdb_reply(g, "E01");
	}
	if (g->running)
		gdb_go(g);
	if (!g->running)
		gdb_send(g, gdb_write);
}

static void gdb_byte(struct gdb *g, char byte)
{
	switch (gdb_feed(g, byte)) {
	case GDB_PACKET:
		gdb_packet(g);
		break;
	case GDB_BROKEN:
		gdb_write(g, "-", 1);
		break;
	case GDB_INTERRUPT:
		if (g->running)
			gdb_stopped(g, GDB_SIGINT);
		break;
	case GDB_LEAVE:
		g->ended = true;
		break;
	default:
		break;
	}
}

/* What has become of the VM. */
static void gdb_look(struct gdb *g)
{
	enum vm_state state = READ_ONCE(g->vm->state);

	if (!g->running)
		g->ended |= !gdb_still(state);
	else if (__atomic_load_n(&g->stopped, __ATOMIC_SEQ_CST) || state != VM_RUNNING)
		gdb_stopped(g, GDB_SIGTRAP);
}

static void gdb_loop(struct gdb *g)
{
	char input[64];

	while (!g->ended) {
		size_t len = gdb_read(g, input, sizeof(input));

		for (size_t i = 0; i < len && !g->ended; i++)
			gdb_byte(g, input[i]);
		if (!g->ended)
			gdb_look(g);
	}
}

static bool gdb_attach(struct gdb *g)
{
	enum vm_state state;

	if (!gdb_hold(g, &state))
		return false;
	g->vm->debug = &g->debug;
	vm_life_end(g->vm, state);
	return true;
}

/* Once the VM's life is let go of, a gdb with a task of its own touches nothing of it. */
static void gdb_detach(struct gdb *g)
{
	struct vm *vm = g->vm;
	enum vm_state state;

	if (!gdb_hold(g, &state)) {
		if (!g->pipe)
			console_printf("vm %s is %s\n", vm->name, vm_state_name(state));
		vm->debug = NULL;
		return;
	}
	gdb_break_clear_all(g);
	vm->debug = NULL;
	if (g->pipe)
		vm_log(vm, LOG_INFO, "gdb has left");
	else if (state == VM_PAUSED)
		console_printf("\nvm %s goes on without gdb\n", vm->name);
	if (state == VM_PAUSED) {
		vm_still_end(vm);
		vm_life_end_told(vm, VM_RUNNING, VM_EVENT_RESUME, false);
	} else {
		vm_life_end(vm, state);
	}
}

static void gdb_on_the_line(struct gdb *g)
{
	console_printf("vm %s stands still. Leave this terminal and, on the same line: gdb "
		       "-ex 'target remote LINE'; gdb's `detach`, or Ctrl-], ends this.\n",
		       g->vm->name);
	console_mute(true);
	gdb_loop(g);
	console_mute(false);
	gdb_detach(g);
	kfree(g);
}

static void gdb_run_task(void *opaque)
{
	struct gdb *g = opaque;

	gdb_loop(g);
	/* It waits, and the protocol has nothing else to say to that. */
	if (g->running) {
		gdb_reply(g, "W00");
		gdb_send(g, gdb_write);
	}
	g->pipe->framing->pipe_close(g->pipe);
	gdb_detach(g);
	kfree(g);
}

/* The place is as gdb's `target remote` takes it, and what follows. */
static void gdb_in_a_pipe(struct gdb *g, const char *place)
{
	if (task_create("gdb", gdb_run_task, g, 0)) {
		console_printf("vm %s stands still. gdb -ex 'target remote %s; gdb's `detach`, or "
			       "`gdbserver %s off`, ends this.\n",
			       g->vm->name, place, g->vm->name);
		return;
	}
	command_error("gdbserver: no memory\n");
	g->pipe->framing->pipe_close(g->pipe);
	gdb_detach(g);
	kfree(g);
}

/* False: it has said why not. */
static bool gdb_open_channel(struct gdb *g, const struct console_framing *framing, char *place,
			     size_t size)
{
	char name[VM_NAME_MAX + sizeof(".gdb")];

	snprintf(name, sizeof(name), "%s.gdb", g->vm->name);
	g->pipe = framing->pipe_open(name);
	if (g->pipe)
		snprintf(place, size, "DIR/%s', in the folder of alcazar-mux", g->pipe->name);
	else
		command_error("gdbserver: no memory, or no channel\n");
	return g->pipe;
}

static bool gdb_open_port(struct gdb *g, const char *name, char *place, size_t size)
{
	const char *why = "this image has no serial ports for it";
	char user[VM_NAME_MAX + sizeof("gdb of vm ")];

	snprintf(user, sizeof(user), "gdb of vm %s", g->vm->name);
	snprintf(place, size, "LINE', at the other end of %s", name);
	for (const console_line_fn *open = TABLE_START(console_lines);
	     open < TABLE_END(console_lines) && !g->pipe; open++)
		g->pipe = (*open)(name, user, &why);
	if (!g->pipe)
		command_error("gdbserver: %s: %s\n", name, why);
	return g->pipe;
}

/* What is refused is refused before the VM stands still. */
static void gdb_begin(struct gdb *g, const char *port)
{
	struct console_sink *sink = console_input_sink();
	const struct console_framing *framing = sink ? sink->framing : NULL;
	char place[VM_NAME_MAX + 80];

	if (port ? !gdb_open_port(g, port, place, sizeof(place))
		 : framing && !gdb_open_channel(g, framing, place, sizeof(place))) {
		kfree(g);
	} else if (!gdb_attach(g)) {
		command_error("vm %s is %s: `start` it first\n", g->vm->name,
			      vm_state_name(g->vm->state));
		if (g->pipe)
			g->pipe->framing->pipe_close(g->pipe);
		kfree(g);
	} else if (g->pipe) {
		gdb_in_a_pipe(g, place);
	} else {
		gdb_on_the_line(g);
	}
}

/* It has a task: where it has the shell's line, nobody asks. */
static void gdb_send_away(struct vm *vm)
{
	struct vm_debug *debug = vm->debug;

	if (!debug) {
		command_error("vm %s has no gdb\n", vm->name);
		return;
	}
	container_of(debug, struct gdb, debug)->ended = true;
	while (READ_ONCE(vm->debug) == debug)
		task_sleep_until(time_tsc() + time_ns_to_tsc(GDB_POLL));
}

static void command_gdbserver(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);
	struct gdb *g;

	if (!vm)
		return;
	if (argv[2] && !strcmp(argv[2], "off")) {
		gdb_send_away(vm);
		return;
	}
	if (vm->debug) {
		command_error("vm %s has a gdb already; `gdbserver %s off` ends that\n", vm->name,
			      vm->name);
		return;
	}
	g = kzalloc(sizeof(*g));
	if (!g) {
		command_error("gdbserver: no memory\n");
		return;
	}
	g->vm = vm;
	g->debug.exception = gdb_exception;
	gdb_begin(g, argv[2]);
}

COMMAND(gdbserver_entry, .name = "gdbserver", .args = "VM [com1|com2|off]",
	.help = "give a VM to gdb: this line until it detaches, or with `mux on` a channel, or a "
		"free serial port",
	.min = 1, .max = 2, .example = "gdbserver linux com2", .live = true,
	.run = command_gdbserver, .words = command_add_vms);
