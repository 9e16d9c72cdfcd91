/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/ymodem.h"

#include "lib/compiler.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define YMODEM_HEADER	 3
#define YMODEM_TRIES	 10u
#define YMODEM_SILENCES	 6u  /* a minute */
#define YMODEM_BEGINNING 12u /* two: whoever leaves a terminal program needs some time */
#define YMODEM_NOISE_MAX 4096u

/* Puts number, sum and what is around them to @size bytes. */
static void ymodem_block(struct ymodem *y, uint8_t number, size_t size)
{
	uint8_t *data = y->block + YMODEM_HEADER;
	uint16_t crc = xmodem_crc(data, size);

	y->block[0] = size == XMODEM_BLOCK_MAX ? XMODEM_STX : XMODEM_SOH;
	y->block[1] = number;
	y->block[2] = (uint8_t)~number;
	data[size] = (uint8_t)(crc >> 8);
	data[size + 1] = (uint8_t)crc;
	y->send(y->line, y->block, YMODEM_HEADER + size + 2);
}

static void ymodem_data(struct ymodem *y)
{
	size_t len = MIN(y->size - y->done, (uint64_t)XMODEM_BLOCK_MAX);

	memset(y->block, XMODEM_PAD, sizeof(y->block));
	y->get(y->opaque, y->done, y->block + YMODEM_HEADER, len);
	ymodem_block(y, (uint8_t)(y->done / XMODEM_BLOCK_MAX + 1), XMODEM_BLOCK_MAX);
}

/* What tells of a file, its date and mode unknown, or of none. */
static void ymodem_name(struct ymodem *y)
{
	char *text = (char *)y->block + YMODEM_HEADER;

	memset(y->block, 0, sizeof(y->block));
	if (y->step == YMODEM_NAME)
		snprintf(text, 128, "%s%c%" PRIu64 " 0 0", y->name, 0, y->size);
	ymodem_block(y, 0, 128);
}

static void ymodem_packet(struct ymodem *y)
{
	y->due = false;
	y->called = true;
	if (y->step == YMODEM_DATA)
		ymodem_data(y);
	else if (y->step == YMODEM_EOT)
		y->send(y->line, &(const uint8_t){XMODEM_EOT}, 1);
	else
		ymodem_name(y);
}

static int ymodem_again(struct ymodem *y)
{
	y->due = true;
	return ++y->tries < YMODEM_TRIES ? XMODEM_MORE : -EIO;
}

/* What was sent has arrived. */
static int ymodem_arrived(struct ymodem *y)
{
	y->tries = 0;
	if (y->step == YMODEM_LAST)
		return 0;
	if (y->step == YMODEM_DATA) {
		y->done += MIN(y->size - y->done, (uint64_t)XMODEM_BLOCK_MAX);
		y->due = true;
		if (y->done == y->size)
			y->step = YMODEM_EOT;
	} else {
		y->step++;
		y->called = false;
	}
	return XMODEM_MORE;
}

/* 'C': for the first of something; another one, when the first did not come. */
static int ymodem_called(struct ymodem *y)
{
	if (y->called && y->step != YMODEM_EOT)
		return ymodem_again(y);
	if (y->called)
		y->step = YMODEM_LAST;
	y->due = true;
	return XMODEM_MORE;
}

/* Whether @byte is the second of two that give up. */
static bool ymodem_gives_up(struct ymodem *y, uint8_t byte)
{
	if (byte != XMODEM_CAN && byte != XMODEM_CTRLC) {
		y->run = 0;
		return false;
	}
	y->run = byte == y->run_of ? y->run + 1 : 1;
	y->run_of = byte;
	return y->run > 1;
}

static int ymodem_byte(struct ymodem *y, uint8_t byte)
{
	if (ymodem_gives_up(y, byte) && y->step == YMODEM_LAST)
		return 0;
	if (y->run > 1)
		return byte == XMODEM_CAN ? -ECONNABORTED : -ECANCELED;
	/* What came before a packet goes is not about that one. */
	if (y->due)
		return XMODEM_MORE;
	/* Behind the first block nobody calls: it is noise, of which there is an end. */
	if (byte == 'C' && (y->step != YMODEM_DATA || !y->done))
		return ymodem_called(y);
	if (y->called && byte == XMODEM_ACK)
		return ymodem_arrived(y);
	if (y->called && byte == XMODEM_NAK)
		return ymodem_again(y);
	return ++y->noise < YMODEM_NOISE_MAX ? XMODEM_MORE : -EIO;
}

int ymodem_heard(struct ymodem *y, const uint8_t *data, size_t len)
{
	int err = XMODEM_MORE;

	y->silences = 0;
	for (size_t i = 0; i < len && err == XMODEM_MORE; i++)
		err = ymodem_byte(y, data[i]);
	if (err == XMODEM_MORE && y->due)
		ymodem_packet(y);
	return err;
}

int ymodem_silence(struct ymodem *y)
{
	bool begins = y->step == YMODEM_NAME && !y->called;

	if (y->step == YMODEM_LAST)
		return 0;
	if (++y->silences < (begins ? YMODEM_BEGINNING : YMODEM_SILENCES))
		return XMODEM_MORE;
	return begins ? -ETIMEDOUT : -EIO;
}
