/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is typed, as the shell's task takes it: bytes behind Ctrl-] or behind a
 * line's end, which came in the same read, wait here for whoever reads next.
 */
#ifndef ADMIN_INPUT_H
#define ADMIN_INPUT_H

#include <stddef.h>
#include <stdint.h>

/* The bytes that are there and their number; they stay until input_taken(). Does not wait. */
const uint8_t *input_peek(size_t *len);
void input_taken(size_t n);
/* Until something is there, or task_wake() of the shell's task. */
void input_wait(void);

#endif
