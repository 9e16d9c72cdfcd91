/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/backend/net_reference.h"

#include <string.h>

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/* Modulo 65535, word by word. */
static uint32_t sum_of(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		sum += i % 2 ? data[i] : data[i] << 8;
		if (sum >= 0x10000)
			sum -= 0xffff;
	}
	return sum;
}

uint16_t reference_checksum(const uint8_t *data, size_t len, uint32_t sum)
{
	sum += sum_of(data, len);
	while (sum >= 0x10000)
		sum -= 0xffff;
	return (uint16_t)~sum;
}

static uint32_t pseudo(const struct reference *r, const uint8_t *at)
{
	size_t len = r->len - r->l4;
	uint32_t sum = r->protocol + (len & 0xffff) + (len >> 16);

	return sum + (r->v6 ? sum_of(at + r->ip + 8, 32) : sum_of(at + r->ip + 12, 8));
}

static size_t sum_at(const struct reference *r)
{
	return r->l4 + (r->protocol == 6 ? 16 : 6);
}

static void make_ip(const struct reference *r, uint8_t *ip)
{
	unsigned i;

	if (r->v6) {
		ip[0] = 0x60;
		put16(ip + 4, (unsigned)(r->len - r->ip - 40));
		ip[6] = r->ip_extra ? 60 : r->protocol;
		ip[7] = 64;
		for (i = 8; i < 40; i++)
			ip[i] = (uint8_t)(i * 7);
		if (r->ip_extra) {
			ip[40] = r->protocol;
			ip[41] = (uint8_t)(r->ip_extra / 8 - 1);
		}
		return;
	}
	ip[0] = (uint8_t)(0x45 + r->ip_extra / 4);
	put16(ip + 2, (unsigned)(r->len - r->ip));
	put16(ip + 4, r->id);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = r->protocol;
	for (i = 12; i < 20; i++)
		ip[i] = (uint8_t)(i * 11);
	for (i = 20; i < 20 + r->ip_extra; i++)
		ip[i] = 1;
	put16(ip + 10, reference_checksum(ip, 20 + r->ip_extra, 0));
}

static void make_l4(const struct reference *r, uint8_t *l4)
{
	unsigned i;

	put16(l4, 1234);
	put16(l4 + 2, 80);
	if (r->protocol == 17) {
		put16(l4 + 4, (unsigned)(r->len - r->l4));
		return;
	}
	put16(l4 + 4, r->sequence >> 16);
	put16(l4 + 6, r->sequence & 0xffff);
	l4[12] = (uint8_t)((5 + r->tcp_extra / 4) << 4);
	l4[13] = r->flags;
	l4[14] = 0x10;
	for (i = 20; i < 20 + r->tcp_extra; i++)
		l4[i] = 1;
}

void reference_make(struct reference *r, uint8_t *at, const uint8_t *payload)
{
	unsigned i;

	r->ip = r->vlan ? 18 : 14;
	r->l4 = r->ip + (r->v6 ? 40 : 20) + r->ip_extra;
	r->data = r->l4 + (r->protocol == 6 ? 20 + r->tcp_extra : 8);
	r->len = r->data + r->payload;
	memset(at, 0, r->data);
	for (i = 0; i < 12; i++)
		at[i] = (uint8_t)(2 + i);
	at[6] = 2;
	if (r->vlan)
		put16(at + 12, 0x8100);
	put16(at + r->ip - 2, r->v6 ? 0x86dd : 0x0800);
	make_ip(r, at + r->ip);
	make_l4(r, at + r->l4);
	memcpy(at + r->data, payload, r->payload);
	i = reference_checksum(at + r->l4, r->len - r->l4, pseudo(r, at));
	put16(at + sum_at(r), i ? i : 0xffff);
}

void reference_leave_sum(const struct reference *r, uint8_t *at)
{
	put16(at + sum_at(r), (uint16_t)~reference_checksum(NULL, 0, pseudo(r, at)));
}

bool reference_right(const struct reference *r, const uint8_t *at)
{
	const uint8_t *ip = at + r->ip;

	if (!r->v6 && reference_checksum(ip, (ip[0] & 15) * 4u, 0))
		return false;
	return get16(at + sum_at(r)) &&
	       !reference_checksum(at + r->l4, r->len - r->l4, pseudo(r, at));
}
