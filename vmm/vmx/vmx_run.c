/* SPDX-License-Identifier: BSD-2-Clause */
/* What vmx_run.S does not do itself. */
#include "vmm/vmx/vmx_run.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_event.h"
#include "vmm/vmx/vmx_exit_reason.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

_Static_assert(offsetof(struct vcpu, gpr) == VCPU_GPR(0), "vmx_run.h");
_Static_assert(offsetof(struct vcpu, rip) == VCPU_RIP, "vmx_run.h");
_Static_assert(offsetof(struct vcpu, event.type) == VCPU_EVENT_TYPE, "vmx_run.h");
_Static_assert(offsetof(struct vcpu, hv) == VCPU_HV, "vmx_run.h");
_Static_assert(offsetof(struct vmx_vcpu, host_rsp) == VMX_VCPU_HOST_RSP, "vmx_run.h");
_Static_assert(offsetof(struct vmx_vcpu, rip) == VMX_VCPU_RIP, "vmx_run.h");
_Static_assert(offsetof(struct vmx_vcpu, prepare) == VMX_VCPU_PREPARE, "vmx_run.h");
_Static_assert(offsetof(struct vmx_vcpu, launched) == VMX_VCPU_LAUNCHED, "vmx_run.h");
_Static_assert(VMCS_HOST_RSP == FIELD_HOST_RSP, "vmx_run.h");
_Static_assert(VMCS_GUEST_RIP == FIELD_GUEST_RIP, "vmx_run.h");
_Static_assert(GPR_RCX == 1 && GPR_RDX == 2 && GPR_RBX == 3 && GPR_RBP == 5 && GPR_RSI == 6 &&
		       GPR_RDI == 7 && GPR_R8 == 8,
	       "vmx_run.S");

/* From vmx_run.S. */
void vmx_run_prepare(struct vcpu *vcpu);
void vmx_run_refused(struct vcpu *vcpu, struct vm_exit *exit);

/* The world was left, the TLB is to be flushed, or there is an event. */
void vmx_run_prepare(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (this_cpu()->world != vcpu)
		vmx_world_enter(vcpu);
	if (vmx->prepare) {
		vmx->prepare = false;
		vmx_vpid_prepare(vcpu);
	}
	if (vcpu->event.type != EVENT_NONE)
		vmx_event_inject(vcpu);
}

/* VMfail (30.2): there is no VMCS, or its controls or host fields are wrong. */
void vmx_run_refused(struct vcpu *vcpu __unused, struct vm_exit *exit)
{
	uint64_t error;

	/* VMfailInvalid: without a current VMCS there is nothing to read it from. */
	if (!vmx_read_safe(VMCS_INSTRUCTION_ERROR, &error))
		error = 0;
	exit->kind = VM_EXIT_ENTRY_FAILED;
	exit->insn_len = 0;
	exit->u.failed.code = VMX_REASON_REFUSED;
	exit->u.failed.info1 = error;
	exit->u.failed.info2 = 0;
}
