/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/run.c vmm/exit.c vmm/vcpu.c vmm/vcpu_event.c vmm/post_mortem.c */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c lib/range_map.c kernel/time.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hv.c */
/* The run loop: exits to handlers, events into the guest, requests, and the way out. */
#include "vmm/vcpu.h"

#include "arch/x86_64/percpu.h"
#include "kernel/time.h"
#include "tests/host/vmm/fake.h"
#include "tests/host/vmm/fake_hv.h"
#include "vmm/fpu.h"
#include "vmm/guest_memory.h"
#include "vmm/hook/hook_call.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/irq.h"
#include "vmm/msr.h"
#include "vmm/vm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct vm vm = {.name = "v"};
static struct vcpu *vcpu;
static struct guest_memory memory = {.high_end = GUEST_HIGH_BASE};
static unsigned step;
static unsigned crashes;
static int xcr0_result;

/* What is not of this test. */

int guest_memory_set_access(struct vm *v, gpa_t gpa, uint64_t size, unsigned access)
{
	(void)v;
	(void)gpa;
	(void)size;
	(void)access;
	return 0;
}

bool guest_is_ram(const struct guest_memory *m, gpa_t gpa, uint64_t len)
{
	(void)m;
	return gpa + len <= 0x100000;
}

void vm_flush(struct vm *v)
{
	(void)v;
}

void vm_request(struct vm *v, enum vm_request request, const char *why)
{
	(void)why;
	assert_int_equal(request, VM_REQUEST_CRASH);
	crashes++;
	vcpu_request(v->vcpus[0], VCPU_REQ_PAUSE);
}

uint32_t cpu_model_signature(void);
uint32_t cpu_model_signature(void)
{
	return 0x6b1;
}

int msr_vcpu_create(struct vcpu *v)
{
	(void)v;
	return 0;
}

void msr_vcpu_destroy(struct vcpu *v)
{
	(void)v;
}

void msr_reset(struct vcpu *v)
{
	(void)v;
}

int fpu_create(struct vcpu *v)
{
	(void)v;
	return 0;
}

void fpu_destroy(struct vcpu *v)
{
	(void)v;
}

void fpu_reset(struct vcpu *v)
{
	(void)v;
}

void fpu_switch(struct vcpu *v)
{
	this_cpu()->fpu_owner = v;
}

void fpu_save(struct vcpu *v)
{
	assert_ptr_equal(v, vcpu);
	this_cpu()->fpu_owner = NULL;
}

int fpu_set_xcr0(struct vcpu *v, uint64_t value)
{
	v->xcr0 = value;
	return xcr0_result;
}

void sched_wake(struct sched_entity *e)
{
	assert_ptr_equal(e, &vcpu->entity);
	fake_wakes++;
}

static int setup(void **state)
{
	(void)state;
	fake_hv_reset();
	fake_log_clear();
	step = crashes = 0;
	xcr0_result = 0;
	vm.memory = &memory;
	if (hook_maps_create(&vm) || vcpu_create(&vm, 0, &vcpu))
		return -1;
	vm.vcpus[0] = vcpu;
	vm.vcpu_count = 1;
	vcpu_reset(vcpu);
	fake_story[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vcpu_destroy(vcpu);
	hook_maps_destroy(&vm);
	assert_int_equal(fake_objects, 0);
	return 0;
}

static enum sched_result go(void (*guest)(struct vcpu *, struct vm_exit *))
{
	enum sched_result result;

	fake_guest = guest;
	step = 0;
	result = vcpu_run(&vcpu->entity);
	assert_false(vcpu_may_run(vcpu));
	assert_null(this_cpu()->world);
	return result;
}

/* The end of each script: somebody else wants the CPU. */
static void resched(struct vm_exit *exit)
{
	exit->kind = VM_EXIT_INTERRUPT;
	this_cpu()->need_resched = true;
}

static void test_reset_state(void **state)
{
	(void)state;
	assert_int_equal(vcpu->rip, 0xfff0);
	assert_int_equal(vcpu->gpr[GPR_RDX], 0x6b1);
	assert_int_equal(vcpu->state, VCPU_RUNNABLE);
}

static void cpuid_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_CPUID;
	exit->insn_len = step == 0 ? 2 : 0;
	if (step++ == 2)
		resched(exit);
	v->gpr[GPR_RAX] = UINT64_MAX;
}

