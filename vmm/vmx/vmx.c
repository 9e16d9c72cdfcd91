/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intel VT-x behind vmm/hv_ops.h (SDM vol. 3C, chapters 23-30), with nested
 * paging and unrestricted guests. Sections are numbered as in vmx_field.h.
 */
#include "vmm/vmx/vmx.h"
#include "vmm/hv_ops.h"
#include "vmm/vmx/vmx_apic.h"
#include "vmm/vmx/vmx_cpu_model.h"
#include "vmm/vmx/vmx_event.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

static void vmx_tsc_changed(struct vcpu *vcpu)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);

	vmx_write(VMCS_TSC_OFFSET, vcpu->tsc_offset);
	vmx_vmcs_end(loan);
}

static const struct hv_ops vmx_ops = {
	.name = "VT-x",
	.cpu = &vmx_cpu_vendor,
	.probe = vmx_probe,
	.cpu_enable = vmx_cpu_enable,
	.cpu_disable = vmx_cpu_disable,
	.report = vmx_report,
	.vm_create = vmx_vm_create,
	.vm_destroy = vmx_vm_destroy,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_destroy = vmx_vcpu_destroy,
	.vcpu_reset = vmx_vcpu_reset,
	.run = vmx_run,
	.leave_world = vmx_world_leave,
	.get_reg = vmx_get_reg,
	.set_reg = vmx_set_reg,
	.get_seg = vmx_get_seg,
	.set_seg = vmx_set_seg,
	.get_mode = vmx_get_mode,
	.get_cpl = vmx_get_cpl,
	.mode_is = vmx_mode_is,
	.irq_allowed = vmx_irq_allowed,
	.nmi_allowed = vmx_nmi_allowed,
	.request_irq_window = vmx_request_irq_window,
	.request_nmi_window = vmx_request_nmi_window,
	.set_tpr_threshold = vmx_set_tpr_threshold,
	.virtualize_apic = vmx_virtualize_apic,
	.update_apic = vmx_update_apic,
	.insn_done = vmx_insn_done,
	.map = vmx_map,
	.unmap = vmx_unmap,
	.flush = vmx_flush,
	.intercept_io = vmx_intercept_io,
	.intercept_msr = vmx_intercept_msr,
	.tsc_changed = vmx_tsc_changed,
	.explain = vmx_explain,
	.dump = vmx_dump,
};
HV_OPS_REGISTER(vmx_ops);
