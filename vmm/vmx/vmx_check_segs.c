/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's segment and descriptor-table registers (26.3.1.2, 26.3.1.3). */
#include "arch/x86_64/cpu.h"
#include "vmm/vmx/vmx_check_rules.h"

#define SEGMENTS "26.3.1.2"
#define TABLES	 "26.3.1.3"

/* In the order of their fields. */
enum { ES, CS, SS, DS, FS, GS, LDTR, TR, SEGS };

/* Access rights (24.4.1). */
#define AR_TYPE(ar)    ((ar)&0xf)
#define AR_S	       BIT(4)
#define AR_DPL(ar)     ((ar) >> 5 & 3)
#define AR_P	       BIT(7)
#define AR_L	       BIT(13)
#define AR_DB	       BIT(14)
#define AR_G	       BIT(15)
#define AR_UNUSABLE    BIT(16)
#define AR_RESERVED    0xfffe0f00u
#define AR_VIRTUAL8086 0xf3u

#define TYPE_DATA 3 /* read/write, accessed, expand-up */

struct vmx_check_seg {
	uint32_t selector_field, base_field, limit_field, ar_field;
	uint16_t selector;
	uint64_t base;
	uint32_t limit, ar;
	bool usable;
};

static void vmx_check_read_seg(const struct vmx_check *c, unsigned i, struct vmx_check_seg *s)
{
	s->selector_field = VMCS_GUEST_ES_SELECTOR + 2 * i;
	s->base_field = VMCS_GUEST_ES_BASE + 2 * i;
	s->limit_field = VMCS_GUEST_ES_LIMIT + 2 * i;
	s->ar_field = VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i;
	s->selector = vmx_check_get(c, s->selector_field);
	s->base = vmx_check_get(c, s->base_field);
	s->limit = vmx_check_get(c, s->limit_field);
	s->ar = vmx_check_get(c, s->ar_field);
	s->usable = !(s->ar & AR_UNUSABLE);
}

static void vmx_check_v86(struct vmx_check *c, const struct vmx_check_seg *s)
{
	vmx_rule(c, s->base_field, c->v86 && s->base != (uint64_t)s->selector << 4,
		 "must be the selector times 16 in virtual-8086 mode", SEGMENTS);
	vmx_rule(c, s->limit_field, c->v86 && s->limit != 0xffff,
		 "must be ffffh in virtual-8086 mode", SEGMENTS);
	vmx_rule(c, s->ar_field, c->v86 && s->ar != AR_VIRTUAL8086,
		 "must be f3h in virtual-8086 mode", SEGMENTS);
}

/* What all segments have in common; @code: S must be 1, not 0. */
static void vmx_check_descriptor(struct vmx_check *c, const struct vmx_check_seg *s, bool when,
				 bool code)
{
	if (code)
		vmx_rule(c, s->ar_field, when && !(s->ar & AR_S), "S (bit 4) must be 1", SEGMENTS);
	else
		vmx_rule_zero(c, when, s->ar_field, AR_S, "S (bit 4) must be 0", SEGMENTS);
	vmx_rule(c, s->ar_field, when && !(s->ar & AR_P), "P (bit 7) must be 1", SEGMENTS);
	vmx_rule_zero(c, when, s->ar_field, AR_RESERVED, "bits 11:8 and 31:17 must be 0", SEGMENTS);
	vmx_rule_zero(c, when && (s->limit & 0xfff) != 0xfff, s->ar_field, AR_G,
		      "G (bit 15) must be 0 unless the limit's bits 11:0 are all 1", SEGMENTS);
	vmx_rule(c, s->ar_field, when && (s->limit & 0xfff00000) && !(s->ar & AR_G),
		 "G (bit 15) must be 1 when one of the limit's bits 31:20 is", SEGMENTS);
}

static void vmx_check_cs(struct vmx_check *c, const struct vmx_check_seg *cs,
			 const struct vmx_check_seg *ss)
{
	unsigned type = AR_TYPE(cs->ar), dpl = AR_DPL(cs->ar);
	bool code = (type & 9) == 9, conforming = code && (type & 4);

	vmx_rule(c, cs->ar_field, !c->v86 && !code && !(type == TYPE_DATA && c->unrestricted),
		 "type (bits 3:0) must be 9, 11, 13 or 15, or 3 in an unrestricted guest",
		 SEGMENTS);
	vmx_rule(c, cs->ar_field, !c->v86 && type == TYPE_DATA && c->unrestricted && dpl,
		 "DPL (bits 6:5) must be 0 with type 3", SEGMENTS);
	vmx_rule(c, cs->ar_field, !c->v86 && code && !conforming && dpl != AR_DPL(ss->ar),
		 "DPL (bits 6:5) must be SS's with type 9 or 11", SEGMENTS);
	vmx_rule(c, cs->ar_field, !c->v86 && conforming && dpl > AR_DPL(ss->ar),
		 "DPL (bits 6:5) must not be above SS's with type 13 or 15", SEGMENTS);
	vmx_rule_zero(c, !c->v86 && c->ia32e && (cs->ar & AR_L), cs->ar_field, AR_DB,
		      "D (bit 14) must be 0 while L (bit 13) is 1 in IA-32e mode", SEGMENTS);
	vmx_rule_zero(c, !c->v86, cs->base_field, HIGH_HALF, "bits 63:32 must be 0", SEGMENTS);
}