static void test_rip_advances(void **state)
{
	(void)state;
	vcpu->rip = 0x1000;
	fake_regs[VCPU_INTR_SHADOW] = 1;
	assert_int_equal(go(cpuid_guest), SCHED_YIELD);
	assert_int_equal(vcpu->rip, 0x1005); /* 2 as the hardware says, 3 as the decoder does */
	assert_int_equal(fake_regs[VCPU_INTR_SHADOW], 0);
	assert_int_equal(vcpu->stats.exits[VM_EXIT_CPUID], 2);
	assert_string_equal(fake_story, "window ");
	assert_ptr_equal(this_cpu()->fpu_owner, vcpu); /* stays live */
}

static void test_length_that_cannot_be_read(void **state)
{
	(void)state;
	vcpu->rip = 0x1000;
	fake_insn_length = 0;
	assert_int_equal(go(cpuid_guest), SCHED_YIELD);
	assert_int_equal(vcpu->rip, 0x1002);
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

	if (step && step < 4)
		assert_int_equal(v->gpr[GPR_RAX], want[step]);
	exit->kind = VM_EXIT_IO;
	exit->insn_len = 1;
	exit->u.io = (struct vm_exit_io){
		.port = (uint16_t)(0x60 + (step == 1)), .in = true, .width = (uint8_t)(1 << step)};
	v->gpr[GPR_RAX] = 0xaaaaaaaaaaaaaaaa;
	if (step == 3)
		exit->u.io.string = true;
	if (step++ == 4)
		resched(exit);
}

static void test_io(void **state)
{
	static const struct hook_ops ops = {.read = port_read};
	static const struct hook hook = {.first = 0x60, .last = 0x64, .ops = &ops, .owner = "p"};

	(void)state;
	assert_int_equal(hook_io_add(&vm, &hook), 0);
	assert_int_equal(go(io_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "string60 window ");
}

static void msr_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_MSR;
	exit->insn_len = 2;
	v->gpr[GPR_RCX] = 0xffffffff00000011;
	v->gpr[GPR_RAX] = 0xffffffff00000001;
	v->gpr[GPR_RDX] = 0xffffffff00000002;
	exit->u.msr.write = step == 0;
	if (step++ == 1)
		resched(exit);
}

static void test_unknown_msr_is_gp(void **state)
{
	(void)state;
	vcpu->rip = 0x1000;
	assert_int_equal(go(msr_guest), SCHED_YIELD);
	assert_int_equal(vcpu->rip, 0x1000);
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
	static const int64_t want[] = {0, 7015, -EPERM, 7015};

	if (step)
		assert_int_equal(v->gpr[GPR_RAX], (uint64_t)want[step]);
	exit->kind = step == 2 ? VM_EXIT_EXCEPTION : VM_EXIT_HYPERCALL;
	exit->insn_len = 3;
	exit->u.exception.vector = 6;
	fake_segs[SEG_SS].attrib = step == 1 ? 3 << SEG_ATTR_DPL_SHIFT : 0;
	fake_code = "\x0f\x01\xc1\x90"; /* VMCALL, which this CPU does not have */
	fake_code_len = 4;
	v->gpr[GPR_RAX] = 7;
	v->gpr[GPR_RBX] = v->gpr[GPR_RCX] = v->gpr[GPR_RDX] = v->gpr[GPR_RSI] = 1;
	if (step++ == 3)
		resched(exit);
}

static void test_hypercalls(void **state)
{
	static const struct hook_call hook = {.first = 7, .last = 7, .fn = call, .owner = "c"};

	(void)state;
	assert_int_equal(hook_call_add(&vm, &hook), 0);
	assert_int_equal(go(call_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "window ");
}

static void ud_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	exit->kind = step ? VM_EXIT_UNDEFINED : VM_EXIT_EXCEPTION;
	exit->u.exception.vector = 6;
	fake_code = "\x0f\x0b";
	fake_code_len = 2;
	if (step++ == 2)
		resched(exit);
}

