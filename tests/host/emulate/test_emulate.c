/* SPDX-License-Identifier: BSD-2-Clause */
/* What instructions do to devices and memory; the modes; what fits into one exit. */
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

#define RIGHTS	 (X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER)
#define MMIO	 UINT64_C(0x400000) /* where long mode's tests map the device, two pages … */
#define DATA	 UINT64_C(0x402000) /* … and behind it RAM */
#define DATA_GPA UINT64_C(0x20000)

static void set_up_long(void)
{
	world_reset(WORLD_LONG);
	world_map(0x1000, 0x1000, RIGHTS);
	world_map(MMIO, WORLD_DEVICE, RIGHTS);
	world_map(MMIO + 0x1000, WORLD_DEVICE + 0x1000, RIGHTS);
	world_map(DATA, DATA_GPA, RIGHTS);
}

static void expect_access(unsigned int i, bool write, unsigned int width, uint64_t gpa,
			  uint64_t value)
{
	assert_true(i < world.nr_accesses);
	assert_int_equal(world.accesses[i].write, write);
	assert_int_equal(world.accesses[i].width, width);
	assert_int_equal(world.accesses[i].gpa, gpa);
	assert_int_equal(world.accesses[i].value, value);
}

static void device_set(uint64_t offset, uint64_t value)
{
	memcpy(world.device + offset, &value, 8);
}

static uint64_t ram_word(uint64_t gpa)
{
	uint64_t value;

	memcpy(&value, world.ram + gpa, 8);
	return value;
}

static void test_moves(void **state)
{
	(void)state;
	set_up_long();
	world.gpr[X86_RBX] = MMIO + 0x10;
	world.gpr[X86_RAX] = UINT64_C(0x1122334455667788);
	assert_int_equal(WORLD_RUN(0x89, 0x03), EMULATE_DONE); /* mov [rbx], eax */
	expect_access(0, true, 4, WORLD_DEVICE + 0x10, 0x55667788);
	assert_int_equal(world.nr_accesses, 1);
	assert_int_equal(world.ctx.rip, 0x1002);

	device_set(0x18, UINT64_C(0x8090a0b0c0d0e0f0));
	assert_int_equal(WORLD_RUN(0x8b, 0x43, 0x08), EMULATE_DONE); /* mov eax, [rbx + 8] */
	expect_access(0, false, 4, WORLD_DEVICE + 0x18, 0xc0d0e0f0);
	assert_int_equal(world.gpr[X86_RAX], 0xc0d0e0f0);

	assert_int_equal(WORLD_RUN(0x8a, 0x63, 0x08), EMULATE_DONE); /* mov ah, [rbx + 8] */
	assert_int_equal(world.gpr[X86_RAX], 0xc0d0f0f0);
	assert_int_equal(WORLD_RUN(0x48, 0x0f, 0xbe, 0x43, 0x08),
			 EMULATE_DONE); /* movsx rax, byte */
	assert_int_equal(world.gpr[X86_RAX], UINT64_C(0xfffffffffffffff0));
	assert_int_equal(WORLD_RUN(0x66, 0xc7, 0x03, 0x34, 0x12),
			 EMULATE_DONE); /* mov word [rbx], imm */
	expect_access(0, true, 2, WORLD_DEVICE + 0x10, 0x1234);
	/* mov qword [rbx], imm32: sign-extended */
	assert_int_equal(WORLD_RUN(0x48, 0xc7, 0x03, 0xfe, 0xff, 0xff, 0xff), EMULATE_DONE);
	expect_access(0, true, 8, WORLD_DEVICE + 0x10, ~UINT64_C(1));
	/* mov [moffs64], al */
	assert_int_equal(WORLD_RUN(0xa2, 0x21, 0x00, 0x40, 0, 0, 0, 0, 0), EMULATE_DONE);
	expect_access(0, true, 1, WORLD_DEVICE + 0x21, 0xf0);
	/* mov [rip + disp32], eax */
	world.ctx.rip = 0x1000;
	assert_int_equal(WORLD_RUN(0x89, 0x05, 0x00, 0xf0, 0x3f, 0x00), EMULATE_DONE);
	expect_access(0, true, 4, WORLD_DEVICE + 0x6, 0xfffffff0);
	/* mov [rbx], ds: 16 bits whatever the operand size */
	assert_int_equal(WORLD_RUN(0x48, 0x8c, 0x1b), EMULATE_DONE);
	expect_access(0, true, 2, WORLD_DEVICE + 0x10, 0x18);
}

