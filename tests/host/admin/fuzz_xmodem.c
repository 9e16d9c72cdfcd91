/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/xmodem.c */
/* fuzz-runs: 8000 */
/*
 * Any bytes and silences while a file is received. What the fuzzer cannot guess is a block's sum:
 * some bytes of its input stand for the next block, the last one, a silence, or one that gives up.
 */
#include "admin/xmodem.h"
#include "tests/host/admin/xmodem_sender.h"

#include <stdlib.h>

enum fuzz_op { FUZZ_SILENCE = 0xf0, FUZZ_NEXT, FUZZ_NEXT_LONG, FUZZ_LAST, FUZZ_BYTE };

static size_t blocks, bytes, said;

static int put(void *opaque, const uint8_t *data, size_t len)
{
	(void)opaque;
	if (len != 128 && len != 1024)
		abort();
	for (size_t i = 0; i < len; i++)
		bytes += data[i];
	return ++blocks == 600 ? -12 : 0;
}

static void send(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("C" ACK NAK, s[i]))
			abort();
	said += len;
}

static int block(struct xmodem *x, uint8_t number, size_t size, uint8_t fill)
{
	uint8_t out[SENDER_BLOCK_MAX];
	size_t len = sender_block(out, number, size, &fill, 1, x->crc);
	int err = XMODEM_MORE;

	for (size_t i = 0; i < len && err == XMODEM_MORE; i++)
		err = xmodem_byte(x, out[i]);
	return err;
}

static int step(struct xmodem *x, uint8_t op)
{
	switch (op) {
	case FUZZ_SILENCE:
		return xmodem_silence(x);
	case FUZZ_NEXT:
		return block(x, (uint8_t)(x->blocks + 1), 128, op);
	case FUZZ_NEXT_LONG:
		return block(x, (uint8_t)(x->blocks + 1), 1024, op);
	case FUZZ_LAST:
		return block(x, (uint8_t)x->blocks, 128, op);
	default:
		return xmodem_byte(x, op);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xmodem x = {.put = put, .send = send};
	int err = XMODEM_MORE;

	blocks = 0;
	xmodem_begin(&x);
	for (size_t i = 0; i < size && err == XMODEM_MORE; i++) {
		if (data[i] == FUZZ_BYTE && i + 1 < size)
			err = xmodem_byte(&x, data[++i]);
		else
			err = step(&x, data[i]);
		if (x.blocks > blocks || blocks - x.blocks > 1 || !xmodem_patience_ms(&x))
			abort();
	}
	/* Whatever came, silence ends it. */
	for (unsigned i = 0; err == XMODEM_MORE; i++) {
		if (i == 40)
			abort();
		err = xmodem_silence(&x);
	}
	if (err > 0 || (!err && !blocks))
		abort();
	return 0;
}
