/* SPDX-License-Identifier: BSD-2-Clause */
/* The faults that a CPU raises, with their error codes; checked against one where it could be. */
/* test-sources: tests/host/emulate/world.c */
/* test-sources: vmm/emulate/alu.c vmm/emulate/arith.c vmm/emulate/bits.c vmm/emulate/cmpxchg.c */
/* test-sources: vmm/emulate/decode.c vmm/emulate/decode_table.c vmm/emulate/emulate.c */
/* test-sources: vmm/emulate/gva.c vmm/emulate/icache.c vmm/emulate/linear.c vmm/emulate/move.c */
/* test-sources: vmm/emulate/operand.c vmm/emulate/span.c vmm/emulate/stack.c */
/* test-sources: vmm/emulate/string.c */
#include "tests/host/emulate/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RIGHTS	      (X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER)
#define DATA	      UINT64_C(0x400000)
#define ABSENT	      UINT64_C(0x401000)
#define NO_ERROR_CODE UINT32_MAX

static void set_up_long(void)
{
	world_reset(WORLD_LONG);
	world_map(0x1000, 0x1000, RIGHTS);
	world_map(DATA, 0x20000, RIGHTS);
}

/* The registers are as before, but for what @vector says. */
static void expect_fault(enum emulate_result result, unsigned int vector, uint32_t error)
{
	assert_int_equal(result, EMULATE_FAULT);
	assert_int_equal(world.ctx.fault.vector, vector);
	assert_int_equal(world.ctx.fault.has_error, error != NO_ERROR_CODE);
	if (error != NO_ERROR_CODE)
		assert_int_equal(world.ctx.fault.error, error);
	assert_int_equal(world.nr_accesses, 0);
}

static void test_page_faults(void **state)
{
	static const struct {
		uint8_t bytes[4];
		uint32_t error;
	} cases[] = {
		{{0x8b, 0x03}, 0},			  /* mov eax, [rbx] */
		{{0x89, 0x03}, X86_PF_WRITE},		  /* mov [rbx], eax */
		{{0xff, 0x03}, X86_PF_WRITE},		  /* inc [rbx] */
		{{0x39, 0x03}, 0},			  /* cmp [rbx], eax */
		{{0x85, 0x03}, 0},			  /* test [rbx], eax */
		{{0x0f, 0xb1, 0x03}, X86_PF_WRITE},	  /* cmpxchg [rbx], eax */
		{{0x0f, 0xa3, 0x03}, 0},		  /* bt [rbx], eax */
		{{0x0f, 0xab, 0x03}, X86_PF_WRITE},	  /* bts [rbx], eax */
		{{0x87, 0x03}, X86_PF_WRITE},		  /* xchg [rbx], eax */
		{{0x48, 0x0f, 0xc7, 0x0b}, X86_PF_WRITE}, /* cmpxchg16b [rbx] */
	};

	(void)state;
	set_up_long();
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		world_code(cases[i].bytes, 4);
		world.gpr[X86_RBX] = ABSENT;
		world.gpr[X86_RAX] = 0;
		world.ctx.cpl = 0;
		expect_fault(world_run(), X86_VECTOR_PF, cases[i].error);
		assert_int_equal(world.ctx.fault.cr2, ABSENT);
		world.ctx.cpl = 3;
		expect_fault(world_run(), X86_VECTOR_PF, cases[i].error | X86_PF_USER);
		assert_int_equal(world.ctx.rip, 0x1000);
	}
}

static void test_protection(void **state)
{
	(void)state;
	set_up_long();
	world.gpr[X86_RBX] = DATA + 8;
	world_map(DATA, 0x20000, X86_PTE_PRESENT | X86_PTE_USER);
	expect_fault(WORLD_RUN(0x89, 0x03), X86_VECTOR_PF, X86_PF_PRESENT | X86_PF_WRITE);
	world.ctx.cr0 &= ~X86_CR0_WP; /* the supervisor may */
	assert_int_equal(WORLD_RUN(0x89, 0x03), EMULATE_DONE);
	world.ctx.cpl = 3;
	expect_fault(WORLD_RUN(0x89, 0x03), X86_VECTOR_PF,
		     X86_PF_PRESENT | X86_PF_WRITE | X86_PF_USER);
	world_map(DATA, 0x20000, X86_PTE_PRESENT | X86_PTE_WRITE);
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_PF, X86_PF_PRESENT | X86_PF_USER);
	/* SMAP: the supervisor leaves users' pages alone unless it says so. */
	world.ctx.cpl = 0;
	world.ctx.cr4 |= X86_CR4_SMAP;
	world_map(DATA, 0x20000, RIGHTS);
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_PF, X86_PF_PRESENT);
	world.ctx.rflags |= X86_FLAGS_AC;
	assert_int_equal(WORLD_RUN(0x8b, 0x03), EMULATE_DONE);
}

