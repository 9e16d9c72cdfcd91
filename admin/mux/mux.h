/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `mux on`: one line carries the shell, the log and the consoles of VMs, each a channel of its own
 * (docs/mux.md).
 *
 * What comes is put into a ring where the driver found it; all else of the input, and of the
 * channels, is done by one task, on the shell's CPU, so that neither of the two runs while the
 * other does. Where frames stand in their channels when they go out is under the console's lock.
 */
#ifndef ADMIN_MUX_MUX_H
#define ADMIN_MUX_MUX_H

#include "admin/mux/mux_frame.h"
#include "kernel/console.h"
#include "kernel/spinlock.h"
#include "lib/ring.h"
#include "vmm/vm.h"
#include "vmm/vm_console.h"

#define MUX_VERSION	  1
#define MUX_PING_MAX	  8    /* bytes of a ping that come back */
#define MUX_CONSOLES	  32   /* of VMs, and pipes, at a time */
#define MUX_WINDOW	  1024 /* bytes that the other end may send to a guest that takes none … */
#define MUX_SHELL_WINDOW  4096	/* … and to the shell */
#define MUX_LINE_SIZE	  32768 /* bytes from the line that nobody has looked at */
#define MUX_FIRST_CONSOLE 16
#define MUX_LAST_CONSOLE  254

/* Beyond console.h's streams. */
enum { MUX_CONTROL = CONSOLE_STREAMS };

/* A message's first byte, on the control channel. */
enum mux_message {
	MUX_HELLO = 1, /* version, largest payload */
	MUX_OPEN,      /* channel, enum mux_kind, name */
	MUX_CLOSE,     /* channel */
	MUX_CREDIT,    /* channel, position up to which bytes are taken; both ways */
	MUX_ERROR,     /* enum mux_error, channel, how many of the kind by now, in 4 bytes */
	MUX_PING,      /* anything; to us */
	MUX_PONG,      /* the same back */
	MUX_OFF,       /* to us */
	MUX_BYE,       /* text follows */
};

enum mux_kind { MUX_KIND_SHELL, MUX_KIND_LOG, MUX_KIND_CONSOLE, MUX_KIND_GDB };

enum mux_error {
	MUX_ERROR_COBS,
	MUX_ERROR_CRC,
	MUX_ERROR_TOO_LONG,
	MUX_ERROR_TOO_SHORT,
	MUX_ERROR_CHANNEL, /* there is none, or none that takes input */
	MUX_ERROR_MESSAGE, /* of the control channel: no such */
	MUX_ERROR_GAP,	   /* bytes before these are missing */
	MUX_ERROR_OVERRUN, /* more than was allowed: the rest is dropped */
	MUX_ERROR_LINE,	   /* bytes of the line were dropped, frames or not */
	MUX_ERRORS,
};

/* Of a console of a VM, or, without one, of a task of ours. */
struct mux_channel {
	uint8_t id;
	uint16_t in_pos;    /* behind the last byte that came */
	uint16_t in_limit;  /* the other end was told */
	uint16_t out_limit; /* and told us */
	struct vm_console *console;
	struct vm_console_viewer viewer;
	struct console_pipe pipe;
	struct task *reader; /* of the pipe */
	struct ring pending; /* for the guest, or the reader */
	char pending_data[MUX_WINDOW];
	char name[VM_NAME_MAX + 1 + VM_CONSOLE_PORT_MAX + sizeof("-99")];
};

struct mux {
	struct console_sink *sink; /* whose line is framed; NULL: none */
	struct task *task;
	struct mux_decoder decoder;
	uint16_t control_pos, shell_pos, shell_limit; /* as a channel's in_ */
	struct mux_channel *channels[MUX_CONSOLES];
	struct mux_channel *spare; /* for the next console that comes */
	uint8_t last_id;
	bool pinged; /* an answer is due */
	uint8_t ping[MUX_PING_MAX], ping_len;
	struct {
		uint32_t count;
		uint8_t channel; /* of the last one */
		bool told;
	} errors[MUX_ERRORS];
	uint16_t out_pos[256]; /* by channel; under the console's lock */

	struct spinlock lock; /* as kernel/console_input.c's: only a run queue's inside */
	struct ring line;
	bool dropped;
	char line_data[MUX_LINE_SIZE];
};

/* NULL until `mux on`. */
extern struct mux *mux;

/* mux.c: the shell's task, or mux's. -ENOMEM. */
int mux_start(struct console_sink *sink) __must_check;
void mux_stop(void);
/* One message to the other end. */
void mux_tell(const uint8_t *message, size_t len);
void mux_tell_open(uint8_t channel, enum mux_kind kind, const char *name);
void mux_tell_credit(uint8_t channel, uint16_t limit);
/* What the task does, but for sleeping; whether there was something to show. */
bool mux_step(void);

/* mux_input.c: what came from the line; what that allows the other end to send; all again. */
void mux_take_input(void);
void mux_shell_credit(bool again);
void mux_count_error(enum mux_error error, uint8_t channel);
/* Bytes with @pos in front of them have come: behind them. */
uint16_t mux_count_gap(uint8_t channel, uint16_t expected, const struct mux_frame *frame);

/* mux_console.c */
struct mux_channel *mux_channel(uint8_t id);
/* A place for a channel, NULL: there is none; puts one there, whose name is set, and becomes
 * another one if it is used already. */
struct mux_channel **mux_channel_slot(void);
void mux_channel_open(struct mux_channel **slot, struct mux_channel *channel);
void mux_console_input(struct mux_channel *channel, const struct mux_frame *frame);
void mux_console_credit(struct mux_channel *channel, bool again);
/* That it is open, and what may be sent to it. */
void mux_console_tell(struct mux_channel *channel);
/* Consoles that are new, that have something to show, or have ended; whether any had. */
bool mux_consoles_step(void);
/* Lets go of all. */
void mux_consoles_close(void);

/* mux_pipe.c: as struct console_framing has them. */
struct console_pipe *mux_pipe_open(const char *name);
size_t mux_pipe_read(struct console_pipe *pipe, char *buf, size_t max);
void mux_pipe_write(struct console_pipe *pipe, const char *s, size_t len);
void mux_pipe_close(struct console_pipe *pipe);
/* Its channel is closed: the reader closes the pipe. */
void mux_pipe_end(struct mux_channel *channel);

#endif
