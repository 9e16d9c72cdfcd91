/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file over the line that the command was typed on, to or from a program at the other end: the
 * line itself, or, where that is framed (`mux on`), a channel `transfer`. Context: the shell's
 * task, in a command that is `.live`.
 */
#ifndef ADMIN_TRANSFER_H
#define ADMIN_TRANSFER_H

#include "admin/progress.h"
#include "admin/xmodem.h"
#include "admin/ymodem.h"
#include "kernel/console.h"

struct transfer {
	struct console_sink *sink;
	struct console_pipe *pipe; /* NULL: the line itself */
	uint8_t piece[64];	   /* of what the pipe has brought */
	size_t at, len;
	uint64_t start; /* time_ns() */
	uint64_t done, total;
	struct progress progress; /* where the shell has a stream of its own */
};

/*
 * Tells the person what to do: @way is the protocol, @program what speaks it, with its arguments;
 * @from: it receives. -ENODEV: no line brought the command; -ENOMEM. Else transfer_end() follows.
 */
int transfer_begin(struct transfer *t, const char *way, const char *program,
		   bool from) __must_check;
/* Bytes a second are shown, of @done, if @done is not 0. */
void transfer_end(struct transfer *t);
/*
 * By admin/xmodem.h, admin/ymodem.h, whose `send` and `line` this sets; their results, or
 * -ENOTCONN: the frames' end. With an error, the other end was told, and what it had on its way is
 * gone. `done` and `total` are for put() to set.
 */
int transfer_receive(struct transfer *t, struct xmodem *x) __must_check;
int transfer_send(struct transfer *t, struct ymodem *y) __must_check;
/* What a result of the two means, or NULL: it is not one of them. */
const char *transfer_why(int err);

#endif
