/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of decoded instructions: that it serves, and that it is never wrong. */
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

#define RIGHTS	  (X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER)
#define CODE	  UINT64_C(0x400000) /* two pages, from guest-physical 0x4000 and 0x6000 */
#define MMIO	  UINT64_C(0x500000)
#define OTHER_GPA UINT64_C(0x8000)
#define OTHER_CR3 UINT64_C(0xb8000)

static const uint8_t store[3] = {0x89, 0x03};		/* mov [rbx], eax */
static const uint8_t load[3] = {0x8b, 0x03};		/* mov eax, [rbx] */
static const uint8_t store_word[] = {0x66, 0x89, 0x03}; /* mov [rbx], ax */
static const uint8_t long_store[] = {0x48, 0xc7, 0x83, 0x10, 0,	  0,
				     0,	   0x44, 0x33, 0x22, 0x11}; /* mov qword [rbx + 10h], imm */

static void set_up(void)
{
	world_reset(WORLD_LONG);
	world_map(CODE, 0x4000, RIGHTS);
	world_map(CODE + 0x1000, 0x6000, RIGHTS);
	world_map(MMIO, WORLD_DEVICE, RIGHTS);
	world_map(MMIO + 0x1000, WORLD_DEVICE + 0x1000, RIGHTS);
	world.gpr[X86_RBX] = MMIO;
	world.gpr[X86_RAX] = UINT64_C(0xaabbccdd11223344);
}

/* Runs what stands at @rip; the width of the access tells which instruction it was. */
static unsigned int run_at(uint64_t rip)
{
	world.ctx.rip = rip;
	assert_int_equal(world_run(), EMULATE_DONE);
	assert_int_equal(world.nr_accesses, 1);
	return world.accesses[0].width;
}

static enum emulate_result run_mmio(uint64_t rip, uint64_t gpa)
{
	world.ctx.rip = rip;
	world.nr_accesses = 0;
	world.nr_lookups = 0;
	return emulate_mmio(&world.ctx, gpa);
}

static void put(uint64_t gpa, const void *bytes, size_t len)
{
	memcpy(world.ram + gpa, bytes, len);
}

static void test_serves(void **state)
{
	(void)state;
	set_up();
	put(0x4000, store, sizeof(store));
	assert_int_equal(run_mmio(CODE, WORLD_DEVICE), EMULATE_DONE);
	assert_true(world.nr_lookups > 0);
	assert_int_equal(run_mmio(CODE, WORLD_DEVICE), EMULATE_DONE);
	assert_int_equal(world.nr_lookups, 0); /* no walk, no fetch */
	assert_int_equal(world.accesses[0].value, 0x11223344);
	assert_int_equal(world.ctx.rip, CODE + 2);
	icache_flush(&world.icache);
	assert_int_equal(run_mmio(CODE, WORLD_DEVICE), EMULATE_DONE);
	assert_true(world.nr_lookups > 0);
}

static void test_fast_moves(void **state)
{
	static const struct {
		uint8_t bytes[8];
		unsigned int width;
		bool write;
		uint64_t value; /* stored, or RAX after the load */
	} moves[] = {
		{{0x88, 0x03}, 1, true, 0x44},
		{{0x66, 0x89, 0x03}, 2, true, 0x3344},
		{{0x48, 0x89, 0x03}, 8, true, UINT64_C(0xaabbccdd11223344)},
		{{0xc6, 0x03, 0x7f}, 1, true, 0x7f},
		{{0x88, 0x23}, 1, true, 0x33}, /* AH: not by the fast path */
		{{0x8a, 0x03}, 1, false, UINT64_C(0xaabbccdd112233f8)},
		{{0x66, 0x8b, 0x03}, 2, false, UINT64_C(0xaabbccdd1122f7f8)},
		{{0x8b, 0x03}, 4, false, 0xf5f6f7f8},
		{{0x48, 0x8b, 0x03}, 8, false, UINT64_C(0xf1f2f3f4f5f6f7f8)},
		{{0x8a, 0x23}, 1, false, UINT64_C(0xaabbccdd1122f844)}, /* AH */
		{{0x0f, 0xb6, 0x03}, 1, false, 0xf8},
		{{0x66, 0x0f, 0xb6, 0x03}, 1, false, UINT64_C(0xaabbccdd112200f8)},
		{{0x0f, 0xb7, 0x03}, 2, false, 0xf7f8},
		{{0x0f, 0xbe, 0x03}, 1, false, 0xfffffff8}, /* not by the fast path */
	};

	(void)state;
	set_up();
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(moves); i++) {
		unsigned int n = i / 2; /* decoded, then from the cache */

		put(0x4000, moves[n].bytes, sizeof(moves[n].bytes));
		world.gpr[X86_RAX] = UINT64_C(0xaabbccdd11223344);
		memcpy(world.device, &(uint64_t){UINT64_C(0xf1f2f3f4f5f6f7f8)}, 8);
		assert_int_equal(run_mmio(CODE, WORLD_DEVICE), EMULATE_DONE);
		assert_int_equal(world.nr_accesses, 1);
		assert_int_equal(world.accesses[0].width, moves[n].width);
		assert_int_equal(world.accesses[0].write, moves[n].write);
		assert_int_equal(moves[n].write ? world.accesses[0].value : world.gpr[X86_RAX],
				 moves[n].value);
	}
}

