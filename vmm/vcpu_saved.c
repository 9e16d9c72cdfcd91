/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vcpu_saved.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "vmm/cpu_model.h"
#include "vmm/fpu.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INSN_MAX   15
#define EXCEPTIONS 32

const char *const vcpu_reg_names[VCPU_REGS] = {
	[VCPU_RSP] = "rsp",
	[VCPU_RFLAGS] = "rflags",
	[VCPU_CR0] = "cr0",
	[VCPU_CR2] = "cr2",
	[VCPU_CR3] = "cr3",
	[VCPU_CR4] = "cr4",
	[VCPU_CR8] = "cr8",
	[VCPU_DR6] = "dr6",
	[VCPU_DR7] = "dr7",
	[VCPU_EFER] = "efer",
	[VCPU_PAT] = "pat",
	[VCPU_STAR] = "star",
	[VCPU_LSTAR] = "lstar",
	[VCPU_CSTAR] = "cstar",
	[VCPU_SFMASK] = "sfmask",
	[VCPU_KERNEL_GS_BASE] = "kernel-gs",
	[VCPU_SYSENTER_CS] = "sysenter-cs",
	[VCPU_SYSENTER_ESP] = "sysenter-esp",
	[VCPU_SYSENTER_EIP] = "sysenter-eip",
	[VCPU_DEBUGCTL] = "debugctl",
	[VCPU_INTR_SHADOW] = "shadow",
	[VCPU_NMI_MASKED] = "nmi-masked",
};

const char *const vcpu_seg_names[VCPU_SEGS] = {"es", "cs",   "ss", "ds",   "fs",
					       "gs", "ldtr", "tr", "gdtr", "idtr"};

/* What decides how others are taken comes last: paging, when it is on, sees the rest of it. */
static const uint8_t set_order[] = {
	VCPU_RFLAGS,
	VCPU_CR2,
	VCPU_CR8,
	VCPU_DR6,
	VCPU_DR7,
	VCPU_PAT,
	VCPU_STAR,
	VCPU_LSTAR,
	VCPU_CSTAR,
	VCPU_SFMASK,
	VCPU_KERNEL_GS_BASE,
	VCPU_SYSENTER_CS,
	VCPU_SYSENTER_ESP,
	VCPU_SYSENTER_EIP,
	VCPU_DEBUGCTL,
	VCPU_EFER,
	VCPU_CR4,
	VCPU_CR3,
	VCPU_CR0,
	VCPU_RSP,
	VCPU_INTR_SHADOW,
	VCPU_NMI_MASKED,
};
_Static_assert(ARRAY_SIZE(set_order) == VCPU_REGS, "each register, once");

/* What CPUs leave in segments that are not there differs, and means nothing but CPL in SS. */
static void get_seg(struct vcpu *vcpu, enum vcpu_seg seg, struct vcpu_segment *s)
{
	hv_ops->get_seg(vcpu, seg, s);
	if (seg > SEG_LDTR || (s->attrib & SEG_ATTR_P))
		return;
	s->attrib &= seg == SEG_SS ? 3u << SEG_ATTR_DPL_SHIFT : 0;
	s->limit = 0;
}

void vcpu_saved_get(struct vcpu *vcpu, struct vcpu_saved *saved)
{
	memset(saved, 0, sizeof(*saved));
	memcpy(saved->gpr, vcpu->gpr, sizeof(saved->gpr));
	saved->gpr[GPR_RSP] = hv_ops->get_reg(vcpu, VCPU_RSP);
	saved->rip = vcpu->rip;
	for (unsigned i = 0; i < VCPU_REGS; i++)
		saved->regs[i] = hv_ops->get_reg(vcpu, (enum vcpu_reg)i);
	for (unsigned i = 0; i < VCPU_SEGS; i++)
		get_seg(vcpu, (enum vcpu_seg)i, &saved->segs[i]);
	saved->event = vcpu->event;
	saved->deferred = vcpu->deferred;
	saved->nmi_pending = vcpu->nmi_pending;
	saved->sipi_vector = vcpu->sipi_vector;
	saved->requests = READ_ONCE(vcpu->requests) & VCPU_SAVED_REQUESTS;
	saved->state = vcpu->state;
	saved->tsc_ahead = vcpu->tsc_offset - vcpu->vm->tsc_offset;
	saved->tsc_adjust = vcpu->tsc_adjust;
	saved->tsc_aux = vcpu->tsc_aux;
	memcpy(saved->dr, vcpu->dr, sizeof(saved->dr));
	fpu_state_get(vcpu, &saved->fpu);
}

static int __printf(3, 4) refuse(char *why, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, size, fmt, args);
	va_end(args);
	return -EINVAL;
}

/* Bits that a register may have: by the CPU model, or because ours would refuse to be given more.
 */
static uint64_t allowed(const struct vcpu *vcpu, enum vcpu_reg reg)
{
	switch (reg) {
	case VCPU_CR0:
	case VCPU_DR6:
	case VCPU_DR7:
	case VCPU_SFMASK:
	case VCPU_SYSENTER_CS:
		return UINT32_MAX;
	case VCPU_CR4:
		return vcpu->vm->cr4_allowed;
	case VCPU_CR8:
		return 0xf;
	case VCPU_EFER:
		return cpu_model_efer(vcpu->vm) | EFER_LMA;
	case VCPU_DEBUGCTL:
		return cpu_model_vendor(vcpu->vm)->debugctl;
	case VCPU_INTR_SHADOW:
	case VCPU_NMI_MASKED:
		return 1;
	default:
		return UINT64_MAX;
	}
}

