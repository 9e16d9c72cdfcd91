/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spec: RFC 1071 (checksum), RFC 791 (IPv4), RFC 8200 (IPv6), RFC 9293 (TCP),
 * RFC 3168, 6.1.2 (CWR); IEEE 802.1Q (tag).
 */
#include "devices/backend/net_offload.h"

#include <string.h>

#define ETHERTYPE      12
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100

#define IP_MAX 65535u

#define IPV4_HEADER   20
#define IPV4_LENGTH   2
#define IPV4_ID	      4
#define IPV4_FRAGMENT 6
#define IPV4_MORE     0x3fff /* more fragments come, or this is not the first */
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_SOURCE   12

#define IPV6_HEADER 40
#define IPV6_LENGTH 4
#define IPV6_NEXT   6
#define IPV6_SOURCE 8

/* IPv6 extensions that change nothing of the checksum: RFC 8200, 4.3 and 4.6. */
#define PROTOCOL_HOP_BY_HOP  0
#define PROTOCOL_DESTINATION 60
#define PROTOCOL_TCP	     6

#define TCP_HEADER   20
#define TCP_SEQUENCE 4
#define TCP_OFFSET   12
#define TCP_FLAGS    13
#define TCP_CHECKSUM 16
#define TCP_FIN	     0x01
#define TCP_PSH	     0x08
#define TCP_CWR	     0x80

static uint32_t get(const uint8_t *at, unsigned n)
{
	uint32_t value = 0;

	while (n--)
		value = value << 8 | *at++;
	return value;
}

static void put(uint8_t *at, uint32_t value, unsigned n)
{
	for (; n--; value >>= 8)
		at[n] = (uint8_t)value;
}

static uint64_t sum_add(uint64_t sum, uint64_t value)
{
	sum += value;
	return sum + (sum < value); /* the carry comes round */
}

uint16_t net_sum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	sum = (sum >> 16) + (uint16_t)sum;
	return (uint16_t)sum;
}

uint64_t net_sum(uint64_t sum, size_t at, const uint8_t *data, size_t len)
{
	uint64_t own = 0, word;

	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		own = sum_add(own, word);
	}
	word = 0;
	memcpy(&word, data, len);
	own = sum_add(own, word);
	/* RFC 1071, 2 (B): what begins at an odd byte has its sum's bytes swapped. */
	return sum_add(sum, at % 2 ? __builtin_bswap16(net_sum_fold(own)) : own);
}

bool net_offload_valid(const struct net_frame *frame)
{
	const struct net_offload *o = &frame->offload;
	uint8_t tso = o->flags & (NET_TSO4 | NET_TSO6);

	if (!(o->flags & NET_TODO))
		return true;
	if (!(o->flags & NET_CSUM_PARTIAL) || tso == (NET_TSO4 | NET_TSO6) ||
	    (!tso && o->flags & NET_TSO_ECN) || (tso && !o->gso_size))
		return false;
	return o->csum_start >= NET_HEADER &&
	       (size_t)o->csum_start + o->csum_offset + sizeof(uint16_t) <= frame->len;
}

/* Headers. */

/* Where IP begins, whose type is then in *@type. */
static size_t net_cut_ip(const struct net_cut *cut, uint32_t *type)
{
	*type = get(cut->header + ETHERTYPE, 2);
	if (*type != ETHERTYPE_VLAN)
		return NET_HEADER;
	*type = get(cut->header + ETHERTYPE + NET_VLAN_TAG, 2);
	return NET_HEADER + NET_VLAN_TAG;
}

/* Whether IPv4 at @ip leads to TCP where the offload says that it is. */
static bool net_cut_is_ipv4(const struct net_cut *cut, size_t ip, uint32_t type)
{
	const uint8_t *header = cut->header + ip;

	return type == ETHERTYPE_IPV4 && ip + IPV4_HEADER <= cut->offload.csum_start &&
	       header[0] >> 4 == 4 && ip + (header[0] & 0xf) * 4u == cut->offload.csum_start &&
	       !(get(header + IPV4_FRAGMENT, 2) & IPV4_MORE) &&
	       header[IPV4_PROTOCOL] == PROTOCOL_TCP;
}

