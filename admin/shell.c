/* SPDX-License-Identifier: BSD-2-Clause */
/* The shell's task: starts what is to start by itself, then serves the prompt. */
#include "admin/shell.h"

#include "admin/admin.h"
#include "admin/attach.h"
#include "admin/command.h"
#include "admin/input.h"
#include "admin/line_edit.h"
#include "admin/terminal.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/task.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROMPT	      "alcazar> "
#define PROMPT_COLOUR "\x1b[1;32malcazar>\x1b[m "

_Static_assert(sizeof(PROMPT_COLOUR) + LINE_EDIT_MAX <= CONSOLE_EDIT_MAX,
	       "a full line does not show");

static struct line_edit edit;
static bool autostarts, colour;
static bool asked; /* for this line, whether a terminal is there */

void shell_set_colour(bool on)
{
	colour = on;
}

bool shell_colour(void)
{
	return colour;
}

static size_t shell_prompt(char *text, size_t size)
{
	return (size_t)snprintf(text, size, "%s", colour ? PROMPT_COLOUR : PROMPT);
}

void shell_show(const char *s, size_t len)
{
	char text[CONSOLE_EDIT_MAX + 1];
	size_t at = shell_prompt(text, sizeof(text));

	for (size_t i = 0; i < len && at < CONSOLE_EDIT_MAX; i++)
		text[at++] = s[i] >= ' ' && s[i] < 0x7f ? s[i] : '?';
	text[at] = '\0';
	console_edit(text, at);
}

static void shell_draw(void)
{
	char text[CONSOLE_EDIT_MAX + 1];
	size_t len;

	if (edit.searching)
		len = (size_t)snprintf(text, sizeof(text), "(search)`%s': ", edit.search);
	else
		len = shell_prompt(text, sizeof(text));
	snprintf(text + len, sizeof(text) - len, "%s", edit.text);
	console_edit(text, MIN(len + edit.cursor, (size_t)CONSOLE_EDIT_MAX));
}

/* Whoever presses keys that no script has use for sits at a terminal, it seems. */
static void shell_person(void)
{
	if (!asked)
		terminal_ask();
	asked = true;
}

static void shell_complete(void)
{
	char rest[LINE_EDIT_MAX + 1];

	shell_person();
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
	asked = false;
	console_input_is_command();
	command_execute(line);
	shell_draw();
}

static void shell_clear(void)
{
	static const char clear[] = "\x1b[H\x1b[J";

	console_write(clear, sizeof(clear) - 1);
	shell_draw();
	shell_person();
}

/* Whether @byte begins a line that is not the shell's; it was read then. */
static bool shell_other(uint8_t byte)
{
	const struct shell_speaker *s = TABLE_START(shell_speakers);

	if (edit.len || edit.searching || edit.escape)
		return false;
	while (s < TABLE_END(shell_speakers) && s->first != (char)byte)
		s++;
	if (s == TABLE_END(shell_speakers))
		return false;
	s->speak(s->first);
	edit.after_cr = true; /* it may have ended with one */
	asked = false;
	shell_draw();
	return true;
}

static void shell_byte(uint8_t byte)
{
	if (shell_other(byte))
		return;
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
	case LINE_EDIT_CLEAR:
		shell_clear();
		break;
	case LINE_EDIT_SIZE:
		terminal_answered(edit.params[0], edit.params[1]);
		break;
	}
}

/* Starts all that ask for it; returns the first that also wants the console. */
static struct vm *shell_autostart(void)
{
	struct vm *vm, *wants_console = NULL;
	unsigned n;

	/* VMs cannot be started while the list is walked. */
	for (n = 0; (vm = vm_nth(n)); n++) {
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
	shell_person();
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
