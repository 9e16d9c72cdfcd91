/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/command.h"

#include "admin/pager.h"
#include "admin/words.h"
#include "kernel/console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COMMAND_ERROR_MAX 512

/* The shell's task alone uses these. */
static int last_status;
static bool held; /* command_hold() */

int command_status(void)
{
	return last_status;
}

void command_fail(int status)
{
	last_status = status;
}

void command_error(const char *fmt, ...)
{
	char text[COMMAND_ERROR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	console_printf("%s", text);
	last_status = COMMAND_FAILED;
}

/* Whether @name is @c's, or where it has one, NAME/FORMAT. */
static bool command_is(const struct command *c, const char *name)
{
	size_t len = strlen(c->name);

	return !strncmp(c->name, name, len) && (!name[len] || (c->format && name[len] == '/'));
}

const struct command *command_find(const struct command *start, const struct command *end,
				   const char *name)
{
	const struct command *c;

	for (c = start; c < end; c++)
		if (command_is(c, name))
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
	if (words < command->min || words > command->max) {
		console_printf("usage: %s%s%s%s\n", prefix, command->name,
			       *command->args ? " " : "", command->args);
		command_fail(COMMAND_MISUSED);
	} else {
		command->run(argv);
	}
}

void command_call(const struct command *command, const char *prefix, char **argv)
{
	last_status = 0;
	if (held && command->live)
		command_error("%s%s: it talks with a terminal, and there is none\n", prefix,
			      command->name);
	else
		command_run(command, prefix, argv);
}

void command_hold(bool on)
{
	held = on;
}

bool command_is_held(void)
{
	return held;
}

static void command_start(const struct command *command, char **argv)
{
	bool pages = !held && !command->live && !command->direct;

	if (pages)
		pager_hold();
	command_call(command, "", argv);
	if (pages)
		pager_show();
}

static void command_refuse(const char *name, const char *why, int status)
{
	console_printf("%s: %s\n", name, why);
	last_status = status;
}

/* The line's next command. */
static void command_execute_one(struct words *words)
{
	const struct command *command = NULL;
	const char *name;
	bool raw = false;
	int more;

	words_begin(words);
	while ((more = words_take(words, last_status, raw)) == 1) {
		if (words->argc > 1)
			continue;
		command = command_find(TABLE_START(commands), TABLE_END(commands), words->argv[0]);
		raw = command && strstr(command->args, "KEY=VALUE");
	}
	name = words->argc ? words->argv[0] : "line";
	if (more == -EINVAL)
		command_refuse(name, "a quote is not closed", COMMAND_MISUSED);
	else if (more)
		command_refuse(name, "too many words", COMMAND_MISUSED);
	else if (words->argc && !command)
		command_refuse(name, "no such command; `help` lists what there is",
			       COMMAND_UNKNOWN);
	else if (words->argc)
		command_start(command, words->argv);
	if (more)
		words->at += strlen(words->at); /* nobody knows where its commands would end */
}

void command_execute(const char *line)
{
	struct words words;

	words_init(&words, line);
	while (words_more(&words))
		command_execute_one(&words);
}
