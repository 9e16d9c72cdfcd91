/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this folder share: a VM's and a vCPU's part of SVM. The
 * rest of the system knows struct hv_ops (svm.c) only.
 */
#ifndef VMM_SVM_SVM_H
#define VMM_SVM_SVM_H

#include "vmm/nested_table.h"
#include "vmm/svm/svm_cpu.h"
#include "vmm/svm/svm_explain.h"
#include "vmm/svm/svm_vmcb.h"
#include "vmm/tlb_tag.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <stdbool.h>
#include <stdint.h>

/* vm->hv. */
struct svm_vm {
	struct nested_table npt; /* under vm->memory's lock */
	uint8_t *iopm;		 /* SVM_IOPM_SIZE bytes, contiguous */
	uint8_t *msrpm;		 /* SVM_MSRPM_SIZE bytes, contiguous */
};

/*
 * Exceptions that exit. #UD: the other vendor's hypercall is one. #DB and #AC:
 * their delivery can raise them again, for ever, inside the CPU
 * (CVE-2015-8104, CVE-2015-5307). #MC is the machine's.
 */
#define SVM_EXCEPTIONS (BIT(1) | BIT(6) | BIT(17) | BIT(18))

/* Why a vCPU executes the next instruction with TF set: svm_step.c. */
enum svm_step { SVM_STEP_NONE, SVM_STEP_SHADOW, SVM_STEP_IRET };

/* vcpu->hv. The first three members are known to svm_run.S. */
struct svm_vcpu {
	hpa_t vmcb_phys;
	struct vmcb *vmcb;
	/*
	 * The next entry goes by svm_run_prepared(): the world or an ASID is to be
	 * loaded, what VMRUN checks has changed, or a step is asked for.
	 */
	bool prepare;
	bool nmi_masked; /* IRET is intercepted then */
	bool irq_window; /* V_IRQ is set and VINTR intercepted */
	bool tpr_exits;	 /* writes of CR8 exit, also without a window */
	enum svm_step step;
	bool step_tf;	   /* the guest's own TF, during a step */
	uint64_t step_dr6; /* the guest's DR6 before it */
	struct tlb_tag asid;
	struct svm_entry_state entry; /* of the last one whose state was ours */
	struct vcpu_event injected;   /* by the last entry, or long ago: svm_exited() */
	uint64_t injected_at;	      /* RIP of the instruction that raised it */
	uint64_t entered_at;	      /* RIP that VMRUN began with then */
};

static inline struct svm_vcpu *svm_of(struct vcpu *vcpu)
{
	return vcpu->hv;
}

/* What VMRUN checks is in these; what the hardware itself left there is right. */
#define SVM_CLEAN_CHECKED (VMCB_CLEAN_CRX | VMCB_CLEAN_DRX | VMCB_CLEAN_NP | VMCB_CLEAN_SEG)

/*
 * @bits (VMCB_CLEAN_) changed since the last VMRUN. They stay dirty until
 * svm_run_prepared() comes by, which costs less than going there.
 */
static inline void svm_dirty(struct svm_vcpu *svm, uint32_t bits)
{
	svm->vmcb->control.clean &= ~bits;
	if (bits & SVM_CLEAN_CHECKED)
		svm->prepare = true;
}

/* svm_world.c */
void svm_world_enter(struct vcpu *vcpu);
void svm_world_leave(void);
void svm_world_load_cr2(struct vcpu *vcpu); /* of the world that is live */
/* The VMCB has all of the guest's state, also what VMLOAD loaded. */
void svm_world_sync(struct vcpu *vcpu);
/* After that was changed in the VMCB. */
void svm_world_reload(struct vcpu *vcpu);
void svm_flush(struct vcpu *vcpu);

/* svm_run.c, svm_run.S */
void svm_run(struct vcpu *vcpu, struct vm_exit *exit);

/* svm_exit.c: after #VMEXIT, the VMCB to @exit. The second: an event was injected. */
void svm_exited(struct vcpu *vcpu, struct vm_exit *exit);
void svm_exited_injected(struct vcpu *vcpu, struct vm_exit *exit);

/* svm_regs.c */
uint64_t svm_get_reg(struct vcpu *vcpu, enum vcpu_reg reg);
void svm_set_reg(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value);
/* svm_segs.c */
void svm_get_seg(struct vcpu *vcpu, enum vcpu_seg seg, struct vcpu_segment *value);
void svm_set_seg(struct vcpu *vcpu, enum vcpu_seg seg, const struct vcpu_segment *value);
void svm_get_mode(struct vcpu *vcpu, struct vcpu_mode *mode);
unsigned svm_get_cpl(struct vcpu *vcpu);
bool svm_mode_is(struct vcpu *vcpu, const struct vcpu_mode *mode);

/* svm_vcpu.c */
int svm_vcpu_create(struct vcpu *vcpu);
void svm_vcpu_destroy(struct vcpu *vcpu);
void svm_vcpu_reset(struct vcpu *vcpu);

/* svm_vm.c */
int svm_vm_create(struct vm *vm);
void svm_vm_destroy(struct vm *vm);
int svm_map(struct vm *vm, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned access);
int svm_unmap(struct vm *vm, gpa_t gpa, uint64_t size);
void svm_intercept_io(struct vm *vm, uint16_t port, uint32_t count, bool on);
int svm_intercept_msr(struct vm *vm, uint32_t index, bool read, bool write);

/* svm_dump.c */
void svm_explain(struct vcpu *vcpu);
void svm_dump(struct vcpu *vcpu, hv_print_fn print);

#endif
