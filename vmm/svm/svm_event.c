/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_event.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/irq.h"
#include "vmm/svm/svm.h"
#include "vmm/svm/svm_step.h"

/* An interrupt that no TPR holds back. */
#define SVM_VINTR_PENDING (VMCB_VINTR_IRQ | VMCB_VINTR_PRIO | VMCB_VINTR_IGN_TPR)

uint64_t svm_event_encode(const struct vcpu_event *event)
{
	static const uint8_t types[] = {
		[EVENT_EXT_INT] = VMCB_EVENT_INTR,
		[EVENT_NMI] = VMCB_EVENT_NMI,
		[EVENT_EXCEPTION] = VMCB_EVENT_EXCEPTION,
		[EVENT_SOFT_INT] = VMCB_EVENT_SOFT,
	};
	uint64_t info = VMCB_EVENT_VALID | (uint64_t)types[event->type] << VMCB_EVENT_TYPE_SHIFT;

	if (event->type != EVENT_NMI)
		info |= event->vector;
	else
		info |= EXCEPTION_NMI;
	if (event->has_error)
		info |= VMCB_EVENT_HAS_ERROR | (uint64_t)event->error << VMCB_EVENT_ERROR_SHIFT;
	return info;
}

void svm_event_decode(uint64_t info, struct vcpu_event *event)
{
	static const uint8_t types[] = {
		[VMCB_EVENT_INTR] = EVENT_EXT_INT,
		[VMCB_EVENT_NMI] = EVENT_NMI,
		[VMCB_EVENT_EXCEPTION] = EVENT_EXCEPTION,
		[VMCB_EVENT_SOFT] = EVENT_SOFT_INT,
		[5] = EVENT_NONE, /* also 1: reserved */
		[7] = EVENT_NONE,
	};

	*event = (struct vcpu_event){
		.type = types[(info & VMCB_EVENT_TYPE) >> VMCB_EVENT_TYPE_SHIFT],
		.vector = info & VMCB_EVENT_VECTOR,
	};
	if (info & VMCB_EVENT_HAS_ERROR) {
		event->has_error = true;
		event->error = info >> VMCB_EVENT_ERROR_SHIFT;
	}
}

bool svm_event_is_soft(const struct vcpu_event *event)
{
	return event->type == EVENT_SOFT_INT ||
	       (event->type == EVENT_EXCEPTION &&
		(event->vector == EXCEPTION_BP || event->vector == EXCEPTION_OF));
}

void svm_event_mask_nmi(struct vcpu *vcpu, bool masked)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb_control *control = &svm->vmcb->control;

	svm->nmi_masked = masked;
	if (masked)
		control->intercepts |= VMCB_INTERCEPT_IRET;
	else
		control->intercepts &= ~VMCB_INTERCEPT_IRET;
	svm_dirty(svm, VMCB_CLEAN_I);
}

/* What is pushed as the return address: nRIP where the CPU has it, else RIP itself (15.20). */
static void svm_event_set_return(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	uint64_t next = vcpu->rip + vcpu->event.insn_len;

	if (svm_has(SVM_CPUID_NEXT_RIP))
		svm->vmcb->control.next_rip = next;
	else
		vcpu->rip = next;
}

/* All but external interrupts. */
static __noinline void svm_event_inject_other(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	if (svm_event_is_soft(&vcpu->event))
		svm_event_set_return(vcpu);
	svm->entered_at = vcpu->rip;
	/* Real mode's handlers get none (8.6), but EVENTINJ would push it. */
	if (!(svm->vmcb->save.cr0 & CR0_PE))
		vcpu->event.has_error = false;
	svm->vmcb->control.event_inj = svm_event_encode(&vcpu->event);
	if (vcpu->event.type == EVENT_NMI)
		svm_event_mask_nmi(vcpu, true);
	vcpu->event.type = EVENT_NONE;
}

/*
 * A virtual interrupt, which a guest that can take one takes before anything
 * else (15.21.4). It is for QEMU 7.2, which delivers what EVENTINJ injects a
 * second time when its CPU is called out of its loop before the next exit.
 * Bochs 2.7 has it the other way round: it looks at V_IRQ when IF changes.
 */
static void svm_event_inject_virtual(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb_control *control = &svm->vmcb->control;

	control->vintr = (control->vintr & ~VMCB_VINTR_VECTOR) | SVM_VINTR_PENDING |
			 (uint64_t)vcpu->event.vector << VMCB_VINTR_VECTOR_SHIFT;
	svm_dirty(svm, VMCB_CLEAN_TPR);
}

void svm_event_inject(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	svm->injected = vcpu->event;
	svm->injected_at = vcpu->rip;
	if (unlikely(vcpu->event.type != EVENT_EXT_INT)) {
		svm_event_inject_other(vcpu);
		return;
	}
	svm->entered_at = vcpu->rip;
	/* What the window is for waits behind this one: nobody else would ask again. */
	if (svm->irq_window) {
		svm_event_window_opened(vcpu);
		vcpu_request(vcpu, VCPU_REQ_IRQ);
	}
	if (svm_machine.is_qemu)
		svm_event_inject_virtual(vcpu);
	else
		svm->vmcb->control.event_inj = VMCB_EVENT_VALID |
					       VMCB_EVENT_INTR << VMCB_EVENT_TYPE_SHIFT |
					       vcpu->event.vector;
	vcpu->event.type = EVENT_NONE;
}

