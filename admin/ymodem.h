/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * YMODEM, the end that sends: one file, in blocks of 1024 bytes with CRC-16, each of which the
 * other end acknowledges (Forsberg, "XMODEM/YMODEM Protocol Reference", 1988, chapters 4 and 5). No
 * clock and no line of its own, as admin/xmodem.h.
 */
#ifndef ADMIN_YMODEM_H
#define ADMIN_YMODEM_H

#include "admin/xmodem.h"

#define YMODEM_PATIENCE_MS 10000 /* a silence */

enum ymodem_step { YMODEM_NAME, YMODEM_DATA, YMODEM_EOT, YMODEM_LAST };

struct ymodem {
	/* Its owner's: @len bytes of the file from @at on; writes to the line. */
	void (*get)(void *opaque, uint64_t at, void *data, size_t len);
	void (*send)(void *opaque, const uint8_t *s, size_t len);
	void *opaque, *line; /* get()'s, send()'s */
	const char *name;    /* 63 bytes at most */
	uint64_t size;	     /* 1 at least */
	uint64_t done;	     /* bytes that have arrived */
	/* ymodem.c's, zeroed before. */
	enum ymodem_step step;
	bool called;	/* the step's packet has gone: it is not begun before it was called for */
	bool due;	/* … and is to go */
	unsigned tries; /* in vain, since something arrived */
	unsigned silences, noise;
	uint8_t run_of;
	unsigned run; /* bytes that give up, and how many in a row */
	uint8_t block[3 + XMODEM_BLOCK_MAX + 2];
};

/*
 * All that has come from the other end, or nothing for YMODEM_PATIENCE_MS. XMODEM_MORE; 0: it has
 * all of the file; -ETIMEDOUT: nobody began; -EIO: it fell silent, or refused a block too often;
 * -ECONNABORTED, -ECANCELED: as xmodem.h's. With an error, it is not told yet.
 */
int ymodem_heard(struct ymodem *y, const uint8_t *data, size_t len);
int ymodem_silence(struct ymodem *y);

#endif
