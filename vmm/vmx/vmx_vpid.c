/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_vpid.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

/* Types of INVEPT and INVVPID (30.3). */
#define INVEPT_SINGLE  1
#define INVEPT_ALL     2
#define INVVPID_SINGLE 1
#define INVVPID_ALL    2

#define VPIDS 0x10000u

static bool vmx_has_vpid(void)
{
	return vmx_uses(&vmx_machine.proc2, VMX_PROC2_VPID);
}

void vmx_vpid_cpu_init(struct hv_cpu *hv)
{
	tlb_tag_pool_init(&hv->vpids, VPIDS);
	vmx_invept(INVEPT_ALL, 0);
}

void vmx_flush(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	const struct vmx_vm *vm = vcpu->vm->hv;

	nested_epoch_flush(&vcpu->nested, &vm->ept);
	vmx->tlb.invept = true;
	vmx->prepare = true;
}

void vmx_vpid_flush(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx->tlb.invvpid = vmx_has_vpid();
	vmx->prepare = true;
}

/* A CPU without VPID hands them out as well: they tell whether a vCPU is new there. */
static void vmx_vpid_assign(struct vmx_vcpu *vmx)
{
	struct cpu *cpu = this_cpu();
	bool flush = tlb_tag_assign(&vmx->tlb.vpid, &cpu->hv->vpids, cpu->index);

	if (!vmx_has_vpid())
		return;
	if (flush)
		vmx_invvpid(INVVPID_ALL, 0, 0);
	vmx_write(VMCS_VPID, vmx->tlb.vpid.value);
	vmx->tlb.invvpid = false;
}

void vmx_vpid_enter(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	const struct vmx_vm *vm = vcpu->vm->hv;
	struct cpu *cpu = this_cpu();
	bool stale = nested_epoch_enter(&vcpu->nested, &vm->ept);

	if (!tlb_tag_valid(&vmx->tlb.vpid, &cpu->hv->vpids, cpu->index)) {
		vmx_vpid_assign(vmx);
		stale = true;
	}
	if (stale)
		vmx_flush(vcpu);
}

void vmx_vpid_prepare(struct vcpu *vcpu)
{
	struct vmx_tlb *tlb = &vmx_of(vcpu)->tlb;
	const struct vmx_vm *vm = vcpu->vm->hv;

	if (tlb->invept)
		vmx_invept(INVEPT_SINGLE, vm->eptp);
	if (tlb->invvpid)
		vmx_invvpid(INVVPID_SINGLE, tlb->vpid.value, 0);
	tlb->invept = false;
	tlb->invvpid = false;
}
