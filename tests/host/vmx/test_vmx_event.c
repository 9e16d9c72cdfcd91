/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vmx/vmx_event.c */
/* vmm/vmx: events in and out of the VMCS, windows, and the end of an instruction. */
#include "vmm/vmx/vmx_event.h"
#include "tests/host/vmx/one_vcpu.h"

static void test_encoding_and_back(void **state)
{
	static const struct {
		struct vcpu_event event;
		uint32_t info;
	} cases[] = {
		{{.type = EVENT_EXT_INT, .vector = 0xff}, 0x800000ff},
		{{.type = EVENT_NMI, .vector = 2}, 0x80000202},
		{{.type = EVENT_EXCEPTION, .vector = 6}, 0x80000306},
		{{.type = EVENT_EXCEPTION, .vector = 14, .has_error = true, .error = 5},
		 0x80000b0e},
		{{.type = EVENT_SOFT_INT, .vector = 0x80, .insn_len = 2}, 0x80000480},
		{{.type = EVENT_EXCEPTION, .vector = 1, .insn_len = 1}, 0x80000501},
		{{.type = EVENT_EXCEPTION, .vector = 3, .insn_len = 1}, 0x80000603},
		{{.type = EVENT_EXCEPTION, .vector = 1}, 0x80000301},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vcpu_event e;

		assert_int_equal(vmx_event_encode(&cases[i].event), cases[i].info);
		vmx_event_decode(cases[i].info, 5, cases[i].event.insn_len, &e);
		assert_memory_equal(&e, &cases[i].event, sizeof(e));
	}
	for (unsigned type = 1; type < 8; type += 6) {
		struct vcpu_event e;

		vmx_event_decode((uint32_t)VMX_INTR_VALID | type << 8 | 0x21, 0, 0, &e);
		assert_int_equal(e.type, EVENT_NONE);
	}
}

static void test_injection_consumes(void **state)
{
	(void)state;
	vcpu.event = (struct vcpu_event){.type = EVENT_EXT_INT, .vector = 0x30};
	vmx_event_inject(&vcpu);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFO], 0x80000030);
	assert_int_equal(reads, 0);
	assert_int_equal(writes, 1);
	vcpu.event = (struct vcpu_event){.type = EVENT_SOFT_INT, .vector = 0x80, .insn_len = 2};
	vmx_event_inject(&vcpu);
	assert_int_equal(fields[VMCS_ENTRY_INSTRUCTION_LENGTH], 2);
	assert_int_equal(vcpu.rip, 0x1000);
}

static void test_no_error_code_in_real_mode(void **state)
{
	(void)state;
	for (unsigned pe = 0; pe < 2; pe++) {
		fields[VMCS_GUEST_CR0] = pe ? CR0_PE : 0;
		vcpu.event = (struct vcpu_event){EVENT_EXCEPTION, EXCEPTION_GP, true, 0, 0x18};
		vmx_event_inject(&vcpu);
		assert_int_equal(fields[VMCS_ENTRY_INTERRUPTION_INFO],
				 pe ? 0x80000b0d : 0x8000030d);
	}
	assert_int_equal(fields[VMCS_ENTRY_EXCEPTION_ERROR_CODE], 0x18);
}

static void test_interrupted_events_come_again(void **state)
{
	(void)state;
	vmx_event_interrupted(&vcpu);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	fields[VMCS_IDT_VECTORING_INFO] = 0x80000b0e;
	fields[VMCS_IDT_VECTORING_ERROR_CODE] = 7;
	vmx_event_interrupted(&vcpu);
	assert_int_equal(vcpu.event.vector, EXCEPTION_PF);
	assert_int_equal(vcpu.event.error, 7);
	fields[VMCS_IDT_VECTORING_INFO] = 0x80000421;
	fields[VMCS_EXIT_INSTRUCTION_LENGTH] = 2;
	vmx_event_interrupted(&vcpu);
	assert_int_equal(vcpu.event.type, EVENT_SOFT_INT);
	assert_int_equal(vcpu.event.insn_len, 2);
}

/* The delivery of an NMI has blocked NMIs, the IRET that faulted has unblocked them. */
static void test_nmi_blocking_is_put_right(void **state)
{
	(void)state;
	fields[VMCS_IDT_VECTORING_INFO] = 0x80000202;
	fields[VMCS_GUEST_INTERRUPTIBILITY] = VMX_BLOCKED_NMI;
	vmx_event_interrupted_or_iret(&vcpu, VMX_INTR_NMI_UNBLOCK);
	assert_int_equal(vcpu.event.type, EVENT_NMI);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
	fields[VMCS_IDT_VECTORING_INFO] = 0;
	vmx_event_interrupted_or_iret(&vcpu, 0);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
	vmx_event_interrupted_or_iret(&vcpu, VMX_INTR_NMI_UNBLOCK);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY], VMX_BLOCKED_NMI);
}

static void test_windows(void **state)
{
	(void)state;
	vmx_request_irq_window(&vcpu);
	vmx_request_nmi_window(&vcpu);
	assert_int_equal(fields[VMCS_PROC_CONTROLS],
			 VMX_PROC_INTERRUPT_WINDOW | VMX_PROC_NMI_WINDOW);
	writes = 0;
	vmx_request_irq_window(&vcpu);
	assert_int_equal(writes, 0);
	vmx_event_nmi_window_opened(&vcpu);
	vcpu.event = (struct vcpu_event){.type = EVENT_EXT_INT, .vector = 0x30};
	vmx_event_inject(&vcpu);
	assert_int_equal(fields[VMCS_PROC_CONTROLS], 0);
}

