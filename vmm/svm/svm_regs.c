/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers between the vCPU's neutral form and the VMCB; segments: svm_segs.c. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "kernel/panic.h"
#include "vmm/svm/svm.h"
#include "vmm/svm/svm_event.h"

/* Where a register is in the VMCB, and which clean bit is its. */
struct svm_reg {
	uint16_t offset; /* in struct vmcb; 0: none */
	uint16_t clean;
	bool world; /* loaded by VMLOAD */
};

#define SAVE(field) offsetof(struct vmcb, save.field)
#define WORLD(field)                 \
	{                            \
		SAVE(field), 0, true \
	}

/* RSP and RFLAGS are loaded at every VMRUN. */
static const struct svm_reg svm_reg_table[VCPU_REGS] = {
	[VCPU_RSP] = {SAVE(rsp), 0, false},
	[VCPU_RFLAGS] = {SAVE(rflags), 0, false},
	[VCPU_CR0] = {SAVE(cr0), VMCB_CLEAN_CRX, false},
	[VCPU_CR2] = {SAVE(cr2), VMCB_CLEAN_CR2, false},
	[VCPU_CR3] = {SAVE(cr3), VMCB_CLEAN_CRX, false},
	[VCPU_CR4] = {SAVE(cr4), VMCB_CLEAN_CRX, false},
	[VCPU_DR6] = {SAVE(dr6), VMCB_CLEAN_DRX, false},
	[VCPU_DR7] = {SAVE(dr7), VMCB_CLEAN_DRX, false},
	[VCPU_EFER] = {SAVE(efer), VMCB_CLEAN_CRX, false},
	[VCPU_PAT] = {SAVE(pat), VMCB_CLEAN_NP, false},
	[VCPU_STAR] = WORLD(star),
	[VCPU_LSTAR] = WORLD(lstar),
	[VCPU_CSTAR] = WORLD(cstar),
	[VCPU_SFMASK] = WORLD(sfmask),
	[VCPU_KERNEL_GS_BASE] = WORLD(kernel_gs_base),
	[VCPU_SYSENTER_CS] = WORLD(sysenter_cs),
	[VCPU_SYSENTER_ESP] = WORLD(sysenter_esp),
	[VCPU_SYSENTER_EIP] = WORLD(sysenter_eip),
	[VCPU_DEBUGCTL] = {SAVE(debugctl), VMCB_CLEAN_LBR, false},
};

static uint64_t *svm_reg_field(struct vcpu *vcpu, enum vcpu_reg reg)
{
	return (uint64_t *)((uint8_t *)svm_of(vcpu)->vmcb + svm_reg_table[reg].offset);
}

static __noinline uint64_t svm_get_field(struct vcpu *vcpu, enum vcpu_reg reg)
{
	BUG_ON(reg >= VCPU_REGS);
	if (svm_reg_table[reg].world)
		svm_world_sync(vcpu);
	return *svm_reg_field(vcpu, reg);
}

/* CR8 is asked for at each interrupt: first, and without a frame. */
uint64_t svm_get_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	const struct svm_vcpu *svm = svm_of(vcpu);

	if (likely(reg == VCPU_CR8))
		return svm->vmcb->control.vintr & VMCB_VINTR_TPR;
	switch (reg) {
	case VCPU_INTR_SHADOW:
		return svm->vmcb->control.int_state & VMCB_INT_SHADOW;
	case VCPU_NMI_MASKED:
		return svm->nmi_masked;
	case VCPU_EFER:
		return svm->vmcb->save.efer & ~EFER_SVME;
	default:
		return svm_get_field(vcpu, reg);
	}
}

/* VMRUN takes LMA as it is; a CPU has it while LME and PG are set (14.6.1). */
static void svm_set_paging(struct vcpu *vcpu)
{
	struct vmcb_save *save = &svm_of(vcpu)->vmcb->save;

	save->efer |= EFER_SVME;
	if ((save->efer & EFER_LME) && (save->cr0 & CR0_PG))
		save->efer |= EFER_LMA;
	else
		save->efer &= ~EFER_LMA;
	svm_flush(vcpu);
}

/* Without LBR virtualization the register is the host's: the guest's is kept, and has no effect. */
static void svm_set_debugctl(struct vcpu *vcpu)
{
	struct vmcb *vmcb = svm_of(vcpu)->vmcb;

	if (vmcb->save.debugctl && svm_has(SVM_CPUID_LBR_VIRT))
		vmcb->control.lbr_control |= VMCB_LBR_VIRT;
	else
		vmcb->control.lbr_control &= ~VMCB_LBR_VIRT;
}

static void svm_set_field(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	const struct svm_reg *r = &svm_reg_table[reg];

	BUG_ON(reg >= VCPU_REGS);
	if (r->world)
		svm_world_sync(vcpu);
	*svm_reg_field(vcpu, reg) = value;
	if (r->world)
		svm_world_reload(vcpu);
	if (r->clean)
		svm_dirty(svm_of(vcpu), r->clean);
	if (r->clean == VMCB_CLEAN_CRX)
		svm_set_paging(vcpu);
	if (reg == VCPU_CR2 && this_cpu()->world == vcpu)
		svm_world_load_cr2(vcpu);
	if (reg == VCPU_DEBUGCTL)
		svm_set_debugctl(vcpu);
}

void svm_set_reg(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb_control *control = &svm->vmcb->control;

	switch (reg) {
	case VCPU_CR8:
		control->vintr = (control->vintr & ~VMCB_VINTR_TPR) | (value & VMCB_VINTR_TPR);
		svm_dirty(svm, VMCB_CLEAN_TPR);
		break;
	case VCPU_INTR_SHADOW:
		control->int_state = value ? VMCB_INT_SHADOW : 0;
		break;
	case VCPU_NMI_MASKED:
		svm_event_mask_nmi(vcpu, value);
		break;
	default:
		svm_set_field(vcpu, reg, value);
		break;
	}
}
