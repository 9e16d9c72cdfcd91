/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmx/vmx_cpu.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/paging.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "vmm/vmx/vmx_caps.h"
#include "vmm/vmx/vmx_choose.h"
#include "vmm/vmx/vmx_insn.h"
#include "vmm/vmx/vmx_vpid.h"

#include <errno.h>

struct page_owner vmx_owner;

/* Firmware that did not lock the switch left it to us; VMXON needs it locked (23.7). */
static int vmx_cpu_unlock(void)
{
	uint64_t control = msr_read(VMX_MSR_FEATURE_CONTROL);

	if (!(control & VMX_FEATURE_CONTROL_LOCK)) {
		control |= VMX_FEATURE_CONTROL_VMXON | VMX_FEATURE_CONTROL_LOCK;
		return msr_write_safe(VMX_MSR_FEATURE_CONTROL, control);
	}
	if (control & VMX_FEATURE_CONTROL_VMXON)
		return 0;
	log_error("vmx: CPU %u: the firmware has locked VT-x off (IA32_FEATURE_CONTROL %#lx), "
		  "though not on the boot CPU: look for newer firmware",
		  this_cpu()->index, control);
	return -ENODEV;
}

/* A VM goes to any CPU, with what the boot CPU's capabilities allow. */
static int vmx_cpu_compare(void)
{
	struct vmx_machine own;
	const char *difference;

	vmx_read_machine(&own);
	difference = vmx_difference(&vmx_machine, &own);
	if (!difference)
		return 0;
	log_error("vmx: CPU %u differs from the boot CPU in %s: leave it out (cpus=), or look "
		  "for newer firmware",
		  this_cpu()->index, difference);
	return -ENODEV;
}

/* What VMX operation asks of the control registers (23.8), CR4.VMXE among it. */
static int vmx_cpu_fix_registers(void)
{
	const struct vmx_machine *m = &vmx_machine;
	uint64_t cr0 = cpu_read_cr0() | m->cr0_fixed0;
	uint64_t cr4 = cpu_read_cr4() | m->cr4_fixed0 | CR4_VMXE;

	if ((cr0 & ~m->cr0_fixed1) || (cr4 & ~m->cr4_fixed1)) {
		log_error("vmx: CPU %u: VMX operation forbids our CR0 %#lx (of %#lx) or CR4 %#lx "
			  "(of %#lx)",
			  this_cpu()->index, cr0, m->cr0_fixed1, cr4, m->cr4_fixed1);
		return -ENODEV;
	}
	cpu_write_cr0(cr0);
	cpu_write_cr4(cr4);
	return 0;
}

static void vmx_cpu_free(struct hv_cpu *hv)
{
	if (hv->vmxon)
		page_free(&vmx_owner, hv->vmxon, PAGE_ORDER_4K);
	kfree(hv);
}

/* The region begins with the revision (24.11.5); it is 4 KiB at most (A.1). */
static struct hv_cpu *vmx_cpu_alloc(void)
{
	struct hv_cpu *hv = kzalloc(sizeof(*hv));

	if (!hv)
		return NULL;
	hv->vmxon = page_alloc_zeroed(&vmx_owner, PAGE_ORDER_4K);
	if (!hv->vmxon) {
		vmx_cpu_free(hv);
		return NULL;
	}
	*(uint32_t *)hv->vmxon = VMX_BASIC_REVISION(vmx_machine.basic);
	return hv;
}

int vmx_cpu_enable(void)
{
	struct cpu *cpu = this_cpu();
	struct hv_cpu *hv;
	int err = vmx_cpu_unlock();

	if (!err)
		err = vmx_cpu_compare();
	if (err)
		return err;
	hv = vmx_cpu_alloc();
	if (!hv)
		return -ENOMEM;
	err = vmx_cpu_fix_registers();
	if (err)
		goto free;
	if (!vmx_vmxon(paging_phys(hv->vmxon))) {
		log_error("vmx: CPU %u: VMXON refuses its region (revision %#x), or VMX operation "
			  "is on already: was this CPU left clean by what ran before?",
			  cpu->index, VMX_BASIC_REVISION(vmx_machine.basic));
		err = -EIO;
		goto clear_vmxe;
	}
	vmx_vpid_cpu_init(hv);
	cpu->hv = hv;
	return 0;

clear_vmxe:
	cpu_write_cr4(cpu_read_cr4() & ~CR4_VMXE);
free:
	vmx_cpu_free(hv);
	return err;
}

void vmx_cpu_disable(void)
{
	struct cpu *cpu = this_cpu();

	if (!cpu->hv)
		return;
	vmx_vmxoff();
	cpu_write_cr4(cpu_read_cr4() & ~CR4_VMXE);
	cpu->hv = NULL;
}