void svm_event_not_taken(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	svm->vmcb->control.vintr &= ~SVM_VINTR_PENDING;
	svm_dirty(svm, VMCB_CLEAN_TPR);
	vcpu->event = svm->injected;
}

/*
 * Interrupts, NMIs and software interrupts were injected, or they are none of
 * ours: the first two are always intercepted (so that Bochs, which reports the
 * last injected one for an INT n, tells nothing), and RIP still stands at the
 * INT that the guest executed, which it will do again.
 */
void svm_event_interrupted(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vcpu_event event;

	svm_event_decode(svm->vmcb->control.exit_int_info, &event);
	if (event.type == EVENT_EXCEPTION && !svm_event_is_soft(&event)) {
		/* QEMU tells of the interrupt itself, as of an exception. */
		if (vcpu->event.type == EVENT_EXT_INT && vcpu->event.vector == event.vector)
			return;
		/* Behind it comes an interrupt that waits: it was to be delivered when this was
		 * raised. */
		if (vcpu->event.type != EVENT_NONE) {
			vcpu->deferred = vcpu->event;
			vcpu_request(vcpu, VCPU_REQ_IRQ);
		}
		vcpu->event = event;
		return;
	}
	if (svm->injected.type == EVENT_NONE || vcpu->rip != svm->entered_at)
		return;
	vcpu->event = svm->injected;
	vcpu->rip = svm->injected_at;
	if (vcpu->event.type == EVENT_NMI)
		svm_event_mask_nmi(vcpu, false);
}

bool svm_irq_allowed(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	return (vmcb->save.rflags & RFLAGS_IF) && !(vmcb->control.int_state & VMCB_INT_SHADOW) &&
	       vcpu->event.type == EVENT_NONE;
}

bool svm_nmi_allowed(struct vcpu *vcpu)
{
	const struct svm_vcpu *svm = svm_of(vcpu);

	return !svm->nmi_masked && !(svm->vmcb->control.int_state & VMCB_INT_SHADOW) &&
	       vcpu->event.type == EVENT_NONE;
}

/* With a window, too, because QEMU aborts when a guest writes CR8 while V_IRQ is set. */
static void svm_intercept_cr8(struct svm_vcpu *svm)
{
	uint16_t *cr_write = &svm->vmcb->control.cr_write;

	if (svm->tpr_exits || svm->irq_window)
		*cr_write |= VMCB_CR8;
	else
		*cr_write &= (uint16_t)~VMCB_CR8;
}

void svm_event_window_opened(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	svm->irq_window = false;
	svm->vmcb->control.vintr &= ~SVM_VINTR_PENDING;
	svm->vmcb->control.intercepts &= ~VMCB_INTERCEPT_VINTR;
	svm_intercept_cr8(svm);
	svm_dirty(svm, VMCB_CLEAN_I | VMCB_CLEAN_TPR);
}

/*
 * A virtual interrupt that is never taken: its intercept comes first
 * (15.21.4). In an interrupt shadow alone, the next instruction is stepped
 * instead: QEMU forgets the shadow on VMRUN and would open the window at once.
 */
void svm_request_irq_window(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb *vmcb = svm->vmcb;

	if (vcpu->event.type == EVENT_NONE && (vmcb->save.rflags & RFLAGS_IF) &&
	    (vmcb->control.int_state & VMCB_INT_SHADOW)) {
		svm_step_request(vcpu, SVM_STEP_SHADOW);
		return;
	}
	if (svm->irq_window)
		return;
	svm->irq_window = true;
	vmcb->control.vintr |= SVM_VINTR_PENDING;
	vmcb->control.intercepts |= VMCB_INTERCEPT_VINTR;
	svm_intercept_cr8(svm);
	svm_dirty(svm, VMCB_CLEAN_I | VMCB_CLEAN_TPR);
}

/*
 * While NMIs are masked, IRET is intercepted anyhow. Behind an event that is
 * about to be delivered, an interrupt of our own makes the guest leave before
 * the handler's first instruction.
 */
void svm_request_nmi_window(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	if (svm->nmi_masked)
		return;
	if (vcpu->event.type != EVENT_NONE)
		irq_send(this_cpu()->apic_id, IRQ_VECTOR_KICK);
	else if (svm->vmcb->control.int_state & VMCB_INT_SHADOW)
		svm_step_request(vcpu, SVM_STEP_SHADOW);
}

/* V_TPR takes the guest's writes (15.21.1); SVM has no threshold, so all exit while one is set. */
void svm_set_tpr_threshold(struct vcpu *vcpu, unsigned priority)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	svm->tpr_exits = priority;
	svm_intercept_cr8(svm);
	svm_dirty(svm, VMCB_CLEAN_I);
}

/* RF covers one instruction, and TF traps behind each (3.1.6). */
static __noinline void svm_insn_flags(struct vcpu *vcpu)
{
	struct vmcb_save *save = &svm_of(vcpu)->vmcb->save;

	save->rflags &= ~RFLAGS_RF;
	if (save->rflags & RFLAGS_TF)
		vcpu_inject_step(vcpu);
}

void svm_insn_done(struct vcpu *vcpu)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	vmcb->control.int_state &= ~VMCB_INT_SHADOW;
	if (unlikely(vmcb->save.rflags & (RFLAGS_TF | RFLAGS_RF)))
		svm_insn_flags(vcpu);
}
