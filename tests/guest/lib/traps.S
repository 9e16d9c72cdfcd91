/* SPDX-License-Identifier: BSD-2-Clause */
/* One stub per vector, all to guest_trap(struct guest_frame *). */
	.altmacro
	.text
	.macro stub vector
	.balign 16
	.if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21 || \vector == 29 || \vector == 30)
	push $0
	.endif
	push $\vector
	jmp trap_common
	.endm

	.balign 16
	.globl guest_stubs
guest_stubs:
	.set i, 0
	.rept 256
	stub %i
	.set i, i + 1
	.endr

trap_common:
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	cld
	call guest_trap
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

/*
 * int guest_try_call(struct guest_try *try, void (*fn)(void *), void *arg):
 * 0 when fn returned, 1 when guest_try_abort(try) came back here.
 */
	.globl guest_try_call
guest_try_call:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rdi)
	mov %rdx, %rdi
	call *%rsi
	xor %eax, %eax
	jmp 1f
	.globl guest_try_abort
guest_try_abort:
	mov (%rdi), %rsp
	mov $1, %eax
1:	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	.section .note.GNU-stack, "", @progbits
