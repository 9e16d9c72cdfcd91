/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/flight.c tests/host/vmm/fake.c */
/* The flight recorder: what is kept, and what a reader gets while the writer goes on. */
#include "vmm/flight.h"

#include "arch/x86_64/percpu.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "tests/host/vmm/fake.h"
#include "vmm/vm.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define READS 2000

static struct cpu cpus[2] = {{.index = 0}, {.index = 1}};
__thread struct cpu *fake_cpu = &cpus[0];
static bool no_pages;
static struct vm vm = {.name = "v"};
static struct vcpu vcpu = {.vm = &vm, .entity = {.cpu = 1}};

void *page_alloc_zeroed(struct page_owner *owner, unsigned order)
{
	assert_ptr_equal(owner, &vm.owner);
	return no_pages ? NULL : kzalloc(PAGE_SIZE << order);
}

void page_free(struct page_owner *owner, void *pages, unsigned order)
{
	assert_ptr_equal(owner, &vm.owner);
	assert_int_equal(order, 3);
	kfree(pages);
}

static int setup(void **state)
{
	(void)state;
	vcpu.flight_at = 0;
	vcpu.in_loop = false;
	return flight_create(&vcpu);
}

static int teardown(void **state)
{
	(void)state;
	flight_destroy(&vcpu);
	assert_int_equal(fake_objects, 0);
	return 0;
}

/* As the run loop does it. What is written tells which exit it was. */
static void leave_guest(uint64_t n, enum vm_exit_kind kind)
{
	struct vm_exit exit = {.kind = kind, .u.failed.code = n};
	uint64_t at;

	vcpu.rip = n;
	vcpu.gpr[GPR_RAX] = n;
	vcpu.gpr[GPR_RCX] = ~n;
	at = flight_begin(vcpu.flight, vcpu.flight_at, &vcpu, &exit, exit.kind);
	vcpu.flight_at = flight_end(vcpu.flight, at);
}

static unsigned copy(struct flight_exit *out, unsigned max)
{
	bool open = true;
	unsigned count = flight_copy(&vcpu, out, max, &open);

	assert_false(open);
	return count;
}

static void test_no_memory(void **state)
{
	struct vcpu other = {.vm = &vm};

	(void)state;
	no_pages = true;
	assert_int_equal(flight_create(&other), -ENOMEM);
	no_pages = false;
}

static void test_the_last_ones_in_their_order(void **state)
{
	static struct flight_exit out[FLIGHT_EXITS];
	uint64_t n = 0;

	(void)state;
	assert_int_equal(copy(out, FLIGHT_EXITS), 0);
	for (; n < 3; n++)
		leave_guest(n, VM_EXIT_HLT);
	assert_int_equal(copy(out, FLIGHT_EXITS), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(flight_rip(&out[i]), i);
	assert_int_equal(copy(out, 2), 2);
	assert_int_equal(flight_rip(&out[1]), 2);
	/* More than there is room for. */
	for (; n < 2 * FLIGHT_EXITS + 7; n++)
		leave_guest(n, VM_EXIT_HLT);
	assert_int_equal(copy(out, FLIGHT_EXITS), FLIGHT_EXITS);
	for (unsigned i = 0; i < FLIGHT_EXITS; i++)
		assert_int_equal(flight_rip(&out[i]), n - FLIGHT_EXITS + i);
}

static void test_what_is_kept(void **state)
{
	const uint64_t rips[] = {0, 0xfff0, 0x7fffffffffff, 0xffff800000000000, UINT64_MAX};
	uint64_t before = __builtin_ia32_rdtsc();
	struct flight_exit e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rips); i++) {
		leave_guest(rips[i], VM_EXIT_UNKNOWN);
		assert_int_equal(copy(&e, 1), 1);
		assert_int_equal(flight_rip(&e), rips[i]);
		assert_int_equal(flight_kind(&e), VM_EXIT_UNKNOWN);
		assert_int_equal(e.detail, rips[i]);
		assert_int_equal(e.gpr, (uint32_t)rips[i]);
		assert_in_range(flight_time(&e), before, __builtin_ia32_rdtsc());
		assert_in_range(flight_time(&e) + (uint32_t)(e.done - e.time_low), before,
				__builtin_ia32_rdtsc());
	}
	/* Which MSR it was is in RCX. */
	leave_guest(0xc0000080, VM_EXIT_MSR);
	assert_int_equal(copy(&e, 1), 1);
	assert_int_equal(e.gpr, ~0xc0000080u);
}

/* The exit that another CPU may be writing is left out; on the own CPU it is there, and open. */
static void test_an_exit_at_work(void **state)
{
	struct vm_exit exit = {.kind = VM_EXIT_HLT};
	struct flight_exit out[4];
	bool open;

	(void)state;
	leave_guest(1, VM_EXIT_HLT);
	leave_guest(2, VM_EXIT_HLT);
	vcpu.in_loop = true;
	vcpu.rip = 3;
	flight_begin(vcpu.flight, vcpu.flight_at, &vcpu, &exit, exit.kind);
	assert_int_equal(flight_copy(&vcpu, out, 4, &open), 2);
	assert_false(open);
	assert_int_equal(flight_rip(&out[1]), 2);
	assert_int_equal(flight_copy(&vcpu, out, 1, &open), 1);
	assert_int_equal(flight_rip(&out[0]), 2);
	fake_cpu = &cpus[1];
	assert_int_equal(flight_copy(&vcpu, out, 4, &open), 3);
	fake_cpu = &cpus[0];
	assert_true(open);
	assert_int_equal(flight_rip(&out[2]), 3);
}

static bool enough;

static void *writer(void *arg)
{
	(void)arg;
	for (uint64_t n = 1; !__atomic_load_n(&enough, __ATOMIC_RELAXED); n++)
		leave_guest(n, VM_EXIT_HLT);
	return NULL;
}

/* Each exit is whole, and they are in their order. Gaps there may be. */
static void test_the_writer_goes_on(void **state)
{
	static struct flight_exit out[FLIGHT_EXITS];
	unsigned count, most = 0;
	pthread_t thread;
	bool open;

	(void)state;
	vcpu.in_loop = true;
	enough = false;
	assert_int_equal(pthread_create(&thread, NULL, writer, NULL), 0);
	for (unsigned reads = 0; reads < READS; reads++) {
		count = flight_copy(&vcpu, out, FLIGHT_EXITS, &open);
		most = MAX(most, count);
		for (unsigned i = 0; i < count; i++) {
			assert_int_equal(out[i].detail, flight_rip(&out[i]));
			assert_int_equal(out[i].gpr, (uint32_t)out[i].detail);
			assert_int_equal(flight_kind(&out[i]), VM_EXIT_HLT);
			if (i)
				assert_true(out[i].detail > out[i - 1].detail);
		}
	}
	__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_true(most > 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_no_memory),	       TEST(test_the_last_ones_in_their_order),
		TEST(test_what_is_kept),       TEST(test_an_exit_at_work),
		TEST(test_the_writer_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