/* An access over a page's end is reported by either half; both ways it is done whole. */
static void test_fast_path_refuses_crossing(void **state)
{
	(void)state;
	set_up();
	put(0x4000, store, sizeof(store));
	world.gpr[X86_RBX] = MMIO + 0xffe;
	for (int i = 0; i < 2; i++) {
		uint64_t gpa = WORLD_DEVICE + (i ? 0x1000 : 0xffe);

		assert_int_equal(run_mmio(CODE, gpa), EMULATE_DONE);
		assert_int_equal(world.nr_accesses, 2);
		assert_int_equal(world.accesses[0].gpa, WORLD_DEVICE + 0xffe);
		assert_int_equal(world.accesses[1].gpa, WORLD_DEVICE + 0x1000);
	}
}

static void test_code_rewritten(void **state)
{
	(void)state;
	set_up();
	put(0x4000, store, sizeof(store));
	assert_int_equal(run_at(CODE), 4);
	put(0x4000, store_word, sizeof(store_word));
	assert_int_equal(run_at(CODE), 2);
	assert_int_equal(world.ctx.rip, CODE + 3);
	/* Only the immediate. */
	put(0x4000, long_store, sizeof(long_store));
	assert_int_equal(run_at(CODE), 8);
	assert_int_equal(world.accesses[0].value, 0x11223344);
	world.ram[0x4000 + 10] = 0x12;
	assert_int_equal(run_at(CODE), 8);
	assert_int_equal(world.accesses[0].value, 0x12223344);
	/* What follows does not matter. */
	world.ram[0x4000 + 11] = 0x99;
	assert_int_equal(run_at(CODE), 8);
	assert_true(world.nr_lookups < 8);
}

static void test_page_remapped(void **state)
{
	uint64_t *entry;

	(void)state;
	set_up();
	put(0x4000, store, sizeof(store));
	put(OTHER_GPA, store_word, sizeof(store_word));
	assert_int_equal(run_at(CODE), 4);
	world_map(CODE, OTHER_GPA, RIGHTS);
	assert_int_equal(run_at(CODE), 2);
	/* A table above: from the code's table to one that shows the other page. */
	world_map(CODE, 0x4000, RIGHTS);
	assert_int_equal(run_at(CODE), 4);
	entry = (uint64_t *)(world.ram + 0xbe000);
	entry[0] = OTHER_GPA | RIGHTS;
	entry[(MMIO - CODE) / X86_PAGE_SIZE] = WORLD_DEVICE | RIGHTS;
	*(uint64_t *)world_entry(CODE, 2) = 0xbe000 | RIGHTS;
	assert_int_equal(run_at(CODE), 2);
	/* The page goes: a fault, not the past. */
	entry[0] = 0;
	world.ctx.rip = CODE;
	assert_int_equal(world_run(), EMULATE_FAULT);
	assert_int_equal(world.ctx.fault.vector, X86_VECTOR_PF);
	assert_int_equal(world.ctx.fault.error, X86_PF_FETCH);
}

static void test_accessed_bit(void **state)
{
	uint64_t *entry;

	(void)state;
	set_up();
	put(0x4000, store, sizeof(store));
	assert_int_equal(run_at(CODE), 4);
	entry = world_entry(CODE, 1);
	assert_true(*entry & X86_PTE_ACCESSED);
	*entry &= ~X86_PTE_ACCESSED;
	assert_int_equal(run_at(CODE), 4);
	assert_true(*entry & X86_PTE_ACCESSED);
}

