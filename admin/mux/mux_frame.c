/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/mux/mux_frame.h"

#include "lib/compiler.h"
#include "lib/crc32c.h"

#include <string.h>

#define MUX_ESCAPE_ZEROES 4

size_t mux_frame_encode(uint8_t *wire, uint8_t channel, uint16_t pos, const void *data, size_t len)
{
	uint8_t raw[MUX_RAW_MAX] = {channel, (uint8_t)pos, (uint8_t)(pos >> 8)};
	size_t n = MUX_HEADER_SIZE + len;
	uint32_t crc;

	memcpy(raw + MUX_HEADER_SIZE, data, len);
	crc = crc32c(0, raw, n);
	for (unsigned i = 0; i < MUX_CRC_SIZE; i++, crc >>= 8)
		raw[n++] = (uint8_t)crc;
	wire[0] = 0;
	n = 1 + cobs_encode(raw, n, wire + 1);
	wire[n++] = 0;
	return n;
}

static enum mux_event mux_frame_end(struct mux_decoder *decoder, struct mux_frame *frame)
{
	const uint8_t *raw = decoder->buf;
	uint32_t crc = 0;
	size_t n;

	if (decoder->len > sizeof(decoder->buf))
		return MUX_TOO_LONG;
	n = cobs_decode(decoder->buf, decoder->len, decoder->buf);
	if (n == SIZE_MAX)
		return MUX_BAD_COBS;
	if (n < MUX_HEADER_SIZE + MUX_CRC_SIZE)
		return MUX_TOO_SHORT;
	if (n > MUX_RAW_MAX)
		return MUX_TOO_LONG;
	n -= MUX_CRC_SIZE;
	for (unsigned i = MUX_CRC_SIZE; i--;)
		crc = crc << 8 | raw[n + i];
	if (crc != crc32c(0, raw, n))
		return MUX_BAD_CRC;
	*frame = (struct mux_frame){.channel = raw[0],
				    .pos = (uint16_t)(raw[1] | raw[2] << 8),
				    .data = raw + MUX_HEADER_SIZE,
				    .len = n - MUX_HEADER_SIZE};
	return MUX_FRAME;
}

/* What a person can type who has no tool at hand: no frame begins so, for four zeroes never stand
 * before one. */
static enum mux_event mux_frame_said(const struct mux_decoder *decoder)
{
	static const char on[] = "mux on", off[] = "mux off";
	size_t len = decoder->len - 1; /* without the line's end */

	if (len == sizeof(on) - 1 && !memcmp(decoder->buf, on, len))
		return MUX_SAID_ON;
	if (len == sizeof(off) - 1 && !memcmp(decoder->buf, off, len))
		return MUX_SAID_OFF;
	return MUX_NOTHING;
}

enum mux_event mux_frame_decode(struct mux_decoder *decoder, uint8_t byte, struct mux_frame *frame)
{
	enum mux_event event = MUX_NOTHING;

	if (!byte) {
		if (decoder->len) {
			event = mux_frame_end(decoder, frame);
			decoder->zeroes = 0;
		}
		decoder->len = 0;
		decoder->zeroes += decoder->zeroes < MUX_ESCAPE_ZEROES;
		return event;
	}
	if (decoder->len < sizeof(decoder->buf))
		decoder->buf[decoder->len] = byte;
	decoder->len += decoder->len <= sizeof(decoder->buf);
	if ((byte == '\r' || byte == '\n') && decoder->zeroes == MUX_ESCAPE_ZEROES)
		event = mux_frame_said(decoder);
	if (event != MUX_NOTHING) {
		decoder->len = 0;
		decoder->zeroes = 0;
	}
	return event;
}
