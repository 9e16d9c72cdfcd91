/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vcpu_cr.c vmm/flight.c */
/* test-sources: vmm/run.c vmm/exit.c vmm/vcpu.c vmm/vcpu_event.c vmm/post_mortem.c */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c lib/range_map.c kernel/time.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hv.c tests/host/vmm/run_world.c */
/* test-sources: vmm/hook/hook_mapped.c */
/* test-sources: tests/host/vmm/fake_pages.c tests/host/vmm/fake_page_alloc.c */
/* Exits: what each kind does to the guest's registers and to RIP. */
#include "vmm/exit.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/percpu.h"
#include "kernel/time.h"
#include "tests/host/vmm/fake.h"
#include "tests/host/vmm/fake_hv.h"
#include "tests/host/vmm/run_world.h"
#include "vmm/hook/hook_call.h"
#include "vmm/hook/hook_io.h"
#include "vmm/vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void cpuid_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_CPUID;
	exit->insn_len = world_step == 0 ? 2 : 0;
	if (world_step++ == 2)
		world_resched(exit);
	v->gpr[GPR_RAX] = UINT64_MAX;
}

static void test_rip_advances(void **state)
{
	(void)state;
	world_vcpu->rip = 0x1000;
	fake_regs[VCPU_INTR_SHADOW] = 1;
	assert_int_equal(world_go(cpuid_guest), SCHED_YIELD);
	assert_int_equal(world_vcpu->rip,
			 0x1005); /* 2 as the hardware says, 3 as the decoder does */
	assert_int_equal(fake_regs[VCPU_INTR_SHADOW], 0);
	assert_int_equal(world_vcpu->stats.exits[VM_EXIT_CPUID], 2);
	assert_string_equal(fake_story, "window ");
	assert_ptr_equal(this_cpu()->fpu_owner, world_vcpu); /* stays live */
}

static void test_length_that_cannot_be_read(void **state)
{
	(void)state;
	world_vcpu->rip = 0x1000;
	fake_insn_length = 0;
	assert_int_equal(world_go(cpuid_guest), SCHED_YIELD);
	assert_int_equal(world_vcpu->rip, 0x1002);
	assert_string_equal(fake_story, "X14/10 window ");
	assert_int_equal(fake_regs[VCPU_CR2], 0x1002);
}

static int port_read(void *opaque, struct vcpu *v, uint64_t offset, unsigned width, uint64_t *value)
{
	(void)opaque;
	(void)v;
	*value = 0x11223344 + offset + width;
	return 0;
}

static void io_guest(struct vcpu *v, struct vm_exit *exit)
{
	static const uint64_t want[] = {0, 0xaaaaaaaaaaaaaa45, 0xaaaaaaaaaaaa3347, 0x11223348};

	if (world_step && world_step < 4)
		assert_int_equal(v->gpr[GPR_RAX], want[world_step]);
	exit->kind = VM_EXIT_IO;
	exit->insn_len = 1;
	exit->u.io = (struct vm_exit_io){.port = (uint16_t)(0x60 + (world_step == 1)),
					 .in = true,
					 .width = (uint8_t)(1 << world_step)};
	v->gpr[GPR_RAX] = 0xaaaaaaaaaaaaaaaa;
	if (world_step == 3)
		exit->u.io.string = true;
	if (world_step++ == 4)
		world_resched(exit);
}

static void test_io(void **state)
{
	static const struct hook_ops ops = {.read = port_read};
	static const struct hook hook = {.first = 0x60, .last = 0x64, .ops = &ops, .owner = "p"};

	(void)state;
	assert_int_equal(hook_io_add(&world_vm, &hook), 0);
	assert_int_equal(world_go(io_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "string60 window ");
}

static void msr_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_MSR;
	exit->insn_len = 2;
	v->gpr[GPR_RCX] = 0xffffffff00000011;
	v->gpr[GPR_RAX] = 0xffffffff00000001;
	v->gpr[GPR_RDX] = 0xffffffff00000002;
	exit->u.msr.write = world_step == 0;
	if (world_step++ == 1)
		world_resched(exit);
}

static void test_unknown_msr_is_gp(void **state)
{
	(void)state;
	world_vcpu->rip = 0x1000;
	assert_int_equal(world_go(msr_guest), SCHED_YIELD);
	assert_int_equal(world_vcpu->rip, 0x1000);
	assert_string_equal(fake_story, "X13/0 window ");
}

static int64_t call(void *opaque, struct vcpu *v, uint64_t number, const uint64_t args[4])
{
	(void)opaque;
	(void)v;
	return (int64_t)(number * 1000 + args[0] * 1 + args[1] * 2 + args[2] * 4 + args[3] * 8);
}

