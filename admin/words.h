/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line's commands and their words, as a shell takes them: blanks between words, ; between
 * commands, # before a comment; 'as it is', "with \" and $? in it", \ before any one character;
 * what touches is one word. $? is the last command's status.
 */
#ifndef ADMIN_WORDS_H
#define ADMIN_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX      32   /* of a command, its name included */
#define WORDS_TEXT_MAX 1024 /* bytes of a command, with an end for each word */

struct words {
	const char *at;		   /* what is left of the line */
	int argc;		   /* of this command, so far */
	char *argv[WORDS_MAX + 1]; /* ended by NULL */
	size_t used;
	char text[WORDS_TEXT_MAX];
};

/* @line stays as long as @words is used. */
void words_init(struct words *words, const char *line);
/* Before a command's first word. */
void words_begin(struct words *words);
/*
 * Takes one more word of this command. @raw: its quotes and backslashes stay, closed or not. 1; 0:
 * the command ends here, the next one begins behind; -E2BIG, -EINVAL (a quote is open).
 */
int words_take(struct words *words, int status, bool raw) __attribute__((warn_unused_result));
/* Whether the line goes on. */
bool words_more(const struct words *words);

#endif
