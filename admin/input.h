/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is typed, as the shell's task takes it: bytes behind Ctrl-] or behind a
 * line's end, which came in the same read, wait here for whoever reads next.
 */
#ifndef ADMIN_INPUT_H
#define ADMIN_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes that are there and their number; they stay until input_taken(). Does not wait. */
const uint8_t *input_peek(size_t *len);
void input_taken(size_t n);
/* Drops all that is there up to @byte and it too, when that is there; whether it was. */
bool input_skip(uint8_t byte);
/* Until something is there, or task_wake() of the shell's task. */
void input_wait(void);
/* Until something is there, at most @ns nanoseconds. */
void input_wait_ns(uint64_t ns);

#endif
