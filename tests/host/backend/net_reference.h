/* SPDX-License-Identifier: BSD-2-Clause */
/* What checksums and segments of TCP are, done as plainly as can be. */
#ifndef TESTS_HOST_BACKEND_NET_REFERENCE_H
#define TESTS_HOST_BACKEND_NET_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A frame of TCP or UDP, to be made and to be looked at. */
struct reference {
	bool vlan, v6;
	uint8_t protocol;	      /* 6 or 17 */
	unsigned ip_extra, tcp_extra; /* bytes of options, or of IPv6 extensions (8s) */
	uint16_t id;
	uint32_t sequence;
	uint8_t flags;
	size_t payload;
	/* Where things are. */
	size_t ip, l4, data, len;
};

/* Bytes one after the other, in the network's order. */
uint16_t reference_checksum(const uint8_t *data, size_t len, uint32_t sum);
/* The frame of @r at @at, its payload from @payload, with all checksums as on the wire. */
void reference_make(struct reference *r, uint8_t *at, const uint8_t *payload);
/* Instead of TCP's or UDP's checksum, the pseudo header's. */
void reference_leave_sum(const struct reference *r, uint8_t *at);
/* Whether all checksums of @r's frame at @at are right. */
bool reference_right(const struct reference *r, const uint8_t *at);

#endif
