/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/cpu/stored_msr.c devices/cpu/family_msrs.c */
/* test-sources: devices/cpu/machine_check.c devices/cpu/mtrr.c vmm/irq.c */
/* test-sources: tests/host/devices/fake.c tests/host/devices/fake_devices.c */
/* test-sources: tests/host/devices/fake_time.c */
#include "tests/host/devices/fake.h"
#include "vmm/cpu_model.h"
#include "vmm/guest_memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CPUS 2

static enum cpu_line cpu_line;

enum cpu_line cpu_model_line(const struct vm *vm)
{
	(void)vm;
	return cpu_line;
}

static uint64_t read(unsigned cpu, uint32_t index)
{
	uint64_t value = 0xdead;

	assert_int_equal(fake_rdmsr(cpu, index, &value), 0);
	return value;
}

static int teardown(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

/* As they have no lock, they come and go with the vCPUs alone. */
static void create(const char *type, const char *id)
{
	const struct device *dev = fake_create(type, id, NULL);

	assert_non_null(dev);
	assert_true(dev->type->fixed);
}

static void test_mtrr(void **state)
{
	uint64_t value;

	(void)state;
	fake_start(CPUS);
	create("mtrr", "mtrr0");
	assert_int_equal(read(0, 0xfe), 0x508);
	assert_int_not_equal(fake_wrmsr(0, 0xfe, 0), 0);
	/* One for all below 4 GiB that is no RAM; the rest is write-back. */
	assert_int_equal(read(1, 0x200), 0xc0000000);
	assert_int_equal(read(1, 0x201), 0xffc0000800);
	assert_int_equal(read(1, 0x2ff), 0xc06);
	assert_int_equal(read(1, 0x259), 0);
	assert_int_equal(read(1, 0x268), 0x0606060606060606);
	/* Unknown types and bits. */
	assert_int_equal(fake_wrmsr(0, 0x2ff, 0x802), -EINVAL);
	assert_int_equal(fake_wrmsr(0, 0x2ff, 0x10006), -EINVAL);
	assert_int_equal(fake_wrmsr(0, 0x250, 0x0606060606060602), -EINVAL);
	assert_int_equal(fake_wrmsr(0, 0x20f, UINT64_C(1) << 40), -EINVAL);
	assert_int_equal(fake_wrmsr(0, 0x20f, 0x400), -EINVAL);
	assert_int_equal(fake_wrmsr(0, 0x20e, 0x106), -EINVAL);
	/* Each register of each vCPU is its own. */
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(fake_wrmsr(0, 0x268 + i, i & 1 ? 0x05 : 0x04), 0);
	assert_int_equal(fake_wrmsr(0, 0x258, 0x01), 0);
	assert_int_equal(fake_wrmsr(0, 0x250, 0x05), 0);
	assert_int_equal(fake_wrmsr(0, 0x20f, 0xfff0000800), 0);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(read(0, 0x268 + i), i & 1 ? 0x05 : 0x04);
	assert_int_equal(read(0, 0x258), 0x01);
	assert_int_equal(read(0, 0x259), 0);
	assert_int_equal(read(0, 0x250), 0x05);
	assert_int_equal(read(0, 0x20f), 0xfff0000800);
	assert_int_equal(read(1, 0x20f), 0);
	assert_int_equal(read(1, 0x26f), 0x0606060606060606);
	fake_reset();
	assert_int_equal(read(0, 0x26f), 0x0606060606060606);
	assert_int_not_equal(fake_rdmsr(0, 0x210, &value), 0);
}

static void test_machine_check(void **state)
{
	(void)state;
	fake_start(CPUS);
	create("machine-check", "mca0");
	assert_int_equal(read(0, 0x179), 0);
	assert_int_equal(fake_wrmsr(0, 0x179, 0), -EACCES);
	assert_int_equal(fake_wrmsr(0, 0x17a, 4), 0);
	assert_int_equal(fake_wrmsr(0, 0x17a, 8), -EINVAL);
	assert_int_equal(read(0, 0x17a), 4);
	assert_int_equal(read(1, 0x17a), 0);
}

static void test_amd(void **state)
{
	(void)state;
	fake_start(CPUS);
	cpu_line = CPU_LINE_AMD;
	create("family-msrs", "family0");
	assert_int_equal(read(0, 0xc001001a), fake_vm.memory->low_end);
	fake_reset();
	assert_int_equal(read(1, 0xc001001a), fake_vm.memory->low_end);
	assert_int_equal(read(0, 0xc0011029), 2);
	assert_int_equal(fake_wrmsr(0, 0xc0011029, 0), 0);
	assert_int_equal(read(0, 0xc0011029), 2);
	/* Counters that count nothing. */
	for (uint32_t msr = 0xc0010000; msr < 0xc0010008; msr++) {
		assert_int_equal(fake_wrmsr(0, msr, 0x430076), 0);
		assert_int_equal(read(0, msr), 0);
	}
	assert_int_equal(fake_wrmsr(0, 0xc0010010, 0x12345), 0);
	assert_int_equal(read(0, 0xc0010010), 0x12345);
	assert_int_equal(read(1, 0xc0010010), 0);
	/* What is not known of HWCR is #GP; the TSC goes on at a constant rate. */
	assert_int_equal(fake_wrmsr(0, 0xc0010015, 1), -EINVAL);
	assert_int_equal(fake_wrmsr(0, 0xc0010015, 8), 0);
	assert_int_equal(read(0, 0xc0010015), (1 << 24) | 8);
}

static void test_intel(void **state)
{
	(void)state;
	fake_start(CPUS);
	cpu_line = CPU_LINE_INTEL;
	create("family-msrs", "family0");
	assert_int_equal(read(0, 0x3a), 1);
	assert_int_equal(fake_wrmsr(0, 0x3a, 5), -EACCES);
	assert_int_equal(read(0, 0x1a0), 0x1801);
	/* NX and the higher CPUID leaves cannot be taken away, nor BTS and PEBS given. */
	assert_int_equal(fake_wrmsr(0, 0x1a0, (UINT64_C(1) << 34) | (1 << 22) | (1 << 18)), 0);
	assert_int_equal(read(0, 0x1a0), 0x1800 | (1 << 18));
	assert_int_equal(fake_wrmsr(0, 0x79, 0x1000), 0);
	assert_int_equal(read(0, 0x79), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_mtrr, teardown),
		cmocka_unit_test_teardown(test_machine_check, teardown),
		cmocka_unit_test_teardown(test_amd, teardown),
		cmocka_unit_test_teardown(test_intel, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
