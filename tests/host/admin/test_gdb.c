/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/gdb/gdb_packet.c admin/gdb/gdb_command.c admin/gdb/gdb_regs.c */
/* test-sources: admin/gdb/gdb_memory.c admin/gdb/gdb_break.c tests/host/admin/gdb_world.c */
/* gdb's remote protocol: packets, and what is answered to each. */
#include "tests/host/admin/gdb_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTOR_DB 1
#define VECTOR_UD 6
#define FLAGS_TF  0x100u
#define DR6_BS	  0x4000u

static struct gdb *const g = &world_gdb;
static char sent[8192];

static void write_line(struct gdb *of, const char *s, size_t len)
{
	size_t at = strlen(sent);

	assert_ptr_equal(of, g);
	assert_true(at + len < sizeof(sent));
	memcpy(sent + at, s, len);
	sent[at + len] = '\0';
}

static int setup(void **state)
{
	(void)state;
	world_reset();
	return 0;
}

static enum gdb_event feed(const char *bytes)
{
	enum gdb_event event = GDB_NOTHING;

	for (; *bytes; bytes++) {
		assert_int_equal(event, GDB_NOTHING);
		event = gdb_feed(g, *bytes);
	}
	return event;
}

/* The content of the answer to one packet. */
static const char *ask(const char *content)
{
	uint8_t sum = 0;
	char end[4];

	for (const char *c = content; *c; c++)
		sum = (uint8_t)(sum + (uint8_t)*c);
	snprintf(end, sizeof(end), "#%02x", sum);
	assert_int_equal(feed("$"), GDB_NOTHING);
	assert_int_equal(feed(content), GDB_NOTHING);
	assert_int_equal(feed(end), GDB_PACKET);
	gdb_command(g);
	sent[0] = '\0';
	gdb_send(g, write_line);
	assert_true(sent[0] == '$' && sent[strlen(sent) - 3] == '#');
	sent[strlen(sent) - 3] = '\0';
	return sent + 1;
}

static void test_packets(void **state)
{
	char flood[3 * GDB_PACKET_MAX];

	(void)state;
	assert_int_equal(feed("noise+-$qC#b4"), GDB_PACKET);
	assert_string_equal(g->packet, "qC");
	assert_int_equal(feed("$qC#b5"), GDB_BROKEN);
	assert_int_equal(feed("$qC#x"), GDB_BROKEN);
	assert_int_equal(feed("$qC#bx"), GDB_BROKEN);
	/* The end of one is lost. */
	assert_int_equal(feed("$Hg$qC#b4"), GDB_PACKET);
	assert_string_equal(g->packet, "qC");
	assert_int_equal(feed("$a}\x03}]b#1d"), GDB_PACKET);
	assert_string_equal(g->packet, "a#}b");
	assert_int_equal(g->len, 4);
	/* Longer than a packet may be, and the next one is a good one. */
	memset(flood, 'a', sizeof(flood) - 1);
	flood[sizeof(flood) - 1] = '\0';
	assert_int_equal(feed("$"), GDB_NOTHING);
	assert_int_equal(feed(flood), GDB_NOTHING);
	assert_int_equal(feed("$qC#b4"), GDB_PACKET);
	/* Between packets alone. */
	assert_int_equal(feed("\x03"), GDB_INTERRUPT);
	assert_int_equal(feed("\x1d"), GDB_LEAVE);
	assert_int_equal(feed("$\x03\x1d"), GDB_NOTHING);
	g->input = GDB_OUTSIDE;
	gdb_reply(g, "OK");
	sent[0] = '\0';
	gdb_send(g, write_line);
	assert_string_equal(sent, "$OK#9a");
}

static void test_registers(void **state)
{
	const char *all;

	(void)state;
	world_vcpus[0].gpr[GPR_RAX] = 0x1122334455667788;
	world_vcpus[0].gpr[15] = 15;
	world_vcpus[0].rip = 0xffff800000001234;
	assert_string_equal(ask("p0"), "8877665544332211");
	assert_string_equal(ask("pf"), "0f00000000000000");
	assert_string_equal(ask("p10"), "34120000"
					"0080ffff");
	assert_string_equal(ask("p11"), "02000000");
	assert_string_equal(ask("p12"), "08000000");
	assert_string_equal(ask("p18"), "xxxxxxxxxxxxxxxxxxxx");
	assert_string_equal(ask("p28"), "0040000000000000");
	assert_string_equal(ask("p30"), "E01");
	assert_string_equal(ask("pffffffffffffffff"), "E01");
	assert_string_equal(ask("p"), "E16");
	all = ask("g");
	assert_int_equal(strlen(all), 2 * (16 * 8 + 8 + 7 * 4 + 8 * 10 + 8 * 4 + 7 * 8));
	assert_memory_equal(all, "8877665544332211", 16);
	assert_string_equal(ask("P1=0102030405060708"), "OK");
	assert_int_equal(world_vcpus[0].gpr[GPR_RBX], 0x0807060504030201);
	assert_string_equal(ask("P10=0010000000000000"), "OK");
	assert_int_equal(world_vcpus[0].rip, 0x1000);
	/* Flags of arithmetic only; nothing that paging or segments are made of. */
	assert_string_equal(ask("P11=ffffffff"), "OK");
	assert_int_equal(world_regs[0][VCPU_RFLAGS], 0xcd7);
	assert_string_equal(ask("P12=ff000000"), "E01");
	assert_string_equal(ask("P2a=ff00000000000000"), "E01");
	assert_string_equal(ask("P1=01020304"), "E01");
	assert_string_equal(ask("P1=010203040506070x"), "E01");
	assert_string_equal(ask("P1"), "E16");
}

