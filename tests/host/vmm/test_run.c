/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vcpu_cr.c vmm/flight.c */
/* test-sources: vmm/run.c vmm/exit.c vmm/vcpu.c vmm/vcpu_event.c vmm/post_mortem.c */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c lib/range_map.c kernel/time.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hv.c tests/host/vmm/run_world.c */
/* test-sources: vmm/hook/hook_mapped.c */
/* test-sources: tests/host/vmm/fake_pages.c tests/host/vmm/fake_page_alloc.c */
/* The run loop: events into the guest, requests, and the way out. */
#include "vmm/vcpu.h"

#include "arch/x86_64/percpu.h"
#include "kernel/time.h"
#include "tests/host/vmm/fake.h"
#include "tests/host/vmm/fake_hv.h"
#include "tests/host/vmm/run_world.h"
#include "vmm/flight.h"
#include "vmm/irq.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_reset_state(void **state)
{
	(void)state;
	assert_int_equal(world_vcpu->rip, 0xfff0);
	assert_int_equal(world_vcpu->gpr[GPR_RDX], 0x6b1);
	assert_int_equal(world_vcpu->state, VCPU_RUNNABLE);
}

static void halt_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	exit->kind = VM_EXIT_HLT;
	exit->insn_len = 1;
	if (world_step++ == 1)
		world_resched(exit);
}

static void test_hlt_blocks_until_an_interrupt(void **state)
{
	(void)state;
	world_vcpu->rip = 0x1000;
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	assert_int_equal(world_vcpu->state, VCPU_HALTED);
	assert_int_equal(world_vcpu->rip, 0x1001);
	/* Woken for nothing: it sleeps on. */
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	assert_int_equal(fake_entries, 1);
	/* With interrupts off, one that is pending wakes nobody, and no window is asked for. */
	fake_pending = 32;
	fake_irq_allowed = false;
	vcpu_request(world_vcpu, VCPU_REQ_IRQ);
	assert_int_equal(fake_wakes, 1);
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	assert_int_equal(fake_entries, 1);
	fake_irq_allowed = true;
	world_step = 1;
	fake_guest = halt_guest;
	assert_int_equal(vcpu_run(&world_vcpu->entity), SCHED_YIELD);
	assert_string_equal(fake_story, "accept32 I32 window ");
	assert_int_equal(world_vcpu->state, VCPU_RUNNABLE);
}

/* What the hardware delivers by itself wakes, too, and is not injected. */
static void test_hlt_ends_for_what_the_cpu_delivers(void **state)
{
	(void)state;
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	fake_pending = IRQ_BY_CPU;
	fake_irq_allowed = false;
	vcpu_request(world_vcpu, VCPU_REQ_IRQ);
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	assert_int_equal(fake_entries, 1);
	fake_irq_allowed = true;
	world_step = 1;
	fake_guest = halt_guest;
	vcpu_request(world_vcpu, VCPU_REQ_IRQ);
	assert_int_equal(vcpu_run(&world_vcpu->entity), SCHED_YIELD);
	assert_int_equal(fake_entries, 2);
	assert_string_equal(fake_story, "window ");
}

/*
 * The timer's interrupt is held back by its priority. What it requested of its
 * own vCPU must not keep the next request from waking it.
 */
static void test_request_while_served_is_not_slept_through(void **state)
{
	(void)state;
	fake_guest = halt_guest;
	assert_int_equal(vcpu_run(&world_vcpu->entity), SCHED_BLOCK);
	fake_timer_requests = VCPU_REQ_IRQ;
	vcpu_request(world_vcpu, VCPU_REQ_TIMER);
	assert_int_equal(fake_wakes, 1);
	assert_int_equal(vcpu_run(&world_vcpu->entity), SCHED_BLOCK);
	assert_int_equal(world_vcpu->state, VCPU_HALTED);
	vcpu_request(world_vcpu, VCPU_REQ_IRQ);
	assert_int_equal(fake_wakes, 2);
}

