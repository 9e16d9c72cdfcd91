/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One stub per vector: each brings the stack to struct exception_frame
 * (exceptions.h) and calls exceptions_dispatch(frame). All are 16 bytes long.
 * GS is not touched, neither is the FPU: both may be a guest's.
 */
	.text
	.balign 16
	.globl	exceptions_stubs
exceptions_stubs:
	.set	vector, 0
	.rept	256
	.balign 16
	/* #DF #TS #NP #SS #GP #PF #AC #CP #VC #SX push an error code themselves. */
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq	$0
	.endif
	.if vector < 128
	pushq	$vector
	.else
	pushq	$vector - 256		/* one byte; made positive below */
	.endif
	jmp	common
	.set	vector, vector + 1
	.endr

common:
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movzbl	15*8(%rsp), %eax
	movq	%rax, 15*8(%rsp)
	/* For the backtrace, a frame that returns to the interrupted instruction. */
	pushq	17*8(%rsp)
	pushq	%rbp
	movq	%rsp, %rbp
	leaq	16(%rsp), %rdi
	call	exceptions_dispatch
	addq	$16, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
	iretq

	.globl	cpu_idle, cpu_idle_hlt, cpu_idle_awake
	.type	cpu_idle, @function
cpu_idle:
	sti
cpu_idle_hlt:
	hlt
cpu_idle_awake:
	cli
	ret
	.size	cpu_idle, . - cpu_idle

	.section .note.GNU-stack, "", @progbits