static void test_undefined(void **state)
{
	(void)state;
	assert_int_equal(go(ud_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "X6 X6 window ");
}

static void halt_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	exit->kind = VM_EXIT_HLT;
	exit->insn_len = 1;
	if (step++ == 1)
		resched(exit);
}

static void test_hlt_blocks_until_an_interrupt(void **state)
{
	(void)state;
	vcpu->rip = 0x1000;
	assert_int_equal(go(halt_guest), SCHED_BLOCK);
	assert_int_equal(vcpu->state, VCPU_HALTED);
	assert_int_equal(vcpu->rip, 0x1001);
	/* Woken for nothing: it sleeps on. */
	assert_int_equal(go(halt_guest), SCHED_BLOCK);
	assert_int_equal(fake_entries, 1);
	/* With interrupts off, one that is pending wakes nobody, and no window is asked for. */
	fake_pending = 32;
	fake_irq_allowed = false;
	vcpu_request(vcpu, VCPU_REQ_IRQ);
	assert_int_equal(fake_wakes, 1);
	assert_int_equal(go(halt_guest), SCHED_BLOCK);
	assert_int_equal(fake_entries, 1);
	fake_irq_allowed = true;
	step = 1;
	fake_guest = halt_guest;
	assert_int_equal(vcpu_run(&vcpu->entity), SCHED_YIELD);
	assert_string_equal(fake_story, "accept32 I32 window ");
	assert_int_equal(vcpu->state, VCPU_RUNNABLE);
}

static void test_nmi_wakes_hlt_with_interrupts_off(void **state)
{
	(void)state;
	fake_irq_allowed = false;
	assert_int_equal(go(halt_guest), SCHED_BLOCK);
	vcpu_request(vcpu, VCPU_REQ_NMI);
	assert_int_equal(go(halt_guest), SCHED_BLOCK);
	assert_string_equal(fake_story, "N2 ");
}

/* A wake-up between HLT's exit and the block is not slept through. */
static void late_irq_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_HLT;
	exit->insn_len = 1;
	if (step++ == 0) {
		fake_pending = 40;
		vcpu_request(v, VCPU_REQ_IRQ);
		assert_int_equal(fake_wakes, 0); /* it runs right here */
	} else {
		resched(exit);
	}
}

static void test_interrupt_during_the_exit(void **state)
{
	(void)state;
	assert_int_equal(go(late_irq_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "accept40 I40 window ");
}

static void window_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	fake_irq_allowed = fake_nmi_allowed = true;
	exit->kind = step == 0 ? VM_EXIT_NMI_WINDOW : VM_EXIT_IRQ_WINDOW;
	if (step++ == 2)
		resched(exit);
}

static void test_windows(void **state)
{
	(void)state;
	fake_irq_allowed = fake_nmi_allowed = false;
	fake_pending = 50;
	vcpu_request(vcpu, VCPU_REQ_IRQ | VCPU_REQ_NMI);
	assert_int_equal(go(window_guest), SCHED_YIELD);
	/* The NMI comes first, the interrupt behind it. */
	assert_string_equal(fake_story, "nmi-window irq-window irq-window N2 accept50 I50 window ");
}

/* An exit in the middle of a delivery: the event comes again, before any other. */
static void again_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_MEMORY;
	exit->u.memory.gpa = 0xfee00000;
	if (step == 0) {
		v->event = (struct vcpu_event){.type = EVENT_EXT_INT, .vector = 60};
		fake_pending = 61;
		vcpu_request(v, VCPU_REQ_IRQ);
	}
	if (step++ == 1)
		resched(exit);
}

static void test_interrupted_event(void **state)
{
	(void)state;
	assert_int_equal(go(again_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "mmiofee00000 irq-window I60 window accept61 ");
}

/* A fault in the delivery of an interrupt is first, then the interrupt: it was acknowledged. */
static void fault_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_UNDEFINED;
	if (step == 0)
		v->event = (struct vcpu_event){.type = EVENT_EXT_INT, .vector = 60};
	if (step++ == 1)
		exit->kind = VM_EXIT_IRQ_WINDOW;
	if (step == 3)
		resched(exit);
}

