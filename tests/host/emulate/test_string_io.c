/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory side of INS and OUTS. */
/* test-sources: tests/host/emulate/world.c vmm/emulate/string_io.c */
/* test-sources: vmm/emulate/alu.c vmm/emulate/arith.c vmm/emulate/bits.c vmm/emulate/cmpxchg.c */
/* test-sources: vmm/emulate/decode.c vmm/emulate/decode_table.c vmm/emulate/emulate.c */
/* test-sources: vmm/emulate/gva.c vmm/emulate/icache.c vmm/emulate/linear.c vmm/emulate/move.c */
/* test-sources: vmm/emulate/operand.c vmm/emulate/span.c vmm/emulate/stack.c */
/* test-sources: vmm/emulate/string.c */
#include "tests/host/emulate/world.h"
#include "vmm/emulate/string_io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RIGHTS	 (X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER)
#define DATA	 UINT64_C(0x400000) /* three pages, the third absent */
#define DATA_GPA UINT64_C(0x20000)
#define MMIO	 UINT64_C(0x500000)

/* A port that gives 1, 2, 3 … and remembers what it took. */
static struct port {
	unsigned int width;
	bool in;
	unsigned int calls, count;
	uint32_t taken[8192];
} port;

static void transfer(void *opaque, void *data, unsigned int count)
{
	uint8_t *at = data;

	assert_ptr_equal(opaque, &port);
	port.calls++;
	for (unsigned int i = 0; i < count; i++, at += port.width) {
		uint32_t value = ++port.count;

		if (port.in)
			memcpy(at, &value, port.width);
		else
			memcpy(&port.taken[port.count - 1], at, port.width);
	}
}

static void set_up(void)
{
	world_reset(WORLD_LONG);
	world_map(DATA, DATA_GPA, RIGHTS);
	world_map(DATA + 0x1000, DATA_GPA + 0x5000, RIGHTS);
	world_map(MMIO, WORLD_DEVICE, RIGHTS);
}

static enum emulate_result run(bool in, bool rep, unsigned int width)
{
	const struct string_io io = {
		.in = in,
		.rep = rep,
		.width = (uint8_t)width,
		.addr_width = 8,
		.seg = EMULATE_DS,
		.transfer = transfer,
		.opaque = &port,
	};

	memset(&port, 0, sizeof(port));
	port.width = width;
	port.in = in;
	world.nr_accesses = 0;
	return string_io_run(&world.ctx, &io);
}

static uint32_t word_at(uint64_t gpa)
{
	uint32_t value;

	memcpy(&value, world.ram + gpa, 4);
	return value;
}

static void test_single(void **state)
{
	(void)state;
	set_up();
	world.gpr[X86_RDI] = DATA + 4;
	world.gpr[X86_RCX] = 7;
	assert_int_equal(run(true, false, 4), EMULATE_DONE);
	assert_int_equal(port.count, 1);
	assert_int_equal(word_at(DATA_GPA + 4), 1);
	assert_int_equal(world.gpr[X86_RDI], DATA + 8);
	assert_int_equal(world.gpr[X86_RCX], 7);
	assert_int_equal(world.ctx.rip, 0x1000);
	world.gpr[X86_RSI] = DATA + 4;
	assert_int_equal(run(false, false, 2), EMULATE_DONE);
	assert_int_equal(port.taken[0], 1);
	assert_int_equal(world.gpr[X86_RSI], DATA + 6);
	world.gpr[X86_RCX] = 0;
	assert_int_equal(run(true, true, 4), EMULATE_DONE);
	assert_int_equal(port.calls, 0);
}

static void test_bulk(void **state)
{
	(void)state;
	set_up();
	/* A sector, in one go. */
	world.gpr[X86_RDI] = DATA;
	world.gpr[X86_RCX] = 256;
	assert_int_equal(run(true, true, 2), EMULATE_DONE);
	assert_int_equal(port.calls, 1);
	assert_int_equal(port.count, 256);
	assert_int_equal(word_at(DATA_GPA + 508), 256 << 16 | 255);
	assert_int_equal(world.gpr[X86_RDI], DATA + 512);
	assert_int_equal(world.gpr[X86_RCX], 0);
	/* Over a page's end, with an element that lies on it. */
	world.gpr[X86_RDI] = DATA + 0xff6;
	world.gpr[X86_RCX] = 4;
	assert_int_equal(run(true, true, 4), EMULATE_DONE);
	assert_int_equal(word_at(DATA_GPA + 0xff6), 1);
	assert_int_equal(word_at(DATA_GPA + 0xffa), 2);
	assert_int_equal(word_at(DATA_GPA + 0x5002), 4);
	/* No more than a page's worth at once. */
	world.gpr[X86_RSI] = DATA;
	world.gpr[X86_RCX] = 5000;
	assert_int_equal(run(false, true, 1), EMULATE_AGAIN);
	assert_int_equal(port.count, 4096);
	assert_int_equal(world.gpr[X86_RCX], 904);
	assert_int_equal(run(false, true, 1), EMULATE_DONE);
	assert_int_equal(port.count, 904);
}

