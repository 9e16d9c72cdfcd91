/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames of a line that carries many streams (docs/mux.md): a channel, the position of the
 * first byte in it, bytes, CRC32C; stuffed, between two zeroes. Pure: no lock, no memory.
 */
#ifndef ADMIN_MUX_MUX_FRAME_H
#define ADMIN_MUX_MUX_FRAME_H

#include "lib/cobs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUX_HEADER_SIZE 3
#define MUX_CRC_SIZE	4
#define MUX_PAYLOAD_MAX 246
#define MUX_RAW_MAX	(MUX_HEADER_SIZE + MUX_PAYLOAD_MAX + MUX_CRC_SIZE)
/* On the line, without and with the zeroes. */
#define MUX_STUFFED_MAX COBS_MAX(MUX_RAW_MAX)
#define MUX_WIRE_MAX	(MUX_STUFFED_MAX + 2)

enum mux_event {
	MUX_NOTHING,
	MUX_FRAME,
	/* What is said in clear text behind four zeroes. */
	MUX_SAID_ON,
	MUX_SAID_OFF,
	/* Errors: a frame that is none. */
	MUX_BAD_COBS,
	MUX_BAD_CRC,
	MUX_TOO_LONG,
	MUX_TOO_SHORT,
};

struct mux_frame {
	uint8_t channel;
	uint16_t pos;
	const uint8_t *data; /* until the decoder's next byte */
	size_t len;	     /* MUX_PAYLOAD_MAX at most */
};

/* All zero: between two frames. */
struct mux_decoder {
	uint8_t buf[MUX_STUFFED_MAX];
	size_t len; /* that came since the last zero; more than buf has: too long */
	unsigned zeroes;
};

/* @len: MUX_PAYLOAD_MAX at most. Returns how many bytes of @wire (MUX_WIRE_MAX) are used. */
size_t mux_frame_encode(uint8_t *wire, uint8_t channel, uint16_t pos, const void *data, size_t len);
/* The next byte of the line. MUX_FRAME: *@frame is one. */
enum mux_event mux_frame_decode(struct mux_decoder *decoder, uint8_t byte, struct mux_frame *frame);

#endif
