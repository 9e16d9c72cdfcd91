/* SPDX-License-Identifier: BSD-2-Clause */
/* The shell's task: starts what is to start by itself, then serves the prompt. */
#include "admin/admin.h"

#include "admin/attach.h"
#include "admin/command.h"
#include "admin/input.h"
#include "admin/line_edit.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/task.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <stdio.h>

#define PROMPT	   "alcazar> "
#define PROMPT_LEN (sizeof(PROMPT) - 1)

_Static_assert(PROMPT_LEN + LINE_EDIT_MAX <= CONSOLE_EDIT_MAX, "a full line does not show");

static struct line_edit edit;
static bool autostarts;

static void shell_draw(void)
{
	char text[PROMPT_LEN + LINE_EDIT_MAX + 1];

	snprintf(text, sizeof(text), PROMPT "%s", edit.text);
	console_edit(text, PROMPT_LEN + edit.cursor);
}

static void shell_complete(void)
{
	char rest[LINE_EDIT_MAX + 1];

	/* Only at the end of the line: in the middle, the word's rest is there already. */
	if (edit.cursor == edit.len) {
		command_complete(edit.text, rest, sizeof(rest));
		line_edit_insert(&edit, rest);
		shell_draw();
	}
}

static void shell_line(void)
{
	char line[LINE_EDIT_MAX + 1];

	snprintf(line, sizeof(line), "%s", edit.text);
	line_edit_reset(&edit, true);
	console_edit(NULL, 0);
	command_execute(line);
	shell_draw();
}

static void shell_byte(uint8_t byte)
{
	switch (line_edit_feed(&edit, byte)) {
	case LINE_EDIT_NOTHING:
		break;
	case LINE_EDIT_CHANGED:
		shell_draw();
		break;
	case LINE_EDIT_DONE:
		shell_line();
		break;
	case LINE_EDIT_CANCEL:
		console_edit(NULL, 0);
		line_edit_reset(&edit, false);
		shell_draw();
		break;
	case LINE_EDIT_TAB:
		shell_complete();
		break;
	}
}

/* VMs cannot be started while the list is walked: finds the @n-th. */
struct nth_vm {
	unsigned n;
	struct vm *vm;
};

static void shell_find_nth(void *opaque, struct vm *vm)
{
	struct nth_vm *nth = opaque;

	if (nth->n-- == 0)
		nth->vm = vm;
}

static struct vm *shell_nth_vm(unsigned n)
{
	struct nth_vm nth = {.n = n};

	vm_for_each(shell_find_nth, &nth);
	return nth.vm;
}

/* Starts all that ask for it; returns the first that also wants the console. */
static struct vm *shell_autostart(void)
{
	struct vm *vm, *wants_console = NULL;
	unsigned n;

	for (n = 0; (vm = shell_nth_vm(n)); n++) {
		if (!vm->config->autostart || vm_start(vm))
			continue; /* the log says why */
		if (vm->config->console && !wants_console)
			wants_console = vm;
	}
	return wants_console;
}

static void shell_run(void *unused)
{
	struct vm *vm = autostarts ? shell_autostart() : NULL;

	(void)unused;
	if (vm)
		attach_vm(vm, NULL);
	else
		console_printf("`help` lists the commands.\n");
	shell_draw();
	for (;;) {
		const uint8_t *data;
		uint8_t byte;
		size_t len;

		data = input_peek(&len);
		if (len) {
			byte = *data;
			input_taken(1);
			shell_byte(byte);
		} else {
			input_wait();
		}
	}
}

int admin_start(bool autostart)
{
	autostarts = autostart;
	return task_create("shell", shell_run, NULL, 0) ? 0 : -ENOMEM;
}
