/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What network cards leave to others, done for those who do not take it:
 * checksums, and TCP over IPv4 and IPv6 cut into segments.
 */
#ifndef DEVICES_BACKEND_NET_OFFLOAD_H
#define DEVICES_BACKEND_NET_OFFLOAD_H

#include "vmm/net_frontend.h"

/*
 * What a frame that is cut may have before its payload: Ethernet with a tag, IPv4 with options
 * and TCP with options, or IPv6 with 56 bytes of extensions.
 */
#define NET_CUT_HEADERS	 176u
#define NET_CUT_SEGMENTS 1024u /* of one frame */
#define NET_CUT_PIECES	 2u

/* A frame that goes out segment by segment, of which there is one where only a sum is missing. */
struct net_cut {
	struct net_frame segment; /* the next to go, complete */
	/* The rest is net_offload.c's. */
	const struct net_piece *whole;
	size_t payload, done; /* bytes: of the frame; of segments before this one */
	struct net_offload offload;
	size_t header_len;
	uint8_t header[NET_CUT_HEADERS], out[NET_CUT_HEADERS]; /* the frame's; the segment's */
	struct net_piece pieces[1 + NET_CUT_PIECES];
};

/* Whether the offload of @frame is consistent in itself: its content may still be none that it
 * fits. */
bool net_offload_valid(const struct net_frame *frame) __must_check;

/* @frame has net_offload_valid(), at most NET_CUT_PIECES pieces, and stays until all is done.
 * False: it cannot be done, since its headers are not what its offload says. */
bool net_cut_start(struct net_cut *cut, const struct net_frame *frame) __must_check;
/* The segment is gone; false: it was the last. */
bool net_cut_next(struct net_cut *cut) __must_check;

/* The Internet checksum's sum (RFC 1071) of @len bytes at @data, in the byte order of memory:
 * added to @sum, which had @at bytes before. */
uint64_t net_sum(uint64_t sum, size_t at, const uint8_t *data, size_t len);
/* In 16 bits, not inverted. */
uint16_t net_sum_fold(uint64_t sum);

#endif
