/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/svm/svm_event.c vmm/svm/svm_step.c vmm/svm/svm_exit.c */
/* vmm/svm/svm_exit.c: what each exit code becomes. */
#include "vmm/svm/svm_exit_code.h"
#include "arch/x86_64/exceptions.h"
#include "tests/host/svm/one_vcpu.h"

static void test_io_exits(void **state)
{
	(void)state;
	vmcb.control.exit_info2 = 0x1002;
	vmcb.control.exit_info1 = 0x03f8 << 16 | 1 << 8 | 1 << 4;
	vmexit(SVM_EXIT_IOIO, 0x1000, 0);
	assert_int_equal(ex.kind, VM_EXIT_IO);
	assert_int_equal(ex.insn_len, 2);
	assert_int_equal(ex.u.io.port, 0x3f8);
	assert_int_equal(ex.u.io.width, 1);
	assert_false(ex.u.io.in || ex.u.io.string);

	vmcb.control.exit_info1 |= SVM_IOIO_STRING;
	vmexit(SVM_EXIT_IOIO, 0x1000, 0);
	assert_true(ex.u.io.string && !ex.u.io.rep);
	assert_int_equal(ex.u.io.addr_width, 4);
	assert_int_equal(ex.u.io.seg, -1);

	svm_machine.features = SVM_CPUID_DECODE_ASSIST;
	vmcb.control.exit_info1 = (uint64_t)0xffff << 16 | 3 << 10 | 1 << 9 | 1 << 6 | 0xd;
	vmexit(SVM_EXIT_IOIO, 0x1000, 0);
	assert_int_equal(ex.u.io.port, 0xffff);
	assert_int_equal(ex.u.io.width, 4);
	assert_true(ex.u.io.in && ex.u.io.string && ex.u.io.rep);
	assert_int_equal(ex.u.io.addr_width, 8);
	assert_int_equal(ex.u.io.seg, SEG_DS);
}

static void test_memory_exits(void **state)
{
	static const struct {
		uint64_t info;
		unsigned access;
		bool walk;
	} cases[] = {
		{0x100000004, ACCESS_READ, false}, {0x100000006, ACCESS_WRITE, false},
		{0x100000014, ACCESS_EXEC, false}, {0x100000007, ACCESS_WRITE, false},
		{0x200000006, ACCESS_WRITE, true},
	};

	(void)state;
	vmcb.control.exit_info2 = 0xfee00300;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		vmcb.control.exit_info1 = cases[i].info;
		vmexit(SVM_EXIT_NPF, 0x1000, 0);
		assert_int_equal(ex.kind, VM_EXIT_MEMORY);
		assert_int_equal(ex.u.memory.gpa, 0xfee00300);
		assert_int_equal(ex.u.memory.access, cases[i].access);
		assert_int_equal(ex.u.memory.table_walk, cases[i].walk);
		assert_int_equal(ex.insn_len, 0);
	}
}

/* Every code: a kind that it may have, a length only where the hardware tells. */
static void test_all_exit_codes(void **state)
{
	static const uint32_t unknown[] = {0x00, 0x3f, 0x42,  0x49,  0x5f,	0x62,
					   0x65, 0x6e, 0x71,  0x79,  0x7d,	0x87,
					   0x8f, 0x90, 0x3ff, 0x401, 0xfffffffe};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(unknown); i++) {
		vmexit(unknown[i], 0x1000, 0);
		assert_int_equal(ex.kind, VM_EXIT_UNKNOWN);
		assert_int_equal(ex.u.failed.code, unknown[i]);
	}
	for (uint32_t code = 0; code < SVM_EXIT_CODES; code++) {
		ex.kind = VM_EXIT_KINDS;
		if (code == SVM_EXIT_EXCEPTION + EXCEPTION_MC)
			continue; /* raises it */
		vmexit(code, 0x1000, 0);
		assert_true(ex.kind < VM_EXIT_KINDS);
		assert_int_equal(ex.kind == VM_EXIT_INTERRUPT, code == SVM_EXIT_INTR);
	}
	vmexit(UINT64_MAX, 0x1000, 0);
	assert_int_equal(ex.kind, VM_EXIT_ENTRY_FAILED);
	vmexit(UINT32_MAX, 0x1000, 0);
	assert_int_equal(ex.kind, VM_EXIT_ENTRY_FAILED);

	vmcb.control.next_rip = 0x1003;
	vmexit(SVM_EXIT_CPUID, 0x1000, 0);
	assert_int_equal(ex.insn_len, 3);
	vmcb.control.next_rip = 0;
	vmexit(SVM_EXIT_CPUID, 0x1000, 0);
	assert_int_equal(ex.insn_len, 0);
}

