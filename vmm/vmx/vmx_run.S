/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into the guest and back. Entry and exit switch RSP, RIP, RFLAGS, the
 * segments with their tables and the control registers (SDM vol. 3C, 26.3.2,
 * 27.5); the general registers are ours to move.
 */
#include "vmm/vmx/vmx_run.h"

	.text
/*
 * void vmx_run(struct vcpu *vcpu, struct vm_exit *exit): hv_ops->run. All that
 * seldom is to be done before an entry is vmx_run_prepare()'s. Interrupts are
 * off throughout: external ones end the guest's run whatever IF says (25.2).
 */
	.globl	vmx_run
	.type	vmx_run, @function
vmx_run:
	movq	VCPU_HV(%rdi), %rax
	movzbl	VMX_VCPU_PREPARE(%rax), %ecx
	orb	VCPU_EVENT_TYPE(%rdi), %cl
	jnz	.Lprepare
.Lprepared:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi
	pushq	%rdi
	cmpq	%rsp, VMX_VCPU_HOST_RSP(%rax)
	jne	.Lwrite_host_rsp
.Lhost_rsp_written:
	movq	VCPU_RIP(%rdi), %rcx
	cmpq	%rcx, VMX_VCPU_RIP(%rax)
	je	.Lrip_written
	movl	$FIELD_GUEST_RIP, %edx
	vmwrite	%rcx, %rdx
.Lrip_written:
	/* MOV leaves the comparison's result alone. If it fails, the VM is stopped and its VMCS cleared. */
	cmpb	$0, VMX_VCPU_LAUNCHED(%rax)
	movb	$1, VMX_VCPU_LAUNCHED(%rax)
	movq	VCPU_GPR(0)(%rdi), %rax
	movq	VCPU_GPR(1)(%rdi), %rcx
	movq	VCPU_GPR(2)(%rdi), %rdx
	movq	VCPU_GPR(3)(%rdi), %rbx
	movq	VCPU_GPR(5)(%rdi), %rbp
	movq	VCPU_GPR(6)(%rdi), %rsi
	movq	VCPU_GPR(8)(%rdi), %r8
	movq	VCPU_GPR(9)(%rdi), %r9
	movq	VCPU_GPR(10)(%rdi), %r10
	movq	VCPU_GPR(11)(%rdi), %r11
	movq	VCPU_GPR(12)(%rdi), %r12
	movq	VCPU_GPR(13)(%rdi), %r13
	movq	VCPU_GPR(14)(%rdi), %r14
	movq	VCPU_GPR(15)(%rdi), %r15
	movq	VCPU_GPR(7)(%rdi), %rdi
	je	.Llaunch
	vmresume
	jmp	.Lrefused
.Llaunch:
	vmlaunch
	jmp	.Lrefused
	.size	vmx_run, . - vmx_run

/* HOST_RIP: the general registers are the guest's, RSP is what it was at the entry. */
	.globl	vmx_run_exited
	.type	vmx_run_exited, @function
vmx_run_exited:
	pushq	%rax
	movq	8(%rsp), %rax
	popq	VCPU_GPR(0)(%rax)
	movq	%rcx, VCPU_GPR(1)(%rax)
	movq	%rdx, VCPU_GPR(2)(%rax)
	movq	%rbx, VCPU_GPR(3)(%rax)
	movq	%rbp, VCPU_GPR(5)(%rax)
	movq	%rsi, VCPU_GPR(6)(%rax)
	movq	%rdi, VCPU_GPR(7)(%rax)
	movq	%r8, VCPU_GPR(8)(%rax)
	movq	%r9, VCPU_GPR(9)(%rax)
	movq	%r10, VCPU_GPR(10)(%rax)
	movq	%r11, VCPU_GPR(11)(%rax)
	movq	%r12, VCPU_GPR(12)(%rax)
	movq	%r13, VCPU_GPR(13)(%rax)
	movq	%r14, VCPU_GPR(14)(%rax)
	movq	%r15, VCPU_GPR(15)(%rax)
	popq	%rdi
	popq	%rsi
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	jmp	vmx_exited
	.size	vmx_run_exited, . - vmx_run_exited

	.type	vmx_run_seldom, @function
vmx_run_seldom:
.Lprepare:
	pushq	%rdi
	pushq	%rsi
	subq	$8, %rsp
	call	vmx_run_prepare
	addq	$8, %rsp
	popq	%rsi
	popq	%rdi
	movq	VCPU_HV(%rdi), %rax
	jmp	.Lprepared

.Lwrite_host_rsp:
	movq	%rsp, VMX_VCPU_HOST_RSP(%rax)
	movl	$FIELD_HOST_RSP, %edx
	vmwrite	%rsp, %rdx
	jmp	.Lhost_rsp_written

/* The guest did not run (30.2): its registers are still in memory. */
.Lrefused:
	popq	%rdi
	popq	%rsi
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	jmp	vmx_run_refused
	.size	vmx_run_seldom, . - vmx_run_seldom

	.section .note.GNU-stack, "", @progbits
