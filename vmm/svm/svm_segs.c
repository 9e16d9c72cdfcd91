/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm.h"
#include "arch/x86_64/msr.h"

#define SEG_ATTR_DPL   0x060u
#define SEG_TYPE_BUSY  0x002u
#define SEG_LIMIT_BYTE 0xfffffu /* larger ones are in pages */

struct svm_seg {
	uint16_t offset; /* in struct vmcb */
	uint16_t clean;
	bool world; /* loaded by VMLOAD */
};

#define SAVE(field) offsetof(struct vmcb, save.field)

static const struct svm_seg svm_seg_table[VCPU_SEGS] = {
	[SEG_ES] = {SAVE(es), VMCB_CLEAN_SEG, false},
	[SEG_CS] = {SAVE(cs), VMCB_CLEAN_SEG, false},
	[SEG_SS] = {SAVE(ss), VMCB_CLEAN_SEG, false},
	[SEG_DS] = {SAVE(ds), VMCB_CLEAN_SEG, false},
	[SEG_FS] = {SAVE(fs), 0, true},
	[SEG_GS] = {SAVE(gs), 0, true},
	[SEG_LDTR] = {SAVE(ldtr), 0, true},
	[SEG_TR] = {SAVE(tr), 0, true},
	[SEG_GDTR] = {SAVE(gdtr), VMCB_CLEAN_DT, false},
	[SEG_IDTR] = {SAVE(idtr), VMCB_CLEAN_DT, false},
};

static struct vmcb_segment *svm_seg_field(struct vcpu *vcpu, enum vcpu_seg seg)
{
	return (struct vmcb_segment *)((uint8_t *)svm_of(vcpu)->vmcb + svm_seg_table[seg].offset);
}

static void svm_seg_read(const struct vmcb_segment *from, struct vcpu_segment *to)
{
	to->selector = from->selector;
	to->attrib = from->attrib;
	to->limit = from->limit;
	to->base = from->base;
}

/* CPL has a field of its own; SS.DPL is its copy in the neutral form. */
static uint16_t svm_seg_ss_attrib(uint16_t attrib, uint8_t cpl)
{
	return (attrib & ~SEG_ATTR_DPL) | cpl << SEG_ATTR_DPL_SHIFT;
}

void svm_get_seg(struct vcpu *vcpu, enum vcpu_seg seg, struct vcpu_segment *value)
{
	if (svm_seg_table[seg].world)
		svm_world_sync(vcpu);
	svm_seg_read(svm_seg_field(vcpu, seg), value);
	if (seg == SEG_SS)
		value->attrib = svm_seg_ss_attrib(value->attrib, svm_of(vcpu)->vmcb->save.cpl);
	/* Not every CPU keeps G and TSS's busy bit in its hidden registers. */
	if (value->limit > SEG_LIMIT_BYTE)
		value->attrib |= SEG_ATTR_G;
	if (seg == SEG_TR && (value->attrib & SEG_ATTR_P))
		value->attrib |= SEG_TYPE_BUSY;
}

void svm_set_seg(struct vcpu *vcpu, enum vcpu_seg seg, const struct vcpu_segment *value)
{
	const struct svm_seg *s = &svm_seg_table[seg];
	struct svm_vcpu *svm = svm_of(vcpu);

	if (s->world)
		svm_world_sync(vcpu);
	*svm_seg_field(vcpu, seg) = (struct vmcb_segment){
		.selector = value->selector,
		.attrib = value->attrib,
		.limit = value->limit,
		.base = value->base,
	};
	if (seg == SEG_SS)
		svm->vmcb->save.cpl = value->attrib >> SEG_ATTR_DPL_SHIFT & 3;
	if (s->world)
		svm_world_reload(vcpu);
	else
		svm_dirty(svm, s->clean);
}

unsigned svm_get_cpl(struct vcpu *vcpu)
{
	return svm_of(vcpu)->vmcb->save.cpl;
}

void svm_get_mode(struct vcpu *vcpu, struct vcpu_mode *mode)
{
	const struct vmcb_save *save = &svm_of(vcpu)->vmcb->save;

	mode->rsp = save->rsp;
	mode->rflags = save->rflags;
	mode->cr0 = save->cr0;
	mode->cr3 = save->cr3;
	mode->cr4 = save->cr4;
	mode->efer = save->efer & ~EFER_SVME;
	svm_seg_read(&save->cs, &mode->cs);
	mode->cpl = save->cpl;
}

/* No branch in between: it is nearly always so. */
bool svm_mode_is(struct vcpu *vcpu, const struct vcpu_mode *mode)
{
	const struct vmcb_save *save = &svm_of(vcpu)->vmcb->save;
	uint64_t differ = (save->cr0 ^ mode->cr0) | (save->cr3 ^ mode->cr3) |
			  (save->cr4 ^ mode->cr4) | (save->efer ^ EFER_SVME ^ mode->efer) |
			  (save->cs.base ^ mode->cs.base);

	return !(differ | (uint16_t)(save->cs.attrib ^ mode->cs.attrib));
}
