/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD SVM behind vmm/hv_ops.h (APM vol. 2, chapter 15), with nested paging.
 */
#include "vmm/svm/svm.h"
#include "vmm/hv_ops.h"
#include "vmm/svm/svm_cpu_model.h"
#include "vmm/svm/svm_event.h"

static void svm_tsc_changed(struct vcpu *vcpu)
{
	svm_of(vcpu)->vmcb->control.tsc_offset = vcpu->tsc_offset;
	svm_dirty(svm_of(vcpu), VMCB_CLEAN_I);
}

/* AVIC, which would do it, is not used. */
static uint32_t *svm_virtualize_apic(struct vcpu *vcpu __unused, bool on __unused)
{
	return NULL;
}

static void svm_update_apic(struct vcpu *vcpu __unused, uint8_t requested __unused,
			    uint8_t in_service __unused, const uint64_t level[4] __unused)
{
}

static const struct hv_ops svm_ops = {
	.name = "SVM",
	.cpu = &svm_cpu_vendor,
	.probe = svm_probe,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.report = svm_report,
	.vm_create = svm_vm_create,
	.vm_destroy = svm_vm_destroy,
	.vcpu_create = svm_vcpu_create,
	.vcpu_destroy = svm_vcpu_destroy,
	.vcpu_reset = svm_vcpu_reset,
	.run = svm_run,
	.leave_world = svm_world_leave,
	.get_reg = svm_get_reg,
	.set_reg = svm_set_reg,
	.get_seg = svm_get_seg,
	.set_seg = svm_set_seg,
	.get_mode = svm_get_mode,
	.get_cpl = svm_get_cpl,
	.mode_is = svm_mode_is,
	.irq_allowed = svm_irq_allowed,
	.nmi_allowed = svm_nmi_allowed,
	.request_irq_window = svm_request_irq_window,
	.request_nmi_window = svm_request_nmi_window,
	.set_tpr_threshold = svm_set_tpr_threshold,
	.virtualize_apic = svm_virtualize_apic,
	.update_apic = svm_update_apic,
	.insn_done = svm_insn_done,
	.map = svm_map,
	.unmap = svm_unmap,
	.flush = svm_flush,
	.intercept_io = svm_intercept_io,
	.intercept_msr = svm_intercept_msr,
	.tsc_changed = svm_tsc_changed,
	.explain = svm_explain,
	.dump = svm_dump,
};
HV_OPS_REGISTER(svm_ops);
