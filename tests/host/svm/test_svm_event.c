/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/svm/svm_event.c vmm/svm/svm_step.c vmm/svm/svm_exit.c */
/* vmm/svm: events in and out of the VMCB, windows and steps. */
#include "vmm/svm/svm_event.h"
#include "arch/x86_64/exceptions.h"
#include "tests/host/svm/one_vcpu.h"
#include "vmm/svm/svm_exit_code.h"
#include "vmm/svm/svm_step.h"

static void want(uint8_t type, uint8_t vector, uint8_t len)
{
	vcpu.event = (struct vcpu_event){.type = type, .vector = vector, .insn_len = len};
}

static void test_encoding_and_back(void **state)
{
	static const struct {
		struct vcpu_event event;
		uint64_t info;
	} cases[] = {
		{{.type = EVENT_EXT_INT, .vector = 0xff}, 0x800000ff},
		{{.type = EVENT_NMI, .vector = 2}, 0x80000202},
		{{.type = EVENT_EXCEPTION, .vector = 6}, 0x80000306},
		{{.type = EVENT_EXCEPTION, .vector = 14, .has_error = true, .error = 0xfffffffe},
		 0xfffffffe80000b0e},
		{{.type = EVENT_SOFT_INT, .vector = 0x80}, 0x80000480},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vcpu_event e;

		assert_int_equal(svm_event_encode(&cases[i].event), cases[i].info);
		svm_event_decode(cases[i].info, &e);
		assert_memory_equal(&e, &cases[i].event, sizeof(e));
	}
	for (unsigned type = 0; type < 8; type++) {
		struct vcpu_event e;

		svm_event_decode(VMCB_EVENT_VALID | type << 8 | 0x21, &e);
		if (type == 1 || type > 4)
			assert_int_equal(e.type, EVENT_NONE);
	}
}

static void test_injection_consumes(void **state)
{
	(void)state;
	want(EVENT_EXT_INT, 0x30, 0);
	svm_event_inject(&vcpu);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	assert_int_equal(vmcb.control.event_inj, 0x80000030);
	assert_int_equal(vmcb.control.vintr, 0);
	assert_int_equal(vcpu.rip, 0x1000);

	vmcb.control.event_inj = 0;
	svm_machine.is_qemu = true;
	want(EVENT_EXT_INT, 0x30, 0);
	svm_event_inject(&vcpu);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	assert_int_equal(vmcb.control.event_inj, 0);
	assert_int_equal(vmcb.control.vintr, UINT64_C(0x30001f0100));
	assert_false(vmcb.control.clean & VMCB_CLEAN_TPR);
	assert_int_equal(vcpu.rip, 0x1000);
}

/* The exit came before the guest took what was injected. */
static void test_interrupts_that_are_not_taken(void **state)
{
	(void)state;
	svm_machine.is_qemu = true;
	want(EVENT_EXT_INT, 0x31, 0);
	svm_event_inject(&vcpu);
	vmexit(SVM_EXIT_INTR, 0x1000, 0);
	assert_int_equal(vcpu.event.type, EVENT_EXT_INT);
	assert_int_equal(vcpu.event.vector, 0x31);
	assert_false(vmcb.control.vintr & VMCB_VINTR_IRQ);

	/* Taken: the CPU has cleared it. */
	svm_event_inject(&vcpu);
	vmcb.control.vintr &= ~VMCB_VINTR_IRQ;
	vmexit(SVM_EXIT_INTR, 0x2000, 0);
	assert_int_equal(vcpu.event.type, EVENT_NONE);

	/* Its delivery raised an exception, whose delivery exits. */
	want(EVENT_EXT_INT, 0x32, 0);
	svm_event_inject(&vcpu);
	vmexit(SVM_EXIT_NPF, 0x1000, 0x580000b0e);
	assert_int_equal(vcpu.event.type, EVENT_EXCEPTION);
	assert_int_equal(vcpu.deferred.type, EVENT_EXT_INT);
	assert_int_equal(vcpu.deferred.vector, 0x32);
	assert_int_equal(vcpu.requests, VCPU_REQ_IRQ);

	/* As QEMU tells of its own delivery. */
	vcpu.deferred.type = EVENT_NONE;
	want(EVENT_EXT_INT, 0x33, 0);
	svm_event_inject(&vcpu);
	vmexit(SVM_EXIT_NPF, 0x1000, 0x80000333);
	assert_int_equal(vcpu.event.type, EVENT_EXT_INT);
	assert_int_equal(vcpu.event.vector, 0x33);
	assert_int_equal(vcpu.deferred.type, EVENT_NONE);

	/* Another waits for a window behind it, and is not forgotten. */
	vcpu.requests = 0;
	svm_request_irq_window(&vcpu);
	svm_event_inject(&vcpu);
	assert_false(svm.irq_window);
	assert_int_equal(vcpu.requests, VCPU_REQ_IRQ);

	/* A window is none. */
	vcpu.event.type = EVENT_NONE;
	svm_request_irq_window(&vcpu);
	vmexit(SVM_EXIT_INTR, 0x1000, 0);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	assert_true(vmcb.control.vintr & VMCB_VINTR_IRQ);
}