static bool net_cut_is_ipv6(const struct net_cut *cut, size_t ip, uint32_t type)
{
	size_t at = ip + IPV6_HEADER, tcp = cut->offload.csum_start;
	uint8_t next;

	if (type != ETHERTYPE_IPV6 || at > tcp || cut->header[ip] >> 4 != 6)
		return false;
	next = cut->header[ip + IPV6_NEXT];
	while (at < tcp && (next == PROTOCOL_HOP_BY_HOP || next == PROTOCOL_DESTINATION)) {
		next = cut->header[at];
		at += (cut->header[at + 1] + 1u) * 8;
	}
	return at == tcp && next == PROTOCOL_TCP;
}

/* From frame bytes @at on, which are there. */
static void net_cut_copy(const struct net_frame *frame, uint8_t *to, size_t len)
{
	size_t n, i;

	for (i = 0; len; i++, to += n, len -= n) {
		n = MIN(len, frame->pieces[i].len);
		memcpy(to, frame->pieces[i].data, n);
	}
}

/* How long the headers are of what is cut; 0: they are not what the offload says. The header has
 * what there is of the frame, and zeroes behind. */
static size_t net_cut_tcp(const struct net_cut *cut, size_t frame_len)
{
	size_t tcp = cut->offload.csum_start, ip, len;
	uint32_t type;

	if (tcp + TCP_HEADER > MIN(frame_len, NET_CUT_HEADERS) ||
	    cut->offload.csum_offset != TCP_CHECKSUM)
		return 0;
	ip = net_cut_ip(cut, &type);
	if (!(cut->offload.flags & NET_TSO6 ? net_cut_is_ipv6(cut, ip, type)
					    : net_cut_is_ipv4(cut, ip, type)))
		return 0;
	len = tcp + (cut->header[tcp + TCP_OFFSET] >> 4) * 4u;
	return len < tcp + TCP_HEADER || len > MIN(frame_len, NET_CUT_HEADERS) ? 0 : len;
}

/* Segments. */

/* IP's fields of a segment that has @len bytes from IP on. */
static void net_cut_set_ip(struct net_cut *cut, size_t ip, size_t len, unsigned index)
{
	uint8_t *header = cut->out + ip;
	uint16_t sum;

	if (cut->offload.flags & NET_TSO6) {
		put(header + IPV6_LENGTH, (uint32_t)(len - IPV6_HEADER), 2);
		return;
	}
	put(header + IPV4_LENGTH, (uint32_t)len, 2);
	put(header + IPV4_ID, get(header + IPV4_ID, 2) + index, 2);
	put(header + IPV4_CHECKSUM, 0, 2);
	sum = (uint16_t)~net_sum_fold(net_sum(0, 0, header, cut->offload.csum_start - ip));
	memcpy(header + IPV4_CHECKSUM, &sum, sizeof(sum));
}

/* The sum of the pseudo header, where TCP has @len bytes. What the sender left there may have been
 * for the whole frame's length, or for none. */
static uint16_t net_cut_pseudo(const struct net_cut *cut, size_t ip, size_t len)
{
	bool v6 = cut->offload.flags & NET_TSO6;
	uint8_t tail[8];
	uint64_t sum = net_sum(0, 0, cut->out + ip + (v6 ? IPV6_SOURCE : IPV4_SOURCE), v6 ? 32 : 8);

	put(tail, (uint32_t)len, 4);
	put(tail + 4, PROTOCOL_TCP, 4);
	return net_sum_fold(net_sum(sum, 0, tail, sizeof(tail)));
}

