/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the shell (admin/) is told of a command: a table that any file adds to
 * which has something to show. Help, checks of the number of arguments and
 * completion come from the table.
 */
#ifndef KERNEL_COMMAND_H
#define KERNEL_COMMAND_H

#include "lib/compiler.h"

#include <stdbool.h>

/* Calls @add for every word that may stand where the line's second word stands. */
typedef void (*command_add_fn)(void *opaque, const char *word);
typedef void (*command_words_fn)(command_add_fn add, void *opaque);

struct command {
	const char *name;
	/*
	 * For help and completion: "VM", "[COMMAND]", "on|off", "". The words of a command with
	 * KEY=VALUE stay as typed, for options have quotes of their own.
	 */
	const char *args;
	const char *help;    /* one line */
	const char *example; /* a whole line as one would type it; NULL: none */
	int min, max;	     /* words behind the name */
	/* argv[0] is the name; NULL is behind the last word. Context: the shell's task. */
	void (*run)(char **argv);
	command_words_fn words; /* the second word's; NULL: what args tells */
	bool format;		/* may be called NAME/FORMAT, and finds that in argv[0] */
	bool live;   /* talks with the terminal: its output is neither held back nor paged */
	bool direct; /* neither is this one's, where there is a terminal; it does without one */
};

#define COMMAND(ident_, ...) TABLE_ENTRY(commands, struct command, ident_) = {__VA_ARGS__}
/* The same, behind `info`. */
#define INFO_TOPIC(ident_, ...) TABLE_ENTRY(info_topics, struct command, ident_) = {__VA_ARGS__}

TABLE_DECLARE(commands, struct command);
TABLE_DECLARE(info_topics, struct command);

#endif