static void test_fault_while_delivering(void **state)
{
	(void)state;
	assert_int_equal(go(fault_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "irq-window X6 I60 window ");
}

static void inject_two(uint8_t first, uint8_t second)
{
	vcpu->event = (struct vcpu_event){0};
	vcpu_inject_exception(vcpu, first, false, 0);
	vcpu_inject_exception(vcpu, second, true, 5);
}

static void test_double_faults(void **state)
{
	static const struct {
		uint8_t first, second, result;
	} cases[] = {
		{1, 13, 13}, {13, 1, 1}, {13, 13, 8}, {0, 10, 8},  {13, 14, 14}, {14, 14, 8},
		{14, 13, 8}, {14, 6, 6}, {6, 14, 14}, {11, 12, 8}, {8, 6, 6},	 {21, 13, 8},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		inject_two(cases[i].first, cases[i].second);
		assert_int_equal(vcpu->event.vector, cases[i].result);
		if (cases[i].result == 8)
			assert_true(vcpu->event.has_error && vcpu->event.error == 0);
	}
	assert_int_equal(crashes, 0);
	inject_two(8, 14);
	assert_int_equal(crashes, 1);
	assert_true(fake_logged("triple fault"));
}

static void triple_guest(struct vcpu *v, struct vm_exit *exit)
{
	v->rip = 0x123456789;
	exit->kind = VM_EXIT_TRIPLE_FAULT;
	fake_code = "\x0f\x0b";
	fake_code_len = 2;
	assert_int_equal(step++, 0);
}

static void test_triple_fault_stops_the_vm(void **state)
{
	(void)state;
	assert_int_equal(go(triple_guest), SCHED_BLOCK);
	assert_int_equal(crashes, 1);
	assert_int_equal(vcpu->state, VCPU_STOPPED);
	assert_true(fake_logged("vcpu 0: triple fault"));
	assert_true(fake_logged("0000000123456789"));
	assert_true(fake_logged("code 0f 0b"));
	/* Whoever lets the VM go on does not revive it. */
	vcpu_clear_request(vcpu, VCPU_REQ_PAUSE);
	assert_int_equal(go(triple_guest), SCHED_BLOCK);
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
	assert_int_equal(step++, 0);
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
		vcpu_reset(vcpu);
		fake_log_clear();
		assert_int_equal(go(failing_guest), SCHED_BLOCK);
		assert_int_equal(crashes, i + 1);
		assert_true(fake_logged(cases[i].line));
	}
}

static void never_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	(void)exit;
	fail_msg("%s", "the guest must not run");
}

static void test_pause_and_stop(void **state)
{
	(void)state;
	this_cpu()->fpu_owner = vcpu;
	vcpu->pause_wanted = 7;
	vcpu_request(vcpu, VCPU_REQ_PAUSE | VCPU_REQ_IRQ);
	fake_pending = 33;
	assert_int_equal(go(never_guest), SCHED_BLOCK);
	assert_int_equal(vcpu->pause_seen, 7);
	assert_null(this_cpu()->fpu_owner);
	/* What else was requested is kept for later. */
	assert_true(vcpu->requests & VCPU_REQ_IRQ);
	vcpu_request(vcpu, VCPU_REQ_STOP);
	assert_int_equal(go(never_guest), SCHED_EXIT);
	vcpu->exited = false;
	vcpu_sched_ops.exited(&vcpu->entity);
	assert_true(vcpu->exited);
}

static void other_requests_guest(struct vcpu *v, struct vm_exit *exit)
{
	assert_int_equal(v->requests, 0);
	resched(exit);
}

