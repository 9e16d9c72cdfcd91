/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person is told: why an entry was refused, and what the VMCS holds. */
#include "arch/x86_64/msr.h"
#include "arch/x86_64/paging.h"
#include "kernel/slab.h"
#include "vmm/hv_ops.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_check.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"
#include "vmm/vmx/vmx_msr_area.h"

#include <string.h>

/* Of the direct map: a slot is an entry of the topmost table. */
#define DIRECT_SIZE ((uint64_t)DIRECT_SLOTS << 39)

#define REFUSED_MSR "entry %u of the MSR list, %s (%#x) = %#lx, is not taken (SDM vol. 3C, 26.4)"

struct vmx_verdict {
	struct vcpu *vcpu;
	hv_print_fn print; /* NULL: the log */
	unsigned rules;
};

/* The fields in the order of vmx_fields[]; those that the CPU does not have are 0. */
struct vmx_snapshot {
	uint64_t values[VMX_FIELD_COUNT];
	bool has[VMX_FIELD_COUNT];
};

static uint64_t vmx_dump_read(void *opaque __unused, uint32_t field)
{
	uint64_t value;

	return vmx_read_safe(field, &value) ? value : 0;
}

static uint64_t vmx_dump_read_snapshot(void *opaque, uint32_t field)
{
	const struct vmx_snapshot *s = opaque;

	for (size_t i = 0; i < VMX_FIELD_COUNT; i++)
		if (vmx_fields[i].encoding == field)
			return s->values[i];
	return 0;
}

/* What lies in no RAM, or in pages that we have not mapped, is not looked at. */
static bool vmx_dump_memory(void *opaque __unused, uint64_t phys, void *data, size_t size)
{
	if (phys >= DIRECT_SIZE - size || !paging_lookup(DIRECT_BASE + phys, NULL) ||
	    !paging_lookup(DIRECT_BASE + phys + size - 1, NULL))
		return false;
	memcpy(data, paging_direct(phys), size);
	return true;
}

static void vmx_explain_rule(void *opaque, const struct vmx_rule *r)
{
	struct vmx_verdict *verdict = opaque;
	const struct vcpu *vcpu = verdict->vcpu;
	const char *field = vmx_field_name(r->field);

	verdict->rules++;
	if (!r->broken)
		return;
	if (verdict->print)
		verdict->print("broken: %s = %#lx: %s (SDM vol. 3C, %s)\n", field, r->value,
			       r->text, r->section);
	else
		vm_log(vcpu->vm, LOG_ERROR, "vcpu %u: VM entry: %s = %#lx: %s (SDM vol. 3C, %s)",
		       vcpu->index, field, r->value, r->text, r->section);
}

/* The entry ended in the middle of the list: what it could not load, by name. */
static void vmx_explain_msr(const struct vmx_verdict *verdict, const struct vmx_check_input *in)
{
	const struct vcpu *vcpu = verdict->vcpu;
	struct vmx_refused_msr msr;

	if (!vmx_check_refused_msr(in, &msr))
		return;
	if (verdict->print)
		verdict->print("broken: " REFUSED_MSR "\n", msr.number,
			       vmx_check_msr_name(msr.index), msr.index, msr.value);
	else
		vm_log(vcpu->vm, LOG_ERROR, "vcpu %u: VM entry: " REFUSED_MSR, vcpu->index,
		       msr.number, vmx_check_msr_name(msr.index), msr.index, msr.value);
}

static unsigned vmx_explain_to(struct vmx_verdict *verdict, struct vmx_snapshot *snapshot)
{
	const struct vmx_check_input in = {
		.machine = &vmx_machine,
		.vmcs = vmx_of(verdict->vcpu)->vmcs_phys,
		.x2apic = msr_read(MSR_APIC_BASE) & APIC_BASE_X2APIC,
		.read = snapshot ? vmx_dump_read_snapshot : vmx_dump_read,
		.memory = vmx_dump_memory,
		.opaque = snapshot,
	};

	vmx_explain_msr(verdict, &in);
	return vmx_check(&in, vmx_explain_rule, verdict);
}

void vmx_explain(struct vcpu *vcpu)
{
	struct vmx_verdict verdict = {.vcpu = vcpu};
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);

	if (!vmx_explain_to(&verdict, NULL))
		vm_log(vcpu->vm, LOG_ERROR,
		       "vcpu %u: VM entry: none of the %u rules of SDM vol. 3C that we know is "
		       "broken",
		       vcpu->index, verdict.rules);
	vmx_vmcs_end(loan);
}

/* VMREAD of a field that the CPU does not have leaves its error in one that it has. */
static void vmx_dump_take(struct vcpu *vcpu, struct vmx_snapshot *s)
{
	struct vmx_loan loan = vmx_vmcs_begin(vcpu);
	uint64_t error = vmx_read(VMCS_INSTRUCTION_ERROR);

	for (size_t i = 0; i < VMX_FIELD_COUNT; i++) {
		s->has[i] = vmx_read_safe(vmx_fields[i].encoding, &s->values[i]);
		if (!s->has[i])
			s->values[i] = 0;
		else if (vmx_fields[i].encoding == VMCS_INSTRUCTION_ERROR)
			s->values[i] = error;
	}
	vmx_vmcs_end(loan);
}

static void vmx_dump_area(const struct vmx_msr_area *area, hv_print_fn print)
{
	for (uint32_t i = 0; area && i < area->count; i++)
		print("MSR area: %s (%#x): the guest's %016lx, ours %016lx\n",
		      vmx_check_msr_name(area->guest[i].index), area->guest[i].index,
		      area->guest[i].value, area->host[i].value);
}

/* Printing may wait, and others need the CPU's current VMCS meanwhile. */
void vmx_dump(struct vcpu *vcpu, hv_print_fn print)
{
	struct vmx_snapshot *s = kzalloc(sizeof(*s));
	struct vmx_verdict verdict = {.vcpu = vcpu, .print = print};

	if (!s) {
		print("no memory\n");
		return;
	}
	vmx_dump_take(vcpu, s);
	for (size_t i = 0; i < VMX_FIELD_COUNT; i++)
		if (s->has[i])
			print("%04x %-48s %0*lx\n", vmx_fields[i].encoding, vmx_fields[i].name,
			      (int)vmx_field_size(vmx_fields[i].encoding) * 2, s->values[i]);
	vmx_dump_area(vmx_of(vcpu)->area, print);
	if (!vmx_explain_to(&verdict, s))
		print("all %u rules of a VM entry that we know are kept\n", verdict.rules);
	kfree(s);
}