static void test_fetch(void **state)
{
	(void)state;
	set_up_long();
	world.gpr[X86_RBX] = DATA;
	world_map(0x1000, 0x1000, RIGHTS | X86_PTE_NX);
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_PF, X86_PF_PRESENT | X86_PF_FETCH);
	assert_int_equal(world.ctx.fault.cr2, 0x1000);
	world.ctx.efer &= ~X86_EFER_NXE; /* then the bit is reserved */
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_PF, X86_PF_PRESENT | X86_PF_RESERVED);
	world_map(0x1000, 0x1000, RIGHTS);
	world.ctx.cr4 |= X86_CR4_SMEP;
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_PF, X86_PF_PRESENT | X86_PF_FETCH);
	world.ctx.cpl = 3;
	assert_int_equal(WORLD_RUN(0x8b, 0x03), EMULATE_DONE);
	/* An instruction whose second page is missing. */
	world.ctx.rip = 0x1fff;
	world.ram[0x1fff] = 0x8b;
	expect_fault(world_run(), X86_VECTOR_PF, X86_PF_USER | X86_PF_FETCH);
	assert_int_equal(world.ctx.fault.cr2, 0x2000);
}

static void test_canonical(void **state)
{
	(void)state;
	set_up_long();
	world.gpr[X86_RBX] = UINT64_C(0x800000000000);
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_GP, 0);
	world.gpr[X86_RBX] = UINT64_C(0x7ffffffffffe); /* the last bytes */
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_GP, 0);
	world.gpr[X86_RBP] = UINT64_C(0x800000000000);
	expect_fault(WORLD_RUN(0x8b, 0x45, 0x00), X86_VECTOR_SS, 0);
	world.segs[EMULATE_FS].base = 0; /* another segment than the stack's */
	expect_fault(WORLD_RUN(0x64, 0x8b, 0x45, 0x00), X86_VECTOR_GP, 0);
	world.gpr[X86_RSP] = UINT64_C(0x800000000008);
	expect_fault(WORLD_RUN(0x50), X86_VECTOR_SS, 0);
	assert_int_equal(world.gpr[X86_RSP], UINT64_C(0x800000000008));
}

static void test_alignment(void **state)
{
	(void)state;
	set_up_long();
	world.gpr[X86_RBX] = DATA + 8;
	expect_fault(WORLD_RUN(0x48, 0x0f, 0xc7, 0x0b), X86_VECTOR_GP, 0); /* cmpxchg16b, always */
	world.gpr[X86_RBX] = ABSENT + 1; /* before the page fault */
	world.ctx.rflags |= X86_FLAGS_AC;
	world.ctx.cr0 |= X86_CR0_AM;
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_PF, 0);
	world.ctx.cpl = 3;
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_AC, 0);
	expect_fault(WORLD_RUN(0x48, 0x0f, 0xc7, 0x0b), X86_VECTOR_GP, 0);
	world.gpr[X86_RBX] = UINT64_C(0x800000000001); /* behind the canonical check */
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_GP, 0);
	world.gpr[X86_RBX] = DATA + 1;
	assert_int_equal(WORLD_RUN(0x8a, 0x03), EMULATE_DONE);
}

static void test_lock(void **state)
{
	(void)state;
	set_up_long();
	world.gpr[X86_RBX] = DATA;
	expect_fault(WORLD_RUN(0xf0, 0x89, 0x03), X86_VECTOR_UD, NO_ERROR_CODE); /* mov */
	expect_fault(WORLD_RUN(0xf0, 0x39, 0x03), X86_VECTOR_UD, NO_ERROR_CODE); /* cmp */
	expect_fault(WORLD_RUN(0xf0, 0x03, 0x03), X86_VECTOR_UD,
		     NO_ERROR_CODE); /* add eax, [rbx] */
	expect_fault(WORLD_RUN(0xf0, 0xff, 0xc0), X86_VECTOR_UD, NO_ERROR_CODE);       /* inc eax */
	expect_fault(WORLD_RUN(0xf0, 0x0f, 0xa3, 0x03), X86_VECTOR_UD, NO_ERROR_CODE); /* bt */
	expect_fault(WORLD_RUN(0xf0, 0xa4), X86_VECTOR_UD, NO_ERROR_CODE);	       /* movsb */
	assert_int_equal(WORLD_RUN(0xf0, 0xff, 0x03), EMULATE_DONE);
	assert_int_equal(world.ram[0x20000], 1);
}

static void test_too_long(void **state)
{
	static const uint8_t prefixes[16] = {0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e,
					     0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x8b, 0x03};

	(void)state;
	set_up_long();
	world_code(prefixes, sizeof(prefixes));
	expect_fault(world_run(), X86_VECTOR_GP, 0);
}

