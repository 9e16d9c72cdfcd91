/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XMODEM and YMODEM, the end that receives: blocks of 128 and of 1024 bytes with CRC-16, or, by
 * XMODEM, with a checksum for who knows no better (Forsberg, "XMODEM/YMODEM Protocol Reference",
 * 1988, chapters 2 to 5 and 7). Of a batch of files the first is taken. No clock and no line of its
 * own: its owner feeds it bytes, and tells it of silence.
 */
#ifndef ADMIN_XMODEM_H
#define ADMIN_XMODEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What both ends say. */
#define XMODEM_SOH   0x01 /* a block of 128 bytes follows … */
#define XMODEM_STX   0x02 /* … of 1024 */
#define XMODEM_CTRLC 0x03
#define XMODEM_EOT   0x04
#define XMODEM_ACK   0x06
#define XMODEM_BS    0x08
#define XMODEM_NAK   0x15
#define XMODEM_CAN   0x18
#define XMODEM_PAD   0x1a

#define XMODEM_BLOCK_MAX 1024
#define XMODEM_MORE	 1 /* it goes on */

enum xmodem_state {
	XMODEM_BETWEEN, /* blocks, or before the first */
	XMODEM_INSIDE,	/* a block */
	XMODEM_NOISE,  /* what is no block goes by: nothing is answered before the line is silent */
	XMODEM_ENDING, /* the sender says that it was all */
};

/* Of a batch: what comes. */
enum xmodem_part {
	XMODEM_DATA, /* alone, by XMODEM */
	XMODEM_NAME, /* and the size */
	XMODEM_LAST, /* no other file */
};

struct xmodem {
	/* Its owner's: takes what a block holds; by YMODEM (NULL: XMODEM), what the file is, before
	 * it comes. Errors are passed on. */
	int (*put)(void *opaque, const uint8_t *data, size_t len);
	int (*header)(void *opaque, uint64_t size);
	/* Writes to the line. */
	void (*send)(void *opaque, const uint8_t *s, size_t len);
	void *opaque, *line; /* put()'s and header()'s; send()'s */
	/* xmodem.c's, zeroed before xmodem_begin(). */
	enum xmodem_state state;
	enum xmodem_part part;
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
 *   -EPROTO        a block is out of turn, or the other protocol's
 *   -ENODATA       the sender ends before its first block
 *   -EDOM          by YMODEM: it does not tell the size
 *   -ECONNABORTED  the sender gives up (CAN CAN)
 *   -ECANCELED     the person does (Ctrl-C Ctrl-C)
 * With an error, the sender is not told yet.
 */
int xmodem_byte(struct xmodem *x, uint8_t byte);
int xmodem_silence(struct xmodem *x);
/* Tells the sender to give up. */
void xmodem_cancel(const struct xmodem *x);
/* CRC-16 as both ends have it; over data and CRC it is 0. */
uint16_t xmodem_crc(const uint8_t *data, size_t len);

#endif