static void test_no_error_code_in_real_mode(void **state)
{
	(void)state;
	vmcb.save.cr0 = 0;
	vcpu.event = (struct vcpu_event){EVENT_EXCEPTION, EXCEPTION_GP, true, 0, 5};
	svm_event_inject(&vcpu);
	assert_false(vmcb.control.event_inj & VMCB_EVENT_HAS_ERROR);
}

static void test_software_interrupts_return_behind(void **state)
{
	(void)state;
	want(EVENT_SOFT_INT, 0x80, 2);
	svm_event_inject(&vcpu);
	assert_int_equal(vcpu.rip, 0x1002);

	svm_machine.features = SVM_CPUID_NEXT_RIP;
	vcpu.rip = 0x1000;
	want(EVENT_EXCEPTION, EXCEPTION_BP, 1);
	svm_event_inject(&vcpu);
	assert_int_equal(vcpu.rip, 0x1000);
	assert_int_equal(vmcb.control.next_rip, 0x1001);
	assert_int_equal(vmcb.control.event_inj, 0x80000303);
}

static void test_interrupted_injections_come_again(void **state)
{
	static const uint64_t infos[] = {0x80000030, 0x80000202, 0x80000480};
	static const uint8_t types[] = {EVENT_EXT_INT, EVENT_NMI, EVENT_SOFT_INT};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
		setup(NULL);
		want(types[i], infos[i] & 0xff, 2);
		svm_event_inject(&vcpu);
		assert_int_equal(svm.nmi_masked, types[i] == EVENT_NMI);
		vmexit(SVM_EXIT_NPF, vcpu.rip, infos[i]);
		assert_int_equal(vcpu.event.type, types[i]);
		assert_int_equal(vcpu.event.vector, infos[i] & 0xff);
		assert_int_equal(vcpu.event.insn_len, 2);
		assert_int_equal(vcpu.rip, 0x1000);
		assert_false(svm.nmi_masked);
		assert_int_equal(ex.kind, VM_EXIT_MEMORY);
	}
}

static void test_the_guests_own_events(void **state)
{
	(void)state;
	/* An exception goes on. */
	vmexit(SVM_EXIT_NPF, 0x2000, 0x580000b0e);
	assert_int_equal(vcpu.event.type, EVENT_EXCEPTION);
	assert_int_equal(vcpu.event.vector, EXCEPTION_PF);
	assert_int_equal(vcpu.event.error, 5);

	/* INT n, INT3 and what cannot be are executed again. */
	vcpu.event.type = EVENT_NONE;
	vmexit(SVM_EXIT_NPF, 0x2000, 0x80000480);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	vmexit(SVM_EXIT_NPF, 0x2000, 0x80000303);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	vmexit(SVM_EXIT_NPF, 0x2000, 0x80000202);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	assert_int_equal(vcpu.rip, 0x2000);

	/* Also when another was injected and delivered before, by this entry or an older one. */
	want(EVENT_SOFT_INT, 0x80, 2);
	svm_event_inject(&vcpu);
	vmexit(SVM_EXIT_NPF, 0x3000, 0x80000481);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	assert_int_equal(vcpu.rip, 0x3000);
	vmcb.save.rip = svm.entered_at;
	svm_exited(&vcpu, &ex);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
}

