/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/xmodem.h"

#include <errno.h>

#define XMODEM_HEADER	  2 /* number, ~number */
#define XMODEM_POLYNOMIAL 0x1021u

/* Whoever leaves a terminal program to start a sender needs some time for it. */
#define XMODEM_BEGIN_MS	   3000 /* between two requests for the first block … */
#define XMODEM_BEGIN_TRIES 40u	/* … of which there are so many … */
#define XMODEM_CRC_TRIES   20u	/* … the first of them for a CRC, then for either in turn */
#define XMODEM_NEXT_MS	   10000
#define XMODEM_TRIES	   10u
#define XMODEM_LAST_TRIES  3u /* the file is there */
#define XMODEM_INSIDE_MS   1000
#define XMODEM_NOISE_MAX   4096u /* that go by before it counts as another try */
/* A block whose first byte was broken may begin like an end; the sender waits behind a real one. */
#define XMODEM_ENDING_MS 500

static void xmodem_say(const struct xmodem *x, uint8_t byte)
{
	x->send(x->line, &byte, 1);
}

/* Before a file's first block, or its name: the sender waits to be called. */
static bool xmodem_starts(const struct xmodem *x)
{
	return x->part != XMODEM_DATA || !x->blocks;
}

void xmodem_cancel(const struct xmodem *x)
{
	/* Two would do, but for those that a line may break. */
	static const uint8_t cancel[] = {XMODEM_CAN, XMODEM_CAN, XMODEM_CAN, XMODEM_CAN,
					 XMODEM_CAN, XMODEM_CAN, XMODEM_CAN, XMODEM_CAN};

	x->send(x->line, cancel, sizeof(cancel));
}

/* For the next block, or the last one once more. */
static void xmodem_ask(struct xmodem *x)
{
	x->state = XMODEM_BETWEEN;
	x->run = 0;
	if (xmodem_starts(x))
		x->crc = x->header || x->tries < XMODEM_CRC_TRIES || x->tries % 2;
	xmodem_say(x, x->crc && xmodem_starts(x) ? 'C' : XMODEM_NAK);
}

static int xmodem_failed(struct xmodem *x)
{
	x->tries++;
	if (x->part == XMODEM_LAST)
		return x->tries < XMODEM_LAST_TRIES ? XMODEM_MORE : 0;
	if (x->tries < (xmodem_starts(x) ? XMODEM_BEGIN_TRIES : XMODEM_TRIES))
		return XMODEM_MORE;
	return xmodem_starts(x) && x->state == XMODEM_BETWEEN ? -ETIMEDOUT : -EIO;
}

/* On to what the sender is to be called for. */
static int xmodem_next(struct xmodem *x, enum xmodem_part part)
{
	x->part = part;
	x->tries = 0;
	xmodem_say(x, XMODEM_ACK);
	xmodem_ask(x);
	return XMODEM_MORE;
}

/* Whatever it is, it is over when the line falls silent. */
static int xmodem_noise(struct xmodem *x)
{
	x->state = XMODEM_NOISE;
	x->len = 0;
	return XMODEM_MORE;
}

void xmodem_begin(struct xmodem *x)
{
	x->part = x->header ? XMODEM_NAME : XMODEM_DATA;
	xmodem_ask(x);
}

unsigned xmodem_patience_ms(const struct xmodem *x)
{
	switch (x->state) {
	case XMODEM_BETWEEN:
		return xmodem_starts(x) ? XMODEM_BEGIN_MS : XMODEM_NEXT_MS;
	case XMODEM_ENDING:
		return XMODEM_ENDING_MS;
	default:
		return XMODEM_INSIDE_MS;
	}
}

uint16_t xmodem_crc(const uint8_t *data, size_t len)
{
	uint16_t crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc = (uint16_t)(crc ^ data[i] << 8);
		for (unsigned bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc << 1 ^ (crc & 0x8000 ? XMODEM_POLYNOMIAL : 0));
	}
	return crc;
}

