/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `gdbserver VM`: the console's line is gdb's until it detaches. Meanwhile log
 * lines are only kept, and the VM stands still but when gdb lets it run.
 */
#include "admin/gdb/gdb.h"

#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/vm_life.h"

#define GDB_POLL (20 * NSEC_PER_MSEC)

/* What has crashed can be looked at, but does not go on. */
static bool gdb_still(enum vm_state state)
{
	return state == VM_PAUSED || state == VM_CRASHED;
}

/* Pauses the VM, if it runs. False: it is not there to be debugged any more. */
static bool gdb_halt(struct gdb *g)
{
	enum vm_state state = vm_life_begin(g->vm);

	vm_life_end(g->vm, state);
	if (state == VM_RUNNING && vm_pause(g->vm))
		return false;
	state = vm_life_begin(g->vm);
	vm_life_end(g->vm, state);
	return gdb_still(state);
}

/* The VM runs until something comes: from it, or from gdb. */
static void gdb_go(struct gdb *g)
{
	g->why = NULL;
	__atomic_store_n(&g->claimed, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&g->stopped, 0, __ATOMIC_SEQ_CST);
	gdb_break_load(g);
	if (g->step)
		gdb_step(g->vm->vcpus[g->step - 1], true);
	if (READ_ONCE(g->vm->state) != VM_PAUSED || vm_resume(g->vm)) {
		g->running = false;
		gdb_reply(g, "X%02x", GDB_SIGSEGV);
	}
}

/* It has stopped, for @signal, or for good. */
static void gdb_stopped(struct gdb *g, unsigned signal)
{
	uint32_t stopped;

	g->running = false;
	if (!gdb_halt(g)) {
		gdb_reply(g, "W00");
		gdb_send(g, console_write);
		g->ended = true;
		return;
	}
	if (READ_ONCE(g->vm->state) == VM_CRASHED)
		signal = GDB_SIGSEGV;
	stopped = __atomic_load_n(&g->stopped, __ATOMIC_SEQ_CST);
	if (g->step)
		gdb_step(g->vm->vcpus[g->step - 1], false);
	g->step = 0;
	if (stopped)
		g->thread = stopped - 1;
	gdb_stop_reply(g, signal);
	gdb_send(g, console_write);
}

static void gdb_packet(struct gdb *g)
{
	enum vm_state state;

	if (!g->no_ack)
		console_write("+", 1);
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
		gdb_send(g, console_write);
}

static void gdb_byte(struct gdb *g, char byte)
{
	switch (gdb_feed(g, byte)) {
	case GDB_PACKET:
		gdb_packet(g);
		break;
	case GDB_BROKEN:
		console_write("-", 1);
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

static void gdb_loop(struct gdb *g)
{
	char input[64];

	while (!g->ended) {
		size_t len = console_read_timeout(input, sizeof(input), GDB_POLL);

		for (size_t i = 0; i < len && !g->ended; i++)
			gdb_byte(g, input[i]);
		if (g->running && (__atomic_load_n(&g->stopped, __ATOMIC_SEQ_CST) ||
				   READ_ONCE(g->vm->state) != VM_RUNNING))
			gdb_stopped(g, GDB_SIGTRAP);
	}
}

static void gdb_serve(struct gdb *g)
{
	enum vm_state state;

	g->vm->debug = &g->debug;
	console_mute(true);
	gdb_loop(g);
	console_mute(false);
	if (!gdb_halt(g)) {
		g->vm->debug = NULL;
		console_printf("vm %s is %s\n", g->vm->name, vm_state_name(g->vm->state));
		return;
	}
	state = vm_life_begin(g->vm);
	gdb_break_clear_all(g);
	g->vm->debug = NULL;
	vm_life_end(g->vm, state);
	if (state == VM_PAUSED && !vm_resume(g->vm))
		console_printf("\nvm %s goes on without gdb\n", g->vm->name);
}

static void command_gdbserver(char **argv)
{
	struct vm *vm = vm_arg(argv[1]);
	struct gdb *g;

	if (!vm)
		return;
	g = kzalloc(sizeof(*g));
	if (!g) {
		console_printf("gdbserver: no memory\n");
		return;
	}
	g->vm = vm;
	g->debug.exception = gdb_exception;
	if (gdb_halt(g)) {
		console_printf("vm %s stands still. Leave this terminal and, on the same line: gdb "
			       "-ex 'target remote LINE'; gdb's `detach`, or Ctrl-], ends this.\n",
			       vm->name);
		gdb_serve(g);
	} else {
		console_printf("vm %s is %s: `start` it first\n", vm->name,
			       vm_state_name(vm->state));
	}
	kfree(g);
}

COMMAND(gdbserver_entry, .name = "gdbserver", .args = "VM",
	.help = "hand this line to gdb, which debugs a VM until it detaches", .min = 1, .max = 1,
	.example = "gdbserver linux", .live = true, .run = command_gdbserver,
	.words = command_add_vms);