/* What others have cached is gone before the guest goes on; meanwhile it is out of its loop. */
static void test_goes_on_when_others_have_flushed(void **state)
{
	struct vcpu other = {.vm = &world_vm, .index = 1, .in_loop = true};

	(void)state;
	world_vm.vcpus[1] = &other;
	world_vm.vcpu_count = 2;
	other.requests = VCPU_REQ_FLUSH | VCPU_REQ_SYNC;
	vcpu_request(world_vcpu, VCPU_REQ_FLUSH | VCPU_REQ_SYNC);
	assert_int_equal(world_go(halt_guest), SCHED_YIELD);
	assert_int_equal(world_go(halt_guest), SCHED_YIELD);
	assert_int_equal(fake_entries, 0);
	assert_string_equal(fake_story, "flush ");
	/* Another flush does not keep two from each other. */
	vcpu_request(world_vcpu, VCPU_REQ_FLUSH);
	assert_int_equal(world_go(halt_guest), SCHED_YIELD);
	assert_int_equal(world_vcpu->requests, VCPU_REQ_SYNC);
	other.requests = VCPU_REQ_SYNC;
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	assert_int_equal(fake_entries, 1);
	/* One that is not in its loop flushes when it comes there. */
	other.requests = VCPU_REQ_FLUSH;
	other.in_loop = false;
	world_vcpu->state = VCPU_RUNNABLE;
	vcpu_request(world_vcpu, VCPU_REQ_SYNC);
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	assert_int_equal(fake_entries, 2);
}

static void test_nmi_wakes_hlt_with_interrupts_off(void **state)
{
	(void)state;
	fake_irq_allowed = false;
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	vcpu_request(world_vcpu, VCPU_REQ_NMI);
	assert_int_equal(world_go(halt_guest), SCHED_BLOCK);
	assert_string_equal(fake_story, "N2 ");
}

/* A wake-up between HLT's exit and the block is not slept through. */
static void late_irq_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_HLT;
	exit->insn_len = 1;
	if (world_step++ == 0) {
		fake_pending = 40;
		vcpu_request(v, VCPU_REQ_IRQ);
		assert_int_equal(fake_wakes, 0); /* it runs right here */
	} else {
		world_resched(exit);
	}
}

static void test_interrupt_during_the_exit(void **state)
{
	(void)state;
	assert_int_equal(world_go(late_irq_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "accept40 I40 window ");
}

static void window_guest(struct vcpu *v, struct vm_exit *exit)
{
	(void)v;
	fake_irq_allowed = fake_nmi_allowed = true;
	exit->kind = world_step == 0 ? VM_EXIT_NMI_WINDOW : VM_EXIT_IRQ_WINDOW;
	if (world_step++ == 2)
		world_resched(exit);
}

static void test_windows(void **state)
{
	(void)state;
	fake_irq_allowed = fake_nmi_allowed = false;
	fake_pending = 50;
	vcpu_request(world_vcpu, VCPU_REQ_IRQ | VCPU_REQ_NMI);
	assert_int_equal(world_go(window_guest), SCHED_YIELD);
	/* The NMI comes first, the interrupt behind it. */
	assert_string_equal(fake_story, "nmi-window irq-window irq-window N2 accept50 I50 window ");
}

/* An exit in the middle of a delivery: the event comes again, before any other. */
static void again_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_MEMORY;
	exit->u.memory.gpa = 0xfee00000;
	if (world_step == 0) {
		v->event = (struct vcpu_event){.type = EVENT_EXT_INT, .vector = 60};
		fake_pending = 61;
		vcpu_request(v, VCPU_REQ_IRQ);
	}
	if (world_step++ == 1)
		world_resched(exit);
}

static void test_interrupted_event(void **state)
{
	(void)state;
	assert_int_equal(world_go(again_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "mmiofee00000 irq-window I60 window accept61 ");
}

/* A fault in the delivery of an interrupt is first, then the interrupt: it was acknowledged. */
static void fault_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_UNDEFINED;
	if (world_step == 0)
		v->event = (struct vcpu_event){.type = EVENT_EXT_INT, .vector = 60};
	if (world_step++ == 1)
		exit->kind = VM_EXIT_IRQ_WINDOW;
	if (world_step == 3)
		world_resched(exit);
}

static void test_fault_while_delivering(void **state)
{
	(void)state;
	assert_int_equal(world_go(fault_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "irq-window X6 I60 window ");
}

static void inject_two(uint8_t first, uint8_t second)
{
	world_vcpu->event = (struct vcpu_event){0};
	vcpu_inject_exception(world_vcpu, first, false, 0);
	vcpu_inject_exception(world_vcpu, second, true, 5);
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
		assert_int_equal(world_vcpu->event.vector, cases[i].result);
		if (cases[i].result == 8)
			assert_true(world_vcpu->event.has_error && world_vcpu->event.error == 0);
	}
	assert_int_equal(world_crashes, 0);
	inject_two(8, 14);
	assert_int_equal(world_crashes, 1);
	assert_true(fake_logged("triple fault"));
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
	this_cpu()->fpu_owner = world_vcpu;
	world_vcpu->pause_wanted = 7;
	vcpu_request(world_vcpu, VCPU_REQ_PAUSE | VCPU_REQ_IRQ);
	fake_pending = 33;
	assert_int_equal(world_go(never_guest), SCHED_BLOCK);
	assert_int_equal(world_vcpu->pause_seen, 7);
	assert_null(this_cpu()->fpu_owner);
	/* What else was requested is kept for later. */
	assert_true(world_vcpu->requests & VCPU_REQ_IRQ);
	vcpu_request(world_vcpu, VCPU_REQ_STOP);
	assert_int_equal(world_go(never_guest), SCHED_EXIT);
	world_vcpu->exited = false;
	vcpu_sched_ops.exited(&world_vcpu->entity);
	assert_true(world_vcpu->exited);
}

