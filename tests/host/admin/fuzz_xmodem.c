/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/xmodem.c admin/ymodem.c */
/* fuzz-runs: 8000 */
/*
 * Any bytes and silences while a file is received; by YMODEM before a last 'Y', and sent before
 * a last 'S'.
 * What the fuzzer cannot guess is a block's sum: some bytes of its input stand for the next block,
 * the last one, what tells of a file, a silence, or one that gives up.
 */
#include "admin/ymodem.h"
#include "tests/host/admin/xmodem_sender.h"

#include <stdlib.h>

enum fuzz_op { FUZZ_SILENCE = 0xf0, FUZZ_NEXT, FUZZ_NEXT_LONG, FUZZ_LAST, FUZZ_BYTE, FUZZ_NAME };

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

static int header(void *opaque, uint64_t size)
{
	(void)opaque;
	return size ? 0 : -34;
}

static void send(void *opaque, const uint8_t *s, size_t len)
{
	(void)opaque;
	for (size_t i = 0; i < len; i++)
		if (!strchr("C" ACK NAK "\x18", s[i]))
			abort();
	said += len;
}

#define SENT 2500u

static uint64_t arrived;

static void get(void *opaque, uint64_t at, void *data, size_t len)
{
	(void)opaque;
	if (at > SENT || len > SENT - at || at < arrived || at - arrived > 1024)
		abort();
	arrived = at;
	memset(data, 'x', len);
}

static void send_block(void *opaque, const uint8_t *s, size_t len)
{
	(void)opaque;
	if (len == 1 ? *s != EOT : len != 3 + (*s == SOH ? 128u : 1024u) + 2)
		abort();
	if (len > 1 && (s[1] ^ s[2]) != 0xff)
		abort();
}

/* Whatever comes, and then nothing: it ends, and all of it has arrived or there is an error. */
static void send_file(const uint8_t *data, size_t size)
{
	struct ymodem y = {.get = get, .send = send_block, .name = "a.name", .size = SENT};
	int err = XMODEM_MORE;

	arrived = 0;
	for (size_t i = 0; i < size && err == XMODEM_MORE; i++)
		err = data[i] == FUZZ_SILENCE ? ymodem_silence(&y) : ymodem_heard(&y, data + i, 1);
	for (unsigned i = 0; err == XMODEM_MORE; i++) {
		if (i == 40)
			abort();
		err = ymodem_silence(&y);
	}
	if (err > 0 || (!err && y.done != SENT))
		abort();
}

static int block(struct xmodem *x, uint8_t number, size_t size, uint8_t fill)
{
	const uint8_t data[] = {fill, 0, '7', ' '};
	uint8_t out[SENDER_BLOCK_MAX];
	size_t len = sender_block(out, number, size, data, sizeof(data), x->crc);
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
	case FUZZ_NAME:
		return block(x, 0, 128, x->blocks % 2 ? 0 : 'n');
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

	if (size && data[size - 1] == 'S') {
		send_file(data, size - 1);
		return 0;
	}
	if (size && data[--size] == 'Y')
		x.header = header;
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
