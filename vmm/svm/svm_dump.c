/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person is told: why an entry was refused, and what the VMCB holds. */
#include "vmm/exit.h"
#include "vmm/svm/svm.h"
#include "vmm/svm/svm_exit_code.h"

static void svm_explain_line(void *opaque, const struct svm_broken *b)
{
	struct vcpu *vcpu = opaque;

	vm_log(vcpu->vm, LOG_ERROR, "vcpu %u: VMRUN: %s = %#lx: %s (APM vol. 2, %s)", vcpu->index,
	       b->field, b->value, b->rule, b->section);
}

void svm_explain(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct svm_entry_state state = svm->entry;
	bool refused = (uint32_t)svm->vmcb->control.exit_code == SVM_EXIT_INVALID;

	if (!refused)
		svm_explain_capture(svm->vmcb, &state);
	if (svm_explain_check(&state, &svm->vmcb->control, &svm_machine, svm_explain_line, vcpu))
		return;
	vm_log(vcpu->vm, refused ? LOG_ERROR : LOG_INFO,
	       "vcpu %u: VMRUN: no rule of APM vol. 2, 15.5.1, 15.20, 15.25.4 that we know is "
	       "broken",
	       vcpu->index);
}

static void svm_dump_segment(struct vcpu *vcpu, const char *name, enum vcpu_seg seg)
{
	struct vcpu_segment s;

	svm_get_seg(vcpu, seg, &s);
	vm_log(vcpu->vm, LOG_INFO, "vcpu %u: %s %04x base %016lx limit %08x attributes %03x",
	       vcpu->index, name, s.selector, s.base, s.limit, s.attrib);
}

static void svm_dump_control(struct vcpu *vcpu, const struct vmcb_control *c)
{
	struct vm *vm = vcpu->vm;
	uint32_t i = vcpu->index;

	vm_log(vm, LOG_INFO,
	       "vcpu %u: intercepts %08x %08x exceptions %08x cr %04x %04x dr %04x %04x", i,
	       c->intercepts, c->intercepts2, c->exceptions, c->cr_read, c->cr_write, c->dr_read,
	       c->dr_write);
	vm_log(vm, LOG_INFO, "vcpu %u: iopm %lx msrpm %lx ncr3 %lx nested %lx lbr %lx", i, c->iopm,
	       c->msrpm, c->nested_cr3, c->nested_control, c->lbr_control);
	vm_log(vm, LOG_INFO,
	       "vcpu %u: asid %u tlb_control %u tsc_offset %lx clean %03x pause %u/%u", i, c->asid,
	       c->tlb_control, c->tsc_offset, c->clean, c->pause_count, c->pause_threshold);
	vm_log(vm, LOG_INFO, "vcpu %u: vintr %lx int_state %lx event_inj %lx", i, c->vintr,
	       c->int_state, c->event_inj);
	vm_log(vm, LOG_INFO, "vcpu %u: exit %lx info %lx %lx int_info %lx next_rip %lx", i,
	       c->exit_code, c->exit_info1, c->exit_info2, c->exit_int_info, c->next_rip);
}

static void svm_dump_save(struct vcpu *vcpu, const struct vmcb_save *s)
{
	struct vm *vm = vcpu->vm;
	uint32_t i = vcpu->index;

	vm_log(vm, LOG_INFO, "vcpu %u: rip %016lx rsp %016lx rflags %08lx cpl %u", i, s->rip,
	       s->rsp, s->rflags, s->cpl);
	vm_log(vm, LOG_INFO, "vcpu %u: cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx", i, s->cr0, s->cr2,
	       s->cr3, s->cr4, s->efer);
	vm_log(vm, LOG_INFO, "vcpu %u: dr6 %lx dr7 %lx pat %016lx debugctl %lx", i, s->dr6, s->dr7,
	       s->pat, s->debugctl);
	vm_log(vm, LOG_INFO, "vcpu %u: star %lx lstar %lx cstar %lx sfmask %lx kernel_gs %lx", i,
	       s->star, s->lstar, s->cstar, s->sfmask, s->kernel_gs_base);
	vm_log(vm, LOG_INFO, "vcpu %u: sysenter cs %lx esp %lx eip %lx", i, s->sysenter_cs,
	       s->sysenter_esp, s->sysenter_eip);
}

void svm_dump(struct vcpu *vcpu)
{
	static const char *const names[VCPU_SEGS] = {
		[SEG_ES] = "es",     [SEG_CS] = "cs",	  [SEG_SS] = "ss",     [SEG_DS] = "ds",
		[SEG_FS] = "fs",     [SEG_GS] = "gs",	  [SEG_LDTR] = "ldtr", [SEG_TR] = "tr",
		[SEG_GDTR] = "gdtr", [SEG_IDTR] = "idtr",
	};
	const struct svm_vcpu *svm = svm_of(vcpu);

	svm_world_sync(vcpu);
	svm_dump_control(vcpu, &svm->vmcb->control);
	svm_dump_save(vcpu, &svm->vmcb->save);
	for (unsigned seg = 0; seg < VCPU_SEGS; seg++)
		svm_dump_segment(vcpu, names[seg], seg);
}
