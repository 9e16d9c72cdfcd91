/* SPDX-License-Identifier: BSD-2-Clause */
/* What packets ask for. One that is not known gets an empty answer, as the protocol wants it. */
#include "admin/gdb/gdb.h"

#include <errno.h>
#include <string.h>

#define READ_MAX   ((size_t)GDB_PACKET_MAX / 2)
#define THREAD_ALL UINT32_MAX

/* How a vCPU is called: its index + 1, for 0 and -1 are any and all. */
static bool gdb_thread(struct gdb *g, const char **at, const char *end, uint32_t *index)
{
	uint64_t number;

	if (end - *at >= 2 && !memcmp(*at, "-1", 2)) {
		*at += 2;
		*index = THREAD_ALL;
		return true;
	}
	if (!gdb_number(at, end, &number) || number > g->vm->vcpu_count)
		return false;
	*index = number ? (uint32_t)number - 1 : THREAD_ALL;
	return true;
}

void gdb_stop_reply(struct gdb *g, unsigned signal)
{
	gdb_reply(g, "T%02x", signal);
	if (g->why && strchr(g->why, 'w') && !strchr(g->why, ':'))
		gdb_reply(g, "%s:%lx;", g->why, g->why_address);
	else if (g->why)
		gdb_reply(g, "%s", g->why);
	gdb_reply(g, "thread:%x;", g->thread + 1);
}

static void gdb_error(struct gdb *g, int err)
{
	if (err != -ENOSYS)
		gdb_reply(g, err ? "E%02x" : "OK", -err & 0xff);
}

/* m ADDRESS,LENGTH; M and X with :DATA behind, in digits or as it is. */
static void gdb_memory(struct gdb *g, struct vcpu *vcpu)
{
	const char *at = g->packet + 1, *end = g->packet + g->len;
	uint8_t data[READ_MAX];
	uint64_t address, len;
	bool ok = gdb_number(&at, end, &address) && at < end && *at++ == ',' &&
		  gdb_number(&at, end, &len) && len <= READ_MAX;

	if (ok && g->packet[0] == 'm') {
		ok = gdb_read_memory(vcpu, address, data, len);
		if (ok)
			gdb_reply_hex(g, data, len);
	} else if (ok) {
		ok = at < end && *at++ == ':';
		if (ok && g->packet[0] == 'M')
			ok = (size_t)(end - at) == 2 * len && gdb_bytes(at, data, len);
		else if (ok && (size_t)(end - at) == len)
			memcpy(data, at, len);
		else
			ok = false;
		ok = ok && gdb_write_memory(vcpu, address, data, len);
		if (ok)
			gdb_reply(g, "OK");
	}
	if (!ok)
		gdb_error(g, -EFAULT);
}

/* Z and z TYPE,ADDRESS,KIND */
static void gdb_break(struct gdb *g, struct vcpu *vcpu)
{
	const char *at = g->packet + 1, *end = g->packet + g->len;
	uint64_t type, address, len;

	if (!gdb_number(&at, end, &type) || at >= end || *at++ != ',' ||
	    !gdb_number(&at, end, &address) || at >= end || *at++ != ',' ||
	    !gdb_number(&at, end, &len) || type > 9)
		gdb_error(g, -EINVAL);
	else if (g->packet[0] == 'Z')
		gdb_error(g, gdb_break_set(g, vcpu, (unsigned)type, address, len));
	else
		gdb_error(g, gdb_break_clear(g, vcpu, (unsigned)type, address));
}

/* p NUMBER, P NUMBER=VALUE */
static void gdb_register(struct gdb *g, struct vcpu *vcpu)
{
	const char *at = g->packet + 1, *end = g->packet + g->len;
	uint64_t number;

	if (!gdb_number(&at, end, &number))
		gdb_error(g, -EINVAL);
	else if (g->packet[0] == 'p')
		gdb_read_register(g, vcpu, number);
	else if (at < end && *at == '=')
		gdb_write_register(g, vcpu, number, at + 1);
	else
		gdb_error(g, -EINVAL);
}

/* qXfer:features:read:target.xml:OFFSET,LENGTH */
static void gdb_description(struct gdb *g, const char *at)
{
	const char *end = g->packet + g->len;
	uint64_t offset, len;

	if (!gdb_number(&at, end, &offset) || at >= end || *at++ != ',' ||
	    !gdb_number(&at, end, &len) || offset > gdb_target_xml_len) {
		gdb_error(g, -EINVAL);
		return;
	}
	len = MIN(len, (uint64_t)GDB_PACKET_MAX - 1);
	len = MIN(len, gdb_target_xml_len - offset);
	gdb_reply(g, "%c%.*s", offset + len == gdb_target_xml_len ? 'l' : 'm', (int)len,
		  gdb_target_xml + offset);
}

