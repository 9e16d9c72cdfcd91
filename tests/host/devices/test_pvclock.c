/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/pv/pvclock.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "kernel/time.h"
#include "tests/host/devices/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WALL   0x4b564d00
#define SYSTEM 0x4b564d01

struct page {
	uint32_t version, pad;
	uint64_t tsc, ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad2[2];
};

static int setup(void **state)
{
	(void)state;
	fake_start(2);
	assert_non_null(fake_create("pvclock", "pvclock", NULL));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static void test_cpuid(void **state)
{
	struct cpuid_regs r;

	(void)state;
	fake_cpuid(0, 0x40000100, 0, &r);
	assert_int_equal(r.eax, 0x40000101);
	assert_memory_equal(&r.ebx, "KVMKVMKVM\0\0\0", 12);
	fake_cpuid(0, 0x40000101, 0, &r);
	assert_int_equal(r.eax, 0x0100000a);
}

static void test_page(void **state)
{
	struct page page, other;
	uint64_t value;

	(void)state;
	fake_vm.tsc_offset = fake_vm.vcpus[0]->tsc_offset = 0;
	fake_vm.vcpus[1]->tsc_offset = 1000; /* its guest's doing: not stable */
	assert_int_equal(fake_wrmsr(0, SYSTEM, 0x1001), 0);
	assert_int_equal(fake_wrmsr(1, SYSTEM, 0x1041), 0);
	memcpy(&page, fake_ram + 0x1000, sizeof(page));
	memcpy(&other, fake_ram + 0x1040, sizeof(page));
	assert_int_equal(page.version & 1, 0);
	/* Of one moment, at 1 GHz. */
	assert_int_equal(page.ns, page.tsc);
	assert_int_equal(other.ns, page.ns);
	assert_int_equal(other.tsc - page.tsc, 1000);
	assert_int_equal(page.flags, 0);
	/* The stand-in's TSC ticks at 1 GHz. */
	assert_true((((__uint128_t)1000000 << page.shift) * page.mul) >> 32 == 1000000);
	assert_int_equal(fake_rdmsr(0, SYSTEM, &value), 0);
	assert_int_equal(value, 0x1001);
	assert_int_equal(fake_wrmsr(0, SYSTEM, 0), 0);
}

static uint64_t page_ns(const struct page *page, uint64_t tsc)
{
	return page->ns +
	       (uint64_t)((((__uint128_t)(tsc - page->tsc) << page->shift) * page->mul) >> 32);
}

static void move_tsc(unsigned cpu, uint64_t by)
{
	fake_vm.vcpus[cpu]->tsc_offset += by;
	fake_vm.tsc_watch->moved(fake_vm.tsc_watch->opaque, fake_vm.vcpus[cpu]);
}

/* A guest that writes its TSC sees its time go on, and is told when the vCPUs' TSCs differ. */
static void test_follows_a_moved_tsc(void **state)
{
	const struct page *page = (const struct page *)(fake_ram + 0x1000);
	const struct page *other = (const struct page *)(fake_ram + 0x1040);
	uint32_t version, other_version;
	uint64_t tsc, ns;

	(void)state;
	assert_int_equal(fake_wrmsr(0, SYSTEM, 0x1001), 0);
	assert_int_equal(fake_wrmsr(1, SYSTEM, 0x1041), 0);
	version = page->version;
	other_version = other->version;
	tsc = page->tsc + 4000;
	ns = page->ns + 4000;
	assert_int_equal(page_ns(page, tsc), ns);
	move_tsc(0, 1000000);
	assert_int_equal(page_ns(page, tsc + 1000000), ns);
	assert_int_equal(page_ns(other, tsc), ns);
	assert_int_equal(page->flags | other->flags, 0);
	assert_int_equal((page->version | other->version) & 1, 0);
	assert_int_not_equal(page->version, version);
	assert_int_not_equal(other->version, other_version);
	move_tsc(1, 1000000);
	assert_int_equal(page_ns(other, tsc + 1000000), ns);
	assert_int_equal(page->flags & other->flags, 1);
	/* A page that the guest took back is not touched. */
	assert_int_equal(fake_wrmsr(0, SYSTEM, 0), 0);
	version = page->version;
	move_tsc(0, 1);
	assert_int_equal(page->version, version);
}

static void test_wall(void **state)
{
	uint32_t wall[3];

	(void)state;
	fake_advance(7 * NSEC_PER_SEC);
	assert_int_equal(fake_wrmsr(0, WALL, 0x2000), 0);
	memcpy(wall, fake_ram + 0x2000, sizeof(wall));
	assert_int_equal(wall[1], FAKE_WALL_TIME - 7);
}

static void test_bad_addresses(void **state)
{
	(void)state;
	assert_int_not_equal(fake_wrmsr(0, SYSTEM, FAKE_RAM_SIZE | 1), 0);
	assert_int_not_equal(fake_wrmsr(0, SYSTEM, (FAKE_RAM_SIZE - 16) | 1), 0);
	assert_int_not_equal(fake_wrmsr(0, SYSTEM, UINT64_MAX), 0);
	assert_int_not_equal(fake_wrmsr(0, WALL, UINT64_MAX - 3), 0);
}

/* vCPUs have reached a device that comes while they run. */
static void test_reset_takes_the_lock(void **state)
{
	const struct spinlock *lock; /* the first of its state */
	uint32_t taken;
	uint64_t value;

	(void)state;
	fake_end();
	fake_start(1);
	lock = fake_create("pvclock", "pvclock", NULL)->state;
	assert_int_equal(fake_wrmsr(0, SYSTEM, 0x1001), 0);
	taken = lock->next;
	fake_reset();
	assert_int_equal(lock->next, taken + 1);
	assert_int_equal(lock->owner, lock->next);
	assert_int_equal(fake_rdmsr(0, SYSTEM, &value), 0);
	assert_int_equal(value, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cpuid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_follows_a_moved_tsc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_takes_the_lock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