static void test_all_registers_written(void **state)
{
	char packet[GDB_PACKET_MAX];

	(void)state;
	snprintf(packet, sizeof(packet), "G%s", ask("g"));
	assert_string_equal(ask(packet), "OK");
	memcpy(packet + 1, "2a00000000000000", 16);
	assert_string_equal(ask(packet), "OK");
	assert_int_equal(world_vcpus[0].gpr[GPR_RAX], 42);
	packet[20] = '\0';
	assert_string_equal(ask(packet), "E01");
}

static void test_memory(void **state)
{
	(void)state;
	assert_string_equal(ask("m10,4"), "10111213");
	assert_string_equal(ask("mffff800000000ffe,4"), "feff0001");
	assert_string_equal(ask("m10,0"), "");
	assert_int_equal(strlen(ask("m0,400")), 2048);
	assert_string_equal(ask("m0,401"), "E0e");
	assert_string_equal(ask("mffff,2"), "E0e");
	assert_string_equal(ask("m7fffffffffffffff,1"), "E0e");
	assert_string_equal(ask("m10"), "E0e");
	assert_string_equal(ask("m11111111111111111,1"), "E0e");
	assert_string_equal(ask("M20,3:a1b2c3"), "OK");
	assert_memory_equal(world_ram + 0x1f, "\x1f\xa1\xb2\xc3\x23", 5);
	assert_string_equal(ask("M20,3:a1b2"), "E0e");
	assert_string_equal(ask("M20,3:a1b2cx"), "E0e");
	assert_string_equal(ask("X30,2:}\x03z"), "OK");
	assert_memory_equal(world_ram + 0x30, "#z", 2);
	assert_string_equal(ask("X30,3:zz"), "E0e");
	assert_string_equal(ask("M10000,1:00"), "E0e");
}

static void test_queries(void **state)
{
	char xml[8192] = "", packet[64];
	const char *part;

	(void)state;
	assert_non_null(strstr(ask("qSupported:multiprocess+"), "qXfer:features:read+"));
	assert_string_equal(ask("qfThreadInfo"), "m1,2");
	assert_string_equal(ask("qsThreadInfo"), "l");
	assert_string_equal(ask("Hg2"), "OK");
	assert_string_equal(ask("qC"), "QC2");
	assert_string_equal(ask("Hg3"), "E16");
	assert_string_equal(ask("Hc-1"), "OK");
	assert_string_equal(ask("qC"), "QC2");
	assert_string_equal(ask("T1"), "OK");
	assert_string_equal(ask("T3"), "E16");
	assert_string_equal(ask("?"), "T05thread:2;");
	assert_string_equal(ask("vMustReplyEmpty"), "");
	assert_string_equal(ask("!"), "");
	assert_string_equal(ask(""), "");
	do {
		snprintf(packet, sizeof(packet), "qXfer:features:read:target.xml:%zx,1f0",
			 strlen(xml));
		part = ask(packet);
		strcat(xml, part + 1);
	} while (*part == 'm');
	assert_int_equal(*part, 'l');
	assert_string_equal(xml, gdb_target_xml);
	assert_string_equal(ask("qXfer:features:read:target.xml:ffffff,1"), "E16");
}

static void test_software_breakpoints(void **state)
{
	struct vcpu *vcpu = &world_vcpus[1];
	char packet[32];

	(void)state;
	assert_string_equal(ask("Z0,1000,1"), "OK");
	assert_string_equal(ask("Z0,1000,1"), "OK");
	assert_memory_equal(world_ram + 0xfff, "\xff\x06\x01", 3);
	vcpu->rip = 0x1001;
	assert_false(gdb_exception(&g->debug, vcpu, VECTOR_UD));
	vcpu->rip = 0x1000;
	assert_true(gdb_exception(&g->debug, vcpu, VECTOR_UD));
	assert_int_equal(g->stopped, 2);
	/* Another one at the same time stands still, too, and is not told. */
	world_vcpus[0].rip = 0x1000;
	assert_true(gdb_exception(&g->debug, &world_vcpus[0], VECTOR_UD));
	assert_int_equal(g->stopped, 2);
	assert_string_equal(ask("?"), "T05swbreak:;thread:1;");
	assert_string_equal(ask("z0,1000,1"), "OK");
	assert_int_equal(world_ram[0x1000], 0);
	assert_false(gdb_exception(&g->debug, vcpu, VECTOR_UD));
	/* In 32-bit code the other instruction, of two bytes. */
	world_long64 = false;
	assert_string_equal(ask("Z0,1000,1"), "OK");
	assert_memory_equal(world_ram + 0x1000, "\x0f\x0b\x02", 3);
	world_long64 = true;
	assert_string_equal(ask("Z0,20000,1"), "E0e");
	for (unsigned i = 1; i < GDB_SOFT_MAX; i++) {
		snprintf(packet, sizeof(packet), "Z0,%x,1", 0x2000 + i);
		assert_string_equal(ask(packet), "OK");
	}
	assert_string_equal(ask("Z0,3000,1"), "E1c");
	/* Where the guest has put something else meanwhile, that stays. */
	world_ram[0x2001] = 0x90;
	gdb_break_clear_all(g);
	assert_int_equal(world_ram[0x2001], 0x90);
	world_ram[0x2001] = 1;
	for (size_t i = 0; i < WORLD_RAM; i++)
		assert_int_equal(world_ram[i], (uint8_t)i);
}

