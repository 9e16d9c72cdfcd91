/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rules of an entry are written with. Each is a call that is made
 * whatever the state is, so that the tests know all there are; what it depends
 * on is part of its condition.
 */
#ifndef VMM_VMX_VMX_CHECK_RULES_H
#define VMM_VMX_VMX_CHECK_RULES_H

#include "lib/compiler.h"
#include "vmm/vmx/vmx_check.h"
#include "vmm/vmx/vmx_choose.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_field.h"

struct vmx_check {
	const struct vmx_check_input *in;
	const struct vmx_machine *m;
	vmx_rule_fn fn;
	void *opaque;
	unsigned broken;
	uint32_t words[VMX_CONTROL_WORDS]; /* the secondary controls: 0 while not activated */
	uint64_t beyond;		   /* the physical address width */
	uint64_t cr0, cr4, rflags;
	uint32_t event;	   /* VM-entry interruption information; 0: none */
	bool unrestricted; /* guest */
	bool ia32e;	   /* guest */
	bool v86;	   /* guest */
	bool host64;
};

#define HIGH_HALF UINT64_C(0xffffffff00000000)

/* IA32_PERF_GLOBAL_CTRL: no model has more than 32 + 16 counters and the metrics (18.2.2). */
#define VMX_PERF_GLOBAL_RESERVED (~(BIT(49) - 1))

/* VM-entry interruption information (24.8.3). */
#define VMX_EVENT_VECTOR     0xffu
#define VMX_EVENT_TYPE(info) ((info) >> 8 & 7)
#define VMX_EVENT_EXTERNAL   0u
#define VMX_EVENT_NMI	     2u
#define VMX_EVENT_EXCEPTION  3u
#define VMX_EVENT_SOFTWARE   4u /* to 6 */
#define VMX_EVENT_OTHER	     7u
#define VMX_EVENT_HAS_ERROR  BIT(11)
#define VMX_EVENT_RESERVED   (0x7ffff000u)
#define VMX_EVENT_VALID	     BIT(31)

static inline uint64_t vmx_check_get(const struct vmx_check *c, uint32_t field)
{
	return c->in->read(c->in->opaque, field);
}

static inline bool vmx_check_on(const struct vmx_check *c, enum vmx_word word, uint32_t bits)
{
	return c->words[word] & bits;
}

/* @broken: @field is not as @text, which is in @section, wants it. */
void vmx_rule(struct vmx_check *c, uint32_t field, bool broken, const char *text,
	      const char *section);
/* While @when, the @bits of @field must be 0. */
void vmx_rule_zero(struct vmx_check *c, bool when, uint32_t field, uint64_t bits, const char *text,
		   const char *section);
/* While @when, @field must have a physical address whose lower @bits (4, 6 or 12) are 0. */
void vmx_rule_phys(struct vmx_check *c, bool when, uint32_t field, unsigned bits,
		   const char *section);
void vmx_rule_canonical(struct vmx_check *c, bool when, uint32_t field, const char *section);
/* Bits 63:N must be the same, N the linear address width: one more is allowed than above. */
void vmx_rule_linear(struct vmx_check *c, bool when, uint32_t field, const char *section);
/* IA32_PAT takes it (11.12.2). */
bool vmx_pat_valid(uint64_t pat);
void vmx_rule_pat(struct vmx_check *c, bool when, uint32_t field, const char *section);
/* IA32_S_CET, SSP and IA32_INTERRUPT_SSP_TABLE_ADDR, whose fields follow each other. */
void vmx_rule_cet(struct vmx_check *c, bool when, uint32_t field, const char *section);
bool vmx_canonical(const struct vmx_check *c, uint64_t address);

/* One file each. */
void vmx_check_controls(struct vmx_check *c);
void vmx_check_entry_event(struct vmx_check *c);
void vmx_check_host(struct vmx_check *c);
void vmx_check_guest(struct vmx_check *c);
void vmx_check_segs(struct vmx_check *c);
void vmx_check_state(struct vmx_check *c);
void vmx_check_msrs(struct vmx_check *c);

#endif
