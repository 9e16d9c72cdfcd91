/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_exit.c vmm/vmx/vmx_event.c */
/* vmm/vmx/vmx_exit.c: each exit reason to the neutral exit, and how little is read for it. */
#include "tests/host/vmx/one_vcpu.h"
#include "vmm/vmx/vmx_caps.h"

#include <stdio.h>

static struct vm_exit ex;
static char logged[200];

void vmx_world_leave(void)
{
}

void vm_log(const struct vm *vm, enum log_level level, const char *fmt, ...)
{
	(void)vm;
	(void)level;
	snprintf(logged, sizeof(logged), "%s", fmt);
}

static void leave(uint64_t reason)
{
	memset(&ex, 0xee, sizeof(ex));
	ex.kind = VM_EXIT_KINDS;
	fields[VMCS_EXIT_REASON] = reason;
	fields[VMCS_EXIT_INSTRUCTION_LENGTH] = 2;
	reads = writes = 0;
	vmx_exited(&vcpu, &ex);
	assert_true(ex.kind < VM_EXIT_KINDS);
}

static void test_every_reason_has_a_rule(void **state)
{
	(void)state;
	/* A page fault's, which touches neither debug registers nor the machine. */
	fields[VMCS_EXIT_INTERRUPTION_INFO] = 0x80000b0e;
	vmx.apic = (uint32_t[1024]){0};
	for (unsigned reason = 0; reason < 128; reason++)
		leave(reason);
	assert_int_equal(ex.kind, VM_EXIT_UNKNOWN);
	assert_int_equal(ex.u.failed.code, 127);
}

static void test_instructions(void **state)
{
	static const struct {
		uint32_t reason;
		enum vm_exit_kind kind;
		uint8_t len;
	} cases[] = {
		{VMX_REASON_CPUID, VM_EXIT_CPUID, 2},
		{VMX_REASON_HLT, VM_EXIT_HLT, 2},
		{VMX_REASON_VMCALL, VM_EXIT_HYPERCALL, 2},
		{VMX_REASON_WBINVD, VM_EXIT_CACHE, 2},
		{VMX_REASON_XSETBV, VM_EXIT_XSETBV, 2},
		{VMX_REASON_PAUSE, VM_EXIT_PAUSE, 2},
		{VMX_REASON_VMXON, VM_EXIT_UNDEFINED, 0},
		{VMX_REASON_MONITOR, VM_EXIT_UNDEFINED, 0},
		{VMX_REASON_TRIPLE_FAULT, VM_EXIT_TRIPLE_FAULT, 0},
		{VMX_REASON_INTERRUPT, VM_EXIT_INTERRUPT, 0},
		{VMX_REASON_PREEMPTION_TIMER, VM_EXIT_INTERRUPT, 0},
		{VMX_REASON_TPR, VM_EXIT_IRQ_WINDOW, 0},
	};

	(void)state;
	fields[VMCS_GUEST_RIP] = 0x2000;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		leave(cases[i].reason);
		assert_int_equal(ex.kind, cases[i].kind);
		assert_int_equal(ex.insn_len, cases[i].len);
		assert_int_equal(vcpu.rip, 0x2000);
		assert_true(reads <= 3);
		assert_int_equal(writes, 0);
	}
	leave(VMX_REASON_RDPMC);
	assert_int_equal(ex.kind, VM_EXIT_EXCEPTION);
	assert_int_equal(ex.u.exception.vector, EXCEPTION_GP);
	assert_true(ex.u.exception.has_error && ex.insn_len == 0);
}

static void test_io(void **state)
{
	(void)state;
	fields[VMCS_EXIT_QUALIFICATION] = 0x03f80000;
	leave(VMX_REASON_IO);
	assert_true(ex.u.io.port == 0x3f8 && ex.u.io.width == 1 && !ex.u.io.in && !ex.u.io.string);
	assert_int_equal(reads, 4);
	/* REP OUTSW from FS with 32-bit addresses, where the CPU describes it. */
	fields[VMCS_EXIT_QUALIFICATION] = 0x01f00031;
	leave(VMX_REASON_IO);
	assert_true(ex.u.io.string && ex.u.io.rep && ex.u.io.width == 2);
	assert_true(ex.u.io.addr_width == 0 && ex.u.io.seg == -1);
	vmx_machine.basic = VMX_BASIC_INS_OUTS;
	fields[VMCS_EXIT_INSTRUCTION_INFO] = 1 << 7 | SEG_FS << 15;
	leave(VMX_REASON_IO);
	assert_true(ex.u.io.addr_width == 4 && ex.u.io.seg == SEG_FS);
	fields[VMCS_EXIT_QUALIFICATION] = 0x01f00039;
	leave(VMX_REASON_IO);
	assert_true(ex.u.io.in && ex.u.io.seg == -1);
}

static void test_memory(void **state)
{
	static const struct {
		uint64_t qualification;
		uint8_t access;
		bool table_walk;
	} cases[] = {
		{0x181, ACCESS_READ, false},  {0x182, ACCESS_WRITE, false},
		{0x183, ACCESS_WRITE, false}, {0x184, ACCESS_EXEC, false},
		{0x081, ACCESS_READ, true},   {0x001, ACCESS_READ, false},
	};

	(void)state;
	fields[VMCS_GUEST_PHYSICAL_ADDRESS] = 0xfee00020;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		fields[VMCS_EXIT_QUALIFICATION] = cases[i].qualification;
		leave(VMX_REASON_EPT_VIOLATION);
		assert_int_equal(ex.kind, VM_EXIT_MEMORY);
		assert_int_equal(ex.u.memory.gpa, 0xfee00020);
		assert_int_equal(ex.u.memory.access, cases[i].access);
		assert_int_equal(ex.u.memory.table_walk, cases[i].table_walk);
		assert_int_equal(ex.u.memory.insn_bytes, 0);
	}
	fields[VMCS_IDT_VECTORING_INFO] = 0x80000030;
	leave(VMX_REASON_EPT_VIOLATION);
	assert_true(vcpu.event.type == EVENT_EXT_INT && vcpu.event.vector == 0x30);
}

