/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into the guest and back. VMRUN and #VMEXIT switch RAX, RSP, RIP, RFLAGS,
 * the segments but FS and GS, and the control registers (APM vol. 2, 15.5.1,
 * 15.6); the other general registers are ours to move.
 */
#include "vmm/svm/svm_run.h"

/*
 * In: vcpu in RDI, exit in RSI. Out: the same, all registers that C wants kept
 * are. GIF is 0 before and after, so STI and CLI do not let anything in here:
 * the host's IF is what masks physical interrupts while the guest runs (15.21.1).
 * STI does not stand right before VMRUN: CPUs let its shadow leak into the guest.
 */
	.macro	SWITCH_TO_GUEST_AND_BACK
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi
	pushq	%rdi
	sti
	movq	VCPU_HV(%rdi), %rax
	movq	SVM_VCPU_VMCB(%rax), %rcx
	movq	SVM_VCPU_VMCB_PHYS(%rax), %rax
	movq	VCPU_RIP(%rdi), %rdx
	movq	VCPU_GPR(0)(%rdi), %rbx
	movq	%rdx, VMCB_RIP(%rcx)
	movq	%rbx, VMCB_RAX(%rcx)

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
	vmrun	%rax
	/*
	 * A step of the guest's that its exit came before: Bochs 2.7 keeps the trap and
	 * raises it here. Whoever does the guest's instruction sees to the guest's trap.
	 */
77:	cli
	.pushsection table_fixup, "a"
	.balign	8
	.quad	77b, 77b
	.popsection
	popq	%rax
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
	movq	%rax, %rdi

	popq	%rsi
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	.endm

	.text
/* void svm_run(struct vcpu *vcpu, struct vm_exit *exit): hv_ops->run. */
	.globl	svm_run
	.type	svm_run, @function
svm_run:
	movq	VCPU_HV(%rdi), %rax
	cmpb	$0, SVM_VCPU_PREPARE(%rax)
	jne	svm_run_prepared
	cmpb	$0, VCPU_EVENT_TYPE(%rdi)
	jne	svm_run_event
	SWITCH_TO_GUEST_AND_BACK
	jmp	svm_exited
	.size	svm_run, . - svm_run

/* void svm_switch(struct vcpu *vcpu, struct vm_exit *exit): the switch alone. */
	.globl	svm_switch
	.type	svm_switch, @function
svm_switch:
	SWITCH_TO_GUEST_AND_BACK
	ret
	.size	svm_switch, . - svm_switch

	.section .note.GNU-stack, "", @progbits
