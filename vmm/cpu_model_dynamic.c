/* SPDX-License-Identifier: BSD-2-Clause */
/* What CPUID answers by the vCPU that asks, or by what that has switched on. */
#include "vmm/cpu_model.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "vmm/fpu.h"
#include "vmm/hook/hook_cpuid.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/hv_ops.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define CPUID_1_EDX_APIC     BIT(9)
#define CPUID_1_EBX_ID_SHIFT 24
#define CPUID_D1_EAX_XSAVEC  BIT(1)

/* The local APIC of a VM that has one is ours, whatever the machine's can do. */
static void basic(void *opaque __unused, struct vcpu *vcpu, uint32_t leaf __unused,
		  uint32_t subleaf __unused, struct cpuid_regs *regs)
{
	uint64_t apic;

	regs->ebx |= vcpu->index << CPUID_1_EBX_ID_SHIFT;
	if (hv_ops->get_reg(vcpu, VCPU_CR4) & CR4_OSXSAVE)
		regs->ecx |= CPUID_1_ECX_OSXSAVE;
	if (hook_msr_read(vcpu, MSR_APIC_BASE, &apic) || !apic)
		return;
	regs->ecx |= CPUID_1_ECX_X2APIC;
	if (!cpu_model_vendor(vcpu->vm)->tsc_varies)
		regs->ecx |= CPUID_1_ECX_TSC_DEADLINE;
	if (apic & APIC_BASE_ENABLE)
		regs->edx |= CPUID_1_EDX_APIC;
}

/* Leaf 0xb: behind the last level, ECX is the subleaf alone. */
static void topology(void *opaque __unused, struct vcpu *vcpu, uint32_t leaf __unused,
		     uint32_t subleaf, struct cpuid_regs *regs)
{
	regs->edx = vcpu->index;
	if (subleaf > 1)
		regs->ecx = subleaf & 0xff;
}

/* Sizes of the XSAVE area with what is enabled now: SDM vol. 1, 13.2. */
static void xsave(void *opaque __unused, struct vcpu *vcpu, uint32_t leaf __unused,
		  uint32_t subleaf, struct cpuid_regs *regs)
{
	/* All of it is 0 without XSAVE. */
	if (subleaf == 0 && regs->eax)
		regs->ebx = fpu_xsave_size(fpu_xcr0(vcpu));
	else if (subleaf == 1 && (regs->eax & CPUID_D1_EAX_XSAVEC))
		regs->ebx = fpu_xsavec_size(fpu_xcr0(vcpu));
}

/* 8000001E: the APIC id, and the core's number, in node 0 of one. */
static void core(void *opaque __unused, struct vcpu *vcpu, uint32_t leaf __unused,
		 uint32_t subleaf __unused, struct cpuid_regs *regs)
{
	regs->eax = vcpu->index;
	regs->ebx = vcpu->index;
}

#define HOOK(leaf_, fn_)                                                             \
	{                                                                            \
		.first = (leaf_), .last = (leaf_), .fn = (fn_), .owner = "processor" \
	}
static const struct hook_cpuid hooks[] = {
	HOOK(1, basic),
	HOOK(0xb, topology),
	HOOK(0xd, xsave),
	HOOK(0x8000001e, core),
};

int cpu_model_hook(struct vm *vm)
{
	/* A CPU without extended topology does not have the last one's leaf. */
	size_t count = cpu_model_has_topoext(vm) ? ARRAY_SIZE(hooks) : ARRAY_SIZE(hooks) - 1;
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = hook_cpuid_add(vm, &hooks[i]);
	return err;
}

void cpu_model_destroy(struct vm *vm)
{
	for (size_t i = 0; vm->hooks && i < ARRAY_SIZE(hooks); i++)
		hook_cpuid_remove(vm, &hooks[i]);
}
