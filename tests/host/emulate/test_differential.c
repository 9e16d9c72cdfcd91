/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random instructions, executed by this machine's CPU and by the emulator: the
 * same registers, flags and memory must come out. EMULATE_SEED and
 * EMULATE_COUNT in the environment repeat or lengthen a run.
 */
/* test-sources: tests/host/emulate/world.c tests/host/emulate/native.c tests/host/emulate/gen.c */
/* test-sources: tests/host/emulate/random.c */
/* test-sources: vmm/emulate/alu.c vmm/emulate/arith.c vmm/emulate/bits.c vmm/emulate/cmpxchg.c */
/* test-sources: vmm/emulate/decode.c vmm/emulate/decode_table.c vmm/emulate/emulate.c */
/* test-sources: vmm/emulate/gva.c vmm/emulate/icache.c vmm/emulate/linear.c vmm/emulate/move.c */
/* test-sources: vmm/emulate/operand.c vmm/emulate/span.c vmm/emulate/stack.c */
/* test-sources: vmm/emulate/string.c */
#include "tests/host/emulate/gen.h"
#include "tests/host/emulate/native.h"
#include "tests/host/emulate/random.h"
#include "tests/host/emulate/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEFAULT_SEED  20260101
#define COUNT_64      150000
#define COUNT_32      75000
#define CODE_GPA      UINT64_C(0x4000)
#define SCRATCH_GPA   UINT64_C(0x8000)
#define RIGHTS	      (X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER)
#define WINDOW_OFFSET (GEN_WINDOW_AT - NATIVE_SCRATCH)

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void set_up(bool bits32)
{
	world_reset(bits32 ? WORLD_COMPAT_32 : WORLD_LONG);
	world_map(NATIVE_CODE, CODE_GPA, RIGHTS);
	/* Neighbours for the guest are far apart in its physical memory. */
	world_map(NATIVE_SCRATCH, SCRATCH_GPA, RIGHTS);
	world_map(NATIVE_SCRATCH + X86_PAGE_SIZE, SCRATCH_GPA + 3 * X86_PAGE_SIZE, RIGHTS);
	world.ctx.cpl = 3;
	for (unsigned int i = 0; i < EMULATE_NR_SEGS; i++)
		world.segs[i].selector = native_selector(i, bits32);
}

/* The halves of the window, in the guest's memory. */
static uint8_t *window_half(unsigned int half)
{
	return world.ram + (half ? SCRATCH_GPA + 3 * X86_PAGE_SIZE : SCRATCH_GPA + WINDOW_OFFSET);
}

static void fill_window(void)
{
	uint64_t *to = (uint64_t *)GEN_WINDOW_AT;
	bool zeros = random_word() % 2;

	for (unsigned int i = 0; i < GEN_WINDOW / 8; i++)
		to[i] = zeros ? 0 : random_word();
	memcpy(window_half(0), to, GEN_WINDOW / 2);
	memcpy(window_half(1), (uint8_t *)to + GEN_WINDOW / 2, GEN_WINDOW / 2);
}

static bool same_window(void)
{
	const uint8_t *native = (const uint8_t *)GEN_WINDOW_AT;

	return !memcmp(native, window_half(0), GEN_WINDOW / 2) &&
	       !memcmp(native + GEN_WINDOW / 2, window_half(1), GEN_WINDOW / 2);
}

static bool same_registers(const struct native_state *native, bool bits32)
{
	for (unsigned int i = 0; i < (bits32 ? 8 : 16); i++) {
		uint64_t differ = native->gpr[i] ^ world.gpr[i];

		if (bits32 ? (uint32_t)differ : differ)
			return false;
	}
	return true;
}

static void show(const struct gen_case *c, const struct native_state *native, bool bits32,
		 uint64_t seed, uint64_t number, enum emulate_result result)
{
	fprintf(stderr, "%s-bit, EMULATE_SEED=%llu, instruction %llu, result %d, bytes:",
		bits32 ? "32" : "64", (unsigned long long)seed, (unsigned long long)number,
		(int)result);
	for (unsigned int i = 0; i < c->len; i++)
		fprintf(stderr, " %02x", c->bytes[i]);
	fprintf(stderr, "\n%6s %16s %16s %16s\n", "", "before", "native", "emulated");
	for (unsigned int i = 0; i < 16; i++)
		fprintf(stderr, "%6u %16llx %16llx %16llx\n", i,
			(unsigned long long)c->state.gpr[i], (unsigned long long)native->gpr[i],
			(unsigned long long)world.gpr[i]);
	fprintf(stderr, "flags  %16llx %16llx %16llx, memory %s\n",
		(unsigned long long)c->state.flags, (unsigned long long)native->flags,
		(unsigned long long)world.ctx.rflags, same_window() ? "same" : "differs");
}

static bool run_case(struct gen_case *c, bool bits32, uint64_t seed, uint64_t number)
{
	struct native_state native = c->state;
	enum emulate_result result;
	uint64_t flags;

	fill_window();
	memcpy(world.gpr, c->state.gpr, sizeof(world.gpr));
	memcpy(world.ram + CODE_GPA, c->bytes, c->len);
	world.ctx.rip = NATIVE_CODE;
	world.ctx.rflags = c->state.flags;
	native_run(c->bytes, c->len, &native, bits32);
	result = world_run();
	flags = (native.flags ^ world.ctx.rflags) & ~c->undefined;
	if (result == EMULATE_DONE && !flags && same_registers(&native, bits32) && same_window() &&
	    world.ctx.rip == NATIVE_CODE + c->len)
		return true;
	show(c, &native, bits32, seed, number, result);
	return false;
}

static void run_many(bool bits32, uint64_t count)
{
	uint64_t seed = number_from("EMULATE_SEED", DEFAULT_SEED);
	struct gen_case c;
	unsigned int failed = 0;

	count = number_from("EMULATE_COUNT", count);
	random_seed(seed);
	set_up(bits32);
	for (uint64_t i = 0; i < count && failed < 5; i++) {
		gen_next(&c, bits32);
		failed += !run_case(&c, bits32, seed, i);
	}
	world_free();
	assert_int_equal(failed, 0);
}

static void test_64(void **state)
{
	(void)state;
	run_many(false, COUNT_64);
}

static void test_32(void **state)
{
	(void)state;
	if (!native_has_32())
		skip();
	run_many(true, COUNT_32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_64),
		cmocka_unit_test(test_32),
	};

	if (!native_init()) {
		fprintf(stderr, "cannot map pages at fixed addresses\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
