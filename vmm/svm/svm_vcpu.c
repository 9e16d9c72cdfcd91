/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/paging.h"
#include "kernel/slab.h"
#include "vmm/svm/svm.h"

#include <errno.h>
#include <string.h>

/* RDTSC and the control and debug registers are the guest's own: nested paging makes that safe. */
#define SVM_INTERCEPTS                                                                           \
	(VMCB_INTERCEPT_INTR | VMCB_INTERCEPT_NMI | VMCB_INTERCEPT_INIT | VMCB_INTERCEPT_RDPMC | \
	 VMCB_INTERCEPT_CPUID | VMCB_INTERCEPT_RSM | VMCB_INTERCEPT_INVD | VMCB_INTERCEPT_HLT |  \
	 VMCB_INTERCEPT_INVLPGA | VMCB_INTERCEPT_IOIO | VMCB_INTERCEPT_MSR |                     \
	 VMCB_INTERCEPT_FERR_FREEZE | VMCB_INTERCEPT_SHUTDOWN)
#define SVM_INTERCEPTS2                                                               \
	(VMCB_INTERCEPT2_VMRUN | VMCB_INTERCEPT2_VMMCALL | VMCB_INTERCEPT2_VMLOAD |   \
	 VMCB_INTERCEPT2_VMSAVE | VMCB_INTERCEPT2_STGI | VMCB_INTERCEPT2_CLGI |       \
	 VMCB_INTERCEPT2_SKINIT | VMCB_INTERCEPT2_ICEBP | VMCB_INTERCEPT2_WBINVD |    \
	 VMCB_INTERCEPT2_MONITOR | VMCB_INTERCEPT2_MWAIT | VMCB_INTERCEPT2_MWAIT_ON | \
	 VMCB_INTERCEPT2_XSETBV | VMCB_INTERCEPT2_RDPRU)

/* A spinning vCPU gives the CPU away after this many PAUSEs that were at most so many ticks apart.
 */
#define SVM_PAUSE_COUNT	    3000
#define SVM_PAUSE_THRESHOLD 128

/* APM vol. 2, 14.1.3. */
#define RESET_CR0  UINT64_C(0x60000010)
#define RESET_DR6  UINT64_C(0xffff0ff0)
#define RESET_DR7  UINT64_C(0x400)
#define RESET_PAT  UINT64_C(0x0007040600070406)
#define RESET_DATA (SEG_ATTR_P | SEG_ATTR_S | 0x3u)
#define RESET_CODE (SEG_ATTR_P | SEG_ATTR_S | 0xbu)
#define RESET_LDT  (SEG_ATTR_P | 0x2u)
#define RESET_TSS  (SEG_ATTR_P | 0xbu)

static void svm_vcpu_init_control(struct vcpu *vcpu)
{
	const struct svm_vm *vm = vcpu->vm->hv;
	struct vmcb_control *control = &svm_of(vcpu)->vmcb->control;

	memset(control, 0, sizeof(*control));
	/* Bits that the CPU has and this guest has not: it would set them. */
	if (svm_machine.cr4_valid & ~vcpu->vm->cr4_allowed)
		control->cr_write = VMCB_CR4;
	control->exceptions = SVM_EXCEPTIONS;
	control->intercepts = SVM_INTERCEPTS;
	control->intercepts2 = SVM_INTERCEPTS2;
	control->iopm = paging_phys(vm->iopm);
	control->msrpm = paging_phys(vm->msrpm);
	control->tsc_offset = vcpu->tsc_offset;
	control->vintr = VMCB_VINTR_MASKING;
	control->nested_control = VMCB_NESTED_PAGING;
	control->nested_cr3 = nested_table_root(&vm->npt);
	if (!svm_has(SVM_CPUID_PAUSE_FILTER))
		return;
	control->intercepts |= VMCB_INTERCEPT_PAUSE;
	control->pause_count = SVM_PAUSE_COUNT;
	if (svm_has(SVM_CPUID_PAUSE_THRESHOLD))
		control->pause_threshold = SVM_PAUSE_THRESHOLD;
}

static void svm_vcpu_init_save(struct vmcb_save *save)
{
	const struct vmcb_segment data = {.attrib = RESET_DATA, .limit = 0xffff};

	memset(save, 0, sizeof(*save));
	save->es = save->ss = save->ds = save->fs = save->gs = data;
	save->cs = (struct vmcb_segment){0xf000, RESET_CODE, 0xffff, 0xffff0000};
	save->gdtr.limit = 0xffff;
	save->idtr.limit = 0xffff;
	save->ldtr = (struct vmcb_segment){.attrib = RESET_LDT, .limit = 0xffff};
	save->tr = (struct vmcb_segment){.attrib = RESET_TSS, .limit = 0xffff};
	save->efer = EFER_SVME;
	save->cr0 = RESET_CR0;
	save->dr7 = RESET_DR7;
	save->dr6 = RESET_DR6;
	save->rflags = RFLAGS_FIXED;
	save->pat = RESET_PAT;
}

void svm_vcpu_reset(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	/* What is live must not be saved over this. */
	if (this_cpu()->world == vcpu)
		svm_world_leave();
	svm_vcpu_init_control(vcpu);
	svm_vcpu_init_save(&svm->vmcb->save);
	svm->prepare = true;
	svm->nmi_masked = false;
	svm->irq_window = false;
	svm->tpr_exits = false;
	svm->step = SVM_STEP_NONE;
	svm->injected.type = EVENT_NONE;
	svm->asid.generation = 0;
}

int svm_vcpu_create(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = kzalloc(sizeof(*svm));

	if (!svm)
		return -ENOMEM;
	svm->vmcb = page_alloc_zeroed(&vcpu->vm->owner, PAGE_ORDER_4K);
	if (!svm->vmcb) {
		kfree(svm);
		return -ENOMEM;
	}
	svm->vmcb_phys = paging_phys(svm->vmcb);
	vcpu->hv = svm;
	svm_vcpu_reset(vcpu);
	return 0;
}

void svm_vcpu_destroy(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	if (!svm)
		return;
	if (this_cpu()->world == vcpu)
		svm_world_leave();
	page_free(&vcpu->vm->owner, svm->vmcb, PAGE_ORDER_4K);
	kfree(svm);
	vcpu->hv = NULL;
}
