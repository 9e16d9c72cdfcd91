/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XMODEM, the end that receives: blocks of 128 and of 1024 bytes with CRC-16, or with a checksum
 * for who knows no better (Forsberg, "XMODEM/YMODEM Protocol Reference", 1988, chapters 2, 4 and
 * 7). No clock and no line of its own: its owner feeds it bytes, and tells it of silence.
 */
#ifndef ADMIN_XMODEM_H
#define ADMIN_XMODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XMODEM_BLOCK_MAX 1024
#define XMODEM_MORE	 1 /* it goes on */

enum xmodem_state {
	XMODEM_BETWEEN, /* blocks, or before the first */
	XMODEM_INSIDE,	/* a block */
	XMODEM_NOISE,  /* what is no block goes by: nothing is answered before the line is silent */
	XMODEM_ENDING, /* the sender says that it was all */
};

struct xmodem {
	/* Its owner's: takes what a block holds (an error is passed on); writes to the line. */
	int (*put)(void *opaque, const uint8_t *data, size_t len);
	void (*send)(const char *s, size_t len);
	void *opaque;
	/* xmodem.c's, zeroed before xmodem_begin(). */
	enum xmodem_state state;
	uint64_t blocks; /* taken */
	unsigned tries;	 /* that brought nothing new, since the last block that did */
	bool crc;	 /* was asked for; else a checksum */
	uint8_t run_of;	 /* the last bytes, if they give up … */
	unsigned run;	 /* … and how many of them there are */
	size_t len, want;
	uint8_t block[2 + XMODEM_BLOCK_MAX +
		      2]; /* behind its first byte: number, ~number, data, sum */
};

/* Asks for the first block. */
void xmodem_begin(struct xmodem *x);
/* How long a silence is one, in milliseconds, now. */
unsigned xmodem_patience_ms(const struct xmodem *x);
/*
 * A byte came, or nothing for so long. XMODEM_MORE; 0: all is there; an error of put's; or
 *   -ETIMEDOUT     nobody began
 *   -EIO           blocks were broken, or failed to come, too often
 *   -EPROTO        a block is out of turn
 *   -ENODATA       the sender ends before its first block
 *   -ECONNABORTED  the sender gives up (CAN CAN)
 *   -ECANCELED     the person does (Ctrl-C Ctrl-C)
 * With an error, the sender is not told yet.
 */
int xmodem_byte(struct xmodem *x, uint8_t byte);
int xmodem_silence(struct xmodem *x);
/* Tells the sender to give up. */
void xmodem_cancel(const struct xmodem *x);

#endif
