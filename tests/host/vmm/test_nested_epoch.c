/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/nested_epoch.c */
/* vmm/nested_epoch.c: up to which epoch tables are freed, by who may have them cached. */
#include "vmm/nested_epoch.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct nested_retired retired;
static struct nested_table t;
static struct vcpu vcpus[2];

static struct vm vm;
static uint64_t reaped;

void nested_table_reap(struct nested_table *table, uint64_t flushed)
{
	assert_ptr_equal(table, &t);
	reaped = flushed;
}

static int setup(void **state)
{
	(void)state;
	t = (struct nested_table){.epoch = 5, .retired = &retired};
	for (unsigned i = 0; i < 2; i++)
		vcpus[i] = (struct vcpu){.index = i};
	/* The last was not made yet. */
	vm = (struct vm){.vcpus = {&vcpus[0], &vcpus[1]}, .vcpu_count = 3};
	reaped = 0;
	return 0;
}

static void assert_reaped(uint64_t want)
{
	nested_epoch_reap(&vm, &t);
	assert_int_equal(reaped, want);
	reaped = 0;
}

static void test_nobody_runs(void **state)
{
	(void)state;
	assert_reaped(5);
	t.retired = NULL;
	assert_reaped(0);
}

static void test_the_oldest_counts(void **state)
{
	(void)state;
	assert_true(nested_epoch_enter(&vcpus[0].nested, &t));
	assert_reaped(0);
	nested_epoch_flush(&vcpus[0].nested, &t);
	assert_reaped(5);
	t.epoch = 7;
	assert_true(nested_epoch_enter(&vcpus[1].nested, &t));
	nested_epoch_flush(&vcpus[1].nested, &t);
	assert_reaped(5);
	/* One that left does not count, and must flush when it comes back. */
	nested_epoch_leave(&vcpus[0].nested);
	assert_reaped(7);
	assert_true(nested_epoch_enter(&vcpus[0].nested, &t));
	assert_reaped(5);
	nested_epoch_flush(&vcpus[0].nested, &t);
	assert_reaped(7);
	/* Nothing has changed since. */
	nested_epoch_leave(&vcpus[0].nested);
	assert_false(nested_epoch_enter(&vcpus[0].nested, &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nobody_runs, setup),
		cmocka_unit_test_setup(test_the_oldest_counts, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
