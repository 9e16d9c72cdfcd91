/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets: $CONTENT#SUM, with } before bytes that are not themselves (E.1). */
#include "admin/gdb/gdb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CTRL_C		'\x03'
#define CTRL_BRACKET	'\x1d'
#define GDB_ESCAPE	'}'
#define GDB_ESCAPE_FLIP 0x20

static int gdb_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool gdb_number(const char **at, const char *end, uint64_t *value)
{
	const char *start = *at;

	for (*value = 0; *at < end && gdb_digit(**at) >= 0; ++*at) {
		if (*at - start == 16)
			return false;
		*value = *value << 4 | (unsigned)gdb_digit(**at);
	}
	return *at > start;
}

bool gdb_bytes(const char *hex, uint8_t *data, size_t len)
{
	for (; len--; hex += 2) {
		if (gdb_digit(hex[0]) < 0 || gdb_digit(hex[1]) < 0)
			return false;
		*data++ = (uint8_t)(gdb_digit(hex[0]) << 4 | gdb_digit(hex[1]));
	}
	return true;
}

/* In place: what is escaped becomes shorter. */
static void gdb_unescape(struct gdb *g)
{
	size_t to = 0;

	for (size_t from = 0; from < g->len; from++) {
		char c = g->packet[from];

		if (c == GDB_ESCAPE && from + 1 < g->len)
			c = (char)(g->packet[++from] ^ GDB_ESCAPE_FLIP);
		g->packet[to++] = c;
	}
	g->len = to;
	g->packet[to] = '\0';
}

static enum gdb_event gdb_outside(struct gdb *g, char byte)
{
	if (byte == CTRL_C)
		return GDB_INTERRUPT;
	if (byte == CTRL_BRACKET)
		return GDB_LEAVE;
	/* Acknowledgements, too, are passed over: what is lost is asked for again. */
	if (byte == '$') {
		g->input = GDB_INSIDE;
		g->len = 0;
		g->sum = 0;
	}
	return GDB_NOTHING;
}

static enum gdb_event gdb_inside(struct gdb *g, char byte)
{
	if (byte == '#') {
		g->input = GDB_SUM_HIGH;
	} else if (byte == '$' || g->len == GDB_PACKET_MAX) {
		/* The end of the last one was lost, or there is none. */
		g->input = byte == '$' ? GDB_INSIDE : GDB_OUTSIDE;
		g->len = 0;
		g->sum = 0;
	} else {
		g->packet[g->len++] = byte;
		g->sum = (uint8_t)(g->sum + (uint8_t)byte);
	}
	return GDB_NOTHING;
}

enum gdb_event gdb_feed(struct gdb *g, char byte)
{
	int digit = gdb_digit(byte);

	switch (g->input) {
	case GDB_OUTSIDE:
		return gdb_outside(g, byte);
	case GDB_INSIDE:
		return gdb_inside(g, byte);
	case GDB_SUM_HIGH:
		g->sum_said = digit < 0 ? 0 : (uint8_t)(digit << 4);
		g->input = digit < 0 ? GDB_OUTSIDE : GDB_SUM_LOW;
		return digit < 0 ? GDB_BROKEN : GDB_NOTHING;
	default:
		g->input = GDB_OUTSIDE;
		if (digit < 0 || (g->sum_said | digit) != g->sum)
			return GDB_BROKEN;
		gdb_unescape(g);
		return GDB_PACKET;
	}
}

void gdb_reply(struct gdb *g, const char *fmt, ...)
{
	size_t room = sizeof(g->reply) - g->reply_len;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(g->reply + g->reply_len, room, fmt, args);
	va_end(args);
	g->reply_len += MIN((size_t)MAX(len, 0), room - 1);
}

void gdb_reply_hex(struct gdb *g, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *byte = data;

	for (; len-- && g->reply_len + 2 < sizeof(g->reply); byte++) {
		g->reply[g->reply_len++] = digits[*byte >> 4];
		g->reply[g->reply_len++] = digits[*byte & 15];
	}
	g->reply[g->reply_len] = '\0';
}

/* Nothing that we send needs escaping. */
void gdb_send(struct gdb *g, void (*write)(struct gdb *g, const char *s, size_t len))
{
	char end[4];
	uint8_t sum = 0;

	for (size_t i = 0; i < g->reply_len; i++)
		sum = (uint8_t)(sum + (uint8_t)g->reply[i]);
	snprintf(end, sizeof(end), "#%02x", sum);
	write(g, "$", 1);
	write(g, g->reply, g->reply_len);
	write(g, end, 3);
	g->reply_len = 0;
	g->reply[0] = '\0';
}