/* Another address space with the same code, and with other code, at the same place. */
static void test_other_address_space(void **state)
{
	uint64_t cr3;

	(void)state;
	set_up();
	put(0x4000, store, sizeof(store));
	put(OTHER_GPA, store_word, sizeof(store_word));
	assert_int_equal(run_at(CODE), 4);
	cr3 = world.ctx.cr3;
	world.ctx.cr3 = OTHER_CR3;
	world_map(CODE, 0x4000, RIGHTS);
	world_map(MMIO, WORLD_DEVICE, RIGHTS);
	assert_int_equal(run_at(CODE), 4);
	world_map(CODE, OTHER_GPA, RIGHTS);
	assert_int_equal(run_at(CODE), 2);
	world.ctx.cr3 = cr3;
	assert_int_equal(run_at(CODE), 4);
	/* The first one's table changes while the second runs. */
	world.ctx.cr3 = OTHER_CR3;
	assert_int_equal(run_at(CODE), 2);
	world.ctx.cr3 = cr3;
	world_map(CODE, OTHER_GPA, RIGHTS);
	assert_int_equal(run_at(CODE), 2);
}

static void test_crossing_instruction(void **state)
{
	const uint64_t rip = CODE + 0x1000 - 4;

	(void)state;
	set_up();
	put(0x4000 + 0xffc, long_store, 4);
	put(0x6000, long_store + 4, sizeof(long_store) - 4);
	assert_int_equal(run_at(rip), 8);
	assert_int_equal(world.accesses[0].value, 0x11223344);
	assert_int_equal(run_at(rip), 8);
	assert_int_equal(world.ctx.rip, rip + sizeof(long_store));
	/* Bytes of the second page. */
	world.ram[0x6006] = 0x55;
	assert_int_equal(run_at(rip), 8);
	assert_int_equal(world.accesses[0].value, 0x55223344);
	/* Another second page. */
	put(OTHER_GPA, long_store + 4, sizeof(long_store) - 4);
	world_map(CODE + 0x1000, OTHER_GPA, RIGHTS);
	assert_int_equal(run_at(rip), 8);
	assert_int_equal(world.accesses[0].value, 0x11223344);
	/* No second page. */
	world_map(CODE + 0x1000, 0, 0);
	world.ctx.rip = rip;
	assert_int_equal(world_run(), EMULATE_FAULT);
	assert_int_equal(world.ctx.fault.cr2, CODE + 0x1000);
}

/* Up to the last byte of a page, with no need for the next one. */
static void test_end_of_page(void **state)
{
	(void)state;
	set_up();
	world_map(CODE + 0x1000, 0, 0);
	for (unsigned int offset = 0xff5; offset >= 0xfe0; offset--) {
		put(0x4000 + offset, long_store, sizeof(long_store));
		for (int i = 0; i < 2; i++)
			assert_int_equal(run_at(CODE + offset), 8);
		world.ram[0x4000 + offset + 10] = 0x66;
		assert_int_equal(run_at(CODE + offset), 8);
		assert_int_equal(world.accesses[0].value, 0x66223344);
	}
}

/* The same bytes mean something else where the mode is another. */
static void test_mode_changes(void **state)
{
	static const uint8_t bytes[] = {0x48, 0x89, 0x03}; /* REX.W mov, or dec eax */

	(void)state;
	set_up();
	put(0x4000, bytes, sizeof(bytes));
	assert_int_equal(run_at(CODE), 8);
	world.segs[EMULATE_CS].attr &= ~EMULATE_SEG_LONG;
	world.segs[EMULATE_CS].attr |= EMULATE_SEG_BIG;
	world.ctx.rip = CODE;
	assert_int_equal(world_run(), EMULATE_DONE);
	assert_int_equal(world.nr_accesses, 0);
	assert_int_equal(world.gpr[X86_RAX], 0x11223343);
	assert_int_equal(world.ctx.rip, CODE + 1);
	world.segs[EMULATE_CS].attr &= ~EMULATE_SEG_BIG; /* 16-bit: [bp + di] */
	world.segs[EMULATE_SS].base = MMIO;
	assert_int_equal(run_at(CODE + 1), 2);
}