static void test_hardware_breakpoints(void **state)
{
	struct vcpu *vcpu = &world_vcpus[0];

	(void)state;
	/* The guest's own stay until there are the debugger's. */
	world_regs[0][VCPU_DR7] = 0x123;
	gdb_break_load(g);
	assert_int_equal(world_regs[0][VCPU_DR7], 0x123);
	assert_string_equal(ask("Z1,1234,1"), "OK");
	assert_string_equal(ask("Z2,2000,8"), "OK");
	assert_string_equal(ask("Z4,2004,4"), "OK");
	assert_string_equal(ask("Z2,2001,2"), "E16");
	assert_string_equal(ask("Z2,2000,3"), "E16");
	assert_string_equal(ask("Z3,2000,1"), "");
	assert_string_equal(ask("Z5,2000,1"), "");
	assert_string_equal(ask("Z2,3000,1"), "OK");
	assert_string_equal(ask("Z2,3001,1"), "E1c");
	gdb_break_load(g);
	assert_int_equal(world_vcpus[1].dr[2], 0x2004);
	assert_int_equal(world_regs[1][VCPU_DR7],
			 0x400 | 0xaa | 0x9u << 20 | 0xfu << 24 | 0x1u << 28);
	world_regs[0][VCPU_DR6] = 0xffff0ff2;
	assert_true(gdb_exception(&g->debug, vcpu, VECTOR_DB));
	assert_int_equal(world_regs[0][VCPU_DR6], 0xffff0ff0);
	assert_string_equal(ask("?"), "T05watch:2000;thread:1;");
	assert_string_equal(ask("z2,2000,8"), "OK");
	g->claimed = g->stopped = 0;
	world_regs[0][VCPU_DR6] = 0xffff0ff2;
	assert_false(gdb_exception(&g->debug, vcpu, VECTOR_DB));
	world_regs[0][VCPU_DR6] = 0xffff0ff1;
	assert_true(gdb_exception(&g->debug, vcpu, VECTOR_DB));
	assert_string_equal(ask("?"), "T05hwbreak:;thread:1;");
	gdb_break_clear_all(g);
	assert_int_equal(world_regs[0][VCPU_DR7], 0x400);
}

static void test_steps(void **state)
{
	struct vcpu *vcpu = &world_vcpus[1];

	(void)state;
	/* A #DB is the guest's own. */
	world_regs[1][VCPU_DR6] = 0xffff0ff0 | DR6_BS;
	assert_false(gdb_exception(&g->debug, vcpu, VECTOR_DB));
	ask("vCont;s:2;c");
	assert_true(g->running);
	assert_int_equal(g->step, 2);
	g->running = false;
	gdb_step(vcpu, true);
	assert_int_equal(world_regs[1][VCPU_RFLAGS], 2 | FLAGS_TF);
	assert_false(gdb_exception(&g->debug, &world_vcpus[0], VECTOR_DB));
	assert_true(gdb_exception(&g->debug, vcpu, VECTOR_DB));
	assert_int_equal(g->stopped, 2);
	assert_int_equal(world_regs[1][VCPU_DR6], 0xffff0ff0);
	/* A CPU that has not written DR6. */
	assert_true(gdb_exception(&g->debug, vcpu, VECTOR_DB));
	gdb_step(vcpu, false);
	assert_int_equal(world_regs[1][VCPU_RFLAGS], 2);
	assert_string_equal(ask("vCont;s:3"), "E16");
	assert_false(g->running);
	ask("c");
	assert_true(g->running);
	assert_int_equal(g->step, 0);
	g->running = false;
	assert_string_equal(ask("c1000"), "E16");
	assert_false(g->running);
	assert_string_equal(ask("D"), "OK");
	assert_true(g->ended);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup(fn, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_packets),
		TEST(test_registers),
		TEST(test_all_registers_written),
		TEST(test_memory),
		TEST(test_queries),
		TEST(test_software_breakpoints),
		TEST(test_hardware_breakpoints),
		TEST(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