static bool canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static bool is_address(enum vcpu_reg reg)
{
	return reg == VCPU_LSTAR || reg == VCPU_CSTAR || reg == VCPU_KERNEL_GS_BASE ||
	       reg == VCPU_SYSENTER_ESP || reg == VCPU_SYSENTER_EIP;
}

static bool event_valid(const struct vcpu_event *event)
{
	return event->type <= EVENT_SOFT_INT && event->insn_len <= INSN_MAX &&
	       (event->type != EVENT_EXCEPTION || event->vector < EXCEPTIONS);
}

static bool pat_valid(uint64_t pat)
{
	for (unsigned shift = 0; shift < 64; shift += 8) {
		uint8_t type = (uint8_t)(pat >> shift);

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

int vcpu_saved_check(const struct vcpu *vcpu, const struct vcpu_saved *saved, char *why,
		     size_t size)
{
	for (unsigned i = 0; i < VCPU_REGS; i++) {
		uint64_t value = saved->regs[i];

		if ((value & ~allowed(vcpu, (enum vcpu_reg)i)) ||
		    (is_address((enum vcpu_reg)i) && !canonical(value)))
			return refuse(why, size, "%s 0x%" PRIx64, vcpu_reg_names[i], value);
	}
	if (!pat_valid(saved->regs[VCPU_PAT]))
		return refuse(why, size, "pat 0x%" PRIx64, saved->regs[VCPU_PAT]);
	if (!canonical(saved->rip))
		return refuse(why, size, "rip 0x%" PRIx64, saved->rip);
	for (unsigned i = SEG_FS; i < VCPU_SEGS; i++)
		if (!canonical(saved->segs[i].base))
			return refuse(why, size, "%s base 0x%" PRIx64, vcpu_seg_names[i],
				      saved->segs[i].base);
	if (saved->state > VCPU_HALTED)
		return refuse(why, size, "state %u", (unsigned)saved->state);
	if (saved->requests & ~(uint32_t)VCPU_SAVED_REQUESTS)
		return refuse(why, size, "requests 0x%x", saved->requests);
	if (!event_valid(&saved->event) || !event_valid(&saved->deferred))
		return refuse(why, size, "event type %u, vector %u", saved->event.type,
			      saved->event.vector);
	if (saved->tsc_aux & ~(fpu_has_tsc_aux() ? UINT32_MAX : UINT64_C(0)))
		return refuse(why, size, "tsc-aux 0x%" PRIx64, saved->tsc_aux);
	if (fpu_state_check(&saved->fpu))
		return refuse(why, size,
			      "xcr0 0x%" PRIx64 " with components 0x%" PRIx64 ", or mxcsr",
			      saved->fpu.xcr0, saved->fpu.used);
	return 0;
}

static void set_execution(struct vcpu *vcpu, const struct vcpu_saved *saved)
{
	memcpy(vcpu->gpr, saved->gpr, sizeof(vcpu->gpr));
	vcpu->rip = saved->rip;
	vcpu->event = saved->event;
	vcpu->deferred = saved->deferred;
	vcpu->nmi_pending = saved->nmi_pending;
	vcpu->sipi_vector = saved->sipi_vector;
	vcpu->state = saved->state;
}

int vcpu_saved_set(struct vcpu *vcpu, const struct vcpu_saved *saved, char *why, size_t size)
{
	int err = vcpu_saved_check(vcpu, saved, why, size);

	if (err)
		return err;
	set_execution(vcpu, saved);
	for (unsigned i = 0; i < VCPU_SEGS; i++)
		hv_ops->set_seg(vcpu, (enum vcpu_seg)i, &saved->segs[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(set_order); i++)
		hv_ops->set_reg(vcpu, set_order[i], saved->regs[set_order[i]]);
	/*
	 * AMD's CPUs keep 32 bits of where SYSENTER goes, and do not execute it in long mode (APM
	 * vol. 2, 6.1.2). A guest that was there does not enter its kernel where these point to:
	 * without a CS, SYSENTER is #GP (SDM vol. 2B).
	 */
	if (cpu_model_vendor(vcpu->vm)->line == CPU_LINE_COMMON &&
	    (saved->regs[VCPU_EFER] & EFER_LMA) && !(saved->regs[VCPU_SYSENTER_EIP] >> 32))
		hv_ops->set_reg(vcpu, VCPU_SYSENTER_CS, 0);
	vcpu->tsc_adjust = saved->tsc_adjust;
	vcpu->tsc_offset = vcpu->vm->tsc_offset + saved->tsc_ahead;
	vcpu->tsc_aux = saved->tsc_aux;
	memcpy(vcpu->dr, saved->dr, sizeof(vcpu->dr));
	fpu_state_set(vcpu, &saved->fpu);
	/* On its own CPU, before it runs. What it has come to may be deliverable here, too. */
	vcpu_clear_request(vcpu, VCPU_SAVED_REQUESTS);
	vcpu_request(vcpu, saved->requests | VCPU_REQ_TSC | VCPU_REQ_FLUSH | VCPU_REQ_IRQ);
	return 0;
}
