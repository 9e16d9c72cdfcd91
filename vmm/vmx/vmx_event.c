/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_event.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_exit_reason.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

#define DEBUGCTL_LBR BIT(0)
#define DEBUGCTL_BTF BIT(1) /* TF traps behind branches only */
#define DR6_B_ANY    UINT64_C(0xf)

/* An exception with a length is one that an instruction raises: INT1, INT3, INTO. */
static uint32_t vmx_event_type(const struct vcpu_event *event)
{
	switch (event->type) {
	case EVENT_EXT_INT:
		return VMX_INTR_EXTERNAL;
	case EVENT_NMI:
		return VMX_INTR_NMI;
	case EVENT_SOFT_INT:
		return VMX_INTR_SOFT;
	default:
		break;
	}
	if (!event->insn_len)
		return VMX_INTR_EXCEPTION;
	return event->vector == EXCEPTION_DB ? VMX_INTR_PRIVILEGED : VMX_INTR_SOFT_TRAP;
}

uint32_t vmx_event_encode(const struct vcpu_event *event)
{
	uint32_t info = (uint32_t)VMX_INTR_VALID | vmx_event_type(event) << VMX_INTR_TYPE_SHIFT;

	info |= event->type == EVENT_NMI ? EXCEPTION_NMI : event->vector;
	if (event->has_error)
		info |= VMX_INTR_HAS_ERROR;
	return info;
}

bool vmx_event_is_soft(uint32_t info)
{
	return VMX_INTR_TYPE(info) >= VMX_INTR_SOFT;
}

void vmx_event_decode(uint32_t info, uint32_t error, uint8_t len, struct vcpu_event *event)
{
	static const uint8_t types[] = {
		[VMX_INTR_EXTERNAL] = EVENT_EXT_INT,
		[1] = EVENT_NONE, /* reserved */
		[VMX_INTR_NMI] = EVENT_NMI,
		[VMX_INTR_EXCEPTION] = EVENT_EXCEPTION,
		[VMX_INTR_SOFT] = EVENT_SOFT_INT,
		[VMX_INTR_PRIVILEGED] = EVENT_EXCEPTION,
		[VMX_INTR_SOFT_TRAP] = EVENT_EXCEPTION,
		[7] = EVENT_NONE,
	};

	*event = (struct vcpu_event){
		.type = types[VMX_INTR_TYPE(info)],
		.vector = info & VMX_INTR_VECTOR,
		.insn_len = vmx_event_is_soft(info) ? len : 0,
	};
	if (info & VMX_INTR_HAS_ERROR) {
		event->has_error = true;
		event->error = error;
	}
}

static void vmx_event_control(struct vmx_vcpu *vmx, uint32_t bit, bool on)
{
	uint32_t proc = on ? vmx->proc | bit : vmx->proc & ~bit;

	if (proc == vmx->proc)
		return;
	vmx->proc = proc;
	vmx_write(VMCS_PROC_CONTROLS, proc);
}

void vmx_event_inject(struct vcpu *vcpu)
{
	struct vcpu_event *event = &vcpu->event;
	uint32_t info;

	/* Real mode's handlers get none (26.2.1.3). */
	if (event->has_error && !(vmx_read(VMCS_GUEST_CR0) & CR0_PE))
		event->has_error = false;
	info = vmx_event_encode(event);
	if (event->has_error)
		vmx_write(VMCS_ENTRY_EXCEPTION_ERROR_CODE, event->error);
	if (vmx_event_is_soft(info))
		vmx_write(VMCS_ENTRY_INSTRUCTION_LENGTH, event->insn_len);
	vmx_write(VMCS_ENTRY_INTERRUPTION_INFO, info);
	if (event->type == EVENT_EXT_INT)
		vmx_event_window_opened(vcpu);
	event->type = EVENT_NONE;
}

static void vmx_event_mask_nmi(bool masked)
{
	uint64_t state = vmx_read(VMCS_GUEST_INTERRUPTIBILITY);

	if (masked)
		state |= VMX_BLOCKED_NMI;
	else
		state &= ~VMX_BLOCKED_NMI;
	vmx_write(VMCS_GUEST_INTERRUPTIBILITY, state);
}

/* RIP stands at the instruction of a software event (27.3.3). */
static __noinline void vmx_event_again(struct vcpu *vcpu, uint32_t info)
{
	uint32_t error = 0;
	uint8_t len = 0;

	if (info & VMX_INTR_HAS_ERROR)
		error = vmx_read(VMCS_IDT_VECTORING_ERROR_CODE);
	if (vmx_event_is_soft(info))
		len = vmx_read(VMCS_EXIT_INSTRUCTION_LENGTH);
	vmx_event_decode(info, error, len, &vcpu->event);
	/* Its delivery has blocked others, which would keep this one out, too. */
	if (vcpu->event.type == EVENT_NMI)
		vmx_event_mask_nmi(false);
}