/* The headers of a segment with @len bytes of payload. */
static void net_cut_set_headers(struct net_cut *cut, size_t len)
{
	unsigned index = (unsigned)(cut->done / cut->offload.gso_size);
	size_t start = cut->offload.csum_start, ip;
	uint8_t *tcp = cut->out + start;
	uint16_t pseudo;
	uint32_t type;

	ip = net_cut_ip(cut, &type);
	net_cut_set_ip(cut, ip, cut->header_len + len - ip, index);
	put(tcp + TCP_SEQUENCE, get(tcp + TCP_SEQUENCE, 4) + (uint32_t)cut->done, 4);
	if (cut->done + len < cut->payload)
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (index)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	pseudo = net_cut_pseudo(cut, ip, cut->header_len + len - start);
	memcpy(tcp + TCP_CHECKSUM, &pseudo, sizeof(pseudo));
}

/* Payload from byte @at on; how many pieces behind the first. */
static size_t net_cut_payload(struct net_cut *cut, size_t at, size_t len)
{
	size_t i, n, count = 1;

	at += cut->header_len;
	for (i = 0; len; at -= cut->whole[i++].len) {
		const struct net_piece *piece = &cut->whole[i];

		if (at >= piece->len)
			continue;
		n = MIN(len, piece->len - at);
		cut->pieces[count++] = (struct net_piece){piece->data + at, n};
		len -= n;
		at = piece->len; /* and 0 in the next one */
	}
	return count;
}

/* Sums what is there of the segment from csum_start on. Where 0 would say that there is no sum (of
 * UDP: RFC 768), it is the other 0, which all others take as well. */
static void net_cut_checksum(struct net_cut *cut)
{
	size_t start = cut->offload.csum_start, at = cut->header_len - start, i;
	uint64_t sum = net_sum(0, 0, cut->out + start, at);
	uint16_t result;

	for (i = 1; i < cut->segment.piece_count; i++) {
		sum = net_sum(sum, at, cut->pieces[i].data, cut->pieces[i].len);
		at += cut->pieces[i].len;
	}
	result = (uint16_t)~net_sum_fold(sum);
	if (!result)
		result = UINT16_MAX;
	memcpy(cut->out + start + cut->offload.csum_offset, &result, sizeof(result));
}

static void net_cut_make(struct net_cut *cut)
{
	bool tso = cut->offload.flags & (NET_TSO4 | NET_TSO6);
	size_t len = cut->payload - cut->done;

	if (tso)
		len = MIN(len, (size_t)cut->offload.gso_size);
	memcpy(cut->out, cut->header, cut->header_len);
	if (tso)
		net_cut_set_headers(cut, len);
	cut->pieces[0] = (struct net_piece){cut->out, cut->header_len};
	cut->segment.pieces = cut->pieces;
	cut->segment.piece_count = net_cut_payload(cut, cut->done, len);
	cut->segment.len = cut->header_len + len;
	cut->segment.offload = (struct net_offload){.flags = NET_CSUM_VALID};
	net_cut_checksum(cut);
	cut->done += len;
}

static bool net_cut_sizes_fit(const struct net_cut *cut)
{
	size_t gso_size = cut->offload.gso_size;

	return cut->payload / gso_size <= NET_CUT_SEGMENTS &&
	       cut->header_len - NET_HEADER + MIN(gso_size, cut->payload) <= IP_MAX;
}

bool net_cut_start(struct net_cut *cut, const struct net_frame *frame)
{
	size_t there = MIN(frame->len, NET_CUT_HEADERS);

	cut->whole = frame->pieces;
	cut->offload = frame->offload;
	net_cut_copy(frame, cut->header, there);
	memset(cut->header + there, 0, NET_CUT_HEADERS - there);
	cut->header_len = (size_t)cut->offload.csum_start + cut->offload.csum_offset + 2;
	if (cut->offload.flags & (NET_TSO4 | NET_TSO6))
		cut->header_len = net_cut_tcp(cut, frame->len);
	if (!cut->header_len || cut->header_len > NET_CUT_HEADERS)
		return false;
	cut->payload = frame->len - cut->header_len;
	cut->done = 0;
	if (cut->offload.flags & (NET_TSO4 | NET_TSO6) && !net_cut_sizes_fit(cut))
		return false;
	net_cut_make(cut);
	return true;
}

bool net_cut_next(struct net_cut *cut)
{
	if (cut->done == cut->payload)
		return false;
	net_cut_make(cut);
	return true;
}
