/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers between the vCPU's neutral form and where they are; control registers: vmx_cr.c. */
#include "arch/x86_64/cpu.h"
#include "kernel/panic.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_apic.h"
#include "vmm/vmx/vmx_cr.h"
#include "vmm/vmx/vmx_event.h"
#include "vmm/vmx/vmx_exit_reason.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"
#include "vmm/vmx/vmx_msr_area.h"

/* Those that are a field of the VMCS and nothing more. */
static const uint16_t vmx_reg_fields[VCPU_REGS] = {
	[VCPU_RSP] = VMCS_GUEST_RSP,
	[VCPU_RFLAGS] = VMCS_GUEST_RFLAGS,
	[VCPU_DR7] = VMCS_GUEST_DR7,
	[VCPU_SYSENTER_CS] = VMCS_GUEST_SYSENTER_CS,
	[VCPU_SYSENTER_ESP] = VMCS_GUEST_SYSENTER_ESP,
	[VCPU_SYSENTER_EIP] = VMCS_GUEST_SYSENTER_EIP,
	[VCPU_DEBUGCTL] = VMCS_GUEST_DEBUGCTL,
};

#define WORLD_MSR(reg) ((enum vmx_world_msr)((reg)-VCPU_STAR))
_Static_assert(WORLD_MSR(VCPU_LSTAR) == VMX_WORLD_LSTAR, "enum vcpu_reg");
_Static_assert(WORLD_MSR(VCPU_CSTAR) == VMX_WORLD_CSTAR, "enum vcpu_reg");
_Static_assert(WORLD_MSR(VCPU_SFMASK) == VMX_WORLD_SFMASK, "enum vcpu_reg");
_Static_assert(WORLD_MSR(VCPU_KERNEL_GS_BASE) == VMX_WORLD_KERNEL_GS, "enum vcpu_reg");

static bool vmx_reg_live(struct vcpu *vcpu)
{
	return this_cpu()->world == vcpu;
}

static uint64_t vmx_reg_read(struct vcpu *vcpu, enum vcpu_reg reg)
{
	switch (reg) {
	case VCPU_CR0:
	case VCPU_CR3:
	case VCPU_CR4:
	case VCPU_EFER:
		return vmx_cr_get(vcpu, reg);
	case VCPU_PAT:
		return vmx_msr_get(vmx_of(vcpu), VMX_SWITCHED_PAT);
	case VCPU_INTR_SHADOW:
		return vmx_read(VMCS_GUEST_INTERRUPTIBILITY) & VMX_SHADOW ? 1 : 0;
	case VCPU_NMI_MASKED:
		return vmx_read(VMCS_GUEST_INTERRUPTIBILITY) & VMX_BLOCKED_NMI ? 1 : 0;
	default:
		BUG_ON(reg >= VCPU_REGS || !vmx_reg_fields[reg]);
		return vmx_read(vmx_reg_fields[reg]);
	}
}

static __noinline uint64_t vmx_get_in_vmcs(struct vcpu *vcpu, enum vcpu_reg reg)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);
	uint64_t value = vmx_reg_read(vcpu, reg);

	vmx_vmcs_end(loan);
	return value;
}

/* CR8 is asked for at each interrupt: first, and without a frame. */
uint64_t vmx_get_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	if (likely(reg == VCPU_CR8))
		return vmx_apic_cr8(vmx_of(vcpu));
	switch (reg) {
	case VCPU_CR2:
		return vmx_reg_live(vcpu) ? cpu_read_cr2() : vmx_of(vcpu)->cr2;
	case VCPU_DR6:
		return vmx_reg_live(vcpu) ? cpu_read_dr6() : vmx_of(vcpu)->dr6;
	case VCPU_STAR:
	case VCPU_LSTAR:
	case VCPU_CSTAR:
	case VCPU_SFMASK:
	case VCPU_KERNEL_GS_BASE:
		return vmx_world_get_msr(vcpu, WORLD_MSR(reg));
	default:
		return vmx_get_in_vmcs(vcpu, reg);
	}
}

/* The shadow of MOV SS, which is that of STI and more, may stand with IF clear (26.3.1.5). */
static void vmx_set_interruptibility(uint64_t clear, uint64_t set)
{
	uint64_t state = vmx_read(VMCS_GUEST_INTERRUPTIBILITY);

	vmx_write(VMCS_GUEST_INTERRUPTIBILITY, (state & ~clear) | set);
	vmx_event_check_pending();
}

static void vmx_set_rflags(uint64_t value)
{
	uint64_t state = vmx_read(VMCS_GUEST_INTERRUPTIBILITY);

	vmx_write(VMCS_GUEST_RFLAGS, value | RFLAGS_FIXED);
	if (state & VMX_SHADOW)
		vmx_set_interruptibility(VMX_SHADOW, VMX_SHADOW_MOV_SS);
}

static void vmx_reg_write(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	switch (reg) {
	case VCPU_CR0:
	case VCPU_CR3:
	case VCPU_CR4:
	case VCPU_EFER:
		vmx_cr_set(vcpu, reg, value);
		break;
	case VCPU_PAT:
		vmx_msr_set(vmx_of(vcpu), VMX_SWITCHED_PAT, value);
		break;
	case VCPU_RFLAGS:
		vmx_set_rflags(value);
		break;
	case VCPU_INTR_SHADOW:
		vmx_set_interruptibility(VMX_SHADOW, value ? VMX_SHADOW_MOV_SS : 0);
		break;
	case VCPU_NMI_MASKED:
		vmx_set_interruptibility(VMX_BLOCKED_NMI, value ? VMX_BLOCKED_NMI : 0);
		break;
	default:
		BUG_ON(reg >= VCPU_REGS || !vmx_reg_fields[reg]);
		vmx_write(vmx_reg_fields[reg], value);
		break;
	}
}

static void vmx_set_in_vmcs(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);

	vmx_reg_write(vcpu, reg, value);
	vmx_vmcs_end(loan);
}

void vmx_set_reg(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	switch (reg) {
	case VCPU_CR8:
		vmx_apic_set_cr8(vmx, value);
		break;
	case VCPU_CR2:
		vmx->cr2 = value;
		if (vmx_reg_live(vcpu))
			cpu_write_cr2(value);
		break;
	case VCPU_DR6:
		vmx->dr6 = value;
		if (vmx_reg_live(vcpu))
			cpu_write_dr6(value);
		break;
	case VCPU_STAR:
	case VCPU_LSTAR:
	case VCPU_CSTAR:
	case VCPU_SFMASK:
	case VCPU_KERNEL_GS_BASE:
		vmx_world_set_msr(vcpu, WORLD_MSR(reg), value);
		break;
	default:
		vmx_set_in_vmcs(vcpu, reg, value);
		break;
	}
}