static void test_exceptions(void **state)
{
	(void)state;
	vmcb.control.exit_info1 = 0x11;
	vmcb.control.exit_info2 = 0xdeadbeef;
	vmexit(SVM_EXIT_EXCEPTION + EXCEPTION_PF, 0x1000, 0);
	assert_int_equal(ex.kind, VM_EXIT_EXCEPTION);
	assert_true(ex.u.exception.has_error);
	assert_int_equal(ex.u.exception.error, 0x11);
	assert_int_equal(ex.u.exception.cr2, 0xdeadbeef);
	vmexit(SVM_EXIT_EXCEPTION + EXCEPTION_UD, 0x1000, 0);
	assert_false(ex.u.exception.has_error);
	/* A trap: RIP behind it. */
	vmexit(SVM_EXIT_ICEBP, 0x1000, 0);
	assert_int_equal(ex.u.exception.vector, EXCEPTION_DB);
	assert_int_equal(vcpu.rip, 0x1001);
	vmexit(SVM_EXIT_RDPMC, 0x1000, 0);
	assert_int_equal(ex.u.exception.vector, EXCEPTION_GP);
	assert_true(ex.u.exception.has_error);
	assert_int_equal(ex.u.exception.error, 0);
}

/* The register from the hardware where it tells, from the instruction where not. */
static void test_cr_writes(void **state)
{
	static const uint8_t rax[] = {0x44, 0x0f, 0x22, 0xc0}, r13[] = {0x45, 0x0f, 0x22, 0xc5},
			     lock_cr0[] = {0xf0, 0x0f, 0x22, 0xc3};
	static const struct {
		const uint8_t *code;
		unsigned len, gpr;
	} cases[] = {{rax, 4, 0}, {r13, 4, 13}, {lock_cr0, 4, 3}};

	(void)state;
	code_len = 0;
	vmcb.control.exit_info1 = SVM_CR_IS_MOV | 11;
	vmexit(SVM_EXIT_CR_WRITE + 8, 0x1000, 0);
	assert_int_equal(ex.kind, VM_EXIT_CR);
	assert_int_equal(ex.u.cr.cr, 8);
	assert_true(ex.u.cr.write);
	assert_int_equal(ex.u.cr.gpr, 11);
	vmcb.control.exit_info1 = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		code = cases[i].code;
		code_len = cases[i].len;
		vmexit(SVM_EXIT_CR_WRITE + 8, 0x1000, 0);
		assert_int_equal(ex.kind, VM_EXIT_CR);
		assert_int_equal(ex.u.cr.gpr, cases[i].gpr);
	}
	vmexit(SVM_EXIT_CR_WRITE + 4, 0x1000, 0);
	assert_int_equal(ex.u.cr.cr, 4);
	code_len = 3; /* the rest is not there any more */
	vmexit(SVM_EXIT_CR_WRITE + 8, 0x1000, 0);
	assert_int_equal(ex.kind, VM_EXIT_IRQ_WINDOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_io_exits, setup),
		cmocka_unit_test_setup(test_memory_exits, setup),
		cmocka_unit_test_setup(test_all_exit_codes, setup),
		cmocka_unit_test_setup(test_exceptions, setup),
		cmocka_unit_test_setup(test_cr_writes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
