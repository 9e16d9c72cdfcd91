/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/svm/svm_permission.c vmm/svm/svm_probe.c */
/* test-sources: arch/x86_64/cpu_valid.c vmm/svm/svm_report.c */
/* vmm/svm: the permission maps and the reasons to refuse a machine. */
#include "kernel/log.h"
#include "vmm/svm/svm_cpu.h"
#include "vmm/svm/svm_permission.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MSRS 0x2000u

static uint8_t iopm[SVM_IOPM_SIZE], msrpm[SVM_MSRPM_SIZE];

/* What svm_probe() would need of the machine, and these tests do not. */
struct page_owner svm_owner;

void page_owner_register(struct page_owner *owner, const char *name)
{
	owner->name = name;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

static bool io_intercepted(uint32_t port)
{
	return iopm[port / 8] >> port % 8 & 1;
}

/* As the CPU does it: two bits an MSR, three ranges of 2 KiB (APM vol. 2, 15.11). */
static bool msr_intercepted(uint32_t index, bool write)
{
	uint32_t base = index < MSRS	      ? 0
			: index < 0xc0010000u ? 0x800 * 4 - 0xc0000000u
					      : 0x1000 * 4 - 0xc0010000u;
	uint32_t slot = base + index;

	return msrpm[slot / 4] >> (slot % 4 * 2 + write) & 1;
}

static void test_all_ports_intercepted(void **state)
{
	(void)state;
	svm_permission_init(iopm, msrpm);
	/* Up to those that a 4-byte access at 0xffff runs over. */
	for (uint32_t port = 0; port < 0x10003; port++)
		assert_true(io_intercepted(port));
}

static void test_ports(void **state)
{
	(void)state;
	svm_permission_init(iopm, msrpm);
	svm_permission_io(iopm, 0x3f8, 8, false);
	svm_permission_io(iopm, 0xfffe, 10, false);
	svm_permission_io(iopm, 0x3fa, 1, true);
	for (uint32_t port = 0; port < 0x10003; port++) {
		bool open = (port >= 0x3f8 && port < 0x400 && port != 0x3fa) ||
			    (port >= 0xfffe && port <= 0xffff);

		assert_int_equal(io_intercepted(port), !open);
	}
}

static void test_msrs(void **state)
{
	static const uint32_t switched[] = {0x174,	0x175,	    0x176,	0xc0000081,
					    0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100,
					    0xc0000101, 0xc0000102};
	static const uint32_t ranges[] = {0, 0xc0000000, 0xc0010000};
	unsigned open = 0;

	(void)state;
	svm_permission_init(iopm, msrpm);
	for (unsigned r = 0; r < 3; r++)
		for (uint32_t i = 0; i < MSRS; i++)
			open += !msr_intercepted(ranges[r] + i, false);
	assert_int_equal(open, ARRAY_SIZE(switched));
	for (unsigned i = 0; i < ARRAY_SIZE(switched); i++)
		assert_false(msr_intercepted(switched[i], false));

	for (unsigned r = 0; r < 3; r++) {
		assert_int_equal(svm_permission_msr(msrpm, ranges[r], false, true), 0);
		assert_false(msr_intercepted(ranges[r], false));
		assert_true(msr_intercepted(ranges[r], true));
		assert_int_equal(svm_permission_msr(msrpm, ranges[r] + MSRS - 1, true, false), 0);
		assert_true(msr_intercepted(ranges[r] + MSRS - 1, false));
		assert_false(msr_intercepted(ranges[r] + MSRS - 1, true));
		assert_true(msr_intercepted(ranges[r] + MSRS - 2, true));
	}
}

static void test_msrs_outside_the_map(void **state)
{
	(void)state;
	assert_int_equal(svm_permission_msr(msrpm, 0x2000, true, true), 0);
	assert_int_equal(svm_permission_msr(msrpm, 0x2000, false, true), -EINVAL);
	assert_int_equal(svm_permission_msr(msrpm, 0xbfffffff, true, false), -EINVAL);
	assert_int_equal(svm_permission_msr(msrpm, 0xc0002000, false, false), -EINVAL);
	assert_int_equal(svm_permission_msr(msrpm, UINT32_MAX, false, false), -EINVAL);
}

static void assert_refused(struct svm_machine m, const char *why)
{
	char reason[224] = "";

	assert_int_equal(svm_probe_check(&m, reason, sizeof(reason)), -ENODEV);
	assert_non_null(strstr(reason, why));
	/* It was not cut. */
	assert_true(strlen(reason) < sizeof(reason) - 1);
}

static void test_reasons(void **state)
{
	const struct svm_machine good = {
		.has_svm = true, .features = SVM_CPUID_NESTED_PAGING, .asids = 8};
	struct svm_machine m = good;
	char reason[8] = "";

	(void)state;
	assert_int_equal(svm_probe_check(&m, reason, sizeof(reason)), 0);
	m.has_svm = false;
	assert_refused(m, "does not report AMD SVM");
	m = good;
	m.has_vm_cr = true;
	m.vm_cr = SVM_VM_CR_SVMDIS | SVM_VM_CR_LOCK;
	assert_refused(m, "locked it (VM_CR 0x18)");
	m.features |= SVM_CPUID_LOCK;
	assert_refused(m, "key");
	/* Off but not locked: cpu_enable() turns it on. */
	m.vm_cr = SVM_VM_CR_SVMDIS;
	assert_int_equal(svm_probe_check(&m, reason, sizeof(reason)), 0);
	m = good;
	m.features = 0;
	assert_refused(m, "no nested paging");
}

static char report[4096];

static void __printf(1, 2) print(const char *fmt, ...)
{
	size_t at = strlen(report);
	va_list args;

	va_start(args, fmt);
	vsnprintf(report + at, sizeof(report) - at, fmt, args);
	va_end(args);
}

static void test_report(void **state)
{
	(void)state;
	svm_machine = (struct svm_machine){.features = SVM_CPUID_NESTED_PAGING | SVM_CPUID_AVIC,
					   .asids = 16};
	report[0] = '\0';
	svm_report(print);
	assert_non_null(strstr(report, "16 ASIDs"));
	assert_non_null(strstr(report, "  nested paging                used\n"));
	assert_non_null(strstr(report, "  AVIC                         has, not used\n"));
	assert_non_null(strstr(report, "  virtual GIF                  no\n"));
	assert_non_null(strstr(
		report, "  flush by ASID                missing: a flush takes a new ASID\n"));
	svm_machine.features |= SVM_CPUID_FLUSH_BY_ASID;
	report[0] = '\0';
	svm_report(print);
	assert_non_null(strstr(report, "  flush by ASID                used\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_ports_intercepted),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_msrs),
		cmocka_unit_test(test_msrs_outside_the_map),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