static void call_guest(struct vcpu *v, struct vm_exit *exit)
{
	static const int64_t want[] = {0, 7015, -1, 7015};

	if (world_step)
		assert_int_equal(v->gpr[GPR_RAX], (uint64_t)want[world_step]);
	exit->kind = world_step == 2 ? VM_EXIT_EXCEPTION : VM_EXIT_HYPERCALL;
	exit->insn_len = 3;
	exit->u.exception.vector = 6;
	fake_segs[SEG_SS].attrib = world_step == 1 ? 3 << SEG_ATTR_DPL_SHIFT : 0;
	fake_code = "\x0f\x01\xc1\x90"; /* VMCALL, which this CPU does not have */
	fake_code_len = 4;
	v->gpr[GPR_RAX] = 7;
	v->gpr[GPR_RBX] = v->gpr[GPR_RCX] = v->gpr[GPR_RDX] = v->gpr[GPR_RSI] = 1;
	if (world_step++ == 3)
		world_resched(exit);
}

static void test_hypercalls(void **state)
{
	static const struct hook_call hook = {.first = 7, .last = 7, .fn = call, .owner = "c"};

	(void)state;
	assert_int_equal(hook_call_add(&world_vm, &hook), 0);
	assert_int_equal(world_go(call_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "window ");
}

static void ud_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	exit->kind = world_step ? VM_EXIT_UNDEFINED : VM_EXIT_EXCEPTION;
	exit->u.exception.vector = 6;
	fake_code = "\x0f\x0b";
	fake_code_len = 2;
	if (world_step++ == 2)
		world_resched(exit);
}

static void test_undefined(void **state)
{
	(void)state;
	assert_int_equal(world_go(ud_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "X6 X6 window ");
}

static void triple_guest(struct vcpu *v, struct vm_exit *exit)
{
	v->rip = 0x123456789;
	exit->kind = VM_EXIT_TRIPLE_FAULT;
	fake_code = "\x0f\x0b";
	fake_code_len = 2;
	assert_int_equal(world_step++, 0);
}

static void test_triple_fault_stops_the_vm(void **state)
{
	(void)state;
	assert_int_equal(world_go(triple_guest), SCHED_BLOCK);
	assert_int_equal(world_crashes, 1);
	assert_int_equal(world_vcpu->state, VCPU_STOPPED);
	assert_true(fake_logged("vcpu 0: triple fault"));
	assert_true(fake_logged("0000000123456789"));
	assert_true(fake_logged("code 0f 0b"));
	/* Whoever lets the VM go on does not revive it. */
	vcpu_clear_request(world_vcpu, VCPU_REQ_PAUSE);
	assert_int_equal(world_go(triple_guest), SCHED_BLOCK);
	assert_int_equal(fake_entries, 1);
}

static enum vm_exit_kind failing_kind;

static void failing_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	exit->kind = failing_kind;
	if (failing_kind == VM_EXIT_MEMORY) {
		exit->u.memory.gpa = 0xd0000000;
		exit->u.memory.access = ACCESS_EXEC;
	} else if (failing_kind == VM_EXIT_CR) {
		exit->u.cr.cr = 3;
	} else {
		exit->u.failed.code = 0xabc;
	}
	assert_int_equal(world_step++, 0);
}

static void test_failures_stop_the_vm(void **state)
{
	static const struct {
		enum vm_exit_kind kind;
		const char *line;
	} cases[] = {
		{VM_EXIT_ENTRY_FAILED, "0xabc"},
		{VM_EXIT_UNKNOWN, "0xabc"},
		{VM_EXIT_MEMORY, "0xd0000000"},
		{VM_EXIT_CR, "CR3"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		failing_kind = cases[i].kind;
		vcpu_reset(world_vcpu);
		fake_log_clear();
		assert_int_equal(world_go(failing_guest), SCHED_BLOCK);
		assert_int_equal(world_crashes, i + 1);
		assert_true(fake_logged(cases[i].line));
	}
}

static void xsetbv_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_XSETBV;
	exit->insn_len = 3;
	v->gpr[GPR_RCX] = 0;
	v->gpr[GPR_RDX] = 0;
	v->gpr[GPR_RAX] = 7;
	fake_regs[VCPU_CR4] = world_step == 0 ? 0 : 1u << 18;
	fake_segs[SEG_SS].attrib = world_step == 1 ? 3 << SEG_ATTR_DPL_SHIFT : 0;
	world_xcr0_result = world_step == 2 ? -EINVAL : 0;
	if (world_step == 3)
		v->gpr[GPR_RCX] = 1;
	if (world_step == 4)
		v->rip = 0x1000;
	if (world_step++ == 5)
		world_resched(exit);
}

static void test_xsetbv(void **state)
{
	(void)state;
	assert_int_equal(world_go(xsetbv_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "X6 X13/0 X13/0 X13/0 window ");
	assert_int_equal(world_vcpu->rip, 0x1003);
	assert_int_equal(world_vcpu->xcr0, 7);
}

static void cr8_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_CR;
	exit->insn_len = 3;
	exit->u.cr.cr = 8;
	exit->u.cr.gpr = GPR_RSI;
	exit->u.cr.write = world_step != 2;
	v->gpr[GPR_RSI] = world_step == 0 ? 0x10 : 5;
	if (world_step == 1)
		fake_pending = 70;
	if (world_step == 3)
		assert_int_equal(v->gpr[GPR_RSI], 5);
	if (world_step++ == 3)
		world_resched(exit);
}

