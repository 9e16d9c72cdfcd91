/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands about the shell itself: what scripts need, and what people like to set. */
#include "admin/command.h"
#include "admin/shell.h"
#include "admin/terminal.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "lib/compiler.h"
#include "lib/parse.h"

#include <string.h>

static void command_echo(char **argv)
{
	for (unsigned i = 1; argv[i]; i++)
		console_printf("%s%s", i > 1 ? " " : "", argv[i]);
	console_printf("\n");
}

/* What `set` sets: a word of @choices. */
struct setting {
	const char *name, *choices, *help;
	void (*set)(unsigned choice);
	unsigned (*get)(void);
};

static void set_log(unsigned level)
{
	log_set_level((enum log_level)level);
}

static unsigned get_log(void)
{
	return log_get_level();
}

static void set_paging(unsigned paging)
{
	terminal_set_paging((enum terminal_paging)paging);
}

static unsigned get_paging(void)
{
	return terminal_paging();
}

static void set_colour(unsigned on)
{
	shell_set_colour(on);
}

static unsigned get_colour(void)
{
	return shell_colour();
}

/* In the order of their enums. */
static const struct setting settings[] = {
	{"log", "error|warn|info|debug", "which lines of the log are shown", set_log, get_log},
	{"paging", "auto|on|off", "long output by pages; auto: for terminals that answer",
	 set_paging, get_paging},
	{"colour", "off|on", "a coloured prompt", set_colour, get_colour},
};

static void settings_show(const struct setting *s)
{
	const char *choice = s->choices;

	for (unsigned n = s->get(); n; n--)
		choice += strcspn(choice, "|") + 1;
	console_printf("%-8s %-5.*s  %s: %s\n", s->name, (int)strcspn(choice, "|"), choice,
		       s->choices, s->help);
}

static void command_set(char **argv)
{
	const struct setting *s = settings;
	uint64_t choice;

	while (argv[1] && s < settings + ARRAY_SIZE(settings) && strcmp(s->name, argv[1]))
		s++;
	if (!argv[1])
		for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
			settings_show(&settings[i]);
	else if (s == settings + ARRAY_SIZE(settings))
		command_error("set %s: no such setting; `set` lists them\n", argv[1]);
	else if (!argv[2])
		settings_show(s);
	else if (parse_choice(argv[2], s->choices, &choice))
		s->set((unsigned)choice);
	else
		command_error("set %s %s: expected %s\n", argv[1], argv[2], s->choices);
}

COMMAND(echo_entry, .name = "echo", .args = "[TEXT]",
	.help = "print the words; $? is the last command's status, 0 when it went well",
	.example = "start linux; echo \"$?\"", .max = 31, .run = command_echo);
COMMAND(set_entry, .name = "set", .args = "[log|paging|colour [VALUE]]",
	.help = "what is set, or set it", .example = "set log debug", .max = 2, .run = command_set);
