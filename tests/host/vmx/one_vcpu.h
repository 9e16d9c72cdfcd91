/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU of VT-x without a machine, for tests that put what they like into its VMCS. */
#ifndef TESTS_HOST_VMX_ONE_VCPU_H
#define TESTS_HOST_VMX_ONE_VCPU_H

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/exceptions.h"
#include "vmm/exit.h"
#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_controls.h"
#include "vmm/vmx/vmx_exit_reason.h"
#include "vmm/vmx/vmx_field.h"
#include "vmm/vmx/vmx_insn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct vmx_machine vmx_machine;
static struct hv_cpu hv_cpu;
static struct cpu cpu = {.hv = &hv_cpu};
__thread struct cpu *fake_cpu = &cpu;
static struct vmcs vmcs;
static struct vmx_vcpu vmx;
static struct vcpu vcpu;
static uint64_t fields[0x8000];
static unsigned reads, writes;
static uint64_t dr6;

uint64_t vmx_read(uint32_t field)
{
	reads++;
	return fields[field];
}

void vmx_write(uint32_t field, uint64_t value)
{
	writes++;
	fields[field] = value;
}

struct vmx_loan vmx_vmcs_borrow(struct vcpu *v)
{
	(void)v;
	fail_msg("the VMCS is current");
	return (struct vmx_loan){NULL};
}

void vmx_vmcs_return(struct vmx_vcpu *v)
{
	(void)v;
}

uint64_t vmx_get_reg(struct vcpu *v, enum vcpu_reg reg)
{
	(void)v;
	assert_int_equal(reg, VCPU_DR6);
	return dr6;
}

void vmx_set_reg(struct vcpu *v, enum vcpu_reg reg, uint64_t value)
{
	(void)v;
	assert_int_equal(reg, VCPU_DR6);
	dr6 = value;
}

void vcpu_inject_step(struct vcpu *v)
{
	dr6 |= DR6_BS;
	v->event = (struct vcpu_event){.type = EVENT_EXCEPTION, .vector = EXCEPTION_DB};
}

static int setup(void **state)
{
	(void)state;
	memset(fields, 0, sizeof(fields));
	vmx = (struct vmx_vcpu){.vmcs = &vmcs, .rip = 0x1000};
	vcpu = (struct vcpu){.hv = &vmx, .rip = 0x1000};
	hv_cpu.current = &vmcs;
	vmx_machine = (struct vmx_machine){0};
	fields[VMCS_GUEST_RIP] = 0x1000;
	fields[VMCS_GUEST_RFLAGS] = RFLAGS_FIXED | RFLAGS_IF;
	fields[VMCS_GUEST_CR0] = CR0_PE;
	dr6 = 0xffff0ff0;
	reads = writes = 0;
	return 0;
}

#endif
