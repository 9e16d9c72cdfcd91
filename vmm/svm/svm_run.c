/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries that have more to do than to enter. The others go through svm_run.S
 * alone.
 */
#include "vmm/svm/svm_run.h"
#include "vmm/svm/svm.h"
#include "vmm/svm/svm_event.h"
#include "vmm/svm/svm_exit_code.h"
#include "vmm/svm/svm_step.h"

_Static_assert(offsetof(struct vcpu, gpr) == VCPU_GPR(0), "svm_run.h");
_Static_assert(offsetof(struct vcpu, rip) == VCPU_RIP, "svm_run.h");
_Static_assert(offsetof(struct vcpu, event.type) == VCPU_EVENT_TYPE, "svm_run.h");
_Static_assert(offsetof(struct vcpu, hv) == VCPU_HV, "svm_run.h");
_Static_assert(offsetof(struct svm_vcpu, vmcb_phys) == SVM_VCPU_VMCB_PHYS, "svm_run.h");
_Static_assert(offsetof(struct svm_vcpu, vmcb) == SVM_VCPU_VMCB, "svm_run.h");
_Static_assert(offsetof(struct svm_vcpu, prepare) == SVM_VCPU_PREPARE, "svm_run.h");
_Static_assert(offsetof(struct vmcb, save.rip) == VMCB_RIP, "svm_run.h");
_Static_assert(offsetof(struct vmcb, save.rax) == VMCB_RAX, "svm_run.h");
_Static_assert(GPR_RCX == 1 && GPR_RDX == 2 && GPR_RBX == 3 && GPR_RBP == 5 && GPR_RSI == 6 &&
		       GPR_RDI == 7 && GPR_R8 == 8,
	       "svm_run.S");

/* svm_run.S. */
void svm_switch(struct vcpu *vcpu, struct vm_exit *exit);
void svm_run_prepared(struct vcpu *vcpu, struct vm_exit *exit);
void svm_run_event(struct vcpu *vcpu, struct vm_exit *exit);

static void svm_run_asid(struct svm_vcpu *svm)
{
	struct cpu *cpu = this_cpu();

	if (likely(tlb_tag_valid(&svm->asid, &cpu->hv->asids, cpu->index)))
		return;
	svm->vmcb->control.tlb_control = tlb_tag_assign(&svm->asid, &cpu->hv->asids, cpu->index)
						 ? VMCB_TLB_FLUSH_ALL
						 : VMCB_TLB_KEEP;
	svm->vmcb->control.asid = svm->asid.value;
	svm->vmcb->control.clean &= ~VMCB_CLEAN_ASID;
}

/*
 * An exit that came before the first instruction leaves the interrupt shadow
 * as it was; QEMU, which does not load int_state, reports it as gone. A guest
 * between STI and HLT must not lose its wake-up.
 */
static void svm_run_keep_shadow(struct vmcb *vmcb, uint64_t rip)
{
	uint64_t code = vmcb->control.exit_code;

	if (vmcb->save.rip == rip && code >= SVM_EXIT_INTR && code <= SVM_EXIT_VINTR)
		vmcb->control.int_state |= VMCB_INT_SHADOW;
}

/* Nothing but an event to inject. */
void svm_run_event(struct vcpu *vcpu, struct vm_exit *exit)
{
	svm_event_inject(vcpu);
	svm_switch(vcpu, exit);
	svm_exited_injected(vcpu, exit);
}

void svm_run_prepared(struct vcpu *vcpu, struct vm_exit *exit)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb *vmcb = svm->vmcb;
	bool shadow, stepping;

	if (this_cpu()->world != vcpu)
		svm_world_enter(vcpu);
	svm->injected.type = EVENT_NONE;
	if (vcpu->event.type != EVENT_NONE)
		svm_event_inject(vcpu);
	stepping = svm->step != SVM_STEP_NONE && svm_step_arm(vcpu);
	svm_run_asid(svm);
	if (~vmcb->control.clean & SVM_CLEAN_CHECKED)
		svm_explain_capture(vmcb, &svm->entry);
	svm->entry.tlb_control = vmcb->control.tlb_control;
	shadow = vmcb->control.int_state & VMCB_INT_SHADOW;

	svm->prepare = false;
	svm_switch(vcpu, exit);
	vmcb->control.tlb_control = VMCB_TLB_KEEP;
	/* Ignored where the CPU does not have them. */
	vmcb->control.clean = VMCB_CLEAN_ALL;
	if (shadow)
		svm_run_keep_shadow(vmcb, vcpu->rip);
	svm_exited_injected(vcpu, exit);
	/* Not for one that this exit asked for. */
	if (stepping)
		svm_step_done(vcpu, exit);
}