static void test_other_requests(void **state)
{
	(void)state;
	vcpu_request(vcpu, VCPU_REQ_FLUSH | VCPU_REQ_TSC | VCPU_REQ_TIMER);
	assert_int_equal(go(other_requests_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "flush tsc timer window ");
}

static void sipi_guest(struct vcpu *v, struct vm_exit *exit)
{
	assert_int_equal(v->rip, 0);
	assert_int_equal(fake_segs[SEG_CS].selector, 0x9a00);
	assert_int_equal(fake_segs[SEG_CS].base, 0x9a000);
	resched(exit);
}

static void test_init_and_sipi(void **state)
{
	(void)state;
	vcpu->index = 1;
	vcpu->gpr[GPR_RAX] = 5;
	vcpu->event = (struct vcpu_event){.type = EVENT_NMI};
	vcpu_request(vcpu, VCPU_REQ_RESET);
	assert_int_equal(go(never_guest), SCHED_BLOCK);
	assert_int_equal(vcpu->state, VCPU_WAIT_SIPI);
	assert_int_equal(vcpu->gpr[GPR_RAX], 0);
	/* Interrupts do not start it. */
	fake_pending = 32;
	vcpu_request(vcpu, VCPU_REQ_IRQ);
	assert_int_equal(go(never_guest), SCHED_BLOCK);
	fake_pending = -1;
	vcpu->sipi_vector = 0x9a;
	vcpu_request(vcpu, VCPU_REQ_SIPI);
	assert_int_equal(go(sipi_guest), SCHED_YIELD);
	/* A second one does nothing. */
	this_cpu()->need_resched = false;
	vcpu->sipi_vector = 0x10;
	vcpu_request(vcpu, VCPU_REQ_SIPI);
	assert_int_equal(go(sipi_guest), SCHED_YIELD);
	vcpu->index = 0;
}

static void xsetbv_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_XSETBV;
	exit->insn_len = 3;
	v->gpr[GPR_RCX] = 0;
	v->gpr[GPR_RDX] = 0;
	v->gpr[GPR_RAX] = 7;
	fake_regs[VCPU_CR4] = step == 0 ? 0 : 1u << 18;
	fake_segs[SEG_SS].attrib = step == 1 ? 3 << SEG_ATTR_DPL_SHIFT : 0;
	xcr0_result = step == 2 ? -EINVAL : 0;
	if (step == 3)
		v->gpr[GPR_RCX] = 1;
	if (step == 4)
		v->rip = 0x1000;
	if (step++ == 5)
		resched(exit);
}

static void test_xsetbv(void **state)
{
	(void)state;
	assert_int_equal(go(xsetbv_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "X6 X13/0 X13/0 X13/0 window ");
	assert_int_equal(vcpu->rip, 0x1003);
	assert_int_equal(vcpu->xcr0, 7);
}

static void cr8_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_CR;
	exit->insn_len = 3;
	exit->u.cr.cr = 8;
	exit->u.cr.gpr = GPR_RSI;
	exit->u.cr.write = step != 2;
	v->gpr[GPR_RSI] = step == 0 ? 0x10 : 5;
	if (step == 1)
		fake_pending = 70;
	if (step == 3)
		assert_int_equal(v->gpr[GPR_RSI], 5);
	if (step++ == 3)
		resched(exit);
}

static void test_cr8(void **state)
{
	(void)state;
	assert_int_equal(go(cr8_guest), SCHED_YIELD);
	assert_int_equal(fake_regs[VCPU_CR8], 5);
	assert_string_equal(fake_story, "X13/0 accept70 I70 window ");
}

static void pause_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	exit->kind = VM_EXIT_PAUSE;
	exit->insn_len = 2;
	assert_int_equal(step++, 0);
}

static void test_pause_gives_the_cpu_away(void **state)
{
	(void)state;
	assert_int_equal(go(pause_guest), SCHED_YIELD);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reset_state),
		TEST(test_rip_advances),
		TEST(test_length_that_cannot_be_read),
		TEST(test_io),
		TEST(test_unknown_msr_is_gp),
		TEST(test_hypercalls),
		TEST(test_undefined),
		TEST(test_hlt_blocks_until_an_interrupt),
		TEST(test_nmi_wakes_hlt_with_interrupts_off),
		TEST(test_interrupt_during_the_exit),
		TEST(test_windows),
		TEST(test_interrupted_event),
		TEST(test_fault_while_delivering),
		TEST(test_double_faults),
		TEST(test_triple_fault_stops_the_vm),
		TEST(test_failures_stop_the_vm),
		TEST(test_pause_and_stop),
		TEST(test_other_requests),
		TEST(test_init_and_sipi),
		TEST(test_xsetbv),
		TEST(test_cr8),
		TEST(test_pause_gives_the_cpu_away),
	};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