/* CR8 is the guest's own, but while something waits for it to be lower. */
static void test_tpr_threshold(void **state)
{
	(void)state;
	vmcb.control.cr_write = VMCB_CR4;
	svm_set_tpr_threshold(&vcpu, 6);
	assert_int_equal(vmcb.control.cr_write, VMCB_CR8 | VMCB_CR4);
	assert_int_equal(vmcb.control.clean & VMCB_CLEAN_I, 0);
	vmcb.control.clean = VMCB_CLEAN_ALL;
	svm_set_tpr_threshold(&vcpu, 0);
	assert_int_equal(vmcb.control.cr_write, VMCB_CR4);
	assert_int_equal(vmcb.control.clean & VMCB_CLEAN_I, 0);
	/* Nor while a window is awaited; what it was before is found again. */
	svm_request_irq_window(&vcpu);
	assert_int_equal(vmcb.control.cr_write, VMCB_CR8 | VMCB_CR4);
	svm_set_tpr_threshold(&vcpu, 6);
	svm_set_tpr_threshold(&vcpu, 0);
	assert_int_equal(vmcb.control.cr_write, VMCB_CR8 | VMCB_CR4);
	vmexit(SVM_EXIT_VINTR, 0x1000, 0);
	assert_int_equal(vmcb.control.cr_write, VMCB_CR4);
}

static void test_irq_window(void **state)
{
	(void)state;
	assert_false(svm_irq_allowed(&vcpu));
	svm_request_irq_window(&vcpu);
	assert_true(vmcb.control.intercepts & VMCB_INTERCEPT_VINTR);
	assert_true(vmcb.control.vintr & VMCB_VINTR_IRQ);
	vmcb.save.rflags = RFLAGS_IF;
	vmexit(SVM_EXIT_VINTR, 0x1000, 0);
	assert_int_equal(ex.kind, VM_EXIT_IRQ_WINDOW);
	assert_false(vmcb.control.intercepts & VMCB_INTERCEPT_VINTR);
	assert_int_equal(vmcb.control.vintr & ~VMCB_VINTR_TPR, 0);
	assert_true(svm_irq_allowed(&vcpu));

	/* An interrupt on its way makes the window needless. */
	vmcb.save.rflags = 0;
	svm_request_irq_window(&vcpu);
	want(EVENT_EXT_INT, 0x20, 0);
	svm_event_inject(&vcpu);
	assert_false(vmcb.control.intercepts & VMCB_INTERCEPT_VINTR);
}

static void test_what_holds_events_back(void **state)
{
	(void)state;
	vmcb.save.rflags = RFLAGS_IF;
	assert_true(svm_irq_allowed(&vcpu) && svm_nmi_allowed(&vcpu));
	vmcb.control.int_state = VMCB_INT_SHADOW;
	assert_false(svm_irq_allowed(&vcpu) || svm_nmi_allowed(&vcpu));
	svm_insn_done(&vcpu);
	assert_true(svm_irq_allowed(&vcpu) && svm_nmi_allowed(&vcpu));
	want(EVENT_EXCEPTION, 6, 0);
	assert_false(svm_irq_allowed(&vcpu) || svm_nmi_allowed(&vcpu));
	svm_request_nmi_window(&vcpu);
	assert_int_equal(kicks, 1);
	vcpu.event.type = EVENT_NONE;
	svm_event_mask_nmi(&vcpu, true);
	assert_true(svm_irq_allowed(&vcpu));
	assert_false(svm_nmi_allowed(&vcpu));
	assert_true(vmcb.control.intercepts & VMCB_INTERCEPT_IRET);
}