static void gdb_query(struct gdb *g)
{
	static const char features[] = "qXfer:features:read:target.xml:";

	if (!strncmp(g->packet, "qSupported", 10)) {
		gdb_reply(g,
			  "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;vContSupported+;"
			  "swbreak+;hwbreak+",
			  GDB_PACKET_MAX);
	} else if (!strncmp(g->packet, features, sizeof(features) - 1)) {
		gdb_description(g, g->packet + sizeof(features) - 1);
	} else if (!strcmp(g->packet, "qfThreadInfo")) {
		for (uint32_t i = 0; i < g->vm->vcpu_count; i++)
			gdb_reply(g, "%c%x", i ? ',' : 'm', i + 1);
	} else if (!strcmp(g->packet, "qsThreadInfo")) {
		gdb_reply(g, "l");
	} else if (!strcmp(g->packet, "qC")) {
		gdb_reply(g, "QC%x", g->thread + 1);
	} else if (!strcmp(g->packet, "qAttached")) {
		gdb_reply(g, "1");
	} else if (!strcmp(g->packet, "QStartNoAckMode")) {
		g->no_ack = true;
		gdb_reply(g, "OK");
	}
}

/* Hg THREAD, Hc THREAD; T THREAD. */
static void gdb_select(struct gdb *g, const char *at, bool select)
{
	uint32_t index;

	if (!gdb_thread(g, &at, g->packet + g->len, &index))
		gdb_error(g, -EINVAL);
	else
		gdb_error(g, 0);
	if (select && g->reply[0] == 'O' && index != THREAD_ALL)
		g->thread = index;
}

/*
 * vCont;ACTION[:THREAD];… where actions are c and s, with signals (C05), which
 * a machine has not. One vCPU at most steps; the others run on meanwhile.
 */
static void gdb_continue(struct gdb *g)
{
	const char *at = g->packet + 5, *end = g->packet + g->len;

	if (!strcmp(g->packet, "vCont?")) {
		gdb_reply(g, "vCont;c;C;s;S");
		return;
	}
	while (at + 1 < end && *at == ';') {
		bool step = at[1] == 's' || at[1] == 'S';
		uint32_t index = g->thread;

		at += 2;
		while (at < end && *at != ':' && *at != ';')
			at++;
		if (at < end && *at == ':' && (at++, !gdb_thread(g, &at, end, &index))) {
			gdb_error(g, -EINVAL);
			return;
		}
		if (step && !g->step)
			g->step = (index == THREAD_ALL ? g->thread : index) + 1;
	}
	g->running = true;
}

static void gdb_run(struct gdb *g)
{
	if (g->packet[0] == 's')
		g->step = g->thread + 1;
	if (g->len > 1)
		gdb_error(g, -EINVAL); /* from another address: gdb writes RIP instead */
	else
		g->running = true;
}

static void gdb_end(struct gdb *g)
{
	g->ended = true;
	if (g->packet[0] == 'D')
		gdb_error(g, 0);
}

void gdb_command(struct gdb *g)
{
	struct vcpu *vcpu;

	/* In another life of the VM there may be fewer. */
	if (g->thread >= g->vm->vcpu_count)
		g->thread = 0;
	vcpu = g->vm->vcpus[g->thread];
	g->step = 0;
	switch (g->packet[0]) {
	case '?':
		gdb_stop_reply(g, GDB_SIGTRAP);
		break;
	case 'g':
		gdb_read_registers(g, vcpu);
		break;
	case 'G':
		gdb_write_registers(g, vcpu, g->packet + 1);
		break;
	case 'p':
	case 'P':
		gdb_register(g, vcpu);
		break;
	case 'm':
	case 'M':
	case 'X':
		gdb_memory(g, vcpu);
		break;
	case 'Z':
	case 'z':
		gdb_break(g, vcpu);
		break;
	case 'q':
	case 'Q':
		gdb_query(g);
		break;
	case 'H':
		gdb_select(g, g->packet + MIN(g->len, (size_t)2), g->packet[1] == 'g');
		break;
	case 'T':
		gdb_select(g, g->packet + 1, false);
		break;
	case 'v':
		if (!strncmp(g->packet, "vCont", 5))
			gdb_continue(g);
		break;
	case 'c':
	case 's':
		gdb_run(g);
		break;
	case 'D':
	case 'k':
		gdb_end(g);
		break;
	default:
		break;
	}
}
