/* SPDX-License-Identifier: BSD-2-Clause */
/* What an exit loads (24.5, 27.5). All of it is constant while a CPU runs, but differs among CPUs.
 */
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/desc.h"
#include "arch/x86_64/msr.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"
#include "vmm/vmx/vmx_msr_area.h"
#include "vmm/vmx/vmx_run.h"

/* vmx_run.S. */
extern const char vmx_run_exited[];

static void vmx_host_write_segments(void)
{
	vmx_write(VMCS_HOST_CS_SELECTOR, DESC_CODE);
	vmx_write(VMCS_HOST_SS_SELECTOR, DESC_DATA);
	vmx_write(VMCS_HOST_DS_SELECTOR, DESC_DATA);
	vmx_write(VMCS_HOST_ES_SELECTOR, DESC_DATA);
	vmx_write(VMCS_HOST_FS_SELECTOR, 0);
	vmx_write(VMCS_HOST_GS_SELECTOR, 0);
	vmx_write(VMCS_HOST_TR_SELECTOR, DESC_TSS);
	vmx_write(VMCS_HOST_FS_BASE, 0);
	vmx_write(VMCS_HOST_GS_BASE, 0);
}

/* A TSS's base, from its descriptor (SDM vol. 3A, 7.2.3). */
static uint64_t vmx_host_tr_base(const uint64_t gdt[])
{
	uint64_t low = gdt[DESC_TSS / 8], high = gdt[DESC_TSS / 8 + 1];

	return (low >> 16 & 0xffffff) | (low >> 56) << 24 | high << 32;
}

static void vmx_host_write_tables(void)
{
	struct desc_pointer gdtr, idtr;

	__asm__ volatile("sgdt %0" : "=m"(gdtr));
	__asm__ volatile("sidt %0" : "=m"(idtr));
	/* Their limits become FFFFh (27.5.2): vectors and our selectors lie below the real ones. */
	vmx_write(VMCS_HOST_GDTR_BASE, gdtr.base);
	vmx_write(VMCS_HOST_IDTR_BASE, idtr.base);
	vmx_write(VMCS_HOST_TR_BASE, vmx_host_tr_base((const uint64_t *)gdtr.base));
}

static void vmx_host_write_area(struct vmx_msr_area *area)
{
	for (uint32_t i = 0; area && i < area->count; i++)
		area->host[i].value = msr_read(area->host[i].index);
}

void vmx_host_write(struct vmx_vcpu *vmx)
{
	vmx_write(VMCS_HOST_CR0, cpu_read_cr0());
	vmx_write(VMCS_HOST_CR3, cpu_read_cr3());
	vmx_write(VMCS_HOST_CR4, cpu_read_cr4());
	vmx_host_write_segments();
	vmx_host_write_tables();
	vmx_write(VMCS_HOST_SYSENTER_CS, 0);
	vmx_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmx_write(VMCS_HOST_SYSENTER_EIP, 0);
	if (vmx_uses(&vmx_machine.exit, VMX_EXIT_LOAD_PAT))
		vmx_write(VMCS_HOST_PAT, msr_read(MSR_PAT));
	if (vmx_uses(&vmx_machine.exit, VMX_EXIT_LOAD_EFER))
		vmx_write(VMCS_HOST_EFER, msr_read(MSR_EFER));
	vmx_host_write_area(vmx->area);
	vmx_write(VMCS_HOST_RIP, (uint64_t)vmx_run_exited);
}
