/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/mux/mux.h"

#include "admin/command.h"

#include <string.h>

static void mux_show(void)
{
	unsigned consoles = 0, errors = 0;

	if (!mux || !mux->sink) {
		console_printf("mux is off: the line carries text\n");
		return;
	}
	for (unsigned i = 0; i < MUX_CONSOLES; i++)
		consoles += mux->channels[i] && mux->channels[i]->console;
	for (unsigned i = 0; i < MUX_ERRORS; i++)
		errors += mux->errors[i].count;
	console_printf("mux is on: %s carries the shell, the log and %u consoles; %u errors\n",
		       mux->sink->name, consoles, errors);
}

static void mux_on(void)
{
	struct console_sink *sink = console_input_sink();

	if (mux && mux->sink)
		command_error("mux is on already\n");
	else if (!sink)
		command_error("mux: no serial line\n");
	else if (mux_start(sink))
		command_error("mux: no memory\n");
}

static void mux_off(void)
{
	if (mux && mux->sink)
		mux_stop();
	else
		command_error("mux is off\n");
}

static void command_mux(char **argv)
{
	if (!argv[1])
		mux_show();
	else if (!strcmp(argv[1], "on"))
		mux_on();
	else if (!strcmp(argv[1], "off"))
		mux_off();
	else
		command_error("usage: mux [on|off]\n");
}

COMMAND(mux_entry, .name = "mux", .args = "[on|off]",
	.help = "frame this line, for tools/alcazar-mux: shell, log and consoles of VMs at once",
	.example = "mux on", .max = 1, .live = true, .run = command_mux);