void vmx_event_interrupted(struct vcpu *vcpu)
{
	uint32_t info = vmx_read(VMCS_IDT_VECTORING_INFO);

	if (unlikely(info & VMX_INTR_VALID))
		vmx_event_again(vcpu, info);
}

/* 27.2.3: the bit says nothing during a delivery. The IRET will be executed again. */
void vmx_event_interrupted_or_iret(struct vcpu *vcpu, uint64_t info)
{
	uint32_t vectoring = vmx_read(VMCS_IDT_VECTORING_INFO);

	if (unlikely(vectoring & VMX_INTR_VALID))
		vmx_event_again(vcpu, vectoring);
	else if (unlikely(info & VMX_INTR_NMI_UNBLOCK))
		vmx_event_mask_nmi(true);
}

bool vmx_irq_allowed(struct vcpu *vcpu)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);
	bool allowed = vcpu->event.type == EVENT_NONE &&
		       (vmx_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
		       !(vmx_read(VMCS_GUEST_INTERRUPTIBILITY) & VMX_SHADOW);

	vmx_vmcs_end(loan);
	return allowed;
}

bool vmx_nmi_allowed(struct vcpu *vcpu)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);
	bool allowed = vcpu->event.type == EVENT_NONE &&
		       !(vmx_read(VMCS_GUEST_INTERRUPTIBILITY) & (VMX_SHADOW | VMX_BLOCKED_NMI));

	vmx_vmcs_end(loan);
	return allowed;
}

static void vmx_event_request(struct vcpu *vcpu, uint32_t bit)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);

	vmx_event_control(vmx_of(vcpu), bit, true);
	vmx_vmcs_end(loan);
}

void vmx_request_irq_window(struct vcpu *vcpu)
{
	vmx_event_request(vcpu, VMX_PROC_INTERRUPT_WINDOW);
}

void vmx_request_nmi_window(struct vcpu *vcpu)
{
	vmx_event_request(vcpu, VMX_PROC_NMI_WINDOW);
}

void vmx_event_window_opened(struct vcpu *vcpu)
{
	vmx_event_control(vmx_of(vcpu), VMX_PROC_INTERRUPT_WINDOW, false);
}

void vmx_event_nmi_window_opened(struct vcpu *vcpu)
{
	vmx_event_control(vmx_of(vcpu), VMX_PROC_NMI_WINDOW, false);
}

/* 26.3.1.5: in a shadow, BS says whether a single step is due behind it. */
void vmx_event_check_pending(void)
{
	uint64_t pending = vmx_read(VMCS_GUEST_PENDING_DEBUG);
	uint64_t step = (vmx_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF) &&
					!(vmx_read(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF)
				? VMX_PENDING_DEBUG_BS
				: 0;

	if ((vmx_read(VMCS_GUEST_INTERRUPTIBILITY) & VMX_SHADOW) &&
	    (pending & VMX_PENDING_DEBUG_BS) != step)
		vmx_write(VMCS_GUEST_PENDING_DEBUG, pending ^ VMX_PENDING_DEBUG_BS);
}

/* Generating a #DB ends both, which one that exits leaves to us (vol. 3B, 17.4.1, 17.4.3; 27.1). */
void vmx_event_debug_generated(void)
{
	uint64_t debugctl = vmx_read(VMCS_GUEST_DEBUGCTL);

	if (unlikely(debugctl & (DEBUGCTL_LBR | DEBUGCTL_BTF)))
		vmx_write(VMCS_GUEST_DEBUGCTL, debugctl & ~(DEBUGCTL_LBR | DEBUGCTL_BTF));
}

/*
 * RF covers one instruction, and TF traps behind each. What a shadow held back
 * comes with it, as one #DB.
 */
static __noinline void vmx_event_insn_flags(struct vcpu *vcpu, uint64_t rflags)
{
	uint64_t pending;

	if (rflags & RFLAGS_RF)
		vmx_write(VMCS_GUEST_RFLAGS, rflags & ~RFLAGS_RF);
	/* None of those that are done for the guest branches. */
	if (!(rflags & RFLAGS_TF) || (vmx_read(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF))
		return;
	vmx_event_debug_generated();
	pending = vmx_read(VMCS_GUEST_PENDING_DEBUG);
	if (pending) {
		vmx_write(VMCS_GUEST_PENDING_DEBUG, 0);
		vmx_set_reg(vcpu, VCPU_DR6, vmx_get_reg(vcpu, VCPU_DR6) | (pending & DR6_B_ANY));
	}
	vcpu_inject_step(vcpu);
}

void vmx_insn_done(struct vcpu *vcpu)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);
	uint64_t state = vmx_read(VMCS_GUEST_INTERRUPTIBILITY);
	uint64_t rflags = vmx_read(VMCS_GUEST_RFLAGS);

	if (unlikely(state & VMX_SHADOW))
		vmx_write(VMCS_GUEST_INTERRUPTIBILITY, state & ~VMX_SHADOW);
	if (unlikely(rflags & (RFLAGS_TF | RFLAGS_RF)))
		vmx_event_insn_flags(vcpu, rflags);
	vmx_vmcs_end(loan);
}
