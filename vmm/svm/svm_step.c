/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_step.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "vmm/exit.h"
#include "vmm/svm/svm_event.h"
#include "vmm/svm/svm_exit_code.h"

#define DR6_B_ANY 0xfu

/* Vectors 0 to 19, but for 2, 9 and 15, which are no exceptions (8.2). */
#define STEP_EXCEPTIONS 0xf7dfbu
#define STEP_INTERCEPTS (VMCB_INTERCEPT_PUSHF | VMCB_INTERCEPT_INTN)

void svm_step_request(struct vcpu *vcpu, enum svm_step why)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	svm->step = why;
	svm->prepare = true;
}

bool svm_step_arm(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb *vmcb = svm->vmcb;

	/* First things first: the event's handler is not what was to be stepped. */
	if (svm->injected.type != EVENT_NONE) {
		svm->step = SVM_STEP_NONE;
		vcpu_request(vcpu, VCPU_REQ_IRQ);
		return false;
	}
	svm->step_tf = vmcb->save.rflags & RFLAGS_TF;
	svm->step_dr6 = vmcb->save.dr6;
	svm->entered_at = vcpu->rip;
	vmcb->save.rflags |= RFLAGS_TF;
	vmcb->save.dr6 &= ~DR6_BS;
	vmcb->control.exceptions = STEP_EXCEPTIONS;
	vmcb->control.intercepts |= STEP_INTERCEPTS;
	vmcb->control.intercepts &= ~VMCB_INTERCEPT_IRET;
	vmcb->control.clean &= ~(VMCB_CLEAN_I | VMCB_CLEAN_DRX);
	return true;
}

/* By DR6, or, where a CPU exits before it writes DR6 (Bochs), by RIP. */
static bool svm_step_is_done(const struct svm_vcpu *svm)
{
	const struct vmcb *vmcb = svm->vmcb;

	return vmcb->control.exit_code == SVM_EXIT_EXCEPTION + EXCEPTION_DB &&
	       ((vmcb->save.dr6 & DR6_BS) || vmcb->save.rip != svm->entered_at);
}

/* The instruction is done. Is the #DB the step's alone? */
static bool svm_step_finish(struct vcpu *vcpu, enum svm_step why)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb_save *save = &svm->vmcb->save;

	if (why == SVM_STEP_IRET)
		svm_event_mask_nmi(vcpu, false);
	/* IRET popped flags of its own. */
	else if (!svm->step_tf)
		save->rflags &= ~RFLAGS_TF;
	if (svm->step_tf)
		return false;
	save->dr6 = (save->dr6 & ~DR6_BS) | (svm->step_dr6 & DR6_BS);
	return !(save->dr6 & ~svm->step_dr6 & DR6_B_ANY);
}

/* Something came before the instruction was done: as if there had been no step. */
static void svm_step_undo(struct vcpu *vcpu, struct vm_exit *exit)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb *vmcb = svm->vmcb;

	if (!svm->step_tf)
		vmcb->save.rflags &= ~RFLAGS_TF;
	vmcb->save.dr6 |= svm->step_dr6 & DR6_BS;
	if (vmcb->control.exit_code != SVM_EXIT_PUSHF && vmcb->control.exit_code != SVM_EXIT_SWINT)
		return;
	/* These cannot be stepped. The shadow, if it was one, ends an instruction early. */
	vmcb->control.int_state &= ~VMCB_INT_SHADOW;
	exit->kind = VM_EXIT_IRQ_WINDOW;
}

void svm_step_done(struct vcpu *vcpu, struct vm_exit *exit)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb *vmcb = svm->vmcb;
	enum svm_step why = svm->step;
	bool done = svm_step_is_done(svm);

	svm->step = SVM_STEP_NONE;
	vmcb->control.exceptions = SVM_EXCEPTIONS;
	vmcb->control.intercepts &= ~STEP_INTERCEPTS;
	if (svm->nmi_masked)
		vmcb->control.intercepts |= VMCB_INTERCEPT_IRET;
	svm_dirty(svm, VMCB_CLEAN_I | VMCB_CLEAN_DRX);
	if (!done)
		svm_step_undo(vcpu, exit);
	else if (svm_step_finish(vcpu, why))
		exit->kind = why == SVM_STEP_IRET ? VM_EXIT_NMI_WINDOW : VM_EXIT_IRQ_WINDOW;
	/* What it was for still waits, and nobody else would ask again. */
	if (exit->kind != VM_EXIT_NMI_WINDOW && exit->kind != VM_EXIT_IRQ_WINDOW)
		vcpu_request(vcpu, VCPU_REQ_IRQ);
}
