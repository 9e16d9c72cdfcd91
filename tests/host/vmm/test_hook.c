/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c lib/range_map.c kernel/time.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/* test-sources: vmm/hook/hook_mapped.c */
/* test-sources: tests/host/vmm/fake_pages.c */
/* Who answers for what: every map, its edges, splits and conflicts, and having no memory. */
#include "vmm/hook/hook.h"

#include "kernel/time.h"
#include "lib/range_map.h"
#include "tests/host/vmm/fake.h"
#include "tests/host/vmm/hook_world.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_call.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_memory.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/hook/hook_table.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int fail_read(void *opaque, struct vcpu *v, uint64_t offset, unsigned width, uint64_t *value)
{
	(void)opaque;
	(void)v;
	(void)offset;
	(void)width;
	*value = 0x1234;
	return -EIO;
}

static const struct hook_ops mute = {.read = NULL, .write = NULL};
static const struct hook_ops broken = {.read = fail_read};

static void test_io_widths(void **state)
{
	static const struct hook a = HOOK("a", 0x60, 0x67, note);

	(void)state;
	assert_int_equal(hook_io_add(&vm, &a), 0);
	assert_ptr_equal(hook_table_find(vm.hooks->io, 0x67), &a);
	assert_null(hook_table_find(vm.hooks->io, 0x68));
	assert_int_equal(hook_io_read(&vcpu, 0x60, 1), 0x11);
	assert_int_equal(hook_io_read(&vcpu, 0x61, 2), 0x3322);
	assert_int_equal(hook_io_read(&vcpu, 0x64, 4), 0x88776655);
	hook_io_write(&vcpu, 0x67, 1, 0xabcdef);
	assert_string_equal(story, "a0/1 a1/2 a4/4 a7/1=ef ");
	hook_io_remove(&vm, &a);
	assert_int_equal(hook_io_read(&vcpu, 0x60, 4), 0xffffffff);
	assert_int_equal(hook_io_read(&vcpu, 0x60, 1), 0xff);
}

/* PCI's address and the reset register within it: by whom an access is answered is its width's. */
static void test_io_register(void **state)
{
	static const struct hook wide = HOOK_REGISTER("w", 0xcf8, 4, note);
	static const struct hook byte = HOOK_REGISTER("b", 0xcf9, 1, note);
	static const struct hook after = HOOK("a", 0xcfc, 0xcff, note);
	static const struct hook two = {.first = 0x10, .last = 0x11, .ops = &note, .width = 2};

	(void)state;
	assert_int_equal(hook_io_add(&vm, &byte), 0);
	hook_io_write(&vcpu, 0xcf8, 4, 0x80000600); /* nobody is at 0xcf8 yet */
	assert_string_equal(story, "");
	assert_int_equal(hook_io_add(&vm, &wide), 0);
	assert_int_equal(hook_io_add(&vm, &after), 0);
	assert_int_equal(hook_io_add(&vm, &two), -EINVAL);
	assert_int_equal(hook_io_read(&vcpu, 0xcf8, 4), 0x44332211);
	assert_int_equal(hook_io_read(&vcpu, 0xcf9, 1), 0x11);
	hook_io_write(&vcpu, 0xcf8, 4, 0x80000600);
	hook_io_write(&vcpu, 0xcf9, 1, 6);
	assert_string_equal(story, "w0/4 b0/1 w0/4=80000600 b0/1=6 ");
	story[0] = '\0';
	assert_int_equal(hook_io_read(&vcpu, 0xcf8, 1), 0xff);
	assert_int_equal(hook_io_read(&vcpu, 0xcf8, 2), 0xffff);
	assert_int_equal(hook_io_read(&vcpu, 0xcf7, 4), 0xffffffff);
	hook_io_write(&vcpu, 0xcf9, 2, 0x606);
	hook_io_write(&vcpu, 0xcf9, 4, 0x06060606); /* 0xcfc is another's */
	assert_string_equal(story, "a0/1=6 ");
	hook_io_remove(&vm, &wide);
	assert_int_equal(hook_io_read(&vcpu, 0xcf8, 4), 0xffffffff);
}

static void test_io_split(void **state)
{
	static const struct hook a = HOOK("a", 0x3f0, 0x3f1, note);
	static const struct hook b = HOOK("b", 0x3f3, 0x3f3, note);
	static const struct hook top = HOOK("t", 0xffff, 0xffff, note);
	static const struct hook zero = HOOK("z", 0, 0, note);

	(void)state;
	assert_int_equal(hook_io_add(&vm, &a), 0);
	assert_int_equal(hook_io_add(&vm, &b), 0);
	assert_int_equal(hook_io_add(&vm, &top), 0);
	assert_int_equal(hook_io_add(&vm, &zero), 0);
	assert_int_equal(hook_io_read(&vcpu, 0x3f0, 4), 0x11ff2211);
	hook_io_write(&vcpu, 0x3ef, 4, 0x44332211);
	assert_string_equal(story, "a0/2 b0/1 a0/2=3322 ");
	story[0] = '\0';
	/* Nothing wraps around to port 0. */
	assert_int_equal(hook_io_read(&vcpu, 0xffff, 4), 0xffffff11);
	hook_io_write(&vcpu, 0xfffe, 4, 0x44332211);
	assert_string_equal(story, "t0/1 t0/1=22 ");
}

