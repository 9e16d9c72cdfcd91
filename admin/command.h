/* SPDX-License-Identifier: BSD-2-Clause */
/* How the shell finds, runs and completes the commands of kernel/command.h. */
#ifndef ADMIN_COMMAND_H
#define ADMIN_COMMAND_H

#include "kernel/command.h"

#include <stddef.h>

/* $?: what became of a command. */
#define COMMAND_FAILED	1
#define COMMAND_MISUSED 2
#define COMMAND_ABSENT	3 /* it names what is not there */
#define COMMAND_UNKNOWN 127

/* The entry of [@start, @end) called @name, or NULL. */
const struct command *command_find(const struct command *start, const struct command *end,
				   const char *name);
/* Its entries in alphabetical order: the first when @after is NULL, NULL behind the last. */
const struct command *command_next(const struct command *start, const struct command *end,
				   const struct command *after);
/* Checks the number of words and runs @command, called `@prefix@name`. */
void command_run(const struct command *command, const char *prefix, char **argv);
/* The same on its own, with its output held for the caller (admin/pager.h): not one that is live.
 */
void command_call(const struct command *command, const char *prefix, char **argv);
/* All output of commands is held for the caller, from pager_keep() on, and live ones are refused;
 * or no more. */
void command_hold(bool on);
bool command_is_held(void);
/* One line of the user's, commands with ; between them. */
void command_execute(const char *line);
/* The commands' own: says what went wrong, and $? becomes @status or COMMAND_FAILED. */
void command_fail(int status);
void command_error(const char *fmt, ...) __printf(1, 2);
/* $? */
int command_status(void);
/* What the shell offers for the line's last word: the rest that all candidates share goes to
 * @rest (@size bytes); several candidates without one are listed. */
void command_complete(const char *line, char *rest, size_t size);

/* For struct command's words. */
void command_add_vms(command_add_fn add, void *opaque);
void command_add_snapshots(command_add_fn add, void *opaque);

#endif