static void test_downwards(void **state)
{
	(void)state;
	set_up();
	world.ctx.rflags |= X86_FLAGS_DF;
	world.gpr[X86_RDI] = DATA + 8;
	world.gpr[X86_RCX] = 3;
	assert_int_equal(run(true, true, 4), EMULATE_DONE);
	assert_int_equal(word_at(DATA_GPA + 8), 1);
	assert_int_equal(word_at(DATA_GPA + 4), 2);
	assert_int_equal(word_at(DATA_GPA), 3);
	assert_int_equal(world.gpr[X86_RDI], DATA - 4);
}

/* The port is left alone until the memory is known to be there. */
static void test_faults(void **state)
{
	(void)state;
	set_up();
	world.gpr[X86_RDI] = DATA + 0x1ff8;
	world.gpr[X86_RCX] = 4;
	assert_int_equal(run(true, true, 4), EMULATE_FAULT);
	assert_int_equal(port.count, 2);
	assert_int_equal(world.gpr[X86_RCX], 2);
	assert_int_equal(world.gpr[X86_RDI], DATA + 0x2000);
	assert_int_equal(world.ctx.fault.vector, X86_VECTOR_PF);
	assert_int_equal(world.ctx.fault.cr2, DATA + 0x2000);
	assert_int_equal(world.ctx.fault.error, X86_PF_WRITE);
	world.gpr[X86_RSI] = DATA + 0x2000;
	assert_int_equal(run(false, true, 1), EMULATE_FAULT);
	assert_int_equal(port.count, 0);
	assert_int_equal(world.ctx.fault.error, 0);
}

static void test_device_memory(void **state)
{
	(void)state;
	set_up();
	world.gpr[X86_RDI] = MMIO;
	world.gpr[X86_RCX] = 3;
	assert_int_equal(run(true, true, 2), EMULATE_DONE);
	assert_int_equal(world.nr_accesses, 3);
	assert_int_equal(world.accesses[2].gpa, WORLD_DEVICE + 4);
	assert_int_equal(world.accesses[2].value, 3);
}

static enum emulate_result run_16(enum emulate_seg seg, bool in)
{
	const struct string_io io = {
		.in = in,
		.rep = true,
		.width = 1,
		.addr_width = 2,
		.seg = seg,
		.transfer = transfer,
		.opaque = &port,
	};

	memset(&port, 0, sizeof(port));
	port.width = 1;
	port.in = in;
	return string_io_run(&world.ctx, &io);
}

static void test_real_mode(void **state)
{
	(void)state;
	world_reset(WORLD_REAL);
	world.segs[EMULATE_ES].base = 0x30000;
	world.segs[EMULATE_FS].base = 0x40000;
	world.gpr[X86_RDI] = 0x5fffe; /* DI wraps */
	world.gpr[X86_RCX] = 0x70004; /* CX is 4 */
	assert_int_equal(run_16(EMULATE_DS, true), EMULATE_DONE);
	assert_int_equal(world.ram[0x3ffff], 2);
	assert_int_equal(world.ram[0x30001], 4);
	assert_int_equal(world.gpr[X86_RDI], 0x50002);
	assert_int_equal(world.gpr[X86_RCX], 0x70000);
	world.ram[0x40000] = 0xab;
	world.gpr[X86_RSI] = 0;
	world.gpr[X86_RCX] = 1;
	assert_int_equal(run_16(EMULATE_FS, false), EMULATE_DONE);
	assert_int_equal(port.taken[0], 0xab);
	/* Beyond the segment's limit, but not before it. */
	world.segs[EMULATE_FS].limit = 3;
	world.gpr[X86_RCX] = 4;
	assert_int_equal(run_16(EMULATE_FS, false), EMULATE_FAULT);
	assert_int_equal(port.count, 3);
	assert_int_equal(world.ctx.fault.vector, X86_VECTOR_GP);
	assert_false(world.ctx.fault.has_error);
}

static int tear_down(void **state)
{
	(void)state;
	world_free();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),	      cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_downwards),     cmocka_unit_test(test_faults),
		cmocka_unit_test(test_device_memory), cmocka_unit_test(test_real_mode),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
