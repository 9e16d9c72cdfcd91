/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/svm/svm_explain.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/msr.h"
#include "vmm/svm/svm_permission.h"
#include "vmm/vcpu.h"

#define HIGH_HALF    UINT64_C(0xffffffff00000000)
#define CHECKS	     "15.5.1"
#define INJECTION    "15.20"
#define NESTED	     "15.25.4"
#define VECTORS_NONE (BIT(2) | BIT(9) | BIT(15)) /* 8.2 */

struct svm_check {
	const struct svm_entry_state *state;
	const struct vmcb_control *control;
	const struct svm_machine *machine;
	svm_rule_fn fn;
	void *opaque;
	unsigned broken;
};

void svm_explain_capture(const struct vmcb *vmcb, struct svm_entry_state *state)
{
	*state = (struct svm_entry_state){
		.cr0 = vmcb->save.cr0,
		.cr3 = vmcb->save.cr3,
		.cr4 = vmcb->save.cr4,
		.efer = vmcb->save.efer,
		.dr6 = vmcb->save.dr6,
		.dr7 = vmcb->save.dr7,
		.pat = vmcb->save.pat,
		.cs_attrib = vmcb->save.cs.attrib,
		.tlb_control = vmcb->control.tlb_control,
		.event_inj = vmcb->control.event_inj,
	};
}

/* Called for every rule in every state, so that the tests know all there are. */
static void svm_rule(struct svm_check *c, bool broken, const char *field, uint64_t value,
		     const char *text, const char *section)
{
	const struct svm_rule rule = {field, broken, value, text, section};

	c->broken += broken;
	c->fn(c->opaque, &rule);
}

static uint64_t svm_beyond(const struct svm_check *c)
{
	return ~(BIT(c->machine->phys_bits) - 1);
}

static void svm_check_registers(struct svm_check *c)
{
	const struct svm_entry_state *s = c->state;
	/* Outside of long mode CR3 has 32 bits (3.1.2). */
	uint64_t cr3_mbz = s->efer & EFER_LMA ? svm_beyond(c) : HIGH_HALF;

	svm_rule(c, !(s->efer & EFER_SVME), "EFER", s->efer, "SVME (bit 12) must be set", CHECKS);
	svm_rule(c, s->efer & ~c->machine->efer_valid, "EFER", s->efer,
		 "bits that this CPU does not have must be 0", CHECKS);
	svm_rule(c, (s->cr0 & CR0_NW) && !(s->cr0 & CR0_CD), "CR0", s->cr0,
		 "NW (bit 29) must be 0 while CD (bit 30) is 0", CHECKS);
	svm_rule(c, s->cr0 & HIGH_HALF, "CR0", s->cr0, "bits 63:32 must be 0", CHECKS);
	svm_rule(c, s->cr3 & cr3_mbz, "CR3", s->cr3,
		 "bits beyond the physical address width must be 0", CHECKS);
	svm_rule(c, s->cr4 & ~c->machine->cr4_valid, "CR4", s->cr4,
		 "bits that this CPU does not have must be 0", CHECKS);
	svm_rule(c, (s->cr4 & CR4_CET) && !(s->cr0 & CR0_WP), "CR4", s->cr4,
		 "CET (bit 23) needs CR0.WP (bit 16)", CHECKS);
	svm_rule(c, s->dr6 & HIGH_HALF, "DR6", s->dr6, "bits 63:32 must be 0", CHECKS);
	svm_rule(c, s->dr7 & HIGH_HALF, "DR7", s->dr7, "bits 63:32 must be 0", CHECKS);
}

static void svm_check_long_mode(struct svm_check *c)
{
	const struct svm_entry_state *s = c->state;
	bool when = (s->efer & EFER_LME) && (s->cr0 & CR0_PG);

	svm_rule(c, when && !(s->cr4 & CR4_PAE), "CR4", s->cr4,
		 "PAE (bit 5) must be set while EFER.LME and CR0.PG are", CHECKS);
	svm_rule(c, when && !(s->cr0 & CR0_PE), "CR0", s->cr0,
		 "PE (bit 0) must be set while EFER.LME and CR0.PG are", CHECKS);
	svm_rule(c,
		 when && (s->cr4 & CR4_PAE) && (s->cs_attrib & SEG_ATTR_L) &&
			 (s->cs_attrib & SEG_ATTR_DB),
		 "CS.attrib", s->cs_attrib, "L and D must not both be set in long mode", CHECKS);
}

