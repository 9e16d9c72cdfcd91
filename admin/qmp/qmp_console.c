/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's console on the protocol's line: its output as events, a piece between two lines of input,
 * so that a guest that floods it keeps no request waiting. What the line is too slow for the guest
 * does not get rid of (vmm/vm_console.h).
 */
#include "admin/qmp/qmp.h"

#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/task.h"
#include "kernel/time.h"

#include <errno.h>
#include <string.h>

static void qmp_console_wake(void *task)
{
	task_wake(task);
}

void qmp_console_detach(struct qmp *q)
{
	if (q->console)
		vm_console_detach(q->console);
	q->console = NULL;
}

/* Bytes of @s without a character at its end that is only begun. */
static size_t qmp_console_whole(const char *s, size_t len)
{
	for (size_t back = 1; back < 4 && back <= len; back++) {
		unsigned char c = (unsigned char)s[len - back];

		if (c >= 0xc0) /* its first byte, which says how many it has */
			return c >= (back == 1 ? 0xc0 : back == 2 ? 0xe0 : 0xf0) ? len - back : len;
		if (c < 0x80)
			break;
	}
	return len;
}

bool qmp_console_show(struct qmp *q)
{
	size_t n, whole;
	bool gone;

	if (!q->console)
		return false;
	gone = vm_console_gone(q->console); /* first: what came before the end is still shown */
	n = q->rest +
	    vm_console_read(q->console, (uint8_t *)q->piece + q->rest, sizeof(q->piece) - q->rest);
	if (n == q->rest && !gone)
		return false;
	whole = gone && n == q->rest ? n : qmp_console_whole(q->piece, n);
	if (whole) {
		qmp_event_begin("CONSOLE", time_ns());
		qmp_event_string("\"vm\": ", q->console_vm);
		qmp_text(", \"text\": ");
		json_put_string(qmp_write, q->piece, whole);
		qmp_event_end();
	}
	q->rest = n - whole;
	memmove(q->piece, q->piece + whole, q->rest);
	if (gone && !n) {
		qmp_event_begin("CONSOLE_CLOSED", time_ns());
		qmp_event_string("\"vm\": ", q->console_vm);
		qmp_event_end();
		qmp_console_detach(q);
	}
	return true;
}

static void qmp_console_attach(char **argv)
{
	struct qmp *q = qmp_now;
	struct vm *vm = vm_arg(argv[1]);
	int err;

	if (!vm)
		return;
	if (!qmp_event_wanted()) {
		command_error("console-attach: qmp_capabilities comes before it");
		return;
	}
	qmp_console_detach(q);
	q->viewer = (struct vm_console_viewer){qmp_console_wake, task_current()};
	q->rest = 0;
	strcpy(q->console_vm, vm->name);
	err = vm_console_attach(vm, argv[2], &q->viewer, &q->console);
	if (err)
		q->console = NULL;
	if (err)
		command_error("vm %s %s", vm->name,
			      err == -EBUSY ? "has a viewer already" : "has no such console");
	else
		console_printf("{}");
}

static void qmp_console_leave(char **argv)
{
	(void)argv;
	qmp_console_detach(qmp_now);
	console_printf("{}");
}

static void qmp_console_type(char **argv)
{
	if (!qmp_now->console)
		command_error("console-write: console-attach comes before it");
	else
		console_printf("{\"taken\": %zu}",
			       vm_console_input(qmp_now->console, (const uint8_t *)argv[1],
						strlen(argv[1])));
}

QMP_REQUEST(qmp_attach_request, .name = "console-attach", .args = "VM [ID]",
	    .help = "what a VM's console says comes as events, until console-detach", .min = 1,
	    .max = 2, .run = qmp_console_attach);
QMP_REQUEST(qmp_detach_request, .name = "console-detach", .args = "", .help = "it does no more",
	    .run = qmp_console_leave);
QMP_REQUEST(qmp_write_request, .name = "console-write", .args = "TEXT",
	    .help = "types on the attached console; taken: how many bytes the guest has room for",
	    .min = 1, .max = 1, .run = qmp_console_type);
