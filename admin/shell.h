/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be set of the prompt, and who takes lines of another language. */
#ifndef ADMIN_SHELL_H
#define ADMIN_SHELL_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>

/* Who takes the lines that begin with @first: it reads them, from the byte behind it on. */
struct shell_speaker {
	char first;
	void (*speak)(char first);
};
#define SHELL_SPEAKER(ident_, ...) \
	TABLE_ENTRY(shell_speakers, struct shell_speaker, ident_) = {__VA_ARGS__}
TABLE_DECLARE(shell_speakers, struct shell_speaker);

/* Shows @len bytes behind the prompt, as far as there is room, as the line being typed. */
void shell_show(const char *s, size_t len);

void shell_set_colour(bool on);
bool shell_colour(void);

#endif
