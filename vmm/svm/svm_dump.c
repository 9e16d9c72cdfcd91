/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person is told: why an entry was refused, and what the VMCB holds. */
#include "vmm/exit.h"
#include "vmm/svm/svm.h"
#include "vmm/svm/svm_exit_code.h"

struct svm_verdict {
	struct vcpu *vcpu;
	hv_print_fn print; /* NULL: the log */
	unsigned rules;
};

static void svm_explain_rule(void *opaque, const struct svm_rule *r)
{
	struct svm_verdict *verdict = opaque;
	const struct vcpu *vcpu = verdict->vcpu;

	verdict->rules++;
	if (!r->broken)
		return;
	if (verdict->print)
		verdict->print("broken: %s = %#lx: %s (APM vol. 2, %s)\n", r->field, r->value,
			       r->text, r->section);
	else
		vm_log(vcpu->vm, LOG_ERROR, "vcpu %u: VMRUN: %s = %#lx: %s (APM vol. 2, %s)",
		       vcpu->index, r->field, r->value, r->text, r->section);
}

static unsigned svm_explain_to(struct svm_verdict *verdict)
{
	struct svm_vcpu *svm = svm_of(verdict->vcpu);
	struct svm_entry_state state = svm->entry;

	if ((uint32_t)svm->vmcb->control.exit_code != SVM_EXIT_INVALID)
		svm_explain_capture(svm->vmcb, &state);
	return svm_explain_check(&state, &svm->vmcb->control, &svm_machine, svm_explain_rule,
				 verdict);
}

void svm_explain(struct vcpu *vcpu)
{
	struct svm_verdict verdict = {.vcpu = vcpu};

	if (!svm_explain_to(&verdict))
		vm_log(vcpu->vm, LOG_ERROR,
		       "vcpu %u: VMRUN: none of the %u rules of APM vol. 2 that we know is broken",
		       vcpu->index, verdict.rules);
}

static void svm_dump_segment(struct vcpu *vcpu, hv_print_fn print, const char *name,
			     enum vcpu_seg seg)
{
	struct vcpu_segment s;

	svm_get_seg(vcpu, seg, &s);
	print("%s %04x base %016lx limit %08x attributes %03x\n", name, s.selector, s.base, s.limit,
	      s.attrib);
}

static void svm_dump_control(hv_print_fn print, const struct vmcb_control *c)
{
	print("intercepts %08x %08x exceptions %08x cr %04x %04x dr %04x %04x\n", c->intercepts,
	      c->intercepts2, c->exceptions, c->cr_read, c->cr_write, c->dr_read, c->dr_write);
	print("iopm %lx msrpm %lx ncr3 %lx nested %lx lbr %lx\n", c->iopm, c->msrpm, c->nested_cr3,
	      c->nested_control, c->lbr_control);
	print("asid %u tlb_control %u tsc_offset %lx clean %03x pause %u/%u\n", c->asid,
	      c->tlb_control, c->tsc_offset, c->clean, c->pause_count, c->pause_threshold);
	print("vintr %lx int_state %lx event_inj %lx\n", c->vintr, c->int_state, c->event_inj);
	print("exit %lx info %lx %lx int_info %lx next_rip %lx\n", c->exit_code, c->exit_info1,
	      c->exit_info2, c->exit_int_info, c->next_rip);
}

static void svm_dump_save(hv_print_fn print, const struct vmcb_save *s)
{
	print("rip %016lx rsp %016lx rflags %08lx cpl %u\n", s->rip, s->rsp, s->rflags, s->cpl);
	print("cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx\n", s->cr0, s->cr2, s->cr3, s->cr4,
	      s->efer);
	print("dr6 %lx dr7 %lx pat %016lx debugctl %lx\n", s->dr6, s->dr7, s->pat, s->debugctl);
	print("star %lx lstar %lx cstar %lx sfmask %lx kernel_gs %lx\n", s->star, s->lstar,
	      s->cstar, s->sfmask, s->kernel_gs_base);
	print("sysenter cs %lx esp %lx eip %lx\n", s->sysenter_cs, s->sysenter_esp,
	      s->sysenter_eip);
}

void svm_dump(struct vcpu *vcpu, hv_print_fn print)
{
	static const char *const names[VCPU_SEGS] = {
		[SEG_ES] = "es",     [SEG_CS] = "cs",	  [SEG_SS] = "ss",     [SEG_DS] = "ds",
		[SEG_FS] = "fs",     [SEG_GS] = "gs",	  [SEG_LDTR] = "ldtr", [SEG_TR] = "tr",
		[SEG_GDTR] = "gdtr", [SEG_IDTR] = "idtr",
	};
	const struct svm_vcpu *svm = svm_of(vcpu);
	struct svm_verdict verdict = {.vcpu = vcpu, .print = print};

	svm_world_sync(vcpu);
	svm_dump_control(print, &svm->vmcb->control);
	svm_dump_save(print, &svm->vmcb->save);
	for (unsigned seg = 0; seg < VCPU_SEGS; seg++)
		svm_dump_segment(vcpu, print, names[seg], seg);
	if (!svm_explain_to(&verdict))
		print("all %u rules of VMRUN that we know are kept\n", verdict.rules);
}
