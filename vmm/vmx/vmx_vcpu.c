/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's VMCS: its controls and the architecture's reset state. */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_apic.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_cr.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"
#include "vmm/vmx/vmx_msr_area.h"

#include <errno.h>

/* A vCPU that spins gives the CPU away after PAUSEs for so many ticks, at most so many apart. */
#define VMX_PLE_GAP    128
#define VMX_PLE_WINDOW 65536

/*
 * How long a guest may run without an exit: a way out that does not depend on
 * interrupts (Bochs 2.7 does not interrupt a guest whose IF is clear). At most
 * 50 exits a second are for nothing.
 */
#define VMX_LONGEST_RUN_NS (20 * NSEC_PER_MSEC)

#define VMX_NO_LINK UINT64_MAX

/* SDM vol. 3A, table 9-1. */
#define RESET_CR0  UINT64_C(0x60000010)
#define RESET_DR6  UINT64_C(0xffff0ff0)
#define RESET_DR7  UINT64_C(0x400)
#define RESET_PAT  UINT64_C(0x0007040600070406)
#define RESET_DATA (SEG_ATTR_P | SEG_ATTR_S | 0x3u)
#define RESET_CODE (SEG_ATTR_P | SEG_ATTR_S | 0xbu)
#define RESET_LDT  (SEG_ATTR_P | 0x2u)
#define RESET_TSS  (SEG_ATTR_P | 0xbu)

/*
 * Each entry counts down from it (25.5.1), so it is written once and costs
 * nothing. In ticks of 1, 2, 4 … of the TSC's.
 */
static uint32_t vmx_vcpu_longest_run(void)
{
	uint64_t ticks =
		time_ns_to_tsc(VMX_LONGEST_RUN_NS) >> VMX_MISC_TIMER_SHIFT(vmx_machine.misc);

	return (uint32_t)MIN(MAX(ticks, UINT64_C(1)), (uint64_t)UINT32_MAX);
}

static void vmx_vcpu_init_execution(struct vcpu *vcpu)
{
	const struct vmx_machine *m = &vmx_machine;
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	vmx->proc = m->proc.used;
	vmx_write(VMCS_PIN_CONTROLS, m->pin.used);
	if (vmx_uses(&m->pin, VMX_PIN_PREEMPTION_TIMER))
		vmx_write(VMCS_PREEMPTION_TIMER, vmx_vcpu_longest_run());
	vmx_write(VMCS_PROC_CONTROLS, vmx->proc);
	vmx_write(VMCS_EXCEPTION_BITMAP, VMX_EXCEPTIONS);
	vmx_write(VMCS_PAGE_FAULT_MASK, 0);
	vmx_write(VMCS_PAGE_FAULT_MATCH, 0);
	vmx_write(VMCS_CR3_TARGET_COUNT, 0);
	vmx_write(VMCS_TSC_OFFSET, vcpu->tsc_offset);
	if (vmx_uses(&m->proc2, VMX_PROC2_PAUSE_LOOP)) {
		vmx_write(VMCS_PLE_GAP, VMX_PLE_GAP);
		vmx_write(VMCS_PLE_WINDOW, VMX_PLE_WINDOW);
	}
	/* Every leaf function of SGX, which CPUID does not offer, is #UD. */
	if (vmx_uses(&m->proc2, VMX_PROC2_ENCLS))
		vmx_write(VMCS_ENCLS_EXITING_BITMAP, UINT64_MAX);
}

/* What all vCPUs of the VM have in common. */
static void vmx_vcpu_init_vm(struct vcpu *vcpu)
{
	const struct vmx_vm *vm = vcpu->vm->hv;

	vmx_write(VMCS_IO_BITMAP_A, paging_phys(vm->io));
	vmx_write(VMCS_IO_BITMAP_B, paging_phys(vm->io + PAGE_SIZE));
	vmx_write(VMCS_EPT_POINTER, vm->eptp);
	vmx_write(VMCS_CR0_MASK, VMX_CR0_OURS);
	vmx_write(VMCS_CR4_MASK, vmx_cr4_ours(vcpu));
}

static void vmx_vcpu_init_switch(struct vcpu *vcpu)
{
	vmx_write(VMCS_EXIT_CONTROLS, vmx_machine.exit.used);
	vmx_write(VMCS_ENTRY_CONTROLS, vmx_machine.entry.used);
	vmx_msr_area_write(vmx_of(vcpu));
	vmx_write(VMCS_ENTRY_INTERRUPTION_INFO, 0);
	vmx_write(VMCS_LINK_POINTER, VMX_NO_LINK);
}

