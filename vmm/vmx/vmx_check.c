/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_check.h"
#include "arch/x86_64/cpu.h"
#include "vmm/vmx/vmx_check_rules.h"

static void vmx_rule_say(struct vmx_check *c, uint32_t field, bool broken, uint64_t bits,
			 const char *text, const char *section)
{
	const struct vmx_rule rule = {
		.field = field,
		.broken = broken,
		.value = broken ? vmx_check_get(c, field) : 0,
		.bits = bits,
		.text = text,
		.section = section,
	};

	c->broken += broken;
	c->fn(c->opaque, &rule);
}

void vmx_rule(struct vmx_check *c, uint32_t field, bool broken, const char *text,
	      const char *section)
{
	vmx_rule_say(c, field, broken, 0, text, section);
}

void vmx_rule_zero(struct vmx_check *c, bool when, uint32_t field, uint64_t bits, const char *text,
		   const char *section)
{
	bits = when ? vmx_check_get(c, field) & bits : 0;
	vmx_rule_say(c, field, bits, bits, text, section);
}

void vmx_rule_phys(struct vmx_check *c, bool when, uint32_t field, unsigned bits,
		   const char *section)
{
	vmx_rule_zero(c, when, field, BIT(bits) - 1,
		      bits == 12  ? "bits 11:0 must be 0"
		      : bits == 6 ? "bits 5:0 must be 0"
				  : "bits 3:0 must be 0",
		      section);
	vmx_rule_zero(c, when, field, c->beyond, "bits beyond the physical address width must be 0",
		      section);
}

static unsigned vmx_linear_bits(const struct vmx_check *c)
{
	return c->m->cr4_valid & CR4_LA57 ? 57 : 48;
}

static bool vmx_sign_extended(uint64_t address, unsigned from)
{
	int64_t high = (int64_t)address >> from;

	return high == 0 || high == -1;
}

bool vmx_canonical(const struct vmx_check *c, uint64_t address)
{
	return vmx_sign_extended(address, vmx_linear_bits(c) - 1);
}

void vmx_rule_canonical(struct vmx_check *c, bool when, uint32_t field, const char *section)
{
	vmx_rule(c, field, when && !vmx_canonical(c, vmx_check_get(c, field)),
		 "must be a canonical address", section);
}

void vmx_rule_linear(struct vmx_check *c, bool when, uint32_t field, const char *section)
{
	vmx_rule(c, field, when && !vmx_sign_extended(vmx_check_get(c, field), vmx_linear_bits(c)),
		 "bits beyond the linear address width must all be the same", section);
}

bool vmx_pat_valid(uint64_t pat)
{
	for (unsigned i = 0; i < 8; i++, pat >>= 8) {
		uint8_t type = pat & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

void vmx_rule_pat(struct vmx_check *c, bool when, uint32_t field, const char *section)
{
	vmx_rule(c, field, when && !vmx_pat_valid(vmx_check_get(c, field)),
		 "each byte must be 0, 1, 4, 5, 6 or 7", section);
}

void vmx_rule_cet(struct vmx_check *c, bool when, uint32_t field, const char *section)
{
	uint64_t trackers = BIT(10) | BIT(11); /* SUPPRESS and TRACKER */

	vmx_rule_canonical(c, when, field, section);
	vmx_rule_zero(c, when, field, 0x3c0, "bits 9:6 are reserved and must be 0", section);
	vmx_rule(c, field, when && (vmx_check_get(c, field) & trackers) == trackers,
		 "bits 10 and 11 must not both be 1", section);
	vmx_rule_zero(c, when, field + 2, 3, "bits 1:0 must be 0", section);
	vmx_rule_linear(c, when, field + 2, section);
	vmx_rule_canonical(c, when, field + 4, section);
}

static void vmx_check_begin(struct vmx_check *c)
{
	uint32_t event = vmx_check_get(c, VMCS_ENTRY_INTERRUPTION_INFO);

	c->beyond = ~(BIT(c->m->phys_bits) - 1);
	c->words[VMX_WORD_PIN] = vmx_check_get(c, VMCS_PIN_CONTROLS);
	c->words[VMX_WORD_PROC] = vmx_check_get(c, VMCS_PROC_CONTROLS);
	if (vmx_check_on(c, VMX_WORD_PROC, VMX_PROC_SECONDARY))
		c->words[VMX_WORD_PROC2] = vmx_check_get(c, VMCS_PROC2_CONTROLS);
	c->words[VMX_WORD_EXIT] = vmx_check_get(c, VMCS_EXIT_CONTROLS);
	c->words[VMX_WORD_ENTRY] = vmx_check_get(c, VMCS_ENTRY_CONTROLS);
	c->cr0 = vmx_check_get(c, VMCS_GUEST_CR0);
	c->cr4 = vmx_check_get(c, VMCS_GUEST_CR4);
	c->rflags = vmx_check_get(c, VMCS_GUEST_RFLAGS);
	c->event = event & VMX_EVENT_VALID ? event : 0;
	c->unrestricted = vmx_check_on(c, VMX_WORD_PROC2, VMX_PROC2_UNRESTRICTED_GUEST);
	c->ia32e = vmx_check_on(c, VMX_WORD_ENTRY, VMX_ENTRY_IA32E_GUEST);
	c->v86 = c->rflags & RFLAGS_VM;
	c->host64 = vmx_check_on(c, VMX_WORD_EXIT, VMX_EXIT_HOST_64);
}

unsigned vmx_check(const struct vmx_check_input *in, vmx_rule_fn fn, void *opaque)
{
	struct vmx_check c = {.in = in, .m = in->machine, .fn = fn, .opaque = opaque};

	vmx_check_begin(&c);
	vmx_check_controls(&c);
	vmx_check_entry_event(&c);
	vmx_check_host(&c);
	vmx_check_guest(&c);
	vmx_check_segs(&c);
	vmx_check_state(&c);
	vmx_check_msrs(&c);
	return c.broken;
}