static bool xmodem_block_good(const struct xmodem *x)
{
	const uint8_t *data = x->block + XMODEM_HEADER;
	size_t len = x->len - XMODEM_HEADER;
	uint8_t sum = 0;

	if ((x->block[0] ^ x->block[1]) != 0xff)
		return false;
	if (x->crc)
		return !xmodem_crc(data, len);
	for (size_t i = 0; i < len - 1; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum == data[len - 1];
}

/* Block 0: a file's name, a 0, its size in digits, and more; or no name, when there are no more. */
static int xmodem_name(struct xmodem *x)
{
	const uint8_t *text = x->block + XMODEM_HEADER, *end = x->block + x->len;
	uint64_t size = 0;
	int err;

	if (x->part == XMODEM_LAST) {
		if (*text)
			xmodem_cancel(x);
		else
			xmodem_say(x, XMODEM_ACK);
		return 0;
	}
	if (!*text)
		return -ENODATA;
	while (text < end && *text)
		text++;
	for (text++; text < end && *text >= '0' && *text <= '9' && size < UINT64_MAX / 16; text++)
		size = 10 * size + (*text - '0');
	err = size ? x->header(x->opaque, size) : -EDOM;
	return err ? err : xmodem_next(x, XMODEM_DATA);
}

static int xmodem_data(struct xmodem *x, uint8_t number)
{
	int err;

	if (number == (uint8_t)(x->blocks + 1)) {
		err = x->put(x->opaque, x->block + XMODEM_HEADER,
			     x->len - XMODEM_HEADER - (x->crc ? 2 : 1));
		if (err)
			return err;
		x->blocks++;
		x->tries = 0;
	} else if ((!x->blocks && !x->header) || number != (uint8_t)x->blocks) {
		return -EPROTO;
	} else if (xmodem_failed(x) != XMODEM_MORE) {
		return -EIO;
	}
	xmodem_say(x, XMODEM_ACK);
	if (!x->blocks)
		xmodem_ask(x);
	return XMODEM_MORE;
}

/* A whole block is there. */
static int xmodem_block(struct xmodem *x)
{
	uint8_t number = x->block[0];

	if (!xmodem_block_good(x))
		return xmodem_noise(x);
	x->state = XMODEM_BETWEEN;
	x->run = 0;
	if (x->part == XMODEM_DATA)
		return xmodem_data(x, number);
	return number ? -EPROTO : xmodem_name(x);
}

static int xmodem_between(struct xmodem *x, uint8_t byte)
{
	if (byte == XMODEM_EOT) {
		x->state = XMODEM_ENDING;
		return XMODEM_MORE;
	}
	if (byte != XMODEM_SOH && byte != XMODEM_STX)
		return xmodem_noise(x);
	x->state = XMODEM_INSIDE;
	x->len = 0;
	x->want = XMODEM_HEADER + (byte == XMODEM_SOH ? 128 : XMODEM_BLOCK_MAX) + (x->crc ? 2 : 1);
	return XMODEM_MORE;
}

/*
 * Bytes that give up count when they are the last ones before a silence: anywhere else they are
 * data, or what is left of it. Senders put backspaces behind them for the person's terminal.
 */
static void xmodem_track(struct xmodem *x, uint8_t byte)
{
	if (x->run && byte == x->run_of) {
		x->run++;
	} else if (byte == XMODEM_CAN || byte == XMODEM_CTRLC) {
		x->run_of = byte;
		x->run = 1;
	} else if (byte != XMODEM_BS || x->run_of != XMODEM_CAN) {
		x->run = 0;
	}
}

int xmodem_byte(struct xmodem *x, uint8_t byte)
{
	xmodem_track(x, byte);
	switch (x->state) {
	case XMODEM_BETWEEN:
		return xmodem_between(x, byte);
	case XMODEM_INSIDE:
		x->block[x->len++] = byte;
		return x->len == x->want ? xmodem_block(x) : XMODEM_MORE;
	case XMODEM_NOISE:
		if (++x->len < XMODEM_NOISE_MAX)
			return XMODEM_MORE;
		x->len = 0;
		return xmodem_failed(x);
	default:
		return xmodem_noise(x);
	}
}

int xmodem_silence(struct xmodem *x)
{
	int err;

	if (x->run > 1 && x->part == XMODEM_LAST)
		return 0;
	if (x->run > 1)
		return x->run_of == XMODEM_CAN ? -ECONNABORTED : -ECANCELED;
	if (x->state == XMODEM_ENDING && x->blocks && x->header && x->part != XMODEM_LAST)
		return xmodem_next(x, XMODEM_LAST);
	if (x->state == XMODEM_ENDING) {
		xmodem_say(x, XMODEM_ACK);
		if (x->part != XMODEM_LAST)
			return x->blocks ? 0 : -ENODATA;
	}
	/* The end once more is nothing new either. */
	err = xmodem_failed(x);
	if (err == XMODEM_MORE)
		xmodem_ask(x);
	return err;
}