static void vmx_vcpu_init_segments(struct vcpu *vcpu)
{
	static const struct vcpu_segment segments[VCPU_SEGS] = {
		[SEG_ES] = {.attrib = RESET_DATA, .limit = 0xffff},
		[SEG_CS] = {0xf000, RESET_CODE, 0xffff, 0xffff0000},
		[SEG_SS] = {.attrib = RESET_DATA, .limit = 0xffff},
		[SEG_DS] = {.attrib = RESET_DATA, .limit = 0xffff},
		[SEG_FS] = {.attrib = RESET_DATA, .limit = 0xffff},
		[SEG_GS] = {.attrib = RESET_DATA, .limit = 0xffff},
		[SEG_LDTR] = {.attrib = RESET_LDT, .limit = 0xffff},
		[SEG_TR] = {.attrib = RESET_TSS, .limit = 0xffff},
		[SEG_GDTR] = {.limit = 0xffff},
		[SEG_IDTR] = {.limit = 0xffff},
	};

	for (unsigned seg = 0; seg < VCPU_SEGS; seg++)
		vmx_set_seg(vcpu, seg, &segments[seg]);
}

static void vmx_vcpu_init_state(struct vcpu *vcpu)
{
	static const struct {
		uint8_t reg; /* enum vcpu_reg */
		uint64_t value;
	} regs[] = {
		{VCPU_RSP, 0},		{VCPU_RFLAGS, RFLAGS_FIXED},
		{VCPU_EFER, 0},		{VCPU_CR0, RESET_CR0},
		{VCPU_CR3, 0},		{VCPU_CR4, 0},
		{VCPU_CR2, 0},		{VCPU_CR8, 0},
		{VCPU_DR6, RESET_DR6},	{VCPU_DR7, RESET_DR7},
		{VCPU_PAT, RESET_PAT},	{VCPU_SYSENTER_CS, 0},
		{VCPU_SYSENTER_ESP, 0}, {VCPU_SYSENTER_EIP, 0},
		{VCPU_DEBUGCTL, 0},	{VCPU_STAR, 0},
		{VCPU_LSTAR, 0},	{VCPU_CSTAR, 0},
		{VCPU_SFMASK, 0},	{VCPU_KERNEL_GS_BASE, 0},
	};

	vmx_write(VMCS_GUEST_ACTIVITY, 0);
	vmx_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmx_write(VMCS_GUEST_PENDING_DEBUG, 0);
	/* A new VMCS holds nothing in particular, and vmx_run() writes only what differs. */
	vmx_write(VMCS_GUEST_RIP, vmx_of(vcpu)->rip);
	/* What setting a register reads of others. */
	vmx_write(VMCS_GUEST_CR0, CR0_NE);
	vmx_write(VMCS_GUEST_CR4, CR4_VMXE);
	vmx_msr_set(vmx_of(vcpu), VMX_SWITCHED_EFER, 0);
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		vmx_set_reg(vcpu, regs[i].reg, regs[i].value);
}

void vmx_vcpu_reset(struct vcpu *vcpu)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);

	vmx_vcpu_init_execution(vcpu);
	vmx_vcpu_init_vm(vcpu);
	vmx_apic_reset(vcpu);
	vmx_vcpu_init_switch(vcpu);
	vmx_vcpu_init_state(vcpu);
	vmx_vcpu_init_segments(vcpu);
	vmx_vmcs_end(loan);
}

static void vmx_vcpu_free(struct vm *vm, struct vmx_vcpu *vmx)
{
	if (vmx->apic)
		page_free(&vm->owner, vmx->apic, PAGE_ORDER_4K);
	if (vmx->vmcs)
		page_free(&vm->owner, vmx->vmcs, PAGE_ORDER_4K);
	vmx_msr_area_destroy(vmx);
	kfree(vmx);
}

int vmx_vcpu_create(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = kzalloc(sizeof(*vmx));

	if (!vmx)
		return -ENOMEM;
	vmx->vmcs = page_alloc_zeroed(&vcpu->vm->owner, PAGE_ORDER_4K);
	vmx->apic = page_alloc_zeroed(&vcpu->vm->owner, PAGE_ORDER_4K);
	if (!vmx->vmcs || !vmx->apic || vmx_msr_area_create(vmx)) {
		vmx_vcpu_free(vcpu->vm, vmx);
		return -ENOMEM;
	}
	if (!vmx_in_msr_area(&vmx_machine, VMX_SWITCHED_EFER))
		vmx->efer_vmcs = vmx->vmcs;
	vmx->vmcs->revision = VMX_BASIC_REVISION(vmx_machine.basic);
	vmx->vmcs_phys = paging_phys(vmx->vmcs);
	vmx->cpu = UINT32_MAX;
	vmx->prepare = true;
	/* Before its first use (24.11.3). */
	vmx_vmclear(vmx->vmcs_phys);
	vcpu->hv = vmx;
	vmx_vcpu_reset(vcpu);
	return 0;
}

void vmx_vcpu_destroy(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_of(vcpu);

	if (!vmx)
		return;
	if (this_cpu()->world == vcpu)
		vmx_world_leave();
	vmx_vcpu_free(vcpu->vm, vmx);
	vcpu->hv = NULL;
}
