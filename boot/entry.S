/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the loader's hand-over (32-bit protected mode, paging off, Multiboot2
 * specification 3.6.1) to boot_main() in the higher half.
 *
 * UEFI machines may have their memory at our link address in use, so the
 * header allows the loader to put us anywhere below 4 GiB, 2 MiB aligned.
 * Until paging is on, EBP holds where we are less where we are linked.
 */
#include "arch/x86_64/layout.h"
#include "lib/multiboot2.h"

#define COM1	     0x3f8
#define CR0_PE	     0x00000001
#define CR0_MP	     0x00000002
#define CR0_WP	     0x00010000
#define CR0_PG	     0x80000000
#define CR4_PAE	     0x20
#define MSR_EFER     0xc0000080
#define EFER_LME     0x100
#define EFER_NXE     0x800
#define PTE_P_RW     0x3
#define PTE_P_RW_PS  0x83
#define PTE_NX_HIGH  0x80000000
#define SEL_CODE     0x08
#define SEL_DATA     0x10

/* percpu.c: above its guard page. */
#define BOOT_STACK_TOP (percpu_boot_stacks + 4096 + CPU_STACK_SIZE)

#define PHYS(symbol) ((symbol) - IMAGE_BASE)

	.section .multiboot2, "a"
	.balign 8
header:
	.long	MULTIBOOT2_HEADER_MAGIC
	.long	MULTIBOOT2_ARCH_I386
	.long	header_end - header
	.long	-(MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_ARCH_I386 + (header_end - header))

	/* All optional: what is missing, boot_main() notices and names. */
	.balign 8
request:
	.short	MULTIBOOT2_HTAG_INFO_REQUEST, MULTIBOOT2_HTAG_OPTIONAL
	.long	request_end - request
	.long	MULTIBOOT2_TAG_CMDLINE, MULTIBOOT2_TAG_LOADER_NAME, MULTIBOOT2_TAG_MODULE
	.long	MULTIBOOT2_TAG_MMAP, MULTIBOOT2_TAG_FRAMEBUFFER
	.long	MULTIBOOT2_TAG_ACPI_OLD, MULTIBOOT2_TAG_ACPI_NEW
request_end:

	/* Whatever size and depth the machine likes. */
	.balign 8
	.short	MULTIBOOT2_HTAG_FRAMEBUFFER, MULTIBOOT2_HTAG_OPTIONAL
	.long	20
	.long	0, 0, 0

	/* Modules on page boundaries, so that their pages are theirs alone. */
	.balign 8
	.short	MULTIBOOT2_HTAG_MODULE_ALIGN, 0
	.long	8

	.balign 8
	.short	MULTIBOOT2_HTAG_RELOCATABLE, 0
	.long	24
	.long	0x200000, 0xffffffff, 0x200000, MULTIBOOT2_HTAG_PREFER_LOWEST

	.balign 8
	.short	MULTIBOOT2_HTAG_END, 0
	.long	8
header_end:

	.section .boot, "ax"
	.code32
	.globl	boot_entry
boot_entry:
	cli
	cld
	movl	%eax, %edi		/* the loader's magic, checked in C as well */
	xorl	%ebp, %ebp
	cmpl	$MULTIBOOT2_BOOTLOADER_MAGIC, %eax
	movl	$msg_no_multiboot2, %esi
	jne	stop

	/* Where are we? The one place to push to is the loader's reserved word. */
	leal	8(%ebx), %esp
	call	1f
1:	popl	%ebp
	subl	$1b, %ebp
	leal	PHYS(BOOT_STACK_TOP)(%ebp), %esp

	movl	%edi, %esi
	xorl	%eax, %eax
	leal	PHYS(image_bss_start)(%ebp), %edi
	leal	PHYS(image_bss_end)(%ebp), %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	rep stosl

	pushl	%ebx			/* the loader's structure */
	pushl	%esi			/* its magic */
	call	check_cpu
	call	build_page_tables
	call	enable_long_mode

	/* 64-bit code, still at the physical address, then the higher half. */
	leal	boot_gdt(%ebp), %eax
	movl	%eax, boot_gdtr + 2(%ebp)
	lgdt	boot_gdtr(%ebp)
	popl	%edi
	popl	%esi
	leal	entry64(%ebp), %eax
	pushl	$SEL_CODE
	pushl	%eax
	lretl

/* Stops with a message when the CPU is not one that we can run on. */
check_cpu:
	movl	$0x80000000, %eax
	cpuid
	movl	$msg_no_long_mode, %esi
	cmpl	$0x80000001, %eax
	jb	stop
	movl	$0x80000001, %eax
	cpuid
	btl	$29, %edx		/* long mode */
	jnc	stop
	movl	$msg_no_nx, %esi
	btl	$20, %edx		/* NX */
	jnc	stop
	ret

/*
 * The first 4 GiB twice, at 0 for this code and at DIRECT_BASE for boot_main(),
 * IMAGE_MAX bytes from our load address at IMAGE_BASE + 2 MiB, all writable and
 * executable, and this CPU's own data. paging_init() replaces all but the last.
 */