static void test_what_holds_events_back(void **state)
{
	(void)state;
	assert_true(vmx_irq_allowed(&vcpu) && vmx_nmi_allowed(&vcpu));
	fields[VMCS_GUEST_RFLAGS] = RFLAGS_FIXED;
	assert_true(!vmx_irq_allowed(&vcpu) && vmx_nmi_allowed(&vcpu));
	fields[VMCS_GUEST_RFLAGS] |= RFLAGS_IF;
	for (unsigned bit = 0; bit < 2; bit++) {
		fields[VMCS_GUEST_INTERRUPTIBILITY] = BIT(bit);
		assert_true(!vmx_irq_allowed(&vcpu) && !vmx_nmi_allowed(&vcpu));
	}
	fields[VMCS_GUEST_INTERRUPTIBILITY] = VMX_BLOCKED_NMI;
	assert_true(vmx_irq_allowed(&vcpu) && !vmx_nmi_allowed(&vcpu));
	fields[VMCS_GUEST_INTERRUPTIBILITY] = 0;
	vcpu.event.type = EVENT_EXCEPTION;
	assert_true(!vmx_irq_allowed(&vcpu) && !vmx_nmi_allowed(&vcpu));
}

static void test_insn_done(void **state)
{
	(void)state;
	vmx_insn_done(&vcpu);
	assert_int_equal(reads, 2);
	assert_int_equal(writes, 0);
	fields[VMCS_GUEST_INTERRUPTIBILITY] = VMX_SHADOW_STI | VMX_BLOCKED_NMI;
	fields[VMCS_GUEST_RFLAGS] |= RFLAGS_RF;
	vmx_insn_done(&vcpu);
	assert_int_equal(fields[VMCS_GUEST_INTERRUPTIBILITY], VMX_BLOCKED_NMI);
	assert_int_equal(fields[VMCS_GUEST_RFLAGS], RFLAGS_FIXED | RFLAGS_IF);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
}

/* Once, with what MOV SS held back. */
static void test_insn_done_traps(void **state)
{
	(void)state;
	fields[VMCS_GUEST_RFLAGS] |= RFLAGS_TF;
	fields[VMCS_GUEST_INTERRUPTIBILITY] = VMX_SHADOW_MOV_SS;
	fields[VMCS_GUEST_PENDING_DEBUG] = VMX_PENDING_DEBUG_BS | VMX_PENDING_DEBUG_BP | 2;
	vmx_insn_done(&vcpu);
	assert_int_equal(vcpu.event.vector, EXCEPTION_DB);
	assert_int_equal(dr6, 0xffff0ff0 | DR6_BS | 2);
	assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG], 0);
}

/* Not with BTF, because nothing branched; LBR ends with the #DB. */
static void test_insn_done_between_branches(void **state)
{
	(void)state;
	fields[VMCS_GUEST_RFLAGS] |= RFLAGS_TF;
	fields[VMCS_GUEST_DEBUGCTL] = 3;
	vmx_insn_done(&vcpu);
	assert_int_equal(vcpu.event.type, EVENT_NONE);
	assert_int_equal(dr6, 0xffff0ff0);
	assert_int_equal(fields[VMCS_GUEST_DEBUGCTL], 3);
	fields[VMCS_GUEST_DEBUGCTL] = 1;
	vmx_insn_done(&vcpu);
	assert_int_equal(vcpu.event.vector, EXCEPTION_DB);
	assert_int_equal(fields[VMCS_GUEST_DEBUGCTL], 0);
}

static void test_pending_step_agrees_with_shadow(void **state)
{
	(void)state;
	fields[VMCS_GUEST_RFLAGS] |= RFLAGS_TF;
	vmx_event_check_pending();
	assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG], 0);
	fields[VMCS_GUEST_INTERRUPTIBILITY] = VMX_SHADOW_MOV_SS;
	vmx_event_check_pending();
	assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG], VMX_PENDING_DEBUG_BS);
	fields[VMCS_GUEST_DEBUGCTL] = 2;
	vmx_event_check_pending();
	assert_int_equal(fields[VMCS_GUEST_PENDING_DEBUG], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_encoding_and_back, setup),
		cmocka_unit_test_setup(test_injection_consumes, setup),
		cmocka_unit_test_setup(test_no_error_code_in_real_mode, setup),
		cmocka_unit_test_setup(test_interrupted_events_come_again, setup),
		cmocka_unit_test_setup(test_nmi_blocking_is_put_right, setup),
		cmocka_unit_test_setup(test_windows, setup),
		cmocka_unit_test_setup(test_what_holds_events_back, setup),
		cmocka_unit_test_setup(test_insn_done, setup),
		cmocka_unit_test_setup(test_insn_done_traps, setup),
		cmocka_unit_test_setup(test_insn_done_between_branches, setup),
		cmocka_unit_test_setup(test_pending_step_agrees_with_shadow, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
