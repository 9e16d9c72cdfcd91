/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/gdb/gdb_packet.c admin/gdb/gdb_command.c admin/gdb/gdb_regs.c */
/* test-sources: admin/gdb/gdb_memory.c admin/gdb/gdb_break.c tests/host/admin/gdb_world.c */
/* gdb's line carries anything; what of it is a packet has a good sum by the fuzzer's grace. */
#include "tests/host/admin/gdb_world.h"

#include <stdlib.h>
#include <string.h>

static size_t sent;

static void write_line(struct gdb *g __unused, const char *s, size_t len)
{
	for (; len--; s++)
		sent += (unsigned char)*s;
}

static void one(char byte)
{
	struct gdb *g = &world_gdb;

	if (gdb_feed(g, byte) != GDB_PACKET)
		return;
	gdb_command(g);
	if (g->reply_len > GDB_PACKET_MAX || g->thread > 1 || g->step > 2)
		abort();
	gdb_send(g, write_line);
	if (g->running) {
		gdb_break_load(g);
		gdb_exception(&g->debug, &world_vcpus[g->thread], 1);
		gdb_exception(&g->debug, &world_vcpus[g->thread], 6);
		gdb_stop_reply(g, GDB_SIGTRAP);
		gdb_send(g, write_line);
	}
	g->running = false;
}

/* A line of the input is a packet, and sent as such; with a 0 in front it goes as it is. */
static void line(const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum = 0;

	if (len && !*data) {
		for (size_t i = 1; i < len; i++)
			one((char)data[i]);
		return;
	}
	one('$');
	for (size_t i = 0; i < len; i++) {
		one((char)data[i]);
		sum = (uint8_t)(sum + data[i]);
	}
	one('#');
	one(digits[sum >> 4]);
	one(digits[sum & 15]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	world_reset();
	while (size) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;

		line(data, len);
		len += !!end;
		data += len;
		size -= len;
	}
	gdb_break_clear_all(&world_gdb);
	return 0;
}