build_page_tables:
	leal	PHYS(boot_pdpt_low) + PTE_P_RW(%ebp), %eax
	movl	%eax, PHYS(boot_pml4)(%ebp)
	movl	%eax, PHYS(boot_pml4) + DIRECT_SLOT * 8(%ebp)
	leal	PHYS(boot_pdpt_image) + PTE_P_RW(%ebp), %eax
	movl	%eax, PHYS(boot_pml4) + IMAGE_SLOT * 8(%ebp)
	leal	PHYS(boot_pd_image) + PTE_P_RW(%ebp), %eax
	movl	%eax, PHYS(boot_pdpt_image) + 510 * 8(%ebp)

	leal	PHYS(boot_local_pdpt) + PTE_P_RW(%ebp), %eax
	movl	%eax, PHYS(boot_pml4) + CPU_LOCAL_SLOT * 8(%ebp)
	leal	PHYS(boot_local_pd) + PTE_P_RW(%ebp), %eax
	movl	%eax, PHYS(boot_local_pdpt)(%ebp)
	leal	PHYS(boot_local_pt) + PTE_P_RW(%ebp), %eax
	movl	%eax, PHYS(boot_local_pd)(%ebp)
	leal	PHYS(percpu_boot) + PTE_P_RW(%ebp), %eax
	movl	%eax, PHYS(boot_local_pt)(%ebp)
	movl	$PTE_NX_HIGH, PHYS(boot_local_pt) + 4(%ebp)

	leal	PHYS(boot_pd_low) + PTE_P_RW(%ebp), %eax
	xorl	%ecx, %ecx
1:	movl	%eax, PHYS(boot_pdpt_low)(%ebp, %ecx, 8)
	addl	$4096, %eax
	incl	%ecx
	cmpl	$4, %ecx
	jb	1b

	movl	$PTE_P_RW_PS, %eax
	xorl	%ecx, %ecx
1:	movl	%eax, PHYS(boot_pd_low)(%ebp, %ecx, 8)
	addl	$0x200000, %eax
	incl	%ecx
	cmpl	$4 * 512, %ecx
	jb	1b

	leal	PTE_P_RW_PS(%ebp), %eax
	xorl	%ecx, %ecx
1:	movl	%eax, PHYS(boot_pd_image)(%ebp, %ecx, 8)
	addl	$0x200000, %eax
	incl	%ecx
	cmpl	$IMAGE_MAX / 0x200000 + 1, %ecx
	jb	1b
	ret

enable_long_mode:
	movl	$CR4_PAE, %eax
	movl	%eax, %cr4
	leal	PHYS(boot_pml4)(%ebp), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME | EFER_NXE, %eax
	wrmsr
	movl	$CR0_PG | CR0_WP | CR0_MP | CR0_PE, %eax
	movl	%eax, %cr0
	ret

/* Says %esi (linked address) on COM1, 115200 8N1, and halts for good. */
stop:
	addl	%ebp, %esi
	movw	$COM1 + 3, %dx		/* LCR: divisor latch */
	movb	$0x80, %al
	outb	%al, %dx
	movw	$COM1, %dx
	movb	$1, %al
	outb	%al, %dx
	incw	%dx
	xorb	%al, %al
	outb	%al, %dx
	movw	$COM1 + 3, %dx
	movb	$3, %al
	outb	%al, %dx
1:	lodsb
	testb	%al, %al
	jz	4f
	movb	%al, %ah
	movl	$100000, %ecx		/* a port with nobody there must not hold us */
	movw	$COM1 + 5, %dx
2:	inb	%dx, %al
	testb	$0x20, %al		/* LSR: transmitter empty */
	jnz	3f
	loop	2b
3:	movb	%ah, %al
	movw	$COM1, %dx
	outb	%al, %dx
	jmp	1b
4:	hlt
	jmp	4b

msg_no_multiboot2:
	.asciz	"\r\nalcazar: not started by a Multiboot2 loader; in grub.cfg use `multiboot2', not `multiboot'\r\n"
msg_no_long_mode:
	.asciz	"\r\nalcazar: this CPU has no 64-bit mode; an x86-64 CPU is needed\r\n"
msg_no_nx:
	.asciz	"\r\nalcazar: this CPU has no NX bit, or the firmware hides it (\"Execute Disable\", \"No-Execute\"); it is needed\r\n"

	.code64
entry64:
	movw	$SEL_DATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	xorl	%eax, %eax
	movw	%ax, %fs
	movw	%ax, %gs
	movq	$boot_entry_high, %rax
	jmp	*%rax

	.text
boot_entry_high:
	movq	$BOOT_STACK_TOP, %rsp
	movl	%ebp, %eax
	movq	%rax, image_load_offset
	movl	%edi, %edi		/* magic */
	movl	%esi, %esi		/* physical address of the loader's structure */
	xorl	%ebp, %ebp		/* the end of a backtrace */
	call	boot_main
	ud2

	/* Written once, so not in .boot, which is code. */
	.data
	.balign 8
	.globl	image_load_offset
image_load_offset:
	.quad	0

	.section .boot
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9a000000ffff	/* SEL_CODE: 64-bit */
	.quad	0x00cf92000000ffff	/* SEL_DATA */
	.word	0
boot_gdtr:
	.word	boot_gdtr - 2 - boot_gdt - 1
	.long	0

	.bss
	.balign 4096
boot_pml4:
	.skip	4096
boot_pdpt_low:
	.skip	4096
boot_pdpt_image:
	.skip	4096
boot_pd_low:
	.skip	4 * 4096
boot_pd_image:
	.skip	4096
	/* These three stay: where the boot CPU sees its own data. */
boot_local_pdpt:
	.skip	4096
boot_local_pd:
	.skip	4096
boot_local_pt:
	.skip	4096

	.section .note.GNU-stack, "", @progbits