static void test_read_modify_write(void **state)
{
	(void)state;
	set_up_long();
	world.gpr[X86_RBX] = MMIO;
	world.gpr[X86_RAX] = 0x0f;
	device_set(0, 0xf0);
	assert_int_equal(WORLD_RUN(0x09, 0x03), EMULATE_DONE); /* or [rbx], eax */
	assert_int_equal(world.nr_accesses, 2);
	expect_access(0, false, 4, WORLD_DEVICE, 0xf0);
	expect_access(1, true, 4, WORLD_DEVICE, 0xff);

	assert_int_equal(WORLD_RUN(0x39, 0x03), EMULATE_DONE); /* cmp [rbx], eax */
	assert_int_equal(world.nr_accesses, 1);

	assert_int_equal(WORLD_RUN(0x87, 0x03), EMULATE_DONE); /* xchg [rbx], eax */
	assert_int_equal(world.gpr[X86_RAX], 0xff);
	expect_access(1, true, 4, WORLD_DEVICE, 0x0f);

	world.gpr[X86_RAX] = 0x10; /* differs: the old value is written */
	assert_int_equal(WORLD_RUN(0xf0, 0x0f, 0xb1, 0x0b), EMULATE_DONE);
	expect_access(1, true, 4, WORLD_DEVICE, 0x0f);
	assert_int_equal(world.gpr[X86_RAX], 0x0f);

	device_set(0, 0x1122334455667788);
	world.gpr[X86_RAX] = 0x55667788;
	world.gpr[X86_RDX] = 0x11223344;
	world.gpr[X86_RCX] = 0xaabbccdd;
	world.gpr[X86_RBX] = MMIO;
	assert_int_equal(WORLD_RUN(0x0f, 0xc7, 0x0b), EMULATE_DONE); /* cmpxchg8b */
	expect_access(1, true, 8, WORLD_DEVICE, 0xaabbccdd00400000);
	assert_true(world.ctx.rflags & X86_FLAGS_ZF);
	assert_int_equal(WORLD_RUN(0x48, 0x0f, 0xc7, 0x0b), EMULATE_DONE); /* cmpxchg16b */
	assert_int_equal(world.nr_accesses, 4);
	expect_access(3, true, 8, WORLD_DEVICE + 8, 0);
	assert_false(world.ctx.rflags & X86_FLAGS_ZF);

	world.gpr[X86_RCX] = (uint64_t)-1; /* the bit before the operand */
	world.gpr[X86_RBX] = MMIO + 0x20;
	assert_int_equal(WORLD_RUN(0x0f, 0xab, 0x0b), EMULATE_DONE); /* bts [rbx], ecx */
	expect_access(1, true, 4, WORLD_DEVICE + 0x1c, 0x80000000);
}

/* RAM of which writes are watched is read and written through the device's door. */
static void test_watched_memory(void **state)
{
	(void)state;
	set_up_long();
	world.watched = DATA_GPA;
	world.gpr[X86_RBX] = DATA;
	assert_int_equal(WORLD_RUN(0xff, 0x03), EMULATE_DONE); /* inc dword [rbx] */
	assert_int_equal(world.nr_accesses, 2);
	assert_int_equal(ram_word(DATA_GPA), 1);
	assert_int_equal(WORLD_RUN(0x8b, 0x0b), EMULATE_DONE); /* mov ecx, [rbx] */
	assert_int_equal(world.nr_accesses, 0);
	assert_int_equal(world.gpr[X86_RCX], 1);
}

