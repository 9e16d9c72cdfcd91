/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks through random page tables, against a plain reading of the manual's tables. */
/* test-sources: tests/host/emulate/world.c tests/host/emulate/random.c */
/* test-sources: vmm/emulate/alu.c vmm/emulate/arith.c vmm/emulate/bits.c vmm/emulate/cmpxchg.c */
/* test-sources: vmm/emulate/decode.c vmm/emulate/decode_table.c vmm/emulate/emulate.c */
/* test-sources: vmm/emulate/gva.c vmm/emulate/icache.c vmm/emulate/linear.c vmm/emulate/move.c */
/* test-sources: vmm/emulate/operand.c vmm/emulate/span.c vmm/emulate/stack.c */
/* test-sources: vmm/emulate/string.c */
#include "tests/host/emulate/random.h"
#include "tests/host/emulate/world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WALKS  200000
#define TABLES 6 /* pages that entries point at: from WORLD_ROOT on */

/* What the reference says. */
struct answer {
	bool fault;
	uint32_t error;
	uint64_t gpa;
	unsigned int nr; /* entries used, and where they are */
	uint64_t entries[4];
};

static bool bit(uint64_t value, unsigned int number)
{
	return value >> number & 1;
}

static uint64_t read_entry(uint64_t gpa, unsigned int size)
{
	uint64_t entry = ~UINT64_C(0) >> (64 - size * 8);

	if (gpa < WORLD_RAM_SIZE)
		memcpy(&entry, world.ram + gpa, size);
	return entry;
}

static bool any(uint64_t value, unsigned int high, unsigned int low)
{
	return high >= low && (value << (63 - high)) >> (63 - high) >> low;
}

/* SDM vol. 3A, figures 4-4, 4-7 and 4-11: reserved bits of a present entry. */
static bool is_reserved(uint64_t e, unsigned int levels, unsigned int level, bool large)
{
	const struct emulate_ctx *ctx = &world.ctx;
	bool nxe = ctx->efer & X86_EFER_NXE;

	if (levels == 2)
		return large && (bit(e, 21) || any(e, 20, ctx->phys_bits - 32 + 13));
	if (any(e, 51, ctx->phys_bits))
		return true;
	if (levels == 3 && level == 3)
		return any(e, 63, 52) || any(e, 8, 6) || any(e, 2, 1);
	if (levels == 3 && any(e, 62, 52))
		return true;
	if (bit(e, 63) && !nxe)
		return true;
	if (level == 4 && bit(e, 7))
		return true;
	if (level == 3 && bit(e, 7) && (!ctx->pages_1g || any(e, 29, 13)))
		return true;
	return level == 2 && large && any(e, 20, 13);
}

static bool is_allowed(bool writable, bool user, bool nx, unsigned int access)
{
	const struct emulate_ctx *ctx = &world.ctx;
	bool write = access & GVA_WRITE, fetch = access & GVA_FETCH;

	if (fetch && nx)
		return false;
	if (ctx->cpl == 3 && !(access & GVA_SYSTEM))
		return user && (writable || !write);
	if (fetch)
		return !(user && (ctx->cr4 & X86_CR4_SMEP));
	if (user && (ctx->cr4 & X86_CR4_SMAP) &&
	    ((access & GVA_SYSTEM) || !(ctx->rflags & X86_FLAGS_AC)))
		return false;
	return !write || writable || !(ctx->cr0 & X86_CR0_WP);
}

static uint32_t error_bits(unsigned int access)
{
	const struct emulate_ctx *ctx = &world.ctx;
	bool nx = (ctx->efer & X86_EFER_NXE) && (ctx->cr4 & X86_CR4_PAE);
	uint32_t error = 0;

	if (access & GVA_WRITE)
		error |= 2;
	if (ctx->cpl == 3 && !(access & GVA_SYSTEM))
		error |= 4;
	if ((access & GVA_FETCH) && (nx || (ctx->cr4 & X86_CR4_SMEP)))
		error |= 16;
	return error;
}

