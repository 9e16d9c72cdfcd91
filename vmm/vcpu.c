/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vcpu.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "kernel/slab.h"
#include "vmm/cpu_model.h"
#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/flight.h"
#include "vmm/fpu.h"
#include "vmm/hv_ops.h"
#include "vmm/irq.h"
#include "vmm/msr.h"
#include "vmm/post_mortem.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RESET_RIP 0xfff0 /* in the segment at 0xffff0000: APM vol. 2, 14.1.5 */

uint64_t vcpu_gpr(struct vcpu *vcpu, unsigned n)
{
	return n == GPR_RSP ? hv_ops->get_reg(vcpu, VCPU_RSP) : vcpu->gpr[n];
}

void vcpu_set_gpr(struct vcpu *vcpu, unsigned n, uint64_t value)
{
	if (n == GPR_RSP)
		hv_ops->set_reg(vcpu, VCPU_RSP, value);
	else
		vcpu->gpr[n] = value;
}

unsigned vcpu_cpl(struct vcpu *vcpu)
{
	return hv_ops->get_cpl(vcpu);
}

/*
 * No request is ever slept through. The bits are set (a locked instruction)
 * before the vCPU is woken, and the run loop looks at them last of all before
 * it enters the guest, with interrupts off from there until the guest runs:
 *
 * - it is blocked, or about to block: sched_wake() makes it ready, or counts
 *   as come while it ran, and vcpu_run() begins with another look;
 * - it runs on another CPU: sched_wake() sends that CPU a message. If the loop
 *   looked before the bits were set, then the message is still to come or
 *   pending when the guest is entered, and ends its run at once or soon;
 * - it runs on this CPU: then this is a handler of its exit, or an interrupt
 *   or timer at its irq_window(), and the loop looks again before it enters.
 *
 * Who finds all bits set already leaves the waking to whoever set them.
 */
void vcpu_request(struct vcpu *vcpu, uint32_t bits)
{
	uint32_t old = __atomic_fetch_or(&vcpu->requests, bits, __ATOMIC_SEQ_CST);

	if ((old & bits) == bits)
		return;
	if (READ_ONCE(vcpu->in_loop) && vcpu->entity.cpu == this_cpu()->index)
		return;
	sched_wake(&vcpu->entity);
}

void vcpu_clear_request(struct vcpu *vcpu, uint32_t bits)
{
	__atomic_fetch_and(&vcpu->requests, ~bits, __ATOMIC_SEQ_CST);
}

/*
 * The caller's request came before this load, the loop's in_loop comes before
 * its look at the requests, both in one order for all: when this reads false,
 * the loop is left or will see the request before the guest runs.
 */
bool vcpu_may_run(struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->in_loop, __ATOMIC_SEQ_CST);
}

int vcpu_create(struct vm *vm, uint32_t index, struct vcpu **out)
{
	struct vcpu *vcpu = kzalloc(sizeof(*vcpu));
	int err = -ENOMEM;

	if (!vcpu)
		return -ENOMEM;
	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->exited = true;
	err = fpu_create(vcpu);
	if (err)
		goto free_vcpu;
	err = vcpu_emulate_create(vcpu);
	if (err)
		goto destroy_fpu;
	err = flight_create(vcpu);
	if (err)
		goto destroy_emulate;
	err = hv_ops->vcpu_create(vcpu);
	if (err)
		goto destroy_flight;
	*out = vcpu;
	return 0;

destroy_flight:
	flight_destroy(vcpu);
destroy_emulate:
	vcpu_emulate_destroy(vcpu);
destroy_fpu:
	fpu_destroy(vcpu);
free_vcpu:
	kfree(vcpu);
	return err;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	hv_ops->vcpu_destroy(vcpu);
	flight_destroy(vcpu);
	vcpu_emulate_destroy(vcpu);
	fpu_destroy(vcpu);
	kfree(vcpu);
}

/* What reset and INIT have in common. */
static void reset_execution(struct vcpu *vcpu)
{
	memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
	vcpu->gpr[GPR_RDX] = cpu_model_signature(vcpu->vm);
	vcpu->rip = RESET_RIP;
	vcpu->event = (struct vcpu_event){0};
	vcpu->deferred = (struct vcpu_event){0};
	vcpu->nmi_pending = false;
	vcpu->state = vcpu->index ? VCPU_WAIT_SIPI : VCPU_RUNNABLE;
	hv_ops->vcpu_reset(vcpu);
	irq_reset(vcpu);
}

/* MSRs that the vendor keeps. EFER is cleared (APM vol. 2, table 14-1). */
static const uint8_t kept_by_init[] = {
	VCPU_PAT,	   VCPU_STAR,		VCPU_LSTAR,	  VCPU_CSTAR,
	VCPU_SFMASK,	   VCPU_KERNEL_GS_BASE, VCPU_SYSENTER_CS, VCPU_SYSENTER_ESP,
	VCPU_SYSENTER_EIP, VCPU_DEBUGCTL,
};

void vcpu_init_signal(struct vcpu *vcpu)
{
	uint64_t caching = hv_ops->get_reg(vcpu, VCPU_CR0) & (CR0_CD | CR0_NW);
	uint64_t values[ARRAY_SIZE(kept_by_init)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kept_by_init); i++)
		values[i] = hv_ops->get_reg(vcpu, kept_by_init[i]);
	fpu_save(vcpu);
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	reset_execution(vcpu);
	for (i = 0; i < ARRAY_SIZE(kept_by_init); i++)
		hv_ops->set_reg(vcpu, kept_by_init[i], values[i]);
	hv_ops->set_reg(vcpu, VCPU_CR0,
			(hv_ops->get_reg(vcpu, VCPU_CR0) & ~(CR0_CD | CR0_NW)) | caching);
}

void vcpu_reset(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->requests, 0, __ATOMIC_SEQ_CST);
	fpu_reset(vcpu);
	msr_reset(vcpu);
	reset_execution(vcpu);
}

void vcpu_fail(struct vcpu *vcpu, const char *fmt, ...)
{
	char why[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	vcpu->state = VCPU_STOPPED;
	post_mortem(vcpu, why);
	snprintf(vcpu->vm->why, sizeof(vcpu->vm->why), "%s", why);
	vm_request(vcpu->vm, VM_REQUEST_CRASH, NULL);
}