static void test_page_crossing(void **state)
{
	(void)state;
	set_up_long();
	/* Between two pages of the device: each part naturally split. */
	world.gpr[X86_RBX] = MMIO + 0xffd;
	world.gpr[X86_RAX] = UINT64_C(0x0807060504030201);
	assert_int_equal(WORLD_RUN(0x48, 0x89, 0x03), EMULATE_DONE);
	assert_int_equal(world.nr_accesses, 4);
	expect_access(0, true, 1, WORLD_DEVICE + 0xffd, 0x01);
	expect_access(1, true, 2, WORLD_DEVICE + 0xffe, 0x0302);
	expect_access(2, true, 4, WORLD_DEVICE + 0x1000, 0x07060504);
	expect_access(3, true, 1, WORLD_DEVICE + 0x1004, 0x08);

	/* From the device into RAM. */
	world.gpr[X86_RBX] = DATA - 2;
	assert_int_equal(WORLD_RUN(0x48, 0x89, 0x03), EMULATE_DONE);
	assert_int_equal(world.nr_accesses, 1);
	expect_access(0, true, 2, WORLD_DEVICE + 0x1ffe, 0x0201);
	assert_int_equal(ram_word(DATA_GPA), UINT64_C(0x080706050403));
	world.gpr[X86_RAX] = 0;
	assert_int_equal(WORLD_RUN(0x48, 0x8b, 0x03), EMULATE_DONE);
	assert_int_equal(world.gpr[X86_RAX], UINT64_C(0x0807060504030201));

	/* Into a page that is not there: nothing is written. */
	world.gpr[X86_RBX] = DATA + 0xffc;
	assert_int_equal(WORLD_RUN(0x48, 0x01, 0x03), EMULATE_FAULT);
	assert_int_equal(world.ctx.fault.vector, X86_VECTOR_PF);
	assert_int_equal(world.ctx.fault.cr2, DATA + 0x1000);
	assert_int_equal(world.ctx.fault.error, X86_PF_WRITE);
	assert_int_equal(ram_word(DATA_GPA + 0xff8), 0);
}

static void test_repeat_is_bounded(void **state)
{
	(void)state;
	set_up_long();
	world.ctx.rflags |= X86_FLAGS_RF;
	world.gpr[X86_RDI] = MMIO;
	world.gpr[X86_RCX] = 0x1001;
	world.gpr[X86_RAX] = 0x5a;
	assert_int_equal(WORLD_RUN(0xf3, 0xaa), EMULATE_AGAIN); /* rep stosb */
	assert_int_equal(world.nr_accesses, 4096);
	assert_int_equal(world.gpr[X86_RCX], 1);
	assert_int_equal(world.gpr[X86_RDI], MMIO + 0x1000);
	assert_int_equal(world.ctx.rip, 0x1000);
	assert_int_equal(world_run(), EMULATE_DONE);
	assert_int_equal(world.nr_accesses, 1);
	assert_int_equal(world.ctx.rip, 0x1002);
	assert_false(world.ctx.rflags & X86_FLAGS_RF);

	/* A debugger steps one iteration at a time. */
	world.ctx.rflags |= X86_FLAGS_TF;
	world.gpr[X86_RCX] = 2;
	assert_int_equal(WORLD_RUN(0xf3, 0xaa), EMULATE_AGAIN);
	assert_int_equal(world.gpr[X86_RCX], 1);
	assert_int_equal(world_run(), EMULATE_DONE);
}

static void test_repeat_faults_between(void **state)
{
	(void)state;
	set_up_long();
	world.gpr[X86_RSI] = MMIO + 0x10;
	world.gpr[X86_RDI] = DATA + 0xff8;
	world.gpr[X86_RCX] = 4;
	device_set(0x10, 0x2222222211111111);
	assert_int_equal(WORLD_RUN(0xf3, 0xa5), EMULATE_FAULT); /* rep movsd */
	assert_int_equal(world.ctx.fault.cr2, DATA + 0x1000);
	assert_int_equal(world.gpr[X86_RCX], 2);
	assert_int_equal(world.gpr[X86_RSI], MMIO + 0x18);
	assert_int_equal(world.gpr[X86_RDI], DATA + 0x1000);
	assert_int_equal(ram_word(DATA_GPA + 0xff8), 0x2222222211111111);
	assert_int_equal(world.nr_accesses, 2);
	assert_int_equal(world.ctx.rip, 0x1000);

	/* Downwards, from RAM to the device. */
	world.ctx.rflags |= X86_FLAGS_DF;
	world.gpr[X86_RSI] = DATA + 0xffc;
	world.gpr[X86_RDI] = MMIO + 4;
	world.gpr[X86_RCX] = 2;
	assert_int_equal(world_run(), EMULATE_DONE);
	expect_access(0, true, 4, WORLD_DEVICE + 4, 0x22222222);
	expect_access(1, true, 4, WORLD_DEVICE, 0x11111111);
	assert_int_equal(world.gpr[X86_RDI], MMIO - 4);
}