/* Of an instruction that was done for the guest. */
static void test_insn_done_traps_and_resumes(void **state)
{
	(void)state;
	vmcb.save.rflags = RFLAGS_RF | RFLAGS_IF;
	svm_insn_done(&vcpu);
	assert_int_equal(vmcb.save.rflags, RFLAGS_IF);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	vmcb.save.rflags = RFLAGS_RF | RFLAGS_TF;
	vmcb.control.int_state = VMCB_INT_SHADOW;
	svm_insn_done(&vcpu);
	assert_int_equal(vmcb.save.rflags, RFLAGS_TF);
	assert_int_equal(vmcb.control.int_state, 0);
	assert_int_equal(vcpu.event.vector, EXCEPTION_DB);
}

/* One entry with a step, from svm_run_prepared()'s view. */
static void step(uint64_t code, uint64_t rip)
{
	assert_true(svm_step_arm(&vcpu));
	assert_true(vmcb.save.rflags & RFLAGS_TF);
	assert_true(vmcb.control.exceptions & BIT(EXCEPTION_PF));
	assert_false(vmcb.control.intercepts & VMCB_INTERCEPT_IRET);
	if (code == SVM_EXIT_EXCEPTION + EXCEPTION_DB)
		vmcb.save.dr6 |= DR6_BS;
	vmexit(code, rip, 0);
	svm_step_done(&vcpu, &ex);
	assert_int_equal(svm.step, SVM_STEP_NONE);
	assert_int_equal(vmcb.control.exceptions, SVM_EXCEPTIONS);
	assert_false(vmcb.control.intercepts & VMCB_INTERCEPT_PUSHF);
}

static void test_iret_unmasks_nmis(void **state)
{
	(void)state;
	svm_event_mask_nmi(&vcpu, true);
	vmexit(SVM_EXIT_IRET, 0x1000, 0);
	assert_int_equal(ex.kind, VM_EXIT_NMI_WINDOW);
	assert_int_equal(svm.step, SVM_STEP_IRET);
	/* A page of the stack is missing: still masked, IRET to be seen again. */
	step(SVM_EXIT_NPF, 0x1000);
	assert_int_equal(ex.kind, VM_EXIT_MEMORY);
	assert_true(svm.nmi_masked);
	assert_true(vmcb.control.intercepts & VMCB_INTERCEPT_IRET);
	assert_false(vmcb.save.rflags & RFLAGS_TF);
	/* It faults: the guest gets the fault, without our TF. */
	svm_step_request(&vcpu, SVM_STEP_IRET);
	step(SVM_EXIT_EXCEPTION + EXCEPTION_GP, 0x1000);
	assert_int_equal(ex.kind, VM_EXIT_EXCEPTION);
	assert_int_equal(ex.u.exception.vector, EXCEPTION_GP);
	assert_true(svm.nmi_masked);
	/* It is done. */
	svm_step_request(&vcpu, SVM_STEP_IRET);
	step(SVM_EXIT_EXCEPTION + EXCEPTION_DB, 0x4000);
	assert_int_equal(ex.kind, VM_EXIT_NMI_WINDOW);
	assert_false(svm.nmi_masked);
	assert_false(vmcb.control.intercepts & VMCB_INTERCEPT_IRET);
	assert_int_equal(vmcb.save.dr6, 0);
}

