/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be set of the prompt. */
#ifndef ADMIN_SHELL_H
#define ADMIN_SHELL_H

#include <stdbool.h>

void shell_set_colour(bool on);
bool shell_colour(void);

#endif