/* Rights of the fetch: from the supervisor's cached instruction a user gets nothing. */
static void test_rights(void **state)
{
	(void)state;
	set_up();
	put(0x4000, store, sizeof(store));
	world_map(CODE, 0x4000, X86_PTE_PRESENT);
	assert_int_equal(run_at(CODE), 4);
	world.ctx.cpl = 3;
	world.ctx.rip = CODE;
	assert_int_equal(world_run(), EMULATE_FAULT);
	assert_int_equal(world.ctx.fault.error, X86_PF_PRESENT | X86_PF_USER | X86_PF_FETCH);
}

static unsigned int length_at(uint64_t rip)
{
	const struct insn *insn;

	world.ctx.rip = rip;
	assert_int_equal(icache_insn(&world.ctx, &insn), EMULATE_DONE);
	return insn->length;
}

/* What exits where the CPU does not say how long it was. */
static void test_lengths(void **state)
{
	static const struct {
		uint8_t bytes[6];
		unsigned int length;
	} cases[] = {
		{{0x0f, 0xa2}, 2},	       /* cpuid */
		{{0xf4}, 1},		       /* hlt */
		{{0x0f, 0x32}, 2},	       /* rdmsr */
		{{0x0f, 0x30}, 2},	       /* wrmsr */
		{{0x0f, 0x01, 0xd9}, 3},       /* vmmcall */
		{{0x0f, 0x01, 0xc1}, 3},       /* vmcall */
		{{0x0f, 0x01, 0xd1}, 3},       /* xsetbv */
		{{0xf3, 0x90}, 2},	       /* pause */
		{{0x0f, 0x09}, 2},	       /* wbinvd */
		{{0xe4, 0x60}, 2},	       /* in al, 60h */
		{{0x66, 0xef}, 2},	       /* out dx, ax */
		{{0xf3, 0x6f}, 2},	       /* rep outsd */
		{{0x44, 0x0f, 0x20, 0xc0}, 4}, /* mov rax, cr8 */
		{{0x0f, 0x0d, 0x03}, 3},       /* prefetchw [rbx] */
		{{0x2e, 0x0f, 0xa2}, 3},       /* a prefix that does nothing */
		{{0x48, 0xf4}, 2},	       /* another */
	};

	(void)state;
	set_up();
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		put(0x4000, cases[i].bytes, sizeof(cases[i].bytes));
		assert_int_equal(length_at(CODE), cases[i].length);
		world.nr_lookups = 0;
		assert_int_equal(length_at(CODE), cases[i].length);
		assert_int_equal(world.nr_lookups, 0);
	}
}

/* What INS and OUTS need where the exit does not say it. */
static void test_string_io_fields(void **state)
{
	const struct insn *insn;

	(void)state;
	set_up();
	put(0x4000, "\xf3\x67\x64\x6e", 4); /* rep outsb fs:[esi] */
	assert_int_equal(length_at(CODE), 4);
	assert_int_equal(icache_insn(&world.ctx, &insn), EMULATE_DONE);
	assert_int_equal(insn->seg, EMULATE_FS);
	assert_int_equal(insn->addr_width, 4);
	put(0x4000, "\xf3\x6d", 2); /* rep insd */
	assert_int_equal(icache_insn(&world.ctx, &insn), EMULATE_DONE);
	assert_int_equal(insn->addr_width, 8);
}

/* Many instructions that share slots: each is itself, however they push one another out. */
static void test_collisions(void **state)
{
	(void)state;
	set_up();
	for (unsigned int i = 0; i < 0x400; i++)
		put(0x4000 + 4 * i, i % 3 ? (i % 3 == 1 ? load : store) : store_word, 3);
	for (unsigned int i = 0; i < 0x1000; i++) {
		unsigned int n = (i * 0x2b5) % 0x3ff;

		assert_int_equal(run_at(CODE + 4 * n), n % 3 ? 4 : 2);
		assert_int_equal(world.accesses[0].write, n % 3 != 1);
	}
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
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_fast_moves),
		cmocka_unit_test(test_fast_path_refuses_crossing),
		cmocka_unit_test(test_code_rewritten),
		cmocka_unit_test(test_page_remapped),
		cmocka_unit_test(test_accessed_bit),
		cmocka_unit_test(test_other_address_space),
		cmocka_unit_test(test_crossing_instruction),
		cmocka_unit_test(test_end_of_page),
		cmocka_unit_test(test_mode_changes),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_string_io_fields),
		cmocka_unit_test(test_collisions),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