static struct answer reference(uint64_t gva, unsigned int access)
{
	const struct emulate_ctx *ctx = &world.ctx;
	unsigned int levels = ctx->efer & X86_EFER_LMA ? 4 : ctx->cr4 & X86_CR4_PAE ? 3 : 2;
	unsigned int size = levels == 2 ? 4 : 8, bits = levels == 2 ? 10 : 9;
	bool writable = true, user = true, nx = false, large;
	struct answer a = {.error = error_bits(access)};
	uint64_t table = ctx->cr3, e;

	for (unsigned int level = levels;; level--) {
		unsigned int shift = 12 + bits * (level - 1);

		a.entries[a.nr] = table + ((gva >> shift) % (1u << bits)) * size;
		e = read_entry(a.entries[a.nr++], size);
		a.fault = true;
		if (!bit(e, 0))
			return a;
		large = bit(e, 7) && ((level == 3 && levels == 4) ||
				      (level == 2 && (levels > 2 || (ctx->cr4 & X86_CR4_PSE))));
		if (is_reserved(e, levels, level, large)) {
			a.error |= 9;
			return a;
		}
		if (!(levels == 3 && level == 3)) {
			writable &= bit(e, 1);
			user &= bit(e, 2);
			nx |= bit(e, 63);
		}
		if (level == 1 || large) {
			uint64_t mask = (UINT64_C(1) << shift) - 1;

			a.gpa = (e & UINT64_C(0x000ffffffffff000) & ~mask) | (gva & mask);
			if (levels == 2 && large)
				a.gpa = (e & 0xffc00000) | (e >> 13 & 0xff) << 32 | (gva & mask);
			break;
		}
		table = e & UINT64_C(0x000ffffffffff000);
	}
	a.fault = !is_allowed(writable, user, nx, access);
	a.error |= 1;
	return a;
}

static uint64_t random_entry(unsigned int levels, bool root)
{
	uint64_t e = WORLD_ROOT + random_below(TABLES) * X86_PAGE_SIZE;

	e |= random_below(16) ? 1 : 0;
	if (root && levels == 3)
		return random_below(16) ? e : e | random_word();
	e |= random_below(4) ? 2 : 0;
	e |= random_below(4) ? 4 : 0;
	e |= random_word() & 0xe60; /* A, D and what is free */
	e |= random_below(4) ? 0 : X86_PTE_LARGE;
	if (!random_below(8) && levels > 2)
		e |= X86_PTE_NX;
	if (!random_below(16))
		e |= BIT(12 + random_below(levels == 2 ? 20 : 51));
	if (e & X86_PTE_LARGE && random_below(8))
		e &= ~UINT64_C(0x3fe000); /* or else most are reserved */
	return e;
}

static void random_tables(unsigned int levels)
{
	unsigned int size = levels == 2 ? 4 : 8;

	for (unsigned int i = 0; i < TABLES * X86_PAGE_SIZE / size; i++) {
		uint64_t e = random_entry(levels, i < 4);

		memcpy(world.ram + WORLD_ROOT + i * size, &e, size);
	}
}

static void random_mode(unsigned int levels)
{
	struct emulate_ctx *ctx = &world.ctx;

	ctx->cr0 = X86_CR0_PE | X86_CR0_PG | (random_below(2) ? X86_CR0_WP : 0);
	ctx->cr4 = (random_below(2) ? X86_CR4_SMAP : 0) | (random_below(2) ? X86_CR4_SMEP : 0) |
		   (random_below(2) ? X86_CR4_PSE : 0) | (levels > 2 ? X86_CR4_PAE : 0);
	ctx->efer = (random_below(4) ? X86_EFER_NXE : 0) | (levels == 4 ? X86_EFER_LMA : 0);
	ctx->rflags = random_below(2) ? X86_FLAGS_AC : 0;
	ctx->cpl = random_below(2) ? 3 : 0;
	ctx->phys_bits = (uint8_t)(36 + random_below(17));
	ctx->pages_1g = random_below(2);
}