static void other_requests_guest(struct vcpu *v, struct vm_exit *exit)
{
	assert_int_equal(v->requests, 0);
	world_resched(exit);
}

static void test_other_requests(void **state)
{
	(void)state;
	vcpu_request(world_vcpu, VCPU_REQ_FLUSH | VCPU_REQ_TSC | VCPU_REQ_TIMER);
	assert_int_equal(world_go(other_requests_guest), SCHED_YIELD);
	assert_string_equal(fake_story, "flush tsc timer window ");
}

static void sipi_guest(struct vcpu *v, struct vm_exit *exit)
{
	assert_int_equal(v->rip, 0);
	assert_int_equal(fake_segs[SEG_CS].selector, 0x9a00);
	assert_int_equal(fake_segs[SEG_CS].base, 0x9a000);
	world_resched(exit);
}

static void test_init_and_sipi(void **state)
{
	(void)state;
	world_vcpu->index = 1;
	world_vcpu->gpr[GPR_RAX] = 5;
	world_vcpu->event = (struct vcpu_event){.type = EVENT_NMI};
	vcpu_request(world_vcpu, VCPU_REQ_RESET);
	assert_int_equal(world_go(never_guest), SCHED_BLOCK);
	assert_int_equal(world_vcpu->state, VCPU_WAIT_SIPI);
	assert_int_equal(world_vcpu->gpr[GPR_RAX], 0);
	/* Interrupts do not start it. */
	fake_pending = 32;
	vcpu_request(world_vcpu, VCPU_REQ_IRQ);
	assert_int_equal(world_go(never_guest), SCHED_BLOCK);
	fake_pending = -1;
	world_vcpu->sipi_vector = 0x9a;
	vcpu_request(world_vcpu, VCPU_REQ_SIPI);
	assert_int_equal(world_go(sipi_guest), SCHED_YIELD);
	/* A second one does nothing. */
	this_cpu()->need_resched = false;
	world_vcpu->sipi_vector = 0x10;
	vcpu_request(world_vcpu, VCPU_REQ_SIPI);
	assert_int_equal(world_go(sipi_guest), SCHED_YIELD);
	world_vcpu->index = 0;
}

static void recorded_guest(struct vcpu *v, struct vm_exit *exit)
{
	exit->kind = VM_EXIT_CPUID;
	exit->insn_len = 2;
	v->gpr[GPR_RAX] = 0x80000000 + world_step;
	if (world_step++ == 2)
		world_resched(exit);
}

/* Where the guest was when it was left, not where it goes on; also over the loop's end. */
static void test_exits_are_recorded(void **state)
{
	struct flight_exit out[8];
	bool open;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		world_vcpu->rip = 0x1000;
		this_cpu()->need_resched = false;
		assert_int_equal(world_go(recorded_guest), SCHED_YIELD);
	}
	assert_int_equal(flight_copy(world_vcpu, out, 8, &open), 6);
	assert_false(open);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(flight_rip(&out[i]), 0x1000 + 2 * (i % 3));
		assert_int_equal(flight_kind(&out[i]),
				 i % 3 == 2 ? VM_EXIT_INTERRUPT : VM_EXIT_CPUID);
		assert_int_equal(out[i].gpr, 0x80000000 + i % 3);
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_reset_state),
		TEST(test_hlt_blocks_until_an_interrupt),
		TEST(test_hlt_ends_for_what_the_cpu_delivers),
		TEST(test_request_while_served_is_not_slept_through),
		TEST(test_goes_on_when_others_have_flushed),
		TEST(test_nmi_wakes_hlt_with_interrupts_off),
		TEST(test_interrupt_during_the_exit),
		TEST(test_windows),
		TEST(test_interrupted_event),
		TEST(test_fault_while_delivering),
		TEST(test_double_faults),
		TEST(test_pause_and_stop),
		TEST(test_other_requests),
		TEST(test_init_and_sipi),
		TEST(test_exits_are_recorded),
	};

	time_init(1000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
