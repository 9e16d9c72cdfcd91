/* SPDX-License-Identifier: BSD-2-Clause */
/* What of the guest is in no register (26.3.1.5). */
#include "arch/x86_64/cpu.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_check_rules.h"

#define STATE "26.3.1.5"

/* Activity states and interruptibility (24.4.2). */
enum { ACTIVE, HLT, SHUTDOWN, WAIT_FOR_SIPI };
#define BY_STI	 BIT(0)
#define BY_MOVSS BIT(1)
#define BY_SMI	 BIT(2)
#define BY_NMI	 BIT(3)
#define ENCLAVE	 BIT(4)

#define PENDING_RESERVED ~UINT64_C(0x1580f)
#define PENDING_BS	 BIT(14)
#define PENDING_RTM	 BIT(16)
#define DEBUGCTL_BTF	 BIT(1)

/* Whether the event that is injected may be, in @activity. */
static bool vmx_check_wakes(const struct vmx_check *c, uint32_t activity)
{
	unsigned type = VMX_EVENT_TYPE(c->event), vector = c->event & VMX_EVENT_VECTOR;
	bool mc = type == VMX_EVENT_EXCEPTION && vector == 18;
	bool db = type == VMX_EVENT_EXCEPTION && vector == 1;

	switch (activity) {
	case HLT:
		return type == VMX_EVENT_EXTERNAL || type == VMX_EVENT_NMI || db || mc ||
		       (type == VMX_EVENT_OTHER && vector == 0);
	case SHUTDOWN:
		return type == VMX_EVENT_NMI || mc;
	default:
		return activity != WAIT_FOR_SIPI;
	}
}

static void vmx_check_activity(struct vmx_check *c, uint32_t activity, uint32_t blocking)
{
	/* Bit @activity of this is set when the CPU has it: all have the active state. */
	unsigned has = (unsigned)(c->m->misc >> 6 & 7) << 1 | 1;

	vmx_rule(c, VMCS_GUEST_ACTIVITY, activity > WAIT_FOR_SIPI || !(has >> activity & 1),
		 "must be one of 0 to 3 that this CPU has", STATE);
	vmx_rule(c, VMCS_GUEST_ACTIVITY,
		 activity == HLT && (vmx_check_get(c, VMCS_GUEST_SS_ACCESS_RIGHTS) >> 5 & 3),
		 "HLT (1) needs DPL 0 in SS's access rights", STATE);
	vmx_rule(c, VMCS_GUEST_ACTIVITY, activity && (blocking & (BY_STI | BY_MOVSS)),
		 "must be active (0) while STI or MOV SS blocks", STATE);
	vmx_rule(c, VMCS_GUEST_ACTIVITY, c->event && !vmx_check_wakes(c, activity),
		 "must be one that the event which is injected can end", STATE);
	vmx_rule(c, VMCS_GUEST_ACTIVITY,
		 activity == WAIT_FOR_SIPI && vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_TO_SMM),
		 "must not be wait-for-SIPI (3) with \"entry to SMM\"", STATE);
}

static void vmx_check_blocking(struct vmx_check *c, uint32_t blocking)
{
	bool external = c->event && VMX_EVENT_TYPE(c->event) == VMX_EVENT_EXTERNAL;
	bool nmi = VMX_EVENT_TYPE(c->event) == VMX_EVENT_NMI;
	uint32_t field = VMCS_GUEST_INTERRUPTIBILITY;

	vmx_rule_zero(c, true, field, 0xffffffe0, "bits 31:5 must be 0", STATE);
	vmx_rule(c, field, (blocking & BY_STI) && (blocking & BY_MOVSS),
		 "STI and MOV SS (bits 0 and 1) must not both block", STATE);
	vmx_rule_zero(c, !(c->rflags & RFLAGS_IF), field, BY_STI,
		      "STI (bit 0) must not block while RFLAGS.IF is 0", STATE);
	vmx_rule_zero(c, external, field, BY_STI | BY_MOVSS,
		      "STI and MOV SS must not block an external interrupt that is injected",
		      STATE);
	vmx_rule_zero(c, nmi, field, BY_MOVSS, "MOV SS must not block an NMI that is injected",
		      STATE);
	vmx_rule_zero(c, true, field, BY_SMI, "bit 2 (blocking by SMI) is for a CPU in SMM", STATE);
	vmx_rule(c, field,
		 vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_TO_SMM) && !(blocking & BY_SMI),
		 "bit 2 (blocking by SMI) must be 1 with \"entry to SMM\"", STATE);
	vmx_rule_zero(c, nmi && vmx_check_on(c, VMX_WORD_PIN, VMX_PIN_VIRTUAL_NMIS), field, BY_NMI,
		      "an NMI must not block one that is injected, with \"virtual NMIs\"", STATE);
	vmx_rule_zero(c, blocking & ENCLAVE, field, BY_MOVSS,
		      "MOV SS must not block in an enclave (bit 4)", STATE);
}

