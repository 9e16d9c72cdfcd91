/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c lib/range_map.c kernel/time.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/* test-sources: vmm/hook/hook_mapped.c */
/* test-sources: tests/host/vmm/fake_pages.c */
/* A bus that has what no device has: ports and memory. */
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

/* A bus: what no device has, in one piece where it can be. */
static void test_io_rest(void **state)
{
	static const struct hook rest = HOOK("r", 0, 0xffff, note), other = HOOK("o", 0, 1, note);
	static const struct hook a = HOOK("a", 0x3f2, 0x3f2, note);
	static const struct hook byte = HOOK_REGISTER("b", 0x3f6, 1, note);

	(void)state;
	vm.hooks->live = true;
	fake_grace_periods = 0;
	assert_int_equal(hook_io_add(&vm, &a), 0);
	assert_int_equal(hook_io_add(&vm, &byte), 0);
	assert_int_equal(hook_rest_set(&vm, HOOK_REST_IO, &rest), 0);
	assert_int_equal(hook_rest_set(&vm, HOOK_REST_IO, &other), -EBUSY);
	assert_true(fake_logged("device-r") && fake_logged("device-o"));
	assert_int_equal(hook_io_read(&vcpu, 0x3f8, 4), 0x44332211);
	assert_int_equal(hook_io_read(&vcpu, 0x3f3, 2), 0x5544);
	assert_int_equal(hook_io_read(&vcpu, 0x3f0, 1), 0x11);
	assert_string_equal(story, "r1016/4 r1011/1 r1012/1 r1008/1 ");
	story[0] = '\0';
	/* With others in between; a register that is passed by is nobody's. */
	hook_io_write(&vcpu, 0x3f0, 4, 0x44332211);
	hook_io_write(&vcpu, 0x3f4, 4, 0x44332211);
	hook_io_write(&vcpu, 0x3f6, 1, 7);
	assert_string_equal(story, "r1008/2=2211 a0/1=33 r1011/1=44 r1012/4=44332211 b0/1=7 ");
	story[0] = '\0';
	assert_int_equal(hook_io_read(&vcpu, 0xffff, 2), 0xff88);
	assert_string_equal(story, "r65535/1 ");
	hook_rest_clear(&vm, HOOK_REST_IO);
	assert_int_equal(fake_grace_periods, 1);
	assert_int_equal(hook_io_read(&vcpu, 0x3f8, 4), 0xffffffff);
	assert_int_equal(hook_rest_set(&vm, HOOK_REST_IO, &other), 0);
}

static void test_memory_rest(void **state)
{
	static const struct hook rest = HOOK("r", 0, BIT(52) - 1, note),
				 other = HOOK("o", 0, 1, note);
	static const struct hook a = HOOK("a", 0xd0000004, 0xd0000004, note);

	(void)state;
	assert_int_equal(hook_memory_add(&vm, &a, HOOK_MEMORY_FULL), 0);
	assert_int_equal(hook_rest_set(&vm, HOOK_REST_MEMORY, &rest), 0);
	assert_int_equal(hook_rest_set(&vm, HOOK_REST_MEMORY, &other), -EBUSY);
	assert_int_equal(hook_memory_read(&vcpu, 0xd0000008, 8), 0x8877665544332211);
	assert_int_equal(hook_memory_read(&vcpu, 0xcfffffff, 1), 0x88);
	assert_string_equal(story, "r3489660936/8 r3489660927/1 ");
	story[0] = '\0';
	hook_memory_write(&vcpu, 0xd0000000, 8, 0x8877665544332211);
	assert_string_equal(story, "r3489660928/4=44332211 a0/1=55 r3489660933/1=66 "
				   "r3489660934/2=8877 ");
	story[0] = '\0';
	hook_rest_clear(&vm, HOOK_REST_MEMORY);
	assert_int_equal(hook_memory_read(&vcpu, 0xd0000008, 8), UINT64_MAX);
	assert_string_equal(story, "");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_io_rest),
		TEST(test_memory_rest),
	};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