static void test_step_out_of_the_shadow(void **state)
{
	(void)state;
	vmcb.save.rflags = RFLAGS_IF;
	vmcb.control.int_state = VMCB_INT_SHADOW;
	svm_request_irq_window(&vcpu);
	assert_int_equal(svm.step, SVM_STEP_SHADOW);
	assert_false(vmcb.control.intercepts & VMCB_INTERCEPT_VINTR);
	step(SVM_EXIT_EXCEPTION + EXCEPTION_DB, 0x1001);
	assert_int_equal(ex.kind, VM_EXIT_IRQ_WINDOW);
	assert_int_equal(vmcb.save.rflags, RFLAGS_IF);
	assert_int_equal(vcpu.requests, 0);

	/* An interrupt of the machine's comes first: the guest's own is looked at again. */
	svm_step_request(&vcpu, SVM_STEP_SHADOW);
	step(SVM_EXIT_INTR, 0x1001);
	assert_int_equal(ex.kind, VM_EXIT_INTERRUPT);
	assert_int_equal(vcpu.requests, VCPU_REQ_IRQ);

	/* HLT is an exit of its own. */
	vmcb.save.rflags = RFLAGS_IF;
	svm_step_request(&vcpu, SVM_STEP_SHADOW);
	step(SVM_EXIT_HLT, 0x1001);
	assert_int_equal(ex.kind, VM_EXIT_HLT);
	assert_int_equal(vmcb.save.rflags, RFLAGS_IF);

	/* PUSHF would show TF. */
	vmcb.control.int_state = VMCB_INT_SHADOW;
	svm_step_request(&vcpu, SVM_STEP_SHADOW);
	step(SVM_EXIT_PUSHF, 0x1001);
	assert_int_equal(ex.kind, VM_EXIT_IRQ_WINDOW);
	assert_true(svm_irq_allowed(&vcpu));
}

/* The guest's own single step and breakpoints are still its own. */
static void test_step_of_a_guest_that_steps(void **state)
{
	(void)state;
	vmcb.save.rflags = RFLAGS_IF | RFLAGS_TF;
	svm_step_request(&vcpu, SVM_STEP_SHADOW);
	step(SVM_EXIT_EXCEPTION + EXCEPTION_DB, 0x1001);
	assert_int_equal(ex.kind, VM_EXIT_EXCEPTION);
	assert_true(vmcb.save.dr6 & DR6_BS);
	assert_true(vmcb.save.rflags & RFLAGS_TF);

	setup(NULL);
	svm_step_request(&vcpu, SVM_STEP_SHADOW);
	assert_true(svm_step_arm(&vcpu));
	vmcb.save.dr6 |= DR6_BS | 1;
	vmexit(SVM_EXIT_EXCEPTION + EXCEPTION_DB, 0x1001, 0);
	svm_step_done(&vcpu, &ex);
	assert_int_equal(ex.kind, VM_EXIT_EXCEPTION);
	assert_int_equal(vmcb.save.dr6, 1);
}

static void test_events_come_before_steps(void **state)
{
	(void)state;
	svm_step_request(&vcpu, SVM_STEP_SHADOW);
	want(EVENT_EXCEPTION, EXCEPTION_GP, 0);
	svm_event_inject(&vcpu);
	assert_false(svm_step_arm(&vcpu));
	assert_int_equal(svm.step, SVM_STEP_NONE);
	assert_false(vmcb.save.rflags & RFLAGS_TF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_encoding_and_back, setup),
		cmocka_unit_test_setup(test_injection_consumes, setup),
		cmocka_unit_test_setup(test_interrupts_that_are_not_taken, setup),
		cmocka_unit_test_setup(test_no_error_code_in_real_mode, setup),
		cmocka_unit_test_setup(test_software_interrupts_return_behind, setup),
		cmocka_unit_test_setup(test_interrupted_injections_come_again, setup),
		cmocka_unit_test_setup(test_the_guests_own_events, setup),
		cmocka_unit_test_setup(test_tpr_threshold, setup),
		cmocka_unit_test_setup(test_irq_window, setup),
		cmocka_unit_test_setup(test_what_holds_events_back, setup),
		cmocka_unit_test_setup(test_insn_done_traps_and_resumes, setup),
		cmocka_unit_test_setup(test_iret_unmasks_nmis, setup),
		cmocka_unit_test_setup(test_step_out_of_the_shadow, setup),
		cmocka_unit_test_setup(test_step_of_a_guest_that_steps, setup),
		cmocka_unit_test_setup(test_events_come_before_steps, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