static void vmx_check_pending(struct vmx_check *c, uint32_t activity, uint32_t blocking)
{
	uint32_t field = VMCS_GUEST_PENDING_DEBUG;
	uint64_t pending = vmx_check_get(c, field);
	bool late = activity == HLT || (blocking & (BY_STI | BY_MOVSS));
	bool step =
		(c->rflags & RFLAGS_TF) && !(vmx_check_get(c, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);
	bool rtm = pending & PENDING_RTM;

	vmx_rule_zero(c, true, field, PENDING_RESERVED, "bits 10:4, 13, 15 and 63:17 must be 0",
		      STATE);
	vmx_rule(c, field, late && step && !(pending & PENDING_BS),
		 "BS (bit 14) must be 1 while single-stepping is held up by STI, MOV SS or HLT",
		 STATE);
	vmx_rule_zero(c, late && !step, field, PENDING_BS,
		      "BS (bit 14) must be 0 while nothing is single-stepped", STATE);
	vmx_rule_zero(c, rtm, field, 0xefff & ~PENDING_RESERVED,
		      "with RTM (bit 16), bits 11:0 and 15:13 must be 0", STATE);
	vmx_rule(c, field, rtm && !(pending & BIT(12)), "with RTM (bit 16), bit 12 must be 1",
		 STATE);
	vmx_rule(c, field, rtm && (blocking & BY_MOVSS), "with RTM (bit 16), MOV SS must not block",
		 STATE);
}

static void vmx_check_link(struct vmx_check *c)
{
	uint64_t link = vmx_check_get(c, VMCS_LINK_POINTER);
	bool used = link != UINT64_MAX;
	bool shadow = vmx_check_on(c, VMX_WORD_PROC2, VMX_PROC2_VMCS_SHADOWING);
	uint32_t revision = 0;
	bool seen = used && !(link & (c->beyond | 0xfff)) &&
		    c->in->memory(c->in->opaque, link, &revision, sizeof(revision));

	vmx_rule_phys(c, used, VMCS_LINK_POINTER, 12, STATE);
	vmx_rule(c, VMCS_LINK_POINTER,
		 seen && VMX_BASIC_REVISION(revision) != VMX_BASIC_REVISION(c->m->basic),
		 "the VMCS there must be of this CPU's revision", STATE);
	vmx_rule(c, VMCS_LINK_POINTER, seen && (revision >> 31) != shadow,
		 "the VMCS there must be a shadow VMCS exactly with \"VMCS shadowing\"", STATE);
	vmx_rule(c, VMCS_LINK_POINTER, used && link == c->in->vmcs, "must not be this VMCS itself",
		 STATE);
}

void vmx_check_state(struct vmx_check *c)
{
	uint32_t activity = vmx_check_get(c, VMCS_GUEST_ACTIVITY);
	uint32_t blocking = vmx_check_get(c, VMCS_GUEST_INTERRUPTIBILITY);

	vmx_check_activity(c, activity, blocking);
	vmx_check_blocking(c, blocking);
	vmx_check_pending(c, activity, blocking);
	vmx_check_link(c);
}