static void svm_check_control(struct svm_check *c)
{
	const struct vmcb_control *v = c->control;
	uint64_t end = BIT(c->machine->phys_bits);

	svm_rule(c, !(v->intercepts2 & VMCB_INTERCEPT2_VMRUN), "intercepts, offset 010h",
		 v->intercepts2, "VMRUN (bit 0) must be intercepted", CHECKS);
	svm_rule(c, (v->iopm & ~UINT64_C(0xfff)) + SVM_IOPM_SIZE > end, "IOPM_BASE_PA", v->iopm,
		 "the map must end below the physical address width", CHECKS);
	svm_rule(c, (v->msrpm & ~UINT64_C(0xfff)) + SVM_MSRPM_SIZE > end, "MSRPM_BASE_PA", v->msrpm,
		 "the map must end below the physical address width", CHECKS);
	svm_rule(c, v->asid == 0, "ASID", v->asid, "0 is the host's", CHECKS);
	svm_rule(c, v->asid >= c->machine->asids, "ASID", v->asid, "the CPU does not have so many",
		 "15.16");
}

static void svm_check_virtual(struct svm_check *c)
{
	const struct vmcb_control *v = c->control;
	uint8_t tlb = c->state->tlb_control;
	bool by_asid = tlb == VMCB_TLB_FLUSH_GUEST || tlb == VMCB_TLB_FLUSH_LOCALS;
	bool nmi = v->vintr & VMCB_VINTR_NMI_ENABLE;

	svm_rule(c, tlb != VMCB_TLB_KEEP && tlb != VMCB_TLB_FLUSH_ALL && !by_asid, "TLB_CONTROL",
		 tlb, "must be 0, 1, 3 or 7", "15.16.1");
	svm_rule(c, by_asid && !(c->machine->features & SVM_CPUID_FLUSH_BY_ASID), "TLB_CONTROL",
		 tlb, "3 and 7 need a CPU with flush by ASID", "15.16.1");
	svm_rule(c, nmi && !(c->machine->features & SVM_CPUID_VIRT_NMI), "vintr, offset 060h",
		 v->vintr, "virtual NMIs (bit 26) need a CPU with them", "15.21.10");
	svm_rule(c, nmi && !(v->intercepts & VMCB_INTERCEPT_NMI), "vintr, offset 060h", v->vintr,
		 "virtual NMIs (bit 26) need NMIs to be intercepted", "15.21.10");
}

static bool svm_pat_valid(uint64_t pat)
{
	for (unsigned i = 0; i < 8; i++, pat >>= 8) {
		uint8_t type = pat & 0xff;

		if (type > 7 || type == 2 || type == 3) /* 7.8.1 */
			return false;
	}
	return true;
}

static void svm_check_nested(struct svm_check *c)
{
	bool nested = c->control->nested_control & VMCB_NESTED_PAGING;

	svm_rule(c, nested && (c->control->nested_cr3 & svm_beyond(c)), "N_CR3",
		 c->control->nested_cr3, "bits beyond the physical address width must be 0",
		 NESTED);
	svm_rule(c, nested && !svm_pat_valid(c->state->pat), "G_PAT", c->state->pat,
		 "each byte must be 0, 1, 4, 5, 6 or 7", NESTED);
}

static void svm_check_event(struct svm_check *c)
{
	uint64_t info = c->state->event_inj;
	unsigned type = (info & VMCB_EVENT_TYPE) >> VMCB_EVENT_TYPE_SHIFT;
	unsigned vector = info & VMCB_EVENT_VECTOR;
	bool code64 = (c->state->efer & EFER_LMA) && (c->state->cs_attrib & SEG_ATTR_L);
	bool valid = info & VMCB_EVENT_VALID;
	bool exception = valid && type == VMCB_EVENT_EXCEPTION;

	svm_rule(c, valid && (type == 1 || type > VMCB_EVENT_SOFT), "EVENTINJ", info,
		 "TYPE (bits 10:8) must be 0, 2, 3 or 4", INJECTION);
	svm_rule(c, exception && (vector >= EXCEPTION_COUNT || (VECTORS_NONE >> vector & 1)),
		 "EVENTINJ", info, "the vector of TYPE 3 must be that of an exception", INJECTION);
	svm_rule(c, exception && code64 && (vector == EXCEPTION_OF || vector == EXCEPTION_BR),
		 "EVENTINJ", info, "#OF and #BR cannot happen in 64-bit mode", INJECTION);
}

unsigned svm_explain_check(const struct svm_entry_state *state, const struct vmcb_control *control,
			   const struct svm_machine *machine, svm_rule_fn fn, void *opaque)
{
	struct svm_check c = {state, control, machine, fn, opaque, 0};

	svm_check_registers(&c);
	svm_check_long_mode(&c);
	svm_check_control(&c);
	svm_check_virtual(&c);
	svm_check_nested(&c);
	svm_check_event(&c);
	return c.broken;
}
