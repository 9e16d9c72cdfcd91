/* SPDX-License-Identifier: BSD-2-Clause */
/* A line that a file comes over: as it is, or framed, with a channel for it. */
#ifndef TESTS_HOST_ADMIN_LOADMOD_LINE_H
#define TESTS_HOST_ADMIN_LOADMOD_LINE_H

#include "kernel/console.h"

#include <stdint.h>

/* The test's. */
extern bool loadmod_muted;
extern void (*loadmod_hears)(char byte); /* what is written */
extern uint64_t fake_tsc;

extern struct console_sink loadmod_sink;
extern bool loadmod_no_line;
extern const struct console_framing loadmod_frames;
extern struct console_pipe loadmod_pipe;
extern bool loadmod_pipe_is_open;
extern bool loadmod_cancels; /* Ctrl-C is there, once */
extern unsigned loadmod_updates;

#endif