static void test_cr8(void **state)
{
	(void)state;
	assert_int_equal(world_go(cr8_guest), SCHED_YIELD);
	assert_int_equal(fake_regs[VCPU_CR8], 5);
	assert_string_equal(fake_story, "X13/0 accept70 I70 window ");
}

/* What CPUID does not show cannot be set, and long mode keeps PAE. */
static void cr4_guest(struct vcpu *v, struct vm_exit *exit)
{
	static const uint64_t values[] = {CR4_PAE | CR4_PKE, BIT(40) | CR4_PAE, 0,
					  CR4_PAE | CR4_PGE};

	exit->kind = VM_EXIT_CR;
	exit->insn_len = 3;
	exit->u.cr.cr = 4;
	exit->u.cr.gpr = GPR_RSI;
	exit->u.cr.write = true;
	v->gpr[GPR_RSI] = values[world_step];
	if (world_step++ == 3)
		world_resched(exit);
	else
		assert_int_equal(fake_regs[VCPU_CR4], CR4_PAE);
}

static void test_cr4(void **state)
{
	(void)state;
	world_vm.cr4_allowed = CR4_PAE | CR4_PGE;
	fake_regs[VCPU_CR4] = CR4_PAE;
	fake_regs[VCPU_EFER] = EFER_LMA;
	fake_segs[SEG_CS].attrib = SEG_ATTR_L;
	assert_int_equal(world_go(cr4_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "X13/0 X13/0 X13/0 window ");
}

/* From protected mode without paging, with LME set, each of which must hold. */
static const struct {
	uint64_t value, cr4;
	uint16_t cs, tr;
	bool fault;
} cr0_cases[] = {
	{CR0_PE | CR0_CD | CR0_NW, 0, 0, 0xb, false},
	{CR0_PE | CR0_NW, 0, 0, 0xb, true},
	{CR0_PG, CR4_PAE, 0, 0xb, true},
	{CR0_PE | CR0_PG, 0, 0, 0xb, true},
	{CR0_PE | CR0_PG, CR4_PAE, SEG_ATTR_L, 0xb, true},
	{CR0_PE | CR0_PG, CR4_PAE, 0, 0x3, true},
	{CR0_PE | CR0_PG | BIT(10), CR4_PAE, 0, 0xb, false},
};

static void cr0_guest(struct vcpu *v, struct vm_exit *exit)
{
	unsigned i = world_step++;

	if (i > 0 && !cr0_cases[i - 1].fault)
		assert_int_equal(fake_regs[VCPU_CR0], (cr0_cases[i - 1].value & ~BIT(10)) | CR0_ET);
	else if (i > 0)
		assert_int_equal(fake_regs[VCPU_CR0], CR0_PE | CR0_ET);
	if (i == ARRAY_SIZE(cr0_cases)) {
		world_resched(exit);
		return;
	}
	fake_regs[VCPU_CR0] = CR0_PE | CR0_ET;
	fake_regs[VCPU_CR4] = cr0_cases[i].cr4;
	fake_segs[SEG_CS].attrib = cr0_cases[i].cs;
	fake_segs[SEG_TR].attrib = SEG_ATTR_P | cr0_cases[i].tr;
	exit->kind = VM_EXIT_CR;
	exit->insn_len = 3;
	exit->u.cr.cr = 0;
	exit->u.cr.gpr = GPR_RSI;
	exit->u.cr.write = true;
	v->gpr[GPR_RSI] = cr0_cases[i].value;
}

static void test_cr0(void **state)
{
	(void)state;
	fake_regs[VCPU_EFER] = EFER_LME;
	assert_int_equal(world_go(cr0_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "X13/0 X13/0 X13/0 X13/0 X13/0 window ");
}

static void pause_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	exit->kind = VM_EXIT_PAUSE;
	exit->insn_len = 2;
	assert_int_equal(world_step++, 0);
}

static void test_pause_gives_the_cpu_away(void **state)
{
	(void)state;
	assert_int_equal(world_go(pause_guest), SCHED_YIELD);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_rip_advances),
		TEST(test_length_that_cannot_be_read),
		TEST(test_io),
		TEST(test_unknown_msr_is_gp),
		TEST(test_hypercalls),
		TEST(test_undefined),
		TEST(test_triple_fault_stops_the_vm),
		TEST(test_failures_stop_the_vm),
		TEST(test_xsetbv),
		TEST(test_cr8),
		TEST(test_cr0),
		TEST(test_cr4),
		TEST(test_pause_gives_the_cpu_away),
	};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