static void test_io_refusals(void **state)
{
	static const struct hook a = HOOK("a", 0x100, 0x10f, note);
	static const struct hook b = HOOK("b", 0x10f, 0x110, note);
	static const struct hook beyond = HOOK("c", 0xffff, 0x10000, note);
	static const struct hook turned = HOOK("d", 5, 4, note);

	(void)state;
	assert_int_equal(hook_io_add(&vm, &a), 0);
	assert_int_equal(hook_io_add(&vm, &b), -EBUSY);
	assert_true(fake_logged("device-a") && fake_logged("device-b"));
	assert_null(hook_table_find(vm.hooks->io, 0x110));
	assert_int_equal(hook_io_add(&vm, &beyond), -EINVAL);
	assert_int_equal(hook_io_add(&vm, &turned), -EINVAL);
}

static void test_errors_are_what_hardware_gives(void **state)
{
	static const struct hook m = HOOK("m", 0x10, 0x10, mute), b = HOOK("b", 0x20, 0x20, broken);
	uint64_t value;

	(void)state;
	assert_int_equal(hook_io_add(&vm, &m), 0);
	assert_int_equal(hook_io_add(&vm, &b), 0);
	assert_int_equal(hook_io_read(&vcpu, 0x10, 1), 0xff);
	hook_io_write(&vcpu, 0x10, 1, 0);
	assert_false(fake_logged("device-m"));
	assert_int_equal(hook_io_read(&vcpu, 0x20, 1), 0xff);
	assert_true(fake_logged("device-b"));
	fake_log_clear();
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(hook_io_read(&vcpu, 0x20, 1), 0xff);
	assert_false(fake_logged("device-b")); /* once a second is enough */

	assert_int_equal(hook_msr_add(&vm, &m), 0);
	assert_int_equal(hook_msr_read(&vcpu, 0x10, &value), -EACCES);
	assert_int_equal(hook_msr_write(&vcpu, 0x10, 0), -EACCES);
}

