/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's world: what VMRUN does not switch (15.5.2). It stays loaded from
 * one exit to the next entry. Its TR is the guest's then, and the IST stacks
 * for NMI and #MC would be looked for in the guest's memory, so GIF is 0 as
 * long: nothing comes in but exceptions of our own code, which need no TSS
 * (no change of privilege, no IST) and end in panic(), which leaves the world.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "vmm/svm/svm.h"
#include "vmm/svm/svm_insn.h"

void svm_flush(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	const struct svm_vm *vm = vcpu->vm->hv;

	nested_epoch_flush(&vcpu->nested, &vm->npt);
	if (svm_has(SVM_CPUID_FLUSH_BY_ASID))
		svm->vmcb->control.tlb_control = VMCB_TLB_FLUSH_GUEST;
	else
		svm->asid.generation = 0;
	/* What the permission maps say may have changed as well. */
	svm_dirty(svm, VMCB_CLEAN_IOPM);
	svm->prepare = true;
}

static void svm_world_save(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	svm_vmsave(svm->vmcb_phys);
	svm->prepare = true;
	nested_epoch_leave(&vcpu->nested);
}

/* VMRUN loads it (15.5.1), but not in Bochs 2.7. It is the guest's from here to there. */
void svm_world_load_cr2(struct vcpu *vcpu)
{
	cpu_write_cr2(svm_of(vcpu)->vmcb->save.cr2);
}

void svm_world_enter(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	const struct svm_vm *vm = vcpu->vm->hv;
	struct cpu *cpu = this_cpu();

	if (cpu->world)
		svm_world_save(cpu->world);
	else
		svm_clgi();
	svm_vmload(svm->vmcb_phys);
	svm_world_load_cr2(vcpu);
	cpu->world = vcpu;
	if (svm->asid.cpu != cpu->index)
		svm->vmcb->control.clean = 0; /* 15.15.2: the bits speak of one CPU's cache */
	/* What the maps say may have changed. */
	svm->vmcb->control.clean &= ~VMCB_CLEAN_IOPM;
	if (nested_epoch_enter(&vcpu->nested, &vm->npt))
		svm_flush(vcpu);
}

void svm_world_leave(void)
{
	struct cpu *cpu = this_cpu();

	if (!cpu->world)
		return;
	svm_world_save(cpu->world);
	svm_vmload(paging_phys(cpu->hv->host));
	cpu->world = NULL;
	svm_stgi();
}

void svm_world_sync(struct vcpu *vcpu)
{
	if (this_cpu()->world == vcpu)
		svm_vmsave(svm_of(vcpu)->vmcb_phys);
}

void svm_world_reload(struct vcpu *vcpu)
{
	if (this_cpu()->world == vcpu)
		svm_vmload(svm_of(vcpu)->vmcb_phys);
}