static void test_local_apic(void **state)
{
	uint32_t page[1024] = {[0x3f0 / 4] = 0x0f};

	(void)state;
	vmx.apic = page;
	fields[VMCS_EXIT_QUALIFICATION] = 0xa5;
	leave(VMX_REASON_EOI);
	assert_int_equal(ex.kind, VM_EXIT_APIC);
	assert_true(ex.u.apic.reg == 0x0b && ex.u.apic.value == 0xa5);
	fields[VMCS_EXIT_QUALIFICATION] = 0x3f0;
	leave(VMX_REASON_APIC_WRITE);
	assert_int_equal(ex.kind, VM_EXIT_APIC);
	assert_true(ex.u.apic.reg == 0x3f && ex.u.apic.value == 0x0f);
}

static void test_control_registers(void **state)
{
	(void)state;
	fields[VMCS_EXIT_QUALIFICATION] = 0x904;
	leave(VMX_REASON_CR);
	assert_true(ex.u.cr.cr == 4 && ex.u.cr.write && ex.u.cr.gpr == 9);
	fields[VMCS_EXIT_QUALIFICATION] = 0x018;
	leave(VMX_REASON_CR);
	assert_true(ex.u.cr.cr == 8 && !ex.u.cr.write && ex.u.cr.gpr == 0);
}

static void test_exceptions(void **state)
{
	(void)state;
	fields[VMCS_EXIT_INTERRUPTION_INFO] = 0x80000b11;
	fields[VMCS_EXIT_INTERRUPTION_ERROR_CODE] = 0;
	leave(VMX_REASON_EXCEPTION);
	assert_true(ex.kind == VM_EXIT_EXCEPTION && ex.u.exception.vector == EXCEPTION_AC &&
		    ex.u.exception.has_error);
	/* A #DB that exits has not touched DR6, DR7 and DEBUGCTL. */
	fields[VMCS_EXIT_INTERRUPTION_INFO] = 0x80000301;
	fields[VMCS_EXIT_QUALIFICATION] = 0x4001;
	fields[VMCS_GUEST_DR7] = 0x2400;
	fields[VMCS_GUEST_DEBUGCTL] = 3;
	dr6 |= 0xf;
	leave(VMX_REASON_EXCEPTION);
	assert_int_equal(dr6, 0xffff4ff1);
	assert_int_equal(fields[VMCS_GUEST_DR7], 0x400);
	assert_int_equal(fields[VMCS_GUEST_DEBUGCTL], 0);
	/* INT1 traps behind itself and touches neither. */
	fields[VMCS_EXIT_INTERRUPTION_INFO] = 0x80000501;
	fields[VMCS_EXIT_QUALIFICATION] = 0;
	leave(VMX_REASON_EXCEPTION);
	assert_int_equal(vcpu.rip, 0x1002);
	assert_int_equal(dr6, 0xffff4ff1);
	/* In the shadow of a MOV SS that was stepped: the entry wants the step to be pending. */
	fields[VMCS_GUEST_RFLAGS] |= RFLAGS_TF;
	fields[VMCS_GUEST_INTERRUPTIBILITY] = VMX_SHADOW_MOV_SS;
	leave(VMX_REASON_EXCEPTION);
	assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG], VMX_PENDING_DEBUG_BS);
}

static void test_failures(void **state)
{
	(void)state;
	fields[VMCS_EXIT_QUALIFICATION] = 4;
	leave(VMX_REASON_FAILED | VMX_REASON_GUEST_STATE);
	assert_int_equal(ex.kind, VM_EXIT_ENTRY_FAILED);
	assert_int_equal(ex.u.failed.code, 0x80000021);
	assert_int_equal(ex.u.failed.info1, 4);
	fields[VMCS_GUEST_PHYSICAL_ADDRESS] = 0x5000;
	leave(VMX_REASON_EPT_MISCONFIG);
	assert_int_equal(ex.kind, VM_EXIT_UNKNOWN);
	assert_int_equal(ex.u.failed.info2, 0x5000);
	assert_non_null(strstr(logged, "nested page tables"));
	fields[VMCS_EXIT_QUALIFICATION] = 0x40000028;
	leave(VMX_REASON_TASK_SWITCH);
	assert_true(ex.kind == VM_EXIT_TASK_SWITCH && ex.u.task.selector == 0x28);
	assert_int_equal(ex.u.task.source, TASK_BY_IRET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_reason_has_a_rule, setup),
		cmocka_unit_test_setup(test_instructions, setup),
		cmocka_unit_test_setup(test_io, setup),
		cmocka_unit_test_setup(test_memory, setup),
		cmocka_unit_test_setup(test_local_apic, setup),
		cmocka_unit_test_setup(test_control_registers, setup),
		cmocka_unit_test_setup(test_exceptions, setup),
		cmocka_unit_test_setup(test_failures, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
