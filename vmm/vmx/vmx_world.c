/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's world: the current VMCS, and what neither entry nor exit
 * switches (26.3, 27.5). It stays loaded from one exit to the next entry. An
 * exit brings back our TR, tables and segments, so NMIs and #MC find their
 * stacks at any time; none of our code uses what stays the guest's.
 *
 * Left, the VMCS is cleared: a CPU may keep parts of an active one for itself
 * (24.1), and any CPU may want to read or run the vCPU next.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_insn.h"

#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_CSTAR	   0xc0000083
#define MSR_SFMASK	   0xc0000084
#define MSR_KERNEL_GS_BASE 0xc0000102

static const uint32_t vmx_world_msr_index[VMX_WORLD_MSRS] = {
	[VMX_WORLD_STAR] = MSR_STAR,
	[VMX_WORLD_LSTAR] = MSR_LSTAR,
	[VMX_WORLD_CSTAR] = MSR_CSTAR,
	[VMX_WORLD_SFMASK] = MSR_SFMASK,
	[VMX_WORLD_KERNEL_GS] = MSR_KERNEL_GS_BASE,
};

static void vmx_world_make_current(struct vmx_vcpu *vmx)
{
	vmx_vmptrld(vmx->vmcs_phys);
	this_cpu()->hv->current = vmx->vmcs;
}

static void vmx_world_clear(struct vmx_vcpu *vmx)
{
	vmx_vmclear(vmx->vmcs_phys);
	vmx->launched = false;
	this_cpu()->hv->current = NULL;
}

/* Writing an MSR costs hundreds of cycles; most guests' differ in few. */
static void vmx_world_load_msrs(const struct vmx_vcpu *vmx)
{
	struct hv_cpu *hv = this_cpu()->hv;

	for (unsigned i = 0; i < VMX_WORLD_MSRS; i++) {
		if (hv->msrs_known && hv->msrs[i] == vmx->msrs[i])
			continue;
		msr_write(vmx_world_msr_index[i], vmx->msrs[i]);
		hv->msrs[i] = vmx->msrs[i];
	}
	hv->msrs_known = true;
}

static void vmx_world_save(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx->cr2 = cpu_read_cr2();
	vmx->dr6 = cpu_read_dr6();
	vmx->msrs[VMX_WORLD_KERNEL_GS] = msr_read(MSR_KERNEL_GS_BASE);
	this_cpu()->hv->msrs[VMX_WORLD_KERNEL_GS] = vmx->msrs[VMX_WORLD_KERNEL_GS];
	vmx_world_clear(vmx);
	vmx->prepare = true;
	nested_epoch_leave(&vcpu->nested);
}

void vmx_world_enter(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);
	struct cpu *cpu = this_cpu();

	if (cpu->world)
		vmx_world_save(cpu->world);
	vmx_world_make_current(vmx);
	cpu->world = vcpu;
	if (vmx->cpu != cpu->index) {
		vmx_host_write(vmx);
		vmx->cpu = cpu->index;
	}
	cpu_write_cr2(vmx->cr2);
	cpu_write_dr6(vmx->dr6);
	vmx_world_load_msrs(vmx);
	vmx_vpid_enter(vcpu);
}

void vmx_world_leave(void)
{
	struct cpu *cpu = this_cpu();

	if (!cpu->world)
		return;
	vmx_world_save(cpu->world);
	cpu->world = NULL;
}

uint64_t vmx_world_get_msr(struct vcpu *vcpu, enum vmx_world_msr msr)
{
	if (msr == VMX_WORLD_KERNEL_GS && this_cpu()->world == vcpu)
		return msr_read(MSR_KERNEL_GS_BASE);
	return vmx_of(vcpu)->msrs[msr];
}

void vmx_world_set_msr(struct vcpu *vcpu, enum vmx_world_msr msr, uint64_t value)
{
	vmx_of(vcpu)->msrs[msr] = value;
	if (this_cpu()->world != vcpu)
		return;
	msr_write(vmx_world_msr_index[msr], value);
	this_cpu()->hv->msrs[msr] = value;
}

/* A vCPU whose run loop asks is about to run: it keeps what it gets. */
struct vmx_loan vmx_vmcs_borrow(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (READ_ONCE(vcpu->in_loop) && vcpu->entity.cpu == this_cpu()->index) {
		vmx_world_enter(vcpu);
		return (struct vmx_loan){NULL};
	}
	vmx_world_make_current(vmx);
	return (struct vmx_loan){vmx};
}

void vmx_vmcs_return(struct vmx_vcpu *vmx)
{
	struct cpu *cpu = this_cpu();

	vmx_world_clear(vmx);
	if (cpu->world)
		vmx_world_make_current(vmx_of(cpu->world));
}
