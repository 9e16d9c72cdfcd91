/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU of SVM without a machine, for tests that put what they like into its VMCB. */
#ifndef TESTS_HOST_SVM_ONE_VCPU_H
#define TESTS_HOST_SVM_ONE_VCPU_H

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/irq.h"
#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/exit.h"
#include "vmm/svm/svm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct svm_machine svm_machine;
static struct cpu cpu;
__thread struct cpu *fake_cpu = &cpu;
static struct hv_cpu hv_cpu;
static struct vmcb vmcb;
static struct svm_vcpu svm;
static struct vcpu vcpu;
static struct vm_exit ex;
static unsigned kicks;
static const uint8_t *code = (const uint8_t *)""; /* at RIP */
static unsigned code_len;

void irq_send(uint32_t apic_id, uint8_t vector)
{
	(void)apic_id;
	assert_int_equal(vector, IRQ_VECTOR_KICK);
	kicks++;
}

void vcpu_request(struct vcpu *v, uint32_t bits)
{
	v->requests |= bits;
}

unsigned vcpu_emulate_fetch(struct vcpu *v, uint8_t bytes[15])
{
	(void)v;
	memcpy(bytes, code, code_len);
	return code_len;
}

void svm_world_load_cr2(struct vcpu *vcpu)
{
	(void)vcpu;
}

void svm_world_leave(void)
{
}

void vcpu_inject_step(struct vcpu *v)
{
	v->event = (struct vcpu_event){.type = EVENT_EXCEPTION, .vector = EXCEPTION_DB};
}

static int setup(void **state)
{
	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&ex, 0, sizeof(ex));
	svm = (struct svm_vcpu){.vmcb = &vmcb};
	vcpu = (struct vcpu){.hv = &svm, .rip = 0x1000};
	vmcb.save.cr0 = CR0_PE;
	vmcb.control.exceptions = SVM_EXCEPTIONS;
	svm_machine = (struct svm_machine){0};
	cpu.hv = &hv_cpu;
	kicks = 0;
	return 0;
}

/* #VMEXIT as the hardware does it. */
static void vmexit(uint64_t code, uint64_t rip, uint64_t int_info)
{
	vmcb.control.exit_code = code;
	vmcb.control.exit_int_info = int_info;
	vmcb.save.rip = rip;
	svm_exited_injected(&vcpu, &ex);
}

#endif
