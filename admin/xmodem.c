/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/xmodem.h"

#include <errno.h>

#define XMODEM_SOH   0x01 /* a block of 128 bytes follows … */
#define XMODEM_STX   0x02 /* … of 1024 */
#define XMODEM_CTRLC 0x03
#define XMODEM_EOT   0x04
#define XMODEM_ACK   0x06
#define XMODEM_BS    0x08
#define XMODEM_NAK   0x15
#define XMODEM_CAN   0x18

#define XMODEM_HEADER	  2 /* number, ~number */
#define XMODEM_POLYNOMIAL 0x1021u

/* Whoever leaves a terminal program to start a sender needs some time for it. */
#define XMODEM_BEGIN_MS	   3000 /* between two requests for the first block … */
#define XMODEM_BEGIN_TRIES 40u	/* … of which there are so many … */
#define XMODEM_CRC_TRIES   20u	/* … the first of them for a CRC, then for either in turn */
#define XMODEM_NEXT_MS	   10000
#define XMODEM_TRIES	   10u
#define XMODEM_INSIDE_MS   1000
#define XMODEM_NOISE_MAX   4096u /* that go by before it counts as another try */
/* A block whose first byte was broken may begin like an end; the sender waits behind a real one. */
#define XMODEM_ENDING_MS 500

static void xmodem_say(const struct xmodem *x, uint8_t byte)
{
	x->send(&(char){(char)byte}, 1);
}

void xmodem_cancel(const struct xmodem *x)
{
	/* Two would do, but for those that a line may break. */
	static const char cancel[] = {XMODEM_CAN, XMODEM_CAN, XMODEM_CAN, XMODEM_CAN,
				      XMODEM_CAN, XMODEM_CAN, XMODEM_CAN, XMODEM_CAN};

	x->send(cancel, sizeof(cancel));
}

/* For the next block, or the last one once more. */
static void xmodem_ask(struct xmodem *x)
{
	x->state = XMODEM_BETWEEN;
	x->run = 0;
	if (!x->blocks)
		x->crc = x->tries < XMODEM_CRC_TRIES || x->tries % 2;
	xmodem_say(x, x->crc && !x->blocks ? 'C' : XMODEM_NAK);
}

static int xmodem_failed(struct xmodem *x)
{
	if (++x->tries < (x->blocks ? XMODEM_TRIES : XMODEM_BEGIN_TRIES))
		return XMODEM_MORE;
	return x->blocks || x->state != XMODEM_BETWEEN ? -EIO : -ETIMEDOUT;
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
	xmodem_ask(x);
}

unsigned xmodem_patience_ms(const struct xmodem *x)
{
	switch (x->state) {
	case XMODEM_BETWEEN:
		return x->blocks ? XMODEM_NEXT_MS : XMODEM_BEGIN_MS;
	case XMODEM_ENDING:
		return XMODEM_ENDING_MS;
	default:
		return XMODEM_INSIDE_MS;
	}
}

/* Over data and CRC it is 0. */
static uint16_t xmodem_crc(const uint8_t *data, size_t len)
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

/* A whole block is there. */
static int xmodem_block(struct xmodem *x)
{
	uint8_t number = x->block[0];
	int err;

	if (!xmodem_block_good(x))
		return xmodem_noise(x);
	x->state = XMODEM_BETWEEN;
	x->run = 0;
	if (number == (uint8_t)(x->blocks + 1)) {
		err = x->put(x->opaque, x->block + XMODEM_HEADER,
			     x->len - XMODEM_HEADER - (x->crc ? 2 : 1));
		if (err)
			return err;
		x->blocks++;
		x->tries = 0;
	} else if (!x->blocks || number != (uint8_t)x->blocks) {
		return -EPROTO;
	} else if (xmodem_failed(x) != XMODEM_MORE) {
		return -EIO;
	}
	xmodem_say(x, XMODEM_ACK);
	return XMODEM_MORE;
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

	if (x->run > 1)
		return x->run_of == XMODEM_CAN ? -ECONNABORTED : -ECANCELED;
	if (x->state == XMODEM_ENDING) {
		xmodem_say(x, XMODEM_ACK);
		return x->blocks ? 0 : -ENODATA;
	}
	err = xmodem_failed(x);
	if (err == XMODEM_MORE)
		xmodem_ask(x);
	return err;
}
