/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A started CPU begins here in real mode, CS:IP = page:0 (Intel SDM vol. 3A,
 * 8.4.3). smp.c has copied this to a page below 1 MiB; it goes straight to long
 * mode, on page tables that also map this one page where it is, and from there
 * to smp_enter() on its own tables and stack. Patches itself while paging is
 * off: later the page is only executable.
 */
#include "arch/x86_64/desc.h"
#include "arch/x86_64/trampoline.h"

#define CR0_BITS      0x80010003	/* PG WP MP PE */
#define CR4_PAE	      0x20
#define MSR_EFER      0xc0000080
#define EFER_LME_NXE  0x900

#define LOCAL(symbol) ((symbol) - trampoline_start)
#define DATA(field)   (TRAMPOLINE_MAX + (field))

	.section .rodata.trampoline, "a"
	.globl	trampoline_start
	.code16
trampoline_start:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	xorl	%ebx, %ebx
	movw	%ax, %bx
	shll	$4, %ebx		/* where this page is */
	addl	%ebx, LOCAL(gdtr) + 2
	addl	%ebx, LOCAL(target)
	lgdtl	LOCAL(gdtr)

	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	DATA(TRAMPOLINE_CR3), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME_NXE, %eax
	wrmsr
	movl	$CR0_BITS, %eax
	movl	%eax, %cr0
	ljmpl	*LOCAL(target)

	.code64
entry64:
	movl	$DESC_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%ebx, %ebx
	movq	DATA(TRAMPOLINE_TABLES)(%rbx), %rax
	movq	DATA(TRAMPOLINE_STACK)(%rbx), %rsp
	movq	DATA(TRAMPOLINE_CPU)(%rbx), %rdi
	movq	$trampoline_exit, %rdx
	jmp	*%rdx

	.balign 8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* DESC_CODE: 64-bit, marked accessed */
	.quad	0x00cf93000000ffff	/* DESC_DATA */
gdtr:
	.word	gdtr - gdt - 1
	.long	LOCAL(gdt)
target:
	.long	LOCAL(entry64)
	.word	DESC_CODE
	.org	TRAMPOLINE_MAX

	/* In the image: from here on the trampoline's page is gone. */
	.text
trampoline_exit:
	movq	%rax, %cr3
	xorl	%ebp, %ebp		/* the end of a backtrace */
	call	smp_enter
	ud2

	.section .note.GNU-stack, "", @progbits
