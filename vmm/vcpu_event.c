/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions on their way into a vCPU, and what happens to what was on its way already. */
#include "vmm/vcpu.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "vmm/hv_ops.h"
#include "vmm/vm_debug.h"

#define EXCEPTION_CP 21 /* control protection */
#define EXCEPTION_SX 30 /* APM vol. 2, 8.2.20 */

enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

/* APM vol. 2, 8.2.9; SDM vol. 3A, table 6-4. */
static enum fault_class class_of(uint8_t vector)
{
	switch (vector) {
	case EXCEPTION_DE:
	case EXCEPTION_TS:
	case EXCEPTION_NP:
	case EXCEPTION_SS:
	case EXCEPTION_GP:
	case EXCEPTION_CP:
	case EXCEPTION_SX:
		return CONTRIBUTORY;
	case EXCEPTION_PF:
		return PAGE_FAULT;
	case EXCEPTION_DF:
		return DOUBLE_FAULT;
	default:
		return BENIGN;
	}
}

/*
 * A fault takes the place of an event whose delivery it interrupted. An
 * interrupt was acknowledged and an NMI is not raised again: they are kept for
 * later. INT n is executed again, because RIP is still at it.
 */
static void put_off(struct vcpu *vcpu)
{
	if (vcpu->event.type == EVENT_EXT_INT)
		vcpu->deferred = vcpu->event;
	else if (vcpu->event.type == EVENT_NMI)
		vcpu->nmi_pending = true;
	if (vcpu->event.type == EVENT_EXT_INT || vcpu->event.type == EVENT_NMI)
		vcpu_request(vcpu, VCPU_REQ_IRQ);
}

void vcpu_inject_exception(struct vcpu *vcpu, uint8_t vector, bool has_error, uint32_t error)
{
	enum fault_class first = BENIGN, second = class_of(vector);

	if (vcpu->event.type == EVENT_EXCEPTION)
		first = class_of(vcpu->event.vector);
	else
		put_off(vcpu);

	if (first == DOUBLE_FAULT && second != BENIGN) {
		vcpu_fail(vcpu, "triple fault: exception %u while a double fault was delivered",
			  vector);
		return;
	}
	if ((first == CONTRIBUTORY && second == CONTRIBUTORY) ||
	    (first == PAGE_FAULT && (second == CONTRIBUTORY || second == PAGE_FAULT))) {
		vector = EXCEPTION_DF;
		has_error = true;
		error = 0;
	}
	vcpu->event = (struct vcpu_event){.type = EVENT_EXCEPTION,
					  .vector = vector,
					  .has_error = has_error,
					  .error = has_error ? error : 0};
}

void vcpu_inject_ud(struct vcpu *vcpu)
{
	vcpu_inject_exception(vcpu, EXCEPTION_UD, false, 0);
}

void vcpu_inject_gp(struct vcpu *vcpu, uint32_t error)
{
	vcpu_inject_exception(vcpu, EXCEPTION_GP, true, error);
}

void vcpu_inject_page_fault(struct vcpu *vcpu, gva_t address, uint32_t error)
{
	hv_ops->set_reg(vcpu, VCPU_CR2, address);
	vcpu_inject_exception(vcpu, EXCEPTION_PF, true, error);
}

void vcpu_inject_step(struct vcpu *vcpu)
{
	hv_ops->set_reg(vcpu, VCPU_DR6, hv_ops->get_reg(vcpu, VCPU_DR6) | DR6_BS);
	if (!vm_debug_takes(vcpu, EXCEPTION_DB))
		vcpu_inject_exception(vcpu, EXCEPTION_DB, false, 0);
}