static void test_msr(void **state)
{
	static const struct hook x2 = HOOK("x", 0x800, 0x8ff, note);
	static const struct hook amd = HOOK("a", 0xc0010010, 0xc0010010, note);
	static const struct hook high = HOOK("h", 0xc0000080, 0xc0000084, note);
	static const struct hook none[] = {HOOK("n", 0x4000, 0x4000, note),
					   HOOK("n", 0x3fff, 0x4000, note),
					   HOOK("n", 0x80000000u, 0x80020000u, note)};
	uint64_t value;

	(void)state;
	assert_int_equal(hook_msr_add(&vm, &x2), 0);
	assert_int_equal(hook_msr_add(&vm, &amd), 0);
	assert_int_equal(hook_msr_add(&vm, &high), 0);
	assert_int_equal(hook_msr_read(&vcpu, 0x800, &value), 0);
	assert_int_equal(hook_msr_write(&vcpu, 0x8ff, 7), 0);
	assert_int_equal(hook_msr_write(&vcpu, 0xc0010010, UINT64_MAX), 0);
	assert_int_equal(hook_msr_read(&vcpu, 0xc0000084, &value), 0);
	assert_string_equal(story, "x0/8 x255/8=7 a0/8=ffffffffffffffff h4/8 ");
	assert_int_equal(hook_msr_read(&vcpu, 0x900, &value), -ENOENT);
	assert_int_equal(hook_msr_read(&vcpu, 0x10, &value), -ENOENT);
	assert_int_equal(hook_msr_read(&vcpu, 0x10800, &value), -ENOENT);
	assert_int_equal(hook_msr_write(&vcpu, 0x80000800u, 0), -ENOENT);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(hook_msr_add(&vm, &none[i]), -EINVAL);
	vm.hooks->msr_ignore = true;
	value = 5;
	assert_int_equal(hook_msr_read(&vcpu, 0x10, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(hook_msr_write(&vcpu, 0x10, 1), 0);
}

static void test_memory_edges(void **state)
{
	static const struct hook page = HOOK("p", 0xfee00000, 0xfee00fff, note);
	static const struct hook small = HOOK("s", 0xfed00004, 0xfed00007, note);
	static const struct hook last =
		HOOK("l", (UINT64_C(1) << 52) - 4, (UINT64_C(1) << 52) - 1, note);
	static const struct hook beyond = HOOK("b", UINT64_C(1) << 52, UINT64_C(1) << 52, note);

	(void)state;
	assert_int_equal(hook_memory_add(&vm, &page, HOOK_MEMORY_FULL), 0);
	assert_int_equal(hook_memory_add(&vm, &small, HOOK_MEMORY_FULL), 0);
	assert_int_equal(hook_memory_add(&vm, &last, HOOK_MEMORY_FULL), 0);
	assert_int_equal(hook_memory_add(&vm, &beyond, HOOK_MEMORY_FULL), -EINVAL);
	assert_int_equal(hook_memory_read(&vcpu, 0xfee00fff, 1), 0x88);
	assert_int_equal(hook_memory_read(&vcpu, last.last, 1), 0x44);
	assert_int_equal(hook_memory_read(&vcpu, 0xfed00000, 8), 0x44332211ffffffff);
	hook_memory_write(&vcpu, 0xfee00ffc, 8, 0x8877665544332211);
	hook_memory_write(&vcpu, 0xfed00003, 8, 0x8877665544332211);
	assert_string_equal(story, "p4095/1 l3/1 s0/4 p4092/4=44332211 s0/4=55443322 ");
	assert_int_equal(hook_memory_read(&vcpu, 0xfee01000, 8), UINT64_MAX);
	assert_true(hook_memory_covers(vm.hooks->memory, 0xfed00ff0, 1, false));
	assert_false(hook_memory_covers(vm.hooks->memory, 0xfed01000, 8, true));
}

static void test_memory_live_changes_flush(void **state)
{
	static const struct hook page = HOOK("p", 0xd0000000, 0xd0000fff, note);
	static const struct hook over = HOOK("o", 0xd0000800, 0xd0001fff, note);

	(void)state;
	vm.hooks->live = true;
	fake_grace_periods = 0;
	assert_int_equal(hook_memory_add(&vm, &page, HOOK_MEMORY_FULL), 0);
	assert_int_equal(flushes, 1);
	assert_int_equal(fake_grace_periods, 1);
	assert_int_equal(hook_memory_add(&vm, &over, HOOK_MEMORY_FULL), -EBUSY);
	assert_true(fake_logged("device-p") && fake_logged("device-o"));
	hook_memory_remove(&vm, &page);
	assert_int_equal(fake_grace_periods, 2);
	assert_int_equal(hook_memory_read(&vcpu, 0xd0000000, 4), 0xffffffff);
	assert_int_equal(hook_memory_add(&vm, &over, HOOK_MEMORY_FULL), 0);
	assert_null(range_map_find(vm.hooks->memory, 0xd0000000, NULL));
	assert_ptr_equal(range_map_find(vm.hooks->memory, 0xd0000800, NULL), &over);
}

static int64_t add_args(void *opaque, struct vcpu *v, uint64_t number, const uint64_t args[4])
{
	(void)opaque;
	(void)v;
	return (int64_t)(number + args[0] + args[1] + args[2] + args[3]);
}

static void test_calls(void **state)
{
	static const struct hook_call c = {.first = 5, .last = 6, .fn = add_args, .owner = "adder"};
	static const struct hook_call all = {
		.first = 0, .last = UINT64_MAX, .fn = add_args, .owner = "greedy"};
	const uint64_t args[4] = {1, 2, 3, 4};

	(void)state;
	assert_int_equal(hook_call_add(&vm, &c), 0);
	assert_int_equal(hook_call_add(&vm, &all), -EBUSY);
	assert_true(fake_logged("adder") && fake_logged("greedy"));
	assert_int_equal(hook_call_do(&vcpu, 6, args), 16);
	assert_int_equal(hook_call_do(&vcpu, 7, args), -38);
	hook_call_remove(&vm, &c);
	assert_int_equal(hook_call_do(&vcpu, 6, args), -38);
	assert_int_equal(hook_call_add(&vm, &all), 0);
	assert_int_equal(hook_call_do(&vcpu, UINT64_MAX, args), 9);
}

static void alter(void *opaque, struct vcpu *v, uint32_t leaf, uint32_t subleaf,
		  struct cpuid_regs *regs)
{
	(void)opaque;
	(void)v;
	regs->edx += leaf + subleaf;
}

static void query(uint32_t leaf, uint32_t subleaf, uint32_t eax, uint32_t edx)
{
	struct cpuid_regs r = {9, 9, 9, 9};

	hook_cpuid_query(&vcpu, leaf, subleaf, &r);
	assert_int_equal(r.eax, eax);
	assert_int_equal(r.edx, edx);
}

static void set(uint32_t leaf, uint32_t subleaf, uint32_t eax)
{
	struct cpuid_regs r = {.eax = eax, .edx = eax + 1};

	assert_int_equal(hook_cpuid_set(&vm, leaf, subleaf, &r), 0);
}

static void test_cpuid(void **state)
{
	static const struct hook_cpuid h = {.first = 4, .last = 5, .fn = alter, .owner = "h"};
	static const struct hook_cpuid h2 = {.first = 5, .last = 7, .fn = alter, .owner = "h2"};
	static const struct hook_cpuid none = {
		.first = 0xc0000000, .last = 0xc0000001, .fn = alter, .owner = "none"};

	(void)state;
	set(4, 1, 101);
	set(4, 0, 100);
	set(1, UINT32_MAX, 10);
	set(0x80000008, UINT32_MAX, 80);
	set(4, UINT32_MAX, 199);
	query(4, 0, 100, 101);
	query(4, 1, 101, 102);
	query(4, 7, 199, 200);
	query(1, 77, 10, 11);
	query(3, 0, 0, 0);
	query(0x80000008, 0, 80, 81);
	query(0x80000009, 0, 0, 0);
	query(0x40000000, 0, 0, 0);
	query(0xffffffff, 0, 0, 0);
	set(1, UINT32_MAX, 20);
	query(1, 0, 20, 21);
	assert_int_equal(hook_cpuid_add(&vm, &h), 0);
	assert_int_equal(hook_cpuid_add(&vm, &h2), -EBUSY);
	assert_int_equal(hook_cpuid_add(&vm, &none), -EINVAL);
	query(4, 1, 101, 102 + 5);
	query(5, 2, 0, 7);
	query(1, 0, 20, 21);
	hook_cpuid_remove(&vm, &h);
	query(4, 1, 101, 102);
	assert_int_equal(hook_cpuid_add(&vm, &h2), 0);
}

/* What the table does not reach is answered by a leaf of it, if it says so. */
static void test_cpuid_beyond(void **state)
{
	(void)state;
	set(0x80000008, UINT32_MAX, 80);
	assert_int_equal(hook_cpuid_set_beyond(&vm, 0x80000008), -EINVAL);
	assert_int_equal(hook_cpuid_set_beyond(&vm, 2), 0);
	query(2, 0, 0, 0); /* which may come later */
	query(3, 0, 0, 0);
	set(2, UINT32_MAX, 22);
	query(1, 0, 0, 0);
	query(3, 0, 22, 23);
	query(0x40000000, 0, 22, 23);
	query(0x80000000, 0, 0, 0); /* the table reaches it */
	query(0x80000009, 0, 22, 23);
	query(0xffffffff, 0, 22, 23);
}

/* Each allocation in turn fails: an error, nothing is leaked, what was there still works. */
static void test_without_memory(void **state)
{
	static const struct hook a = HOOK("a", 0x60, 0x67, note);
	static const struct hook_call c = {.first = 5, .last = 6, .fn = add_args, .owner = "c"};
	static const struct hook_cpuid h = {.first = 4, .last = 5, .fn = alter, .owner = "h"};
	struct cpuid_regs r = {0};
	int err = -ENOMEM;

	(void)state;
	for (long n = 0; n < 4 && err; n++) {
		fake_memory_left = n;
		err = hook_memory_add(&vm, &a, HOOK_MEMORY_FULL);
	}
	assert_int_equal(err, 0);
	for (fake_memory_left = 0; hook_io_add(&vm, &a); fake_memory_left = 9)
		assert_null(hook_table_find(vm.hooks->io, 0x60));
	fake_memory_left = 0;
	assert_int_equal(hook_call_add(&vm, &c), -ENOMEM);
	assert_int_equal(hook_cpuid_add(&vm, &h), -ENOMEM);
	assert_int_equal(hook_cpuid_set(&vm, 0, 0, &r), -ENOMEM);
	assert_int_equal(hook_cpuid_set_beyond(&vm, 0), -ENOMEM);
	assert_int_equal(hook_memory_read(&vcpu, 0x60, 4), 0x44332211);
	/* Taking away needs none. */
	hook_memory_remove(&vm, &a);
	hook_io_remove(&vm, &a);
	assert_int_equal(hook_memory_read(&vcpu, 0x60, 4), 0xffffffff);
	fake_memory_left = -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_io_widths),
		TEST(test_io_register),
		TEST(test_io_split),
		TEST(test_io_refusals),
		TEST(test_errors_are_what_hardware_gives),
		TEST(test_msr),
		TEST(test_memory_edges),
		TEST(test_memory_live_changes_flush),
		TEST(test_calls),
		TEST(test_cpuid),
		TEST(test_cpuid_beyond),
		TEST(test_without_memory),
	};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