static void test_stack(void **state)
{
	(void)state;
	set_up_long();
	/* pop [rsp + 8]: the address is made of the pointer after the pop. */
	world.gpr[X86_RSP] = DATA;
	world.ram[DATA_GPA] = 0x77;
	assert_int_equal(WORLD_RUN(0x8f, 0x44, 0x24, 0x08), EMULATE_DONE);
	assert_int_equal(world.gpr[X86_RSP], DATA + 8);
	assert_int_equal(ram_word(DATA_GPA + 0x10), 0x77);
	/* push [device] */
	device_set(0, 0x99);
	world.gpr[X86_RBX] = MMIO;
	assert_int_equal(WORLD_RUN(0xff, 0x33), EMULATE_DONE);
	assert_int_equal(world.gpr[X86_RSP], DATA);
	assert_int_equal(ram_word(DATA_GPA), 0x99);
	/* A pop that faults leaves the pointer. */
	world.gpr[X86_RBX] = 0x800000;
	assert_int_equal(WORLD_RUN(0x8f, 0x03), EMULATE_FAULT);
	assert_int_equal(world.ctx.fault.error, X86_PF_WRITE);
	assert_int_equal(world.gpr[X86_RSP], DATA);
	/* Below the stack is nothing; the device is not read then. */
	world.gpr[X86_RSP] = 0x800000;
	world.gpr[X86_RBX] = MMIO;
	assert_int_equal(WORLD_RUN(0xff, 0x33), EMULATE_FAULT);
	assert_int_equal(world.nr_accesses, 0);
}

static void test_real_mode(void **state)
{
	static const struct {
		uint8_t rm;
		uint16_t offset;
		uint64_t base; /* of the segment */
	} forms[] = {
		{0x40, 0x110 + 0x2, 0x20000}, /* [bx + si + 2] */
		{0x41, 0x120 + 0x2, 0x20000}, /* [bx + di + 2] */
		{0x42, 0x410 + 0x2, 0x30000}, /* [bp + si + 2] */
		{0x43, 0x420 + 0x2, 0x30000}, /* [bp + di + 2] */
		{0x44, 0x010 + 0x2, 0x20000}, /* [si + 2] */
		{0x45, 0x020 + 0x2, 0x20000}, /* [di + 2] */
		{0x46, 0x400 + 0x2, 0x30000}, /* [bp + 2] */
		{0x47, 0x100 + 0x2, 0x20000}, /* [bx + 2] */
	};

	(void)state;
	world_reset(WORLD_REAL);
	world.segs[EMULATE_DS].base = 0x20000;
	world.segs[EMULATE_SS].base = 0x30000;
	world.segs[EMULATE_ES].base = 0xa0000;
	world.gpr[X86_RBX] = 0xffff0100; /* upper halves do not count */
	world.gpr[X86_RBP] = 0x400;
	world.gpr[X86_RSI] = 0x10;
	world.gpr[X86_RDI] = 0x20;
	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		world.gpr[X86_RAX] = 0xa000 + i;
		assert_int_equal(WORLD_RUN(0x89, forms[i].rm, 0x02), EMULATE_DONE);
		assert_int_equal(*(uint16_t *)(world.ram + forms[i].base + forms[i].offset),
				 0xa000 + i);
	}
	assert_int_equal(WORLD_RUN(0x26, 0x89, 0x1e, 0x34, 0x12), EMULATE_DONE); /* es:[1234h] */
	assert_int_equal(*(uint16_t *)(world.ram + 0xa1234), 0x100);
	/* 32-bit operand and address in 16-bit code. */
	assert_int_equal(WORLD_RUN(0x66, 0x67, 0x89, 0x5c, 0x35, 0x00), EMULATE_DONE);
	assert_int_equal(*(uint32_t *)(world.ram + 0x30410), 0xffff0100);
	/* The instruction pointer wraps at 64 KiB. */
	world.ctx.rip = 0xfffe;
	assert_int_equal(WORLD_RUN(0x89, 0x04), EMULATE_DONE);
	assert_int_equal(world.ctx.rip, 0);
}