static void vmx_check_ss(struct vmx_check *c, const struct vmx_check_seg *ss,
			 const struct vmx_check_seg *cs)
{
	unsigned type = AR_TYPE(ss->ar), dpl = AR_DPL(ss->ar);
	bool restricted = !c->v86 && !c->unrestricted;

	vmx_rule(c, ss->selector_field, restricted && ((ss->selector ^ cs->selector) & 3),
		 "RPL (bits 1:0) must be CS's", SEGMENTS);
	vmx_rule(c, ss->ar_field, !c->v86 && ss->usable && type != 3 && type != 7,
		 "type (bits 3:0) must be 3 or 7", SEGMENTS);
	vmx_rule(c, ss->ar_field, restricted && dpl != (ss->selector & 3u),
		 "DPL (bits 6:5) must be the selector's RPL", SEGMENTS);
	vmx_rule(c, ss->ar_field, !c->v86 && dpl && AR_TYPE(cs->ar) == TYPE_DATA,
		 "DPL (bits 6:5) must be 0 while CS's type is 3", SEGMENTS);
	vmx_rule(c, ss->ar_field, !c->v86 && dpl && !(c->cr0 & CR0_PE),
		 "DPL (bits 6:5) must be 0 in real mode", SEGMENTS);
}

static void vmx_check_data(struct vmx_check *c, const struct vmx_check_seg *s)
{
	unsigned type = AR_TYPE(s->ar);
	bool when = !c->v86 && s->usable;

	vmx_rule(c, s->ar_field, when && !(type & 1), "type's bit 0 (accessed) must be 1",
		 SEGMENTS);
	vmx_rule(c, s->ar_field, when && (type & 8) && !(type & 2),
		 "type's bit 1 (readable) must be 1 in code", SEGMENTS);
	vmx_rule(c, s->ar_field,
		 when && !c->unrestricted && type < 12 && AR_DPL(s->ar) < (s->selector & 3u),
		 "DPL (bits 6:5) must not be below the selector's RPL", SEGMENTS);
}

static void vmx_check_system(struct vmx_check *c, const struct vmx_check_seg *ldtr,
			     const struct vmx_check_seg *tr)
{
	unsigned type = AR_TYPE(tr->ar);

	vmx_rule_zero(c, true, tr->selector_field, BIT(2), "TI (bit 2) must be 0", SEGMENTS);
	vmx_rule_canonical(c, true, tr->base_field, SEGMENTS);
	vmx_rule(c, tr->ar_field, type != 11 && (c->ia32e || type != 3),
		 "type (bits 3:0) must be 11, or 3 outside of IA-32e mode", SEGMENTS);
	vmx_rule_zero(c, true, tr->ar_field, AR_UNUSABLE, "bit 16 (unusable) must be 0", SEGMENTS);
	vmx_check_descriptor(c, tr, true, false);
	vmx_rule_zero(c, ldtr->usable, ldtr->selector_field, BIT(2), "TI (bit 2) must be 0",
		      SEGMENTS);
	vmx_rule_canonical(c, ldtr->usable, ldtr->base_field, SEGMENTS);
	vmx_rule(c, ldtr->ar_field, ldtr->usable && AR_TYPE(ldtr->ar) != 2,
		 "type (bits 3:0) must be 2", SEGMENTS);
	vmx_check_descriptor(c, ldtr, ldtr->usable, false);
}

void vmx_check_segs(struct vmx_check *c)
{
	struct vmx_check_seg s[SEGS];

	for (unsigned i = 0; i < SEGS; i++)
		vmx_check_read_seg(c, i, &s[i]);
	for (unsigned i = ES; i <= GS; i++) {
		vmx_check_v86(c, &s[i]);
		vmx_check_descriptor(c, &s[i], !c->v86 && (i == CS || s[i].usable), true);
		if (i != CS && i != SS)
			vmx_check_data(c, &s[i]);
		if (i == FS || i == GS)
			vmx_rule_canonical(c, true, s[i].base_field, SEGMENTS);
		else if (i != CS)
			vmx_rule_zero(c, !c->v86 && s[i].usable, s[i].base_field, HIGH_HALF,
				      "bits 63:32 must be 0", SEGMENTS);
	}
	vmx_check_cs(c, &s[CS], &s[SS]);
	vmx_check_ss(c, &s[SS], &s[CS]);
	vmx_check_system(c, &s[LDTR], &s[TR]);
	vmx_rule_canonical(c, true, VMCS_GUEST_GDTR_BASE, TABLES);
	vmx_rule_canonical(c, true, VMCS_GUEST_IDTR_BASE, TABLES);
	vmx_rule_zero(c, true, VMCS_GUEST_GDTR_LIMIT, 0xffff0000, "bits 31:16 must be 0", TABLES);
	vmx_rule_zero(c, true, VMCS_GUEST_IDTR_LIMIT, 0xffff0000, "bits 31:16 must be 0", TABLES);
}
