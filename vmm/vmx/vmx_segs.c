/* SPDX-License-Identifier: BSD-2-Clause */
#include "arch/x86_64/msr.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_cr.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

/* The fields of all segments lie in a row, in the order of enum vcpu_seg. */
#define FIELD(es_field, seg) ((es_field) + 2 * (seg))
_Static_assert(FIELD(VMCS_GUEST_ES_BASE, SEG_IDTR) == VMCS_GUEST_IDTR_BASE, "24.4.1");
_Static_assert(FIELD(VMCS_GUEST_ES_LIMIT, SEG_IDTR) == VMCS_GUEST_IDTR_LIMIT, "24.4.1");
_Static_assert(FIELD(VMCS_GUEST_ES_ACCESS_RIGHTS, SEG_TR) == VMCS_GUEST_TR_ACCESS_RIGHTS, "24.4.1");
_Static_assert(FIELD(VMCS_GUEST_ES_SELECTOR, SEG_TR) == VMCS_GUEST_TR_SELECTOR, "24.4.1");

/* Access rights (24.4.1): as a descriptor has them, with the limit's four bits left out of ours. */
#define RIGHTS_LOW	0xffu	/* type, S, DPL, P */
#define RIGHTS_HIGH	0xf000u /* AVL, L, D/B, G */
#define RIGHTS_GAP	4
#define RIGHTS_UNUSABLE BIT(16)

#define SEG_TYPE_ACCESSED 0x001u
#define SEG_TYPE_BUSY	  0x002u
#define SEG_LIMIT_BYTE	  0xfffffu /* larger ones are in pages */
#define PAGE_MASK	  0xfffu

static uint16_t vmx_seg_attrib(uint64_t rights)
{
	uint16_t attrib = (rights & RIGHTS_LOW) | (rights & RIGHTS_HIGH) >> RIGHTS_GAP;

	return rights & RIGHTS_UNUSABLE ? attrib & ~SEG_ATTR_P : attrib;
}

/*
 * The entry wants what loading the segment would have made of it (26.3.1.2):
 * granularity by the limit, data and code accessed, a task busy.
 */
static uint32_t vmx_seg_rights(enum vcpu_seg seg, const struct vcpu_segment *s)
{
	uint16_t attrib = s->attrib & ~SEG_ATTR_G;

	if (!(attrib & SEG_ATTR_P) && seg != SEG_TR)
		return (uint32_t)RIGHTS_UNUSABLE |
		       (attrib & (3u << SEG_ATTR_DPL_SHIFT)); /* SS: that is CPL */
	if (s->limit > SEG_LIMIT_BYTE ||
	    ((s->attrib & SEG_ATTR_G) && (s->limit & PAGE_MASK) == PAGE_MASK))
		attrib |= SEG_ATTR_G;
	if (attrib & SEG_ATTR_S)
		attrib |= SEG_TYPE_ACCESSED;
	if (seg == SEG_TR)
		attrib |= SEG_TYPE_BUSY | SEG_ATTR_P;
	return (attrib & RIGHTS_LOW) | (attrib << RIGHTS_GAP & RIGHTS_HIGH);
}

void vmx_get_seg(struct vcpu *vcpu, enum vcpu_seg seg, struct vcpu_segment *value)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);

	*value = (struct vcpu_segment){
		.limit = vmx_read(FIELD(VMCS_GUEST_ES_LIMIT, seg)),
		.base = vmx_read(FIELD(VMCS_GUEST_ES_BASE, seg)),
	};
	if (seg <= SEG_TR) {
		value->selector = vmx_read(FIELD(VMCS_GUEST_ES_SELECTOR, seg));
		value->attrib = vmx_seg_attrib(vmx_read(FIELD(VMCS_GUEST_ES_ACCESS_RIGHTS, seg)));
	}
	vmx_vmcs_end(loan);
}

void vmx_set_seg(struct vcpu *vcpu, enum vcpu_seg seg, const struct vcpu_segment *value)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);

	vmx_write(FIELD(VMCS_GUEST_ES_LIMIT, seg), value->limit);
	vmx_write(FIELD(VMCS_GUEST_ES_BASE, seg), value->base);
	if (seg <= SEG_TR) {
		vmx_write(FIELD(VMCS_GUEST_ES_SELECTOR, seg), value->selector);
		vmx_write(FIELD(VMCS_GUEST_ES_ACCESS_RIGHTS, seg), vmx_seg_rights(seg, value));
	}
	vmx_vmcs_end(loan);
}

/* SS.DPL is it (SDM vol. 3C, 24.4.1). */
unsigned vmx_get_cpl(struct vcpu *vcpu)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);
	unsigned cpl = vmx_read(VMCS_GUEST_SS_ACCESS_RIGHTS) >> SEG_ATTR_DPL_SHIFT & 3;

	vmx_vmcs_end(loan);
	return cpl;
}

void vmx_get_mode(struct vcpu *vcpu, struct vcpu_mode *mode)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);

	mode->rsp = vmx_read(VMCS_GUEST_RSP);
	mode->rflags = vmx_read(VMCS_GUEST_RFLAGS);
	mode->cr0 = vmx_cr_get(vcpu, VCPU_CR0);
	mode->cr3 = vmx_cr_get(vcpu, VCPU_CR3);
	mode->cr4 = vmx_cr_get(vcpu, VCPU_CR4);
	mode->efer = vmx_cr_get(vcpu, VCPU_EFER);
	mode->cs.selector = vmx_read(VMCS_GUEST_CS_SELECTOR);
	mode->cs.attrib = vmx_seg_attrib(vmx_read(VMCS_GUEST_CS_ACCESS_RIGHTS));
	mode->cs.limit = vmx_read(VMCS_GUEST_CS_LIMIT);
	mode->cs.base = vmx_read(VMCS_GUEST_CS_BASE);
	mode->cpl = vmx_read(VMCS_GUEST_SS_ACCESS_RIGHTS) >> SEG_ATTR_DPL_SHIFT & 3;
	vmx_vmcs_end(loan);
}

/* Another VMCS is loaded, or EFER is in no VMCS. */
static __noinline bool vmx_mode_is_slowly(struct vcpu *vcpu, const struct vcpu_mode *mode)
{
	struct vcpu_mode own;

	vmx_get_mode(vcpu, &own);
	return own.cr0 == mode->cr0 && own.cr3 == mode->cr3 && own.cr4 == mode->cr4 &&
	       own.efer == mode->efer && own.cs.base == mode->cs.base &&
	       own.cs.attrib == mode->cs.attrib;
}

/* No branch in between: it is nearly always so. */
bool vmx_mode_is(struct vcpu *vcpu, const struct vcpu_mode *mode)
{
	uint64_t differ;
	uint16_t attrib;

	if (unlikely(this_cpu()->hv->current != vmx_of(vcpu)->efer_vmcs))
		return vmx_mode_is_slowly(vcpu, mode);
	differ = (vmx_cr_get(vcpu, VCPU_CR0) ^ mode->cr0) |
		 (vmx_cr_get(vcpu, VCPU_CR3) ^ mode->cr3) |
		 (vmx_cr_get(vcpu, VCPU_CR4) ^ mode->cr4) |
		 (vmx_read(VMCS_GUEST_EFER) ^ mode->efer) |
		 (vmx_read(VMCS_GUEST_CS_BASE) ^ mode->cs.base);
	attrib = vmx_seg_attrib(vmx_read(VMCS_GUEST_CS_ACCESS_RIGHTS));
	return !(differ | (uint16_t)(attrib ^ mode->cs.attrib));
}