static void expect_marks(const struct answer *a, unsigned int levels, unsigned int access)
{
	for (unsigned int i = levels == 3 ? 1 : 0; i < a->nr; i++) {
		uint64_t e = read_entry(a->entries[i], levels == 2 ? 4 : 8);

		assert_true(bit(e, 5));
		if (i + 1 == a->nr && (access & GVA_WRITE))
			assert_true(bit(e, 6));
	}
}

static void compare(uint64_t gva, unsigned int access, unsigned int levels)
{
	struct answer a = reference(gva, access);
	struct gva_walk walk;
	int err = gva_translate(&world.ctx, gva, access, &walk);

	if (a.fault) {
		assert_int_equal(err, -EFAULT);
		assert_int_equal(world.ctx.fault.vector, X86_VECTOR_PF);
		assert_int_equal(world.ctx.fault.error, a.error);
		assert_int_equal(world.ctx.fault.cr2, gva);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(walk.gpa, a.gpa);
	assert_int_equal(walk.nr_entries, a.nr);
	expect_marks(&a, levels, access);
}

static void walk_randomly(enum world_mode mode, unsigned int levels)
{
	static const unsigned int accesses[] = {GVA_READ, GVA_WRITE, GVA_FETCH, GVA_SYSTEM,
						GVA_SYSTEM | GVA_WRITE};
	unsigned int good = 0;

	world_reset(mode);
	for (unsigned int i = 0; i < WALKS; i++) {
		uint64_t gva = levels == 4 ? (uint64_t)((int64_t)(random_word() << 16) >> 16)
					   : (uint32_t)random_word();
		struct gva_walk walk;

		if (i % 100 == 0) {
			random_tables(levels);
			random_mode(levels);
		}
		compare(gva, accesses[random_below(5)], levels);
		good += !gva_translate(&world.ctx, gva, GVA_READ, &walk);
	}
	/* The tables are no good if nothing gets through. */
	assert_true(good > WALKS / 20);
}

static void test_long(void **state)
{
	(void)state;
	walk_randomly(WORLD_LONG, 4);
}

static void test_pae(void **state)
{
	(void)state;
	walk_randomly(WORLD_PAE, 3);
}

static void test_32(void **state)
{
	(void)state;
	walk_randomly(WORLD_PAGED_32, 2);
}

static void test_no_paging(void **state)
{
	struct gva_walk walk;

	(void)state;
	world_reset(WORLD_PROTECTED_32);
	assert_int_equal(gva_translate(&world.ctx, 0x12345678, GVA_WRITE, &walk), 0);
	assert_int_equal(walk.gpa, 0x12345678);
	assert_int_equal(walk.nr_entries, 0);
}

/* Tables in nobody's memory read all ones, which long mode takes for reserved bits. */
static void test_tables_outside_ram(void **state)
{
	struct gva_walk walk;

	(void)state;
	world_reset(WORLD_LONG);
	world.ctx.cr3 = UINT64_C(0xe0000000);
	assert_int_equal(gva_translate(&world.ctx, 0x1000, GVA_READ, &walk), -EFAULT);
	assert_int_equal(world.ctx.fault.error, X86_PF_PRESENT | X86_PF_RESERVED);
}

/* Tables whose writes are watched are read, but not marked. */
static void test_watched_tables(void **state)
{
	struct gva_walk walk;

	(void)state;
	world_reset(WORLD_LONG);
	world_map(0x1000, 0x7000, X86_PTE_PRESENT);
	world.watched = WORLD_ROOT + 3 * X86_PAGE_SIZE;
	assert_int_equal(gva_translate(&world.ctx, 0x1000, GVA_READ, &walk), 0);
	assert_int_equal(walk.gpa, 0x7000);
	assert_int_equal(*(uint64_t *)world_entry(0x1000, 1) & X86_PTE_ACCESSED, 0);
	assert_true(*(uint64_t *)world_entry(0x1000, 2) & X86_PTE_ACCESSED);
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
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_pae),
		cmocka_unit_test(test_32),
		cmocka_unit_test(test_no_paging),
		cmocka_unit_test(test_tables_outside_ram),
		cmocka_unit_test(test_watched_tables),
	};

	random_seed(20260101);
	return cmocka_run_group_tests(tests, NULL, tear_down);
}
