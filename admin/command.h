/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell's commands: a table that files of admin/, and boot/ for what only
 * it can reach, add to. Help, checks of the number of arguments and
 * completion come from the table.
 */
#ifndef ADMIN_COMMAND_H
#define ADMIN_COMMAND_H

#include "lib/compiler.h"

#include <stddef.h>

#define COMMAND_ARGS_MAX 8 /* words of a line, the command itself included */

/* Calls @add for every word that may stand where the line's second word stands. */
typedef void (*command_add_fn)(void *opaque, const char *word);
typedef void (*command_words_fn)(command_add_fn add, void *opaque);

struct command {
	const char *name;
	const char *args; /* for help: "VM", "[COMMAND]", "" */
	const char *help; /* one line */
	int min, max;	  /* words behind the name */
	/* argv[0] is the name; NULL is behind the last word. Context: the shell's task. */
	void (*run)(char **argv);
	command_words_fn words; /* NULL: nothing to complete */
};

#define COMMAND(ident_, ...) TABLE_ENTRY(commands, struct command, ident_) = {__VA_ARGS__}
/* The same, behind `info`. */
#define INFO_TOPIC(ident_, ...) TABLE_ENTRY(info_topics, struct command, ident_) = {__VA_ARGS__}

TABLE_DECLARE(commands, struct command);
TABLE_DECLARE(info_topics, struct command);

/* The entry of [@start, @end) called @name, or NULL. */
const struct command *command_find(const struct command *start, const struct command *end,
				   const char *name);
/* Its entries in alphabetical order: the first when @after is NULL, NULL behind the last. */
const struct command *command_next(const struct command *start, const struct command *end,
				   const struct command *after);
/* Checks the number of words and runs @command, called `@prefix@name`. */
void command_run(const struct command *command, const char *prefix, char **argv);
/* One line of the user's, commands with ; between them, which is taken apart in place. */
void command_execute(char *line);
/* What the shell offers for the line's last word: the rest that all candidates share goes to
 * @rest (@size bytes); several candidates without one are listed. */
void command_complete(const char *line, char *rest, size_t size);

/* For struct command's words. */
void command_add_vms(command_add_fn add, void *opaque);

#endif
