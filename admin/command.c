/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/command.h"

#include "kernel/console.h"

#include <stdbool.h>
#include <string.h>

const struct command *command_find(const struct command *start, const struct command *end,
				   const char *name)
{
	const struct command *c;

	for (c = start; c < end; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

const struct command *command_next(const struct command *start, const struct command *end,
				   const struct command *after)
{
	const struct command *c, *next = NULL;

	for (c = start; c < end; c++)
		if ((!after || strcmp(c->name, after->name) > 0) &&
		    (!next || strcmp(c->name, next->name) < 0))
			next = c;
	return next;
}

void command_run(const struct command *command, const char *prefix, char **argv)
{
	int words = 0;

	while (argv[1 + words])
		words++;
	if (words < command->min || words > command->max)
		console_printf("usage: %s%s%s%s\n", prefix, command->name,
			       *command->args ? " " : "", command->args);
	else
		command->run(argv);
}

/* The first of @ends in @line that is not within quotes, or the line's end. */
static char *command_find_end(char *line, const char *ends)
{
	bool quoted = false;

	for (; *line && (quoted || !strchr(ends, *line)); line++) {
		if (*line == '"')
			quoted = !quoted;
		else if (quoted && *line == '\\' && line[1])
			line++;
	}
	return line;
}

/* Words of @line, at most COMMAND_ARGS_MAX; one more in the count where there are more. */
static int command_split(char *line, char **argv)
{
	static const char blanks[] = " \t";
	int argc = 0;

	for (;;) {
		line += strspn(line, blanks);
		if (!*line || argc == COMMAND_ARGS_MAX)
			break;
		argv[argc++] = line;
		line = command_find_end(line, blanks);
		if (*line)
			*line++ = '\0';
	}
	argv[argc] = NULL;
	return *line ? argc + 1 : argc;
}

static void command_execute_one(char *line)
{
	char *argv[COMMAND_ARGS_MAX + 1];
	const struct command *command;
	int argc = command_split(line, argv);

	if (!argc)
		return;
	command = command_find(TABLE_START(commands), TABLE_END(commands), argv[0]);
	if (!command)
		console_printf("%s: no such command; `help` lists what there is\n", argv[0]);
	else if (argc > COMMAND_ARGS_MAX)
		console_printf("%s: too many words; `help %s` says what it takes\n", argv[0],
			       argv[0]);
	else
		command_run(command, "", argv);
}

void command_execute(char *line)
{
	while (*line) {
		char *end = command_find_end(line, ";");
		bool more = *end;

		*end = '\0';
		command_execute_one(line);
		line = end + more;
	}
}