static void test_string_address_size(void **state)
{
	(void)state;
	world_reset(WORLD_REAL);
	world.segs[EMULATE_ES].base = 0x50000;
	world.gpr[X86_RCX] = 0x10002; /* CX is 2 */
	world.gpr[X86_RDI] = 0x7ffff; /* DI wraps */
	world.gpr[X86_RAX] = 0x41;
	assert_int_equal(WORLD_RUN(0xf3, 0xaa), EMULATE_DONE);
	assert_int_equal(world.ram[0x5ffff], 0x41);
	assert_int_equal(world.ram[0x50000], 0x41);
	assert_int_equal(world.gpr[X86_RCX], 0x10000);
	assert_int_equal(world.gpr[X86_RDI], 0x70001);
	/* The source's segment can be chosen, the target's cannot. */
	world.segs[EMULATE_FS].base = 0x50000;
	world.gpr[X86_RSI] = 0;
	world.gpr[X86_RDI] = 0x10;
	assert_int_equal(WORLD_RUN(0x64, 0xa4), EMULATE_DONE);
	assert_int_equal(world.ram[0x50010], 0x41);
}

static void test_segment_bases(void **state)
{
	(void)state;
	set_up_long();
	world.segs[EMULATE_GS].base = MMIO;
	world.segs[EMULATE_DS].base = 0x12345; /* not in 64-bit mode */
	world.gpr[X86_RBX] = 0x20;
	assert_int_equal(WORLD_RUN(0x65, 0x89, 0x03), EMULATE_DONE);
	expect_access(0, true, 4, WORLD_DEVICE + 0x20, 0);
	assert_int_equal(WORLD_RUN(0x65, 0x3e, 0x89, 0x03), EMULATE_DONE);
	expect_access(0, true, 4, WORLD_DEVICE + 0x20, 0);
	/* A protected 32-bit segment's addresses wrap at 4 GiB. */
	world_reset(WORLD_PROTECTED_32);
	world.segs[EMULATE_DS].base = 0xfffff000;
	world.gpr[X86_RBX] = 0x6000;
	world.gpr[X86_RAX] = 0x11223344;
	assert_int_equal(WORLD_RUN(0x89, 0x03), EMULATE_DONE);
	assert_int_equal(ram_word(0x5000), 0x11223344);
}

/* What nobody answers reads all ones. */
static void test_nobody(void **state)
{
	(void)state;
	set_up_long();
	world_map(MMIO, UINT64_C(0xe0000000), RIGHTS);
	world.gpr[X86_RBX] = MMIO;
	assert_int_equal(WORLD_RUN(0x8b, 0x03), EMULATE_DONE);
	assert_int_equal(world.gpr[X86_RAX], 0xffffffff);
}

static void test_not_emulated(void **state)
{
	static const uint8_t fxsave[] = {0x0f, 0xae, 0x03};

	(void)state;
	set_up_long();
	for (int i = 0; i < 2; i++) { /* decoded, and from the cache */
		world.ctx.nr_bytes = 0;
		assert_int_equal(WORLD_RUN(0x0f, 0xae, 0x03), EMULATE_UNHANDLED);
		assert_true(world.ctx.nr_bytes >= sizeof(fxsave));
		assert_memory_equal(world.ctx.bytes, fxsave, sizeof(fxsave));
		assert_int_equal(world.ctx.rip, 0x1000);
	}
	assert_int_equal(WORLD_RUN(0x0f, 0xff, 0xff), EMULATE_UNHANDLED); /* no instruction */
	/* Code that is not in RAM. */
	world_map(0x5000, WORLD_DEVICE, RIGHTS);
	world.ctx.rip = 0x5000;
	assert_int_equal(world_run(), EMULATE_UNHANDLED);
	assert_int_equal(world.ctx.nr_bytes, 0);
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
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_read_modify_write),
		cmocka_unit_test(test_watched_memory),
		cmocka_unit_test(test_page_crossing),
		cmocka_unit_test(test_repeat_is_bounded),
		cmocka_unit_test(test_repeat_faults_between),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_real_mode),
		cmocka_unit_test(test_string_address_size),
		cmocka_unit_test(test_segment_bases),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_not_emulated),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