/* Without protection there are no error codes, and only limits to violate. */
static void test_real_mode(void **state)
{
	(void)state;
	world_reset(WORLD_REAL);
	world.gpr[X86_RBX] = 0xffff;
	expect_fault(WORLD_RUN(0x89, 0x07), X86_VECTOR_GP, NO_ERROR_CODE); /* mov [bx], ax */
	assert_int_equal(WORLD_RUN(0x88, 0x07), EMULATE_DONE);		   /* mov [bx], al */
	world.gpr[X86_RBP] = 0xffff;
	expect_fault(WORLD_RUN(0x89, 0x46, 0x00), X86_VECTOR_SS, NO_ERROR_CODE);
	world.gpr[X86_RSP] = 1;
	expect_fault(WORLD_RUN(0x50), X86_VECTOR_SS, NO_ERROR_CODE); /* push ax */
	/* Types do not count: code may be written. */
	world.gpr[X86_RBX] = 0x100;
	assert_int_equal(WORLD_RUN(0x2e, 0x89, 0x07), EMULATE_DONE);
	/* 32-bit addresses meet the limit too. */
	world.gpr[X86_RBX] = 0x10000;
	expect_fault(WORLD_RUN(0x67, 0x89, 0x03), X86_VECTOR_GP, NO_ERROR_CODE);
}

static void test_virtual_8086(void **state)
{
	(void)state;
	world_reset(WORLD_PAGED_32);
	for (int i = 0; i < EMULATE_NR_SEGS; i++)
		world.segs[i] = (struct emulate_segment){.limit = 0xffff, .attr = 0xf3};
	world.ctx.rflags |= X86_FLAGS_VM;
	world.ctx.cpl = 3;
	world_map(0x1000, 0x1000, RIGHTS);
	world_map(0x2000, 0x2000, RIGHTS);
	world.gpr[X86_RBX] = 0x2000;
	assert_int_equal(WORLD_RUN(0x2e, 0x89, 0x07), EMULATE_DONE);
	world.gpr[X86_RBX] = 0xffff;
	expect_fault(WORLD_RUN(0x89, 0x07), X86_VECTOR_GP, 0);
	world.gpr[X86_RBX] = 0x3000;
	expect_fault(WORLD_RUN(0x89, 0x07), X86_VECTOR_PF, X86_PF_WRITE | X86_PF_USER);
}

static enum emulate_result access_ds(uint16_t attr, uint32_t limit, uint32_t offset, bool write)
{
	world.segs[EMULATE_DS].attr = attr;
	world.segs[EMULATE_DS].limit = limit;
	world.gpr[X86_RBX] = offset;
	return write ? WORLD_RUN(0x89, 0x03) : WORLD_RUN(0x8b, 0x03);
}

static void test_segments(void **state)
{
	const uint16_t data = EMULATE_SEG_PRESENT | EMULATE_SEG_BIG;
	const uint16_t code = data | EMULATE_SEG_CODE;

	(void)state;
	world_reset(WORLD_PROTECTED_32);
	/* Limits. */
	assert_int_equal(access_ds(data, 0x8003, 0x8000, false), EMULATE_DONE);
	expect_fault(access_ds(data, 0x8003, 0x8001, false), X86_VECTOR_GP, 0);
	/* Read-only data, code that can and cannot be read, a null segment. */
	expect_fault(access_ds(data, 0xffffffff, 0x8000, true), X86_VECTOR_GP, 0);
	assert_int_equal(access_ds(code | EMULATE_SEG_WRITE, 0xffffffff, 0x8000, false),
			 EMULATE_DONE);
	expect_fault(access_ds(code | EMULATE_SEG_WRITE, 0xffffffff, 0x8000, true), X86_VECTOR_GP,
		     0);
	expect_fault(access_ds(code, 0xffffffff, 0x8000, false), X86_VECTOR_GP, 0);
	expect_fault(access_ds(0, 0xffffffff, 0x8000, false), X86_VECTOR_GP, 0);
	/* Downwards: above the limit, up to 64 KiB or 4 GiB. */
	assert_int_equal(access_ds(data | EMULATE_SEG_DOWN, 0x7fff, 0x8000, false), EMULATE_DONE);
	expect_fault(access_ds(data | EMULATE_SEG_DOWN, 0x8000, 0x8000, false), X86_VECTOR_GP, 0);
	assert_int_equal(access_ds(data | EMULATE_SEG_DOWN, 0x7fff, 0x1fffc, false), EMULATE_DONE);
	expect_fault(
		access_ds((data | EMULATE_SEG_DOWN) & ~EMULATE_SEG_BIG, 0x7fff, 0x1fffc, false),
		X86_VECTOR_GP, 0);
	/* The stack's own fault. */
	world.segs[EMULATE_SS].limit = 0x100;
	world.gpr[X86_RBP] = 0x200;
	expect_fault(WORLD_RUN(0x8b, 0x45, 0x00), X86_VECTOR_SS, 0);
	/* Code ends at the limit of its segment. */
	world.segs[EMULATE_CS].limit = 0x1000;
	expect_fault(WORLD_RUN(0x8b, 0x03), X86_VECTOR_GP, 0);
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
		cmocka_unit_test(test_page_faults),  cmocka_unit_test(test_protection),
		cmocka_unit_test(test_fetch),	     cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_alignment),    cmocka_unit_test(test_lock),
		cmocka_unit_test(test_too_long),     cmocka_unit_test(test_real_mode),
		cmocka_unit_test(test_virtual_8086), cmocka_unit_test(test_segments),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
