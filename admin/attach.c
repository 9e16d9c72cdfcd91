/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal as a VM's console. One task carries both directions: it sleeps
 * until something is typed or the VM's console wakes it. Output goes out in
 * pieces, with a yield after a few, so that a guest that floods its serial port
 * keeps nobody from running and Ctrl-] is seen in time.
 */
#include "admin/attach.h"

#include "admin/command.h"
#include "admin/input.h"
#include "admin/terminal.h"
#include "kernel/console.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "vmm/vm.h"
#include "vmm/vm_console.h"

#include <errno.h>
#include <string.h>

/* Bytes, 6 ms at 115200 baud: Linux waits 10 ms for a busy UART, then its output is lost. */
#define ATTACH_PIECE   64
#define ATTACH_PIECES  4		    /* before others on this CPU run */
#define ATTACH_PENDING 4096		    /* typed, or pasted, bytes that wait for the guest */
#define ATTACH_LEAVE   0x1d		    /* Ctrl-] */
#define ATTACH_LOOK_NS (20 * NSEC_PER_MSEC) /* for it, behind what a guest does not take */

struct attachment {
	struct vm_console *console;
	uint8_t pending[ATTACH_PENDING];
	size_t pending_len;
};

static void attach_wake(void *task)
{
	task_wake(task);
}

static void attach_flush(struct attachment *a)
{
	size_t n;

	if (!a->pending_len)
		return;
	n = vm_console_input(a->console, a->pending, a->pending_len);
	memmove(a->pending, a->pending + n, a->pending_len - n);
	a->pending_len -= n;
}

/*
 * Passes on what was typed, as far as there is space for what the guest has not taken, up to
 * Ctrl-]; whether that came. The rest stays with the console, which tells the other end to wait;
 * but what leaves is looked for there, too, or a guest that takes nothing would keep us.
 */
static bool attach_typed(struct attachment *a)
{
	size_t len, n, space = ATTACH_PENDING - a->pending_len;
	const uint8_t *leave, *data;

	data = input_peek(&len);
	leave = len ? memchr(data, ATTACH_LEAVE, len) : NULL;
	n = MIN(leave ? (size_t)(leave - data) : len, space);
	memcpy(a->pending + a->pending_len, data, n);
	a->pending_len += n;
	input_taken(n);
	attach_flush(a);
	if (leave || a->pending_len == ATTACH_PENDING)
		return input_skip(ATTACH_LEAVE);
	return false;
}

/* Until there is something to do. More input is no reason to look while there is no space for it.
 */
static void attach_wait(const struct attachment *a)
{
	if (a->pending_len < ATTACH_PENDING)
		input_wait();
	else
		task_sleep_until(time_tsc() + time_ns_to_tsc(ATTACH_LOOK_NS));
}

/* Whether there was any. */
static bool attach_show(struct attachment *a)
{
	uint8_t piece[ATTACH_PIECE];
	unsigned i;
	size_t n;

	for (i = 0; i < ATTACH_PIECES; i++) {
		n = vm_console_read(a->console, piece, sizeof(piece));
		if (!n)
			break;
		console_write_guest((const char *)piece, n);
	}
	return i;
}

/* Until Ctrl-] (true) or the end of the console. */
static bool attach_run(struct attachment *a)
{
	for (;;) {
		/* Asked first: what came before the end is still shown. */
		bool gone = vm_console_gone(a->console);
		bool shown = attach_show(a);

		if (attach_typed(a))
			return true;
		if (shown)
			console_pace();
		else if (gone)
			return false;
		else
			attach_wait(a);
	}
}

static bool attach_has_crashed(const char *name)
{
	const struct vm *vm = vm_find(name);

	return vm && vm->state == VM_CRASHED;
}

void attach_vm(struct vm *vm, const char *id)
{
	const struct vm_console_viewer viewer = {attach_wake, task_current()};
	static struct attachment a; /* the shell's task alone attaches */
	char name[VM_NAME_MAX + 1];
	const char *leave;
	bool left;
	int err;

	a.pending_len = 0;
	/* The VM may be undefined by the time that its console goes. */
	memcpy(name, vm->name, sizeof(name));
	err = vm_console_attach(vm, id, &viewer, &a.console);
	if (err) {
		command_error("vm %s %s\n", name,
			      err == -EBUSY		? "has a viewer already"
			      : vm->state == VM_RUNNING ? "has no such console device"
							: "has no console: it is not started");
		return;
	}
	if (vm_console_gone(a.console))
		console_printf("-- vm %s has %s; what it said last: --\n", name,
			       attach_has_crashed(name) ? "crashed" : "ended");
	else
		console_printf("-- attached to vm %s; Ctrl-] returns to the alcazar> prompt --\n",
			       name);
	if (terminal_is_known())
		vm_console_input_size(a.console, terminal_size().columns, terminal_size().rows);
	left = attach_run(&a);
	leave = a.console->leave;
	vm_console_detach(a.console);
	if (leave)
		console_write(leave, strlen(leave));
	if (left)
		console_printf("\n-- left vm %s; `console %s` attaches again --\n", name, name);
	else
		console_printf("\n-- vm %s has %s; back at the alcazar> prompt --\n", name,
			       attach_has_crashed(name) ? "crashed" : "ended");
}
